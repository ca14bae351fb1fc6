#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Dist;

#[derive(RustEmbed)]
#[folder = "docs/book"]
struct Book;

fn main() {
    let listener = std::net::TcpListener::bind("127.0.0.1:8080");
}
