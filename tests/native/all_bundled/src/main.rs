//! Calls libraries that their crates compile: OpenSSL, SQLite, jemalloc and zstd.

use openssl::ssl::{SslConnector, SslMethod};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", openssl::version::version());
    // Its own folder is one that no image has: the variable of the image has to say where they are.
    let connector = SslConnector::builder(SslMethod::tls())?;
    let roots = connector.build().context().cert_store().all_certificates().len();
    println!("trusts somebody: {}", roots > 10);

    let database = rusqlite::Connection::open_in_memory()?;
    let answer: i64 = database.query_row("SELECT 6 * 7", [], |row| row.get(0))?;
    println!("SQLite says {answer}");

    let packed = zstd::encode_all(&[b'z'; 10_000][..], 3)?;
    println!("zstd: {} -> {}", zstd::decode_all(&packed[..])?.len(), packed.len() < 100);
    Ok(())
}
