//! The build context: its folder, what the ignore file hides, and what the dependency stage keeps whole.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::needs::Needs;
use super::{Image, Note, Refusal, Request};
use crate::facts::{Facts, Lock, OwnIgnore, Package};
use crate::ignore;
use crate::path::{below, slashed};
use crate::why::{Choice, Why};

/// The build context.
#[derive(Clone, Debug)]
pub struct ContextPlan {
    /// The folder, absolute.
    pub dir: Choice<Utf8PathBuf>,
    /// The workspace root, relative to it; empty when they are the same.
    pub root: Utf8PathBuf,
    /// Patterns of what no build reads, hidden from the context.
    pub hidden: Vec<String>,
    /// Whether the history is in the context.
    pub with_history: bool,
    /// What somebody's own ignore file hides from the build: its line, and the path. At the root of the context,
    /// another file is read in its place.
    pub own_ignore_hides: Option<(String, Utf8PathBuf)>,
    /// Whether the ignore file lies beside the Dockerfile: for the reason above, or as somebody has one there.
    pub ignore_is_beside: bool,
    /// Exceptions from `hidden` and from what the template hides.
    pub shown: Vec<Choice<Utf8PathBuf>>,
    /// Paths that are usually hidden and not here, with the reason.
    pub kept: Vec<Choice<String>>,
    /// Folders whose sources the dependencies are compiled from.
    pub whole: Vec<Utf8PathBuf>,
    /// Files and folders outside of them that these sources read.
    pub read_by_whole: Vec<Utf8PathBuf>,
    /// Root files of targets that are not where cargo would look for them.
    pub unusual_roots: Vec<Utf8PathBuf>,
}

/// What no build reads: version control, editors, CI, secrets. The image's own files come from the paths at
/// hand, since a project may well have templates of that name. Build output comes from
/// the template, since it needs exceptions.
const HIDDEN: [&str; 11] = [
    ".git",
    ".github",
    ".gitlab-ci.yml",
    ".circleci",
    ".idea",
    ".vscode",
    "**/.DS_Store",
    "**/.env",
    "**/node_modules",
    "compose*.y*ml",
    "docker-compose*.y*ml",
];

