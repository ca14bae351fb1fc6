fn main() {
    println!("links 0.1.0");
}
