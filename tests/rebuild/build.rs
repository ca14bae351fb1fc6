//! Knows its folder by its date alone.

fn main() {
    println!("cargo::rerun-if-changed=watched");
    let names = std::fs::read_dir("watched").unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    println!("cargo::rustc-env=SCRIPT=script 1 saw {}", names.join(" "));
}
