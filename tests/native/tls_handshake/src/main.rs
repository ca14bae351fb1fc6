//! `authority` prints a certificate authority and a server's certificate with its key. `connect` reads them
//! from standard input, starts that server, and asks it for a page: which succeeds if and only if the image's
//! bundle of certificates has the authority in it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("authority") => authority(),
        Some("connect") => connect(),
        _ => Err("authority or connect?".into()),
    }
}

fn authority() -> Result<()> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);

    let key = KeyPair::generate()?;
    let server = CertificateParams::new(vec!["localhost".into()])?.signed_by(&key, &issuer)?;
    print!("{}{}{}", certificate.pem(), server.pem(), key.serialize_pem());
    Ok(())
}

fn connect() -> Result<()> {
    let digest = ring::digest::digest(&ring::digest::SHA256, b"");
    println!("ring: {:02x?}", &digest.as_ref()[..2]);

    let mut pem = Vec::new();
    std::io::stdin().read_to_end(&mut pem)?;
    let chain: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let server = chain?.split_off(1);
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(server, PrivateKeyDer::from_pem_slice(&pem)?)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || serve(&listener, &Arc::new(config)));

    let page = reqwest::blocking::get(format!("https://localhost:{port}/"))?;
    println!("the server says: {}", page.text()?);
    Ok(())
}

fn serve(listener: &TcpListener, config: &Arc<ServerConfig>) {
    for stream in listener.incoming().flatten() {
        let connection = ServerConnection::new(config.clone()).expect("the certificate is valid");
        let mut stream = StreamOwned::new(connection, stream);
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\nwelcome");
        stream.conn.send_close_notify();
        let _ = stream.flush();
    }
}
