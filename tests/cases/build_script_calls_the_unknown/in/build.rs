fn main() {
    std::process::Command::new("frobnicate").status().unwrap();
    pkg_config::probe_library("widget").unwrap();
}
