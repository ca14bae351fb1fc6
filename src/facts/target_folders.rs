//! Folders named `target` that hold sources, which the ignore file must not take for build output.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use guppy::graph::PackageMetadata;

use super::manifests;

/// Those among the sources of a package, whose folder is `dir`.
pub(super) fn find(package: PackageMetadata<'_>, dir: &Utf8Path) -> BTreeSet<Utf8PathBuf> {
    let compiled = package
        .build_targets()
        .filter(|target| !manifests::is_spare(target.id()));
    let src = dir.join("src");
    let folders = compiled.filter_map(|target| target.path().parent());
    let folders = folders.filter(|folder| folder.starts_with(dir) && *folder != dir);
    let mut found = BTreeSet::new();
    for folder in folders.chain([src.as_path()]) {
        add(folder, &mut found);
    }
    found
}

/// Cargo's own have a tag. What cannot be read is cargo's to complain of.
fn add(dir: &Utf8Path, found: &mut BTreeSet<Utf8PathBuf>) {
    let entries = dir.read_dir_utf8().into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if entry.file_name() != "target" {
            add(entry.path(), found);
        } else if !entry.path().join("CACHEDIR.TAG").exists() {
            found.insert(entry.path().to_owned());
        }
    }
}
