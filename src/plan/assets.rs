//! The files that a program reads where it runs.

use std::collections::BTreeMap;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::{Refusal, context};
use crate::catalog::Catalog;
use crate::facts::{Facts, Package};
use crate::path::below;
use crate::why::{Choice, Why};

/// A file or folder that the program reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Relative to the context.
    pub from: Utf8PathBuf,
    /// Relative to the working directory, or absolute.
    pub to: Utf8PathBuf,
}

/// Order of precedence: the package's configuration (from its folder), the workspace's (from its root), what
/// the crates of the program read and one of the two folders has, together with what its sources open.
pub(super) fn assets(
    facts: &Facts,
    package: &Package,
    known: BTreeMap<String, Why>,
    opened: Vec<Choice<Asset>>,
) -> Result<Vec<Choice<Asset>>, Refusal> {
    let dir = &package.dir;
    let configured = |paths: &[String], base: &Utf8Path| {
        let asset = |path: &String| {
            let to = Utf8Path::new(path);
            let inside = to
                .components()
                .all(|part| matches!(part, Utf8Component::Normal(_)));
            let asset = Asset {
                from: below(base, path),
                to: to.to_owned(),
            };
            let refusal = || Refusal::AssetOutside { path: path.clone() };
            inside
                .then(|| Choice::new(asset, Why::Config("assets")))
                .ok_or_else(refusal)
        };
        paths.iter().map(asset).collect()
    };
    if let Some(paths) = &package.config.assets {
        return configured(paths, dir);
    }
    if let Some(paths) = &facts.config.assets {
        return configured(paths, &facts.root);
    }
    let known = known.into_iter().filter_map(|(name, why)| {
        let places = [(&package.entries, dir), (&facts.entries, &facts.root)];
        // What not every checkout has, or somebody's own ignore file keeps out of the context, cannot be copied.
        let is_there = |base: &Utf8Path| {
            let path = base.join(&name);
            !facts.left_out.contains(&path) && !context::own_ignore_hides(facts, &path)
        };
        let (_, base) = places
            .into_iter()
            .find(|(entries, base)| entries.contains(&name) && is_there(base))?;
        Some(Choice::new(
            Asset {
                from: below(base, &name),
                to: name.into(),
            },
            why,
        ))
    });
    let mut found: Vec<Choice<Asset>> = known.collect();
    for asset in opened {
        if !found
            .iter()
            .any(|other| asset.value.to.starts_with(&other.value.to))
        {
            found.push(asset);
        }
    }
    Ok(found)
}

/// Names beside the manifest, and at the root of the workspace, that often are of what a program reads.
pub(super) fn candidates(
    facts: &Facts,
    package: &Package,
    assets: &[Choice<Asset>],
    catalog: &Catalog,
) -> Vec<String> {
    if package.config.assets.is_some() || facts.config.assets.is_some() {
        return Vec::new();
    }
    let candidates = catalog.helpers.candidates.iter();
    candidates
        .filter(|name| package.entries.contains(*name) || facts.entries.contains(*name))
        .filter(|name| {
            let places = [&package.dir, &facts.root].map(|dir| below(dir, name));
            !assets.iter().any(|a| places.contains(&a.value.from))
        })
        .cloned()
        .collect()
}
