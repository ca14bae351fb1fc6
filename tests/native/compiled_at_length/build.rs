fn main() {
    cxx_build::bridge("src/main.rs").std("c++17").compile("length");
}
