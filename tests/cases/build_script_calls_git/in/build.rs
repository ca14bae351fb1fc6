use std::process::Command;

fn main() {
    let revision = Command::new("git").args(["rev-parse", "HEAD"]).output().unwrap().stdout;
    println!("cargo::rustc-env=REVISION={}", String::from_utf8(revision).unwrap());
}
