//! Cargo.lock.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use camino::Utf8Path;
use serde::Deserialize;

use super::git::Git;

/// Whether the project has a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// It has none, or none that a checkout would hold.
    Missing,
    /// It has one.
    Present(LockFile),
}

/// A lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    /// The version of its format, 1 to 4.
    pub version: u32,
    /// Whether it can be relied on.
    pub state: LockState,
    /// Where the packages come from.
    pub sources: BTreeSet<String>,
}

/// What a lock file is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// It holds every dependency.
    Current,
    /// It lacks what the manifests ask for, so that `--locked` fails.
    Stale,
    /// The repository ignores it, so that another checkout has none.
    Ignored,
}

#[derive(Deserialize)]
struct Text {
    version: Option<u32>,
    #[serde(default)]
    package: Vec<Package>,
    // Only format 1 has checksums here.
    metadata: Option<toml::Table>,
}

#[derive(Deserialize)]
struct Package {
    source: Option<String>,
    checksum: Option<String>,
}

/// The two names under which lock files know crates.io.
const CRATES_IO: [&str; 2] = [
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io/",
];

/// Whether a source is crates.io.
pub(super) fn is_crates_io(source: &str) -> bool {
    CRATES_IO.contains(&source)
}

/// Reads the lock file of the workspace at `root`, an absolute path; `stale` is what cargo thinks of it.
pub(super) fn read(root: &Utf8Path, stale: bool) -> Result<Lock> {
    let path = root.join("Cargo.lock");
    if !path.exists() {
        return Ok(Lock::Missing);
    }
    let text: Text = toml::from_str(&fs_err::read_to_string(&path)?)
        .with_context(|| format!("failed to read `{path}`"))?;
    let checksums = text.package.iter().any(|p| p.checksum.is_some());
    // Formats 1 and 2 carry no number: only 2 keeps checksums with the packages.
    let version = text
        .version
        .unwrap_or(if text.metadata.is_some() || !checksums {
            1
        } else {
            2
        });
    let sources: BTreeSet<_> = text.package.into_iter().filter_map(|p| p.source).collect();
    Ok(Lock::Present(LockFile {
        version,
        state: match stale {
            true => LockState::Stale,
            false if Git::default().ignores(&path) => LockState::Ignored,
            false => LockState::Current,
        },
        sources,
    }))
}
