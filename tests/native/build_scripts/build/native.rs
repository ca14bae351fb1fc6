use std::path::Path;

pub fn build() {
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    bindgen::Builder::default()
        .header_contents("wrapper.h", "#include <sys/utsname.h>")
        .allowlist_function("uname")
        .generate()
        .expect("the header is there")
        .write_to_file(Path::new(&out).join("uname.rs"))
        .expect("it can be written");
    cc::Build::new().cpp(true).file("native/shout.cpp").compile("shout");
    let sum = cmake::build("native/sum");
    println!("cargo::rustc-link-search=native={}/lib", sum.display());
    println!("cargo::rustc-link-lib=static=sum");
    pkg_config::probe_library("libcap").expect("it is there");
}