pub(super) fn context(facts: &Facts, needs: &Needs<'_>) -> ContextPlan {
    let kept = needs.kept();
    let (kept_usual, hidden): (Vec<&str>, Vec<&str>) = HIDDEN
        .iter()
        .partition(|pattern| kept.contains_key(pattern.trim_start_matches("**/")));
    // With the history in the context, what is committed has to be there too, or git calls the tree dirty.
    let with_history = kept_usual.contains(&".git");
    let hidden: Vec<&str> = hidden
        .into_iter()
        .filter(|pattern| !with_history || pattern.starts_with("**/"))
        .collect();
    let outside = facts
        .packages
        .iter()
        .find(|p| !p.dir.starts_with(&facts.root));
    let mentions = || facts.packages.iter().flat_map(|p| &p.mentions);
    // Only what was found made the context grow; a file of the same name as the context is none.
    let read_outside = || {
        let mut found = mentions().filter(|m| m.found && m.path.is_relative());
        found.find(|m| !m.path.starts_with(&facts.root))
    };
    let linked = || {
        let mut links = facts.links.iter().filter(|link| link.target.is_relative());
        links.find(|link| !link.target.starts_with(&facts.root))
    };
    let why = outside
        .map(|p| Why::OutsideWorkspace(p.dir.clone()))
        .or_else(|| linked().map(|link| Why::LinkedTo(link.path.clone(), link.target.clone())))
        .or_else(|| read_outside().map(|m| Why::Mentioned(m.source.clone(), m.path.clone())))
        .unwrap_or(Why::WorkspaceRoot);

    let below = facts
        .packages
        .iter()
        .filter(|p| p.below_dependencies)
        .map(|p| &p.dir);
    let whole: BTreeSet<&Utf8PathBuf> = below.chain(&facts.cargo_config.vendored).collect();
    let inside = |path: &Utf8Path| whole.iter().any(|whole| path.starts_with(whole));
    let sources = facts.packages.iter().filter(|p| p.below_dependencies);
    let read = sources.flat_map(|p| &p.mentions).filter(|m| m.found);
    let read: BTreeSet<&Utf8PathBuf> = read.map(|m| &m.path).collect();
    let holds_package = |path: &Utf8Path| facts.packages.iter().any(|p| p.dir.starts_with(path));
    let roots = facts.packages.iter().flat_map(|p| {
        let spare = p
            .spare_roots
            .iter()
            .filter(|_| facts.trimmable.targets.is_err());
        p.unusual_roots.iter().chain(spare)
    });
    let own_ignore_hides = hidden_by_own(facts, &kept);
    let own_is_beside = facts.own_ignore.as_ref().is_some_and(|own| own.is_beside);
    ContextPlan {
        ignore_is_beside: own_is_beside || own_ignore_hides.is_some(),
        own_ignore_hides,
        dir: Choice::new(facts.context.clone(), why),
        root: facts.root.clone(),
        hidden: hidden.iter().map(ToString::to_string).collect(),
        with_history,
        shown: shown(facts, &hidden),
        kept: kept_usual
            .into_iter()
            .map(|pattern| {
                Choice::new(
                    pattern.to_owned(),
                    kept[pattern.trim_start_matches("**/")].clone(),
                )
            })
            .collect(),
        read_by_whole: read
            .into_iter()
            .filter(|path| path.is_relative() && !inside(path) && !holds_package(path))
            .cloned()
            .collect(),
        unusual_roots: roots.filter(|root| !inside(root)).cloned().collect(),
        whole: whole.into_iter().cloned().collect(),
    }
}

/// What the build may need, and the context does not have.
fn absent(facts: &Facts) -> impl Iterator<Item = Note> {
    let outside = facts.links.iter().filter(|link| link.target.is_absolute());
    let links = outside.map(|link| Note::LeadsOutside(link.path.clone(), link.target.clone()));
    let mut missing = facts.missing_submodules.clone();
    missing.sort();
    links.chain((!missing.is_empty()).then_some(Note::NoSubmodules(missing)))
}

/// What is needed in spite of its name.
fn shown(facts: &Facts, hidden: &[&str]) -> Vec<Choice<Utf8PathBuf>> {
    let packages = facts.packages.iter().map(|package| &package.dir);
    let folders = std::iter::once(&facts.root).chain(packages);
    let folders = folders.filter(|folder| is_hidden(folder, hidden));
    let sources = facts.packages.iter().flat_map(|p| &p.target_folders);
    let sources = folders.chain(sources);
    let sources = sources.map(|dir| Choice::new(dir.clone(), Why::HoldsSources));
    let vendored = facts.cargo_config.vendored.iter();
    let vendored = vendored.map(|dir| Choice::new(dir.clone(), Why::Vendored));
    let named = facts
        .packages
        .iter()
        .flat_map(|p| &p.mentions)
        .filter(|m| m.by.is_some() && m.path.is_relative() && is_hidden(&m.path, hidden))
        .map(|m| {
            Choice::new(
                m.path.clone(),
                Why::Mentioned(m.source.clone(), m.path.clone()),
            )
        });
    let assets = facts.assets().filter(|asset| is_hidden(asset, hidden));
    let assets = assets.map(|asset| Choice::new(asset, Why::Config("assets")));
    let mut shown: Vec<Choice<Utf8PathBuf>> = Vec::new();
    for one in sources.chain(vendored).chain(named).chain(assets) {
        if !shown
            .iter()
            .any(|other| one.value.starts_with(&other.value))
        {
            shown.push(one);
        }
    }
    shown
}

