//! The ignore file that the engine reads, where it is somebody's own, and what it hides of folders that are copied whole.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Package, text_of};
use crate::files::mark;
use crate::ignore;
use crate::path::below;

/// Somebody's own ignore file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnIgnore {
    /// Its name.
    pub name: String,
    /// Whether it lies beside the Dockerfile and has its name, `NAME.dockerignore`: engines look for that one first.
    pub is_beside: bool,
    /// Its lines.
    pub lines: Vec<String>,
    /// What it hides in folders that the build or the programs may read: the line and the path, relative to the context.
    pub inside: Vec<(String, Utf8PathBuf)>,
}

/// Reads the file. `folders`, relative to the context: those that are copied whole, whatever the packages say.
pub(super) fn read(
    context: &Utf8Path,
    dockerfile: &Utf8Path,
    packages: &[Package],
    folders: impl Iterator<Item = Utf8PathBuf>,
) -> Option<OwnIgnore> {
    let beside = Utf8PathBuf::from(format!("{dockerfile}.dockerignore"));
    let places = [(beside, true), (context.join(".dockerignore"), false)];
    let mut found = places.iter().filter_map(|(path, is_beside)| {
        let lines = somebodys(&text_of(path)?)?;
        Some((path.file_name()?.to_owned(), *is_beside, lines))
    });
    let (name, is_beside, lines) = found.next()?;
    let of_packages = packages.iter().flat_map(|package| {
        let mentions = package.mentions.iter().filter(|mention| mention.found);
        let opened = package.opened.iter().map(|opened| &opened.path);
        mentions.map(|mention| &mention.path).chain(opened)
    });
    let folders: BTreeSet<Utf8PathBuf> = folders.chain(of_packages.cloned()).collect();
    let mut inside = Vec::new();
    let is_shown = |folder: &&Utf8PathBuf| ignore::hides(&lines, folder).is_none();
    for folder in folders.iter().filter(is_shown) {
        look_into(context, folder, &lines, &mut inside);
    }
    Some(OwnIgnore {
        name,
        is_beside,
        lines,
        inside,
    })
}

/// The lines of a file that is not ours.
fn somebodys(text: &str) -> Option<Vec<String>> {
    let text = text.trim_start_matches(mark::BYTE_ORDER);
    (!mark::is_ours(text)).then(|| text.lines().map(str::to_owned).collect())
}

/// What the lines hide in a folder that they show.
fn look_into(
    context: &Utf8Path,
    folder: &Utf8Path,
    lines: &[String],
    hidden: &mut Vec<(String, Utf8PathBuf)>,
) {
    let entries = context.join(folder).read_dir_utf8();
    let mut entries: Vec<_> = entries.into_iter().flatten().flatten().collect();
    entries.sort_by(|a, b| a.file_name().cmp(b.file_name()));
    for entry in entries {
        let path = below(folder, entry.file_name());
        if let Some(line) = ignore::hides(lines, &path) {
            hidden.push((line.to_owned(), path));
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            look_into(context, &path, lines, hidden);
        }
    }
}
