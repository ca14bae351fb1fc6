//! Rust's version, the Debian suite, and the builder image that has both.

use semver::Version;

use super::{Note, Refusal, configured, kept};
use crate::catalog::Catalog;
use crate::facts::{Channel, Facts, Lock, Resolution, ToolchainFile};
use crate::why::{Choice, Why};

/// The builder.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// Rust's version as the tag has it: `1.95`, `1.95.0` or `nightly`.
    pub rust: Choice<String>,
    /// Debian's suite, of builder and runtime alike.
    pub suite: Choice<String>,
    /// The builder image, with a digest where the committed file has one.
    pub builder: String,
    /// Why the committed builder could not stay, where its Rust is too old.
    pub dropped: Option<Why>,
    /// The toolchain file that must not make rustup fetch a second toolchain.
    pub override_file: Option<ToolchainFile>,
}

/// The first Rust that reads a format of the lock file. Source: cargo's changelog.
static LOCK_FORMATS: [(u32, Version); 2] =
    [(3, Version::new(1, 53, 0)), (4, Version::new(1, 78, 0))];

impl Toolchain {
    /// The name of its stage, which the committed file is searched for.
    pub const STAGE: &str = "toolchain";
}

pub(super) fn toolchain(
    facts: &Facts,
    resolution: &Resolution,
    catalog: &Catalog,
) -> anyhow::Result<(Toolchain, Vec<Note>)> {
    let mut notes = Vec::new();
    let needed = highest_rust_version(resolution);
    let committed = kept::builder(facts, catalog);
    let rust = rust(facts, needed.as_ref(), catalog, &mut notes);
    let rust = kept::patch(rust, committed);

    let version = newest_patch(&rust.value);
    let (suite, image) = match &version {
        // Nightly images exist for the newest suite only.
        None => {
            let suite = catalog.images.suites.first().expect("a suite");
            (suite, suite.nightly.clone())
        }
        Some(version) => {
            let no_suite = || Refusal::NoSuite {
                rust: rust.value.clone(),
            };
            let suites = catalog.suites_of(version);
            let newest = *suites.first().ok_or_else(no_suite)?;
            let kept = committed.map(|builder| builder.suite);
            let suite = kept
                .filter(|kept| suites.iter().any(|suite| suite.name == kept.name))
                .unwrap_or(newest);
            (suite, suite.builder.replace("{rust}", &rust.value))
        }
    };
    if let (Some(version), Some((package, needs))) = (&version, &needed)
        && needs > version
    {
        let (rust, package) = (rust.value.clone(), package.clone());
        notes.push(Note::TooOld {
            rust,
            package,
            needs: needs.to_string(),
        });
    }
    if let (Some(version), Lock::Present(lock)) = (&version, &facts.lock) {
        let format = LOCK_FORMATS
            .iter()
            .find(|(format, _)| *format == lock.version);
        if let Some((format, needs)) = format.filter(|(_, needs)| version < needs) {
            notes.push(Note::LockTooNew {
                format: *format,
                needs: needs.to_string(),
            });
        }
    }
    let newest = version.is_none_or(|version| catalog.suites_of(&version)[0].name == suite.name);
    let why = if newest {
        Why::NewestSuite(rust.value.clone())
    } else {
        Why::Committed
    };
    let suite = Choice::new(suite.name.clone(), why);
    let builder = kept::digest(facts, Toolchain::STAGE, image);
    Ok((
        Toolchain {
            rust,
            suite,
            builder,
            dropped: kept::too_old(committed, needed.as_ref()),
            override_file: facts.toolchain.clone(),
        },
        notes,
    ))
}

