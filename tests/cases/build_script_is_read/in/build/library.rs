pub fn find() {
    pkg_config::Config::new()
        .atleast_version("1.0")
        .probe("libsodium")
        .expect("libsodium is not there");
}
