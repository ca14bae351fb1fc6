fn main() {
    std::fs::read_to_string("compose.yml").unwrap();
}