/// Order of precedence: the toolchain file, the configuration, the committed Dockerfile if it satisfies every
/// `rust-version`, the installed stable toolchain, the highest `rust-version`.
fn rust(
    facts: &Facts,
    needed: Option<&(String, Version)>,
    catalog: &Catalog,
    notes: &mut Vec<Note>,
) -> Choice<String> {
    let usual = || {
        committed(kept::builder(facts, catalog), needed)
            .or_else(|| installed(facts, needed))
            .or_else(|| rust_version(needed))
            .expect("the installed toolchain is older than what a package asks for")
    };
    let Some(file) = &facts.toolchain else {
        return configured(facts.config.rust.as_ref(), "rust").unwrap_or_else(usual);
    };
    let why = || Why::ToolchainFile(file.path.clone(), file.text.clone());
    match &file.channel {
        Channel::Exact(version) if catalog.is_published(version) => {
            Choice::new(version.to_string(), why())
        }
        Channel::Exact(Version { major, minor, .. }) | Channel::Minor(major, minor) => {
            Choice::new(format!("{major}.{minor}"), why())
        }
        Channel::Nightly(None) => Choice::new("nightly".to_owned(), why()),
        Channel::Stable => configured(facts.config.rust.as_ref(), "rust").unwrap_or_else(usual),
        Channel::Nightly(Some(_)) => {
            let instead = "nightly".to_owned();
            notes.push(no_image(file, &instead));
            Choice::new(instead, why())
        }
        Channel::Beta | Channel::Custom(_) => {
            let instead = configured(facts.config.rust.as_ref(), "rust").unwrap_or_else(usual);
            notes.push(no_image(file, &instead.value));
            instead
        }
    }
}

fn no_image(file: &ToolchainFile, instead: &str) -> Note {
    Note::NoChannelImage {
        file: file.path.clone(),
        channel: file.text.clone(),
        instead: instead.to_owned(),
    }
}

/// The version in the committed Dockerfile, while it satisfies every package.
fn committed(
    committed: Option<kept::Builder<'_>>,
    needed: Option<&(String, Version)>,
) -> Option<Choice<String>> {
    let fits = kept::too_old(committed, needed).is_none();
    committed
        .filter(|_| fits)
        .map(|builder| Choice::new(builder.rust.to_owned(), Why::Committed))
}

/// The stable toolchain of the machine. A beta or nightly one stands for the stable release of its day: they
/// are one and two minor versions ahead.
fn installed(facts: &Facts, needed: Option<&(String, Version)>) -> Option<Choice<String>> {
    let cargo = &facts.cargo;
    let ahead = match cargo.pre.as_str() {
        "" => 0,
        pre if pre.starts_with("beta") => 1,
        _ => 2,
    };
    let rust = format!("{}.{}", cargo.major, cargo.minor.saturating_sub(ahead));
    let fits =
        needed.is_none_or(|(_, needed)| newest_patch(&rust).is_some_and(|rust| *needed <= rust));
    let why = if ahead == 0 {
        Why::Installed
    } else {
        Why::StableOf(cargo.clone())
    };
    fits.then(|| Choice::new(rust, why))
}

fn rust_version(needed: Option<&(String, Version)>) -> Option<Choice<String>> {
    let (package, version) = needed?;
    let why = Why::RustVersion(package.clone(), version.clone());
    Some(Choice::new(
        format!("{}.{}", version.major, version.minor),
        why,
    ))
}

/// The highest `rust-version` of the build, and a package that declares it.
fn highest_rust_version(resolution: &Resolution) -> Option<(String, Version)> {
    let declared = resolution
        .crates
        .iter()
        .filter_map(|krate| Some((&krate.name, krate.rust_version.clone()?)));
    declared
        .max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)))
        .map(|(name, version)| (name.clone(), version))
}

/// The version that a tag stands for: of a bare minor, its newest patch. None for a channel.
pub(super) fn newest_patch(tag: &str) -> Option<Version> {
    let numbers: Option<Vec<u64>> = tag.split('.').map(|n| n.parse().ok()).collect();
    match numbers?[..] {
        [major, minor] => Some(Version::new(major, minor, u64::MAX)),
        [major, minor, patch] => Some(Version::new(major, minor, patch)),
        _ => None,
    }
}
