//! Links a library of the builder that no catalog knows of.

fn main() {
    println!("cargo::rustc-link-arg=-Wl,--no-as-needed");
    println!("cargo::rustc-link-arg=-l:libpcre2-8.so.0");
}
