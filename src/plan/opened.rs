//! The files among the project's own that a program opens where it runs, as its sources name them.

use camino::Utf8PathBuf;

use super::assets::Asset;
use super::{APP, context};
use crate::catalog::Catalog;
use crate::facts::{Facts, Opened, Resolution, Start};
use crate::path::{below, is_for_tests, slashed};
use crate::why::{Choice, Why};

/// Folders that no program reads in production.
const ASIDE: [&str; 6] = ["benches", "examples", "fixtures", "target", "test", "tests"];

/// What the packages of the program name, and either plainly open or is called as such files usually are, each at
/// the place where the program finds it when it is run in the package's folder, or at the root of the workspace; where
/// it has the path of the folder that it was built in, there.
pub(super) fn opened(facts: &Facts, linked: &Resolution, catalog: &Catalog) -> Vec<Choice<Asset>> {
    let mut assets: Vec<Choice<Asset>> = Vec::new();
    for package in facts.packages_of(linked) {
        for opened in &package.opened {
            if is_for_tests(&opened.source) {
                continue;
            }
            let Some(asset) = asset(opened, facts, catalog) else {
                continue;
            };
            if !assets.iter().any(|other| other.value.to == asset.to) {
                let why = Why::Opened(opened.source.clone(), asset.to.clone());
                assets.push(Choice::new(asset, why));
            }
        }
    }
    assets.sort_by(|a, b| a.value.to.cmp(&b.value.to));
    assets
}

fn asset(opened: &Opened, facts: &Facts, catalog: &Catalog) -> Option<Asset> {
    let way = &opened.way;
    let base = opened.path.ancestors().nth(way.components().count())?;
    let parts: Vec<&str> = way.iter().collect();
    let helpers = &catalog.helpers;
    if way.file_name().is_some_and(|name| helpers.is_private(name))
        || parts.iter().any(|part| ASIDE.contains(part))
    {
        return None;
    }
    // A file in a folder of such a name has others beside it that are read as well.
    let is_candidate = |part: &&str| helpers.candidates.iter().any(|name| name == part);
    let to: Utf8PathBuf = match parts.iter().position(is_candidate) {
        Some(end) => parts[..=end].join("/").into(),
        None if opened.plainly => slashed(way),
        None => return None,
    };
    let from = below(base, &to);
    // What an ignore file keeps out of the context cannot be copied, and is hardly meant to be.
    if context::own_ignore_hides(facts, &from) || context::is_usually_hidden(&from) {
        return None;
    }
    let holds_package = facts
        .packages
        .iter()
        .any(|package| package.dir.starts_with(&from));
    let to = match opened.start {
        Start::Run => to,
        Start::Built => below(APP, &from),
    };
    (!holds_package).then_some(Asset { from, to })
}