/// Whether somebody's own ignore file keeps a path out of the context.
pub(super) fn own_ignore_hides(facts: &Facts, path: &Utf8Path) -> bool {
    let own = facts.own_ignore.as_ref();
    own.is_some_and(|own| ignore::hides(&own.lines, path).is_some())
}

/// Whether the context may lack a path because of what its name says.
pub(super) fn is_usually_hidden(path: &Utf8Path) -> bool {
    is_hidden(path, &HIDDEN)
}

/// Whether one of the patterns, or the name of cargo's own folder, hides the path. The image's own files are
/// hidden by their names, too.
fn is_hidden(path: &Utf8Path, hidden: &[&str]) -> bool {
    let own = ["**/target", "**/Dockerfile", "**/.dockerignore"];
    let lines: Vec<String> = hidden.iter().chain(&own).map(ToString::to_string).collect();
    ignore::hides(&lines, path).is_some()
}

/// The first of the paths that the build needs which somebody's own ignore file hides, and the line.
fn hidden_by_own(facts: &Facts, kept: &BTreeMap<String, Why>) -> Option<(String, Utf8PathBuf)> {
    let own = facts.own_ignore.as_ref()?;
    let in_package = |package: &Package| {
        let named = kept.keys().filter(|name| package.entries.contains(*name));
        named
            .map(|name| below(&package.dir, name))
            .collect::<Vec<_>>()
    };
    let at_root = kept.keys().filter(|name| facts.entries.contains(*name));
    let mut needed = inputs(facts)
        .chain(at_root.map(|name| below(&facts.root, name)))
        .chain(facts.packages.iter().flat_map(in_package));
    needed
        .find_map(|path| Some((ignore::hides(&own.lines, &path)?.to_owned(), path)))
        .or_else(|| {
            let mut inside = own.inside.iter();
            inside.find(|(_, path)| is_vendored(facts, path)).cloned()
        })
}

/// What to know of the context.
pub(super) fn notes(
    facts: &Facts,
    request: &Request,
    context: &ContextPlan,
    images: &[Image],
) -> impl Iterator<Item = Note> {
    absent(facts).chain(of_own_ignore(facts, request, context, images))
}

/// What to know of somebody's own ignore file.
fn of_own_ignore(
    facts: &Facts,
    request: &Request,
    context: &ContextPlan,
    images: &[Image],
) -> Vec<Note> {
    let Some(own) = &facts.own_ignore else {
        return Vec::new();
    };
    if let Some((line, path)) = context.own_ignore_hides.clone() {
        let name = own.name.clone();
        let note = if own.is_beside {
            Note::OwnIgnoreStays
        } else {
            Note::OwnIgnoreHides
        };
        return vec![note(name, line, path)];
    }
    let usual = facts.workspace().join("Dockerfile");
    let dockerfile = request.output.as_ref().unwrap_or(&usual);
    // Elsewhere the Dockerfile has an ignore file of its own.
    if !own.is_beside && *dockerfile != facts.context.join("Dockerfile") {
        return Vec::new();
    }
    let mut notes = hides_parts(facts, images, own);
    notes.extend(shows_too_much(facts, context, own));
    notes
}

/// What each line of somebody's own ignore file hides in folders that an image gets, or the compiler reads. It may be
/// meant so.
fn hides_parts(facts: &Facts, images: &[Image], own: &OwnIgnore) -> Vec<Note> {
    let assets = images.iter().flat_map(|image| &image.assets);
    let assets = assets.map(|asset| asset.value.from.clone());
    let folders: Vec<Utf8PathBuf> = assets.chain(inputs(facts)).collect();
    let is_copied = |path: &Utf8Path| {
        !is_usually_hidden(path) && folders.iter().any(|folder| path.starts_with(folder))
    };
    let mut lines = BTreeSet::new();
    let first = own
        .inside
        .iter()
        .filter(|(line, path)| is_copied(path) && lines.insert(line));
    first
        .map(|(line, path)| Note::OwnIgnoreHidesPart(own.name.clone(), line.clone(), path.clone()))
        .collect()
}

