#[derive(Parser)]
struct Args {
    /// Where the pages are served
    #[arg(long, env, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[arg(long, default_value = "127.0.0.1:6379")]
    ledger_addr: SocketAddr,
}

fn main() {
    let listener = TcpListener::bind(Args::parse().listen);
}
