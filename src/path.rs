//! What paths say, and how they are written to files: those are read in containers, and on other machines, so that they
//! have slashes wherever the tool runs.

use std::path::MAIN_SEPARATOR;

use camino::{Utf8Path, Utf8PathBuf};

/// A path that this machine made, as the files have it.
pub(crate) fn slashed(path: &Utf8Path) -> Utf8PathBuf {
    with_slashes(path.as_str(), MAIN_SEPARATOR).into()
}

fn with_slashes(path: &str, separator: char) -> String {
    path.replace(separator, "/")
}

/// The path of `name` in `folder`; `name` itself where that is empty, or `name` starts at the root.
pub(crate) fn below(folder: impl AsRef<str>, name: impl AsRef<str>) -> Utf8PathBuf {
    match (folder.as_ref().trim_end_matches('/'), name.as_ref()) {
        ("", name) => name.into(),
        (_, name) if name.starts_with('/') => name.into(),
        (folder, "") => folder.into(),
        (folder, name) => format!("{folder}/{name}").into(),
    }
}

/// Whether a source file is one of tests, by its name.
pub(crate) fn is_for_tests(file: &Utf8Path) -> bool {
    file.file_stem().is_some_and(|stem| stem.contains("test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_parted_by_slashes_on_every_system() {
        assert_eq!(with_slashes(r"crates\api\src", '\\'), "crates/api/src");
        // Where the separator is a slash, the other one may be part of a name.
        assert_eq!(with_slashes(r"crates/a\b", '/'), r"crates/a\b");
    }

    #[test]
    fn names_in_folders() {
        assert_eq!(below("/app", "crates/api").as_str(), "/app/crates/api");
        assert_eq!(below("", "Cargo.toml").as_str(), "Cargo.toml");
        assert_eq!(below("/app", "").as_str(), "/app");
        assert_eq!(below("a", "/vendor").as_str(), "/vendor");
    }
}
