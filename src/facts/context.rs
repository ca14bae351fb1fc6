//! The build context: the workspace, and what lies outside of it that the build reads all the same.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use guppy::PackageId;
use guppy::graph::{BuildTargetId, PackageGraph, PackageMetadata};

use super::sources::{self, Sources};
use super::{Link, Package, git};
use crate::config::Config;
use crate::path::below;

/// What the sources of each local package tell, with absolute paths.
pub(super) fn read_sources<'g>(
    graph: &'g PackageGraph,
    workspace: &Utf8Path,
) -> BTreeMap<&'g PackageId, Sources> {
    let local = graph
        .packages()
        .filter(|package| package.source().is_local());
    let read = |package: PackageMetadata<'g>| {
        let script = package
            .build_targets()
            .find(|target| target.id() == BuildTargetId::BuildScript);
        let places = sources::Places {
            package: package.manifest_path().parent()?,
            workspace,
            build_script: script.map(|target| target.path()),
        };
        let mut sources = sources::read(&places);
        add_links(&mut sources, &places);
        Some((package.id(), sources))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = local
            .map(|package| scope.spawn(move || read(package)))
            .collect();
        let results = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        results
            .filter_map(|result| result.expect("the thread does not panic"))
            .collect()
    })
}

/// Adds the links on the way to the package, and to what its sources have the compiler read.
fn add_links(sources: &mut Sources, places: &sources::Places<'_>) {
    let mentions = sources.mentions.iter();
    let read = mentions.filter(|mention| mention.found && mention.by.is_some());
    let paths = read.map(|mention| mention.path.as_path());
    let links = paths.chain([places.package]).flat_map(|path| {
        let mut roots = [places.workspace, places.package].into_iter();
        let root = roots.find(|root| path.starts_with(root));
        root.map_or_else(Vec::new, |root| Link::on_the_way(root, path))
    });
    sources.links.extend(links.collect::<Vec<_>>());
}

/// The workspace root, or the nearest folder that also holds the path dependencies outside of it and the
/// files that sources name or are linked to.
pub(super) fn context(
    graph: &PackageGraph,
    sources: &BTreeMap<&PackageId, Sources>,
    workspace: &Utf8Path,
) -> Utf8PathBuf {
    let local = graph
        .packages()
        .filter(|package| package.source().is_local());
    let mut context = workspace;
    for package in local {
        context = common(context, package.manifest_path());
    }
    let repository = git::repository(workspace);
    // What looks like a path may be none: a match far away, or outside of the repository, is chance.
    let near = |dir: &Utf8Path| match repository {
        Some(repository) => dir.starts_with(repository),
        None => dir.components().count() > 2 && workspace.ancestors().take(4).any(|up| up == dir),
    };
    let mentions = sources.values().flat_map(|sources| &sources.mentions);
    let found = mentions.filter(|mention| mention.found);
    let links = sources.values().flat_map(|sources| &sources.links);
    let links = links.filter(|link| link.is_relative());
    let paths = found.map(|mention| &mention.path);
    for path in paths.chain(links.map(|link| &link.target)) {
        let wider = common(context, path);
        if near(wider) {
            context = wider;
        }
    }
    context.to_owned()
}

/// Whether the context has what is at the path, also for whoever checks the project out: links may lead elsewhere.
pub(super) fn holds(context: &Utf8Path, path: &Utf8Path) -> bool {
    let real = |path: &Utf8Path| path.canonicalize_utf8().ok();
    let (Some(context), Some(path)) = (real(context), real(path)) else {
        return false;
    };
    path.starts_with(context) && !git::ignores(&path)
}

/// Those of the names in folders, which are relative to the context, that it does not hold in every checkout.
pub(super) fn left_out<'f>(
    context: &Utf8Path,
    folders: impl Iterator<Item = (&'f Utf8Path, &'f BTreeSet<String>)>,
) -> BTreeSet<Utf8PathBuf> {
    let paths = folders.flat_map(|(dir, names)| names.iter().map(move |name| dir.join(name)));
    paths
        .filter(|path| !holds(context, &context.join(path)))
        .collect()
}

/// The assets of the configuration, relative to the context.
pub(super) fn assets<'f>(
    root: &'f Utf8Path,
    config: &'f Config,
    packages: &'f [Package],
) -> impl Iterator<Item = Utf8PathBuf> + 'f {
    let of_packages = packages
        .iter()
        .map(|package| (package.dir.as_path(), &package.config.assets));
    let folders = std::iter::once((root, &config.assets)).chain(of_packages);
    folders.flat_map(|(dir, assets)| assets.iter().flatten().map(move |asset| below(dir, asset)))
}

/// Those of the paths, which are relative to the context, where nothing is.
pub(super) fn absent(
    context: &Utf8Path,
    paths: impl Iterator<Item = Utf8PathBuf>,
) -> BTreeSet<Utf8PathBuf> {
    paths.filter(|path| !context.join(path).exists()).collect()
}

/// Folders named `target` among the sources, which the ignore file must not take for cargo's. What cannot be
/// read is cargo's to complain of.
pub(super) fn find_target_folders(dir: &Utf8Path, found: &mut BTreeSet<Utf8PathBuf>) {
    let entries = dir.read_dir_utf8().into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if entry.file_name() == "target" {
            found.insert(entry.path().to_owned());
        } else {
            find_target_folders(entry.path(), found);
        }
    }
}

/// The nearest folder at or above `dir` that holds `path`.
fn common<'d>(dir: &'d Utf8Path, path: &Utf8Path) -> &'d Utf8Path {
    dir.ancestors()
        .find(|dir| path.starts_with(dir))
        .unwrap_or(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn links_to_elsewhere_hold_nothing() {
        use fs_err::os::unix::fs::symlink;

        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let context = root.join("app");
        for name in [".git", "static", "dist"] {
            fs_err::create_dir_all(context.join(name)).expect("a folder");
        }
        for (name, text) in [
            ("static/a.css", ""),
            ("dist/a.css", ""),
            (".gitignore", "dist"),
        ] {
            fs_err::write(context.join(name), text).expect("a file");
        }
        for (target, link) in [
            ("static", "public"),
            ("..", "assets"),
            ("dist", "www"),
            ("nowhere", "data"),
        ] {
            symlink(target, context.join(link)).expect("a link");
        }
        let holds = |name: &str| holds(&context, &context.join(name));
        assert!(holds("static") && holds("public") && holds("public/a.css"));
        assert!(!holds("assets") && !holds("www") && !holds("www/a.css") && !holds("data"));
    }
}
