use std::process::Command;

fn main() {
    for args in [&["ci"][..], &["run", "build"]] {
        assert!(Command::new("npm").args(args).current_dir("web").status().unwrap().success());
    }
}
