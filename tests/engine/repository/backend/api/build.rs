use std::process::Command;

fn main() {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let revision = output.expect("git runs").stdout;
    println!("cargo:rustc-env=REVISION={}", String::from_utf8_lossy(&revision).trim());
}
