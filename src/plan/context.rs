//! The build context: its folder, what the ignore file hides, and what the dependency stage keeps whole.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::needs::Needs;
use crate::facts::Facts;
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
    /// Exceptions from `hidden`.
    pub shown: Vec<String>,
    /// Paths that are usually hidden and not here, with the reason.
    pub kept: Vec<Choice<String>>,
    /// Folders whose sources the dependencies are compiled from.
    pub whole: Vec<Utf8PathBuf>,
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
    let hidden = hidden
        .into_iter()
        .filter(|pattern| !with_history || pattern.starts_with("**/"));
    let outside = facts
        .packages
        .iter()
        .find(|p| !p.dir.starts_with(&facts.root));
    let why = outside.map_or(Why::WorkspaceRoot, |p| Why::OutsideWorkspace(p.dir.clone()));

    let below = facts
        .packages
        .iter()
        .filter(|p| p.below_dependencies)
        .map(|p| &p.dir);
    let whole: BTreeSet<&Utf8PathBuf> = below.chain(&facts.cargo_config.vendored).collect();
    let inside = |path: &Utf8Path| whole.iter().any(|whole| path.starts_with(whole));
    let roots = facts.packages.iter().flat_map(|p| &p.unusual_roots);
    ContextPlan {
        dir: Choice::new(facts.context.clone(), why),
        root: facts.root.clone(),
        hidden: hidden.map(str::to_owned).collect(),
        with_history,
        shown: facts
            .packages
            .iter()
            .flat_map(|p| &p.target_folders)
            .chain(&facts.cargo_config.vendored)
            .map(ToString::to_string)
            .collect(),
        kept: kept_usual
            .into_iter()
            .map(|pattern| {
                Choice::new(
                    pattern.to_owned(),
                    kept[pattern.trim_start_matches("**/")].clone(),
                )
            })
            .collect(),
        unusual_roots: roots.filter(|root| !inside(root)).cloned().collect(),
        whole: whole.into_iter().cloned().collect(),
    }
}
