//! An OpenSSL that is compiled along with the program.

fn main() {
    let digest = openssl::sha::sha256(b"abc");
    println!("{}", openssl::version::version());
    println!("the digest begins with {:02x}{:02x}", digest[0], digest[1]);
}
