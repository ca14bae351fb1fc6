//! Calls OpenSSL by itself, below reqwest's default TLS, and below libgit2.

use openssl::ssl::{SslConnector, SslMethod};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", openssl::version::version());

    // The connector is the one that reads the default bundle of certificates.
    let connector = SslConnector::builder(SslMethod::tls())?;
    let roots = connector.build().context().cert_store().all_certificates().len();
    println!("trusts somebody: {}", roots > 10);

    let client = reqwest::blocking::Client::builder().use_native_tls().build()?;
    let refused = client.get("https://127.0.0.1:9/").send().expect_err("nobody listens");
    println!("refused: {}", refused.is_connect());

    let blob = git2::Oid::hash_object(git2::ObjectType::Blob, b"hello\n")?;
    println!("git calls it {blob}, https: {}", git2::Version::get().https());
    Ok(())
}
