//! The build context: the workspace, and what lies outside of it that the build reads all the same.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use guppy::PackageId;
use guppy::graph::{BuildTargetId, PackageGraph, PackageMetadata};

use super::git::{self, Git};
use super::sources::{self, Sources};
use super::{Link, Package, build_script, relative};
use crate::config::Config;
use crate::path::below;

/// What the sources of each local package tell, with absolute paths.
pub(super) fn read_sources<'g>(
    graph: &'g PackageGraph,
    workspace: &Utf8Path,
    git: &Git,
) -> BTreeMap<&'g PackageId, Sources> {
    let local = graph
        .packages()
        .filter(|package| package.source().is_local());
    let read = |package: PackageMetadata<'g>| {
        let places = sources::Places {
            package: package.manifest_path().parent()?,
            workspace,
            build_script: build_script::root(&package, &BuildTargetId::BuildScript),
            git,
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

/// What the sources of a package tell, relative to the context.
pub(super) fn add_sources(package: &mut Package, sources: Sources, context: &Utf8Path, git: &Git) {
    let modules = sources.files.iter().map(|path| relative(path, context));
    let src = package.dir.join("src");
    package.modules = modules.filter(|path| path.starts_with(&src)).collect();
    package.macros = sources.macros;
    package.loopback = sources.loopback.map(|one| one.below(context));
    let starts = sources.starts.into_iter();
    package.starts = starts
        .map(|(program, path)| (program, relative(&path, context)))
        .collect();
    package.mentions = sources.mentions;
    package.opened = sources.opened;
    package
        .opened
        .retain(|opened| holds(context, &opened.path, git));
    let of_mentions = package
        .mentions
        .iter_mut()
        .map(|m| (&mut m.source, &mut m.path));
    let of_opened = package
        .opened
        .iter_mut()
        .map(|o| (&mut o.source, &mut o.path));
    for (source, path) in of_mentions.chain(of_opened) {
        *source = relative(source, context);
        *path = relative(path, context);
    }
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
pub(super) fn holds(context: &Utf8Path, path: &Utf8Path, git: &Git) -> bool {
    let real = |path: &Utf8Path| path.canonicalize_utf8().ok();
    let (Some(context), Some(path)) = (real(context), real(path)) else {
        return false;
    };
    path.starts_with(context) && !git.ignores(&path)
}

/// Those of the names in folders, which are relative to the context, that it does not hold in every checkout; the same of
/// what the sources of packages have the compiler read.
pub(super) fn left_out<'f>(
    context: &Utf8Path,
    folders: impl Iterator<Item = (&'f Utf8Path, &'f BTreeSet<String>)>,
    packages: &[Package],
    git: &Git,
) -> BTreeSet<Utf8PathBuf> {
    let paths = folders.flat_map(|(dir, names)| names.iter().map(move |name| dir.join(name)));
    paths
        .chain(read_by_the_compiler(packages).cloned())
        .filter(|path| !holds(context, &context.join(path), git))
        .collect()
}

fn read_by_the_compiler(packages: &[Package]) -> impl Iterator<Item = &Utf8PathBuf> {
    let mentions = packages.iter().flat_map(|package| &package.mentions);
    let read = mentions.filter(|mention| mention.by.is_some() && mention.path.is_relative());
    read.map(|mention| &mention.path)
}

/// The folders with a `package.json` that what the compiler reads is, or lies in, and the names in them.
pub(super) fn front_ends(
    context: &Utf8Path,
    packages: &[Package],
) -> BTreeMap<Utf8PathBuf, BTreeSet<String>> {
    let folders = read_by_the_compiler(packages).flat_map(|path| path.ancestors());
    let folders: BTreeSet<&Utf8Path> = folders.collect();
    let found = folders.into_iter().filter_map(|folder| {
        let entries = context.join(folder).read_dir_utf8().ok()?.flatten();
        let names = entries.map(|entry| entry.file_name().to_owned());
        let names: BTreeSet<String> = names.collect();
        names
            .contains("package.json")
            .then(|| (folder.to_owned(), names))
    });
    found.collect()
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
        let git = Git::default();
        let holds = |name: &str| holds(&context, &context.join(name), &git);
        assert!(holds("static") && holds("public") && holds("public/a.css"));
        assert!(!holds("assets") && !holds("www") && !holds("www/a.css") && !holds("data"));
    }
}
