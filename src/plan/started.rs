//! The programs that a program starts where it runs, as its sources name them.

use std::collections::BTreeSet;

use super::Note;
use super::needs::Needed;
use crate::catalog::{Catalog, Names};
use crate::facts::{Facts, Resolution};

/// What has packages of its own that the image has not. Whether the program can do without is not plain, and few images
/// get better with them all.
pub(super) fn notes(
    facts: &Facts,
    linked: &Resolution,
    names: Names<'_>,
    installed: &[Needed],
    catalog: &Catalog,
) -> Vec<Note> {
    let starts = facts
        .packages_of(linked)
        .flat_map(|package| &package.starts);
    let lacks = |name: &&String| !installed.iter().any(|needed| needed.package == **name);
    let note = |(program, source): (&String, _)| {
        let (_, known) = catalog.program(program.rsplit('/').next()?)?;
        let lacking: Vec<String> = known.build.names(names).filter(lacks).cloned().collect();
        (!lacking.is_empty()).then(|| Note::Starts(Clone::clone(source), program.clone(), lacking))
    };
    // One file is enough of an example.
    let mut first = BTreeSet::new();
    let starts = starts.filter(|(program, _)| first.insert(*program));
    starts.filter_map(note).collect()
}