/// What somebody's own ignore file leaves in the context for nothing.
fn shows_too_much(facts: &Facts, context: &ContextPlan, own: &OwnIgnore) -> Option<Note> {
    let has_target = facts.cargo_config.target_dir.is_none();
    let large = [
        ("target", below(&facts.root, "target"), has_target),
        (
            ".git",
            ".git".into(),
            facts.has_history && !context.with_history,
        ),
    ];
    let shown: Vec<&str> = large
        .iter()
        .filter(|(_, path, is_there)| *is_there && ignore::hides(&own.lines, path).is_none())
        .map(|(name, ..)| *name)
        .collect();
    (!shown.is_empty()).then(|| Note::OwnIgnoreShows(own.name.clone(), shown))
}

/// Files and folders that the build reads.
fn inputs(facts: &Facts) -> impl Iterator<Item = Utf8PathBuf> {
    let lock = matches!(facts.lock, Lock::Present(_)).then(|| below(&facts.root, "Cargo.lock"));
    std::iter::once(below(&facts.root, "Cargo.toml"))
        .chain(lock)
        .chain(facts.cargo_config.files.iter().cloned())
        .chain(facts.cargo_config.vendored.iter().cloned())
        .chain(facts.assets())
        .chain(facts.packages.iter().flat_map(inputs_of_package))
}

fn inputs_of_package(package: &Package) -> impl Iterator<Item = Utf8PathBuf> {
    let mentions = package.mentions.iter();
    let found = mentions.filter(|m| m.found && m.by.is_some() && m.path.is_relative());
    std::iter::once(below(&package.dir, "Cargo.toml"))
        .chain(package.roots.iter().cloned())
        .chain(package.modules.iter().cloned())
        .chain(found.map(|mention| mention.path.clone()))
}

/// Names of files and folders that cargo, git and engines read.
const READ: [&str; 9] = [
    ".cargo",
    ".git",
    "Cargo.lock",
    "Cargo.toml",
    ".dockerignore",
    ".gitignore",
    "docker-bake.hcl",
    "rust-toolchain",
    "rust-toolchain.toml",
];

/// Refuses to write where the project has something else.
pub(super) fn may_hold_a_dockerfile(facts: &Facts, request: &Request) -> Result<(), Refusal> {
    let asked = request.output.as_ref();
    let asked = asked.map(|path| slashed(path.strip_prefix(&facts.context).unwrap_or(path)));
    let mut paths = asked.into_iter().chain(facts.linked_dockerfile.clone());
    match paths.find(|path| is_read(facts, path)) {
        Some(path) => Err(Refusal::OutputIsInput { path }),
        None => Ok(()),
    }
}

/// Whether the build, or a tool, reads the file as something else than a Dockerfile.
fn is_read(facts: &Facts, path: &Utf8Path) -> bool {
    let is_name = |name: &str| READ.iter().any(|read| read.eq_ignore_ascii_case(name));
    path.iter().any(is_name)
        || matches!(path.extension(), Some("dockerignore" | "rs"))
        || inputs(facts).any(|input| path == input)
        || is_vendored(facts, path)
}

/// Whether a path lies in a folder of vendored sources, of which cargo wants every file.
fn is_vendored(facts: &Facts, path: &Utf8Path) -> bool {
    let mut folders = facts.cargo_config.vendored.iter();
    folders.any(|folder| path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_patterns_hide() {
        let hidden = |path: &str| is_hidden(path.into(), &HIDDEN);
        assert!(hidden("web/node_modules/a.css"));
        assert!(hidden(".env"));
        assert!(hidden("site/target/out.txt"));
        assert!(!hidden("web/compose.yml"));
        assert!(!hidden("src/env"));
    }
}
