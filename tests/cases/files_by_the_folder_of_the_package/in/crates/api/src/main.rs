//! Some paths start in the package's folder wherever the program is run, of others the compiler alone could tell.

use std::path::Path;

const EMBEDDED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/embedded/terms.txt"));

fn main() {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/web/**/*");
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    println!("{EMBEDDED}{pages}{}", templates.display());
}

#[test]
fn documented() {
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").exists());
}
