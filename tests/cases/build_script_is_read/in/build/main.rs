mod library;

const NPM: &str = "npm";

fn main() {
    cc::Build::new().cpp(true).file("native/a.cpp").compile("a");
    std::process::Command::new(NPM).args(["run", "build"]);
    // Command::new("git").arg("rev-parse");
    library::find();
    platform();
}

#[cfg(windows)]
fn platform() {
    pkg_config::probe_library("libusb-1.0").unwrap();
}

#[cfg(not(windows))]
fn platform() {
    println!("cargo::rustc-link-lib=pq");
}
