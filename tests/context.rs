//! What the context holds where it is not a plain folder of files: links, and submodules that are not there. The
//! golden cases keep neither.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests run the program on projects that they write"
)]

use std::os::unix::fs::symlink;
use std::process::Command;

use camino::Utf8Path;

/// What `--explain` says of a project in the folder `app` of a repository, whose sources name a module `a` and a
/// file `b`.
fn explanation(repository: &Utf8Path) -> String {
    for (file, text) in [
        (
            "app/Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        ),
        (
            "app/src/main.rs",
            "mod a;\nfn main() { print!(\"{}\", include_str!(\"b\")) }\n",
        ),
        ("shared/a.rs", ""),
        (".git/HEAD", ""),
    ] {
        let path = repository.join(file);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        fs_err::write(path, text).expect("a new file");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-dockerize"))
        .args(["dockerize", "--offline", "--explain"])
        .current_dir(repository.join("app"))
        .env("CARGO", env!("CARGO"))
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_context_holds_what_links_lead_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
    fs_err::create_dir_all(root.join("app/src")).expect("a new folder");
    symlink("../../shared/a.rs", root.join("app/src/a.rs")).expect("a link");
    let said = explanation(root);
    assert!(
        said.contains("app/src/a.rs is a link to shared/a.rs"),
        "{said}"
    );
    assert!(
        !said.contains("app/src/a.rs is a link to shared/a.rs, which"),
        "{said}"
    );
}

#[test]
fn what_the_context_cannot_hold_is_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::NamedTempFile::new().expect("a file");
    let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let other = Utf8Path::from_path(elsewhere.path()).expect("UTF-8");
    fs_err::create_dir_all(root.join("app/src")).expect("a new folder");
    fs_err::write(root.join("app/src/a.rs"), "").expect("a new file");
    symlink(other, root.join("app/src/b")).expect("a link");
    let modules = "[submodule \"c\"]\n\tpath = app/vendor/c\n[submodule \"d\"]\n\tpath = docs\n";
    fs_err::write(root.join(".gitmodules"), modules).expect("a new file");
    let said = explanation(root);
    let link = format!("note: app/src/b is a link to {other}, which no image can be built from");
    let link = link.replace("app/", "");
    assert!(said.contains(&link), "{said}");
    assert!(
        said.contains("note: the submodule vendor/c is not checked out"),
        "{said}"
    );
    assert!(!said.contains("submodule docs"), "{said}");
}
