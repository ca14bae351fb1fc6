use std::process::Command;

fn main() {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--target", "wasm32-unknown-unknown"]);
}
