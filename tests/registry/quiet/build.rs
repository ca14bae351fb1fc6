fn main() {
    println!("cargo:version=1");
}
