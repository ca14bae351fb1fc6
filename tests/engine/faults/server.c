#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers every request, or with DEAF listens where nobody outside of the container reaches it. */
int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080)};
#ifdef DEAF
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
#endif
    const char *answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char request[1024];
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 8)) return 1;
    for (;;) {
        int client = accept(server, NULL, NULL);
        if (read(client, request, sizeof request) > 0) write(client, answer, strlen(answer));
        close(client);
    }
}
