fn main() {
    grammars::generate();
}
