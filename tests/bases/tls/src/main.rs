//! The certificates that a client verifies servers with.

fn main() {
    let found = rustls_native_certs::load_native_certs();
    assert!(found.errors.is_empty(), "{:?}", found.errors);
    println!("roots: {}", if found.certs.is_empty() { "none" } else { "some" });
}
