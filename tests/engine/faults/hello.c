#include <stdio.h>
#include <string.h>

int main(void) {
    char word[8] = "hello";
#ifdef NEW_LIBC
    strlcpy(word, "salut", sizeof word); /* of glibc 2.38 */
#endif
#ifdef CRASH
    *(volatile int *)0 = 1;
#endif
#ifdef WRITES
    if (!fopen("file", "w")) return perror("file"), 1;
#endif
    puts(word);
    return 0;
}
