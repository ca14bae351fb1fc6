#[derive(RustEmbed)]
#[folder = "frontend/dist"]
struct Dist;

fn main() {
    let listener = std::net::TcpListener::bind("127.0.0.1:8080");
}
