//! Which Rust builds the project: its version, or a channel.

use semver::Version;

use super::libc::Built;
use super::toolchain::builder_asked;
use super::{Note, Request, configured, kept};
use crate::catalog::Catalog;
use crate::facts::{Channel, Facts, Lock, Resolution, ToolchainFile};
use crate::why::{Choice, Evidence, Why};

/// The first Rust that reads a format of the lock file. Source: cargo's changelog.
static LOCK_FORMATS: [(u32, Version); 2] =
    [(3, Version::new(1, 53, 0)), (4, Version::new(1, 78, 0))];

/// Which Rust.
pub(super) struct Rust {
    /// Its version or channel.
    pub(super) value: Choice<String>,
    /// The version in the image's tag; none for the image of a channel.
    pub(super) tag: Option<String>,
    /// What that tag stands for.
    pub(super) version: Option<Version>,
    /// The channel that rustup has to install, since no image has it.
    pub(super) install: Option<String>,
    /// Why the committed builder could not stay, where its Rust is too old.
    pub(super) dropped: Option<Why>,
}

/// Decides on Rust, and says what is to know of it.
pub(super) fn rust(
    facts: &Facts,
    request: &Request,
    gnu: &Built<'_>,
    catalog: &Catalog,
) -> (Rust, Vec<Note>) {
    let mut notes = Vec::new();
    let limits = Limits {
        needed: highest_rust_version(&gnu.resolution),
        before: gnu.needs.first_rust_too_new(),
    };
    let mut rust = choose(facts, &limits, catalog, &mut notes);
    let committed = kept::builder(facts, catalog);
    rust.dropped = kept::too_old(committed, limits.needed.as_ref());
    if rust.install.is_none() && rust.tag.is_some() {
        rust.value = kept::patch(rust.value, committed);
        rust.tag = Some(rust.value.value.clone());
    }
    if builder_asked(facts, request).is_some() {
        // Whatever Rust somebody's own image has.
        return (rust, notes);
    }
    rust.version = rust.tag.as_deref().and_then(newest_patch);
    let channel = rust.install.is_some();
    if let (Some(version), Some((package, needs)), false) = (&rust.version, &limits.needed, channel)
        && needs > version
    {
        let (rust, package) = (rust.value.value.clone(), package.clone());
        notes.push(Note::TooOld {
            rust,
            package,
            needs: needs.to_string(),
        });
    }
    if let (Some(version), Some((evidence, before, fix))) = (&rust.version, &limits.before)
        && before <= version
    {
        notes.push(Note::Row(evidence.clone(), fix.clone()));
    }
    if let (Some(version), Lock::Present(lock)) = (&rust.version, &facts.lock) {
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
    (rust, notes)
}

/// The versions of Rust that can build the project.
struct Limits {
    /// A package and its `rust-version`, the highest of all.
    needed: Option<(String, Version)>,
    /// A crate that this Rust, and any newer one, cannot compile; and what to do about it.
    before: Option<(Evidence, Version, String)>,
}

impl Limits {
    fn allow(&self, rust: &Version) -> bool {
        self.needed
            .as_ref()
            .is_none_or(|(_, needed)| needed <= rust)
            && self
                .before
                .as_ref()
                .is_none_or(|(_, before, _)| rust < before)
    }

    /// Without those that nothing can satisfy.
    fn satisfiable(&self) -> Self {
        let before = self.before.clone().filter(|(_, before, _)| {
            let needed = self.needed.as_ref();
            needed.is_none_or(|(_, needed)| needed.minor < before.minor)
        });
        Self {
            needed: self.needed.clone(),
            before,
        }
    }
}

/// Order of precedence: the toolchain file, the configuration, and, as far as they can build the project, the
/// committed Dockerfile, the installed stable toolchain, the newest one that can, the highest `rust-version`.
fn choose(facts: &Facts, limits: &Limits, catalog: &Catalog, notes: &mut Vec<Note>) -> Rust {
    let stable = |value: Choice<String>| Rust {
        tag: Some(value.value.clone()),
        value,
        version: None,
        install: None,
        dropped: None,
    };
    let limits = limits.satisfiable();
    let usual = || {
        committed(facts, &limits, catalog)
            .or_else(|| installed(facts, &limits))
            .or_else(|| newest_before(&limits))
            .or_else(|| rust_version(limits.needed.as_ref()))
            .expect("the installed toolchain is older than what a package asks for")
    };
    let free = || configured(facts.config.rust.as_ref(), "rust").unwrap_or_else(usual);
    let Some(file) = &facts.toolchain else {
        return stable(free());
    };
    let why = || Why::ToolchainFile(file.path.clone(), file.text.clone());
    match &file.channel {
        Channel::Exact(version) if catalog.is_published(version) => {
            stable(Choice::new(version.to_string(), why()))
        }
        Channel::Exact(Version { major, minor, .. }) | Channel::Minor(major, minor) => {
            stable(Choice::new(format!("{major}.{minor}"), why()))
        }
        Channel::Nightly(None) => Rust {
            value: Choice::new("nightly".to_owned(), why()),
            tag: None,
            version: None,
            install: None,
            dropped: None,
        },
        Channel::Stable => stable(free()),
        // A project that pins a day has a reason, and rarely builds with another one.
        Channel::Nightly(Some(_)) | Channel::Beta => Rust {
            value: Choice::new(file.text.clone(), why()),
            install: Some(file.text.clone()),
            ..stable(free())
        },
        Channel::Custom(_) => {
            let instead = free();
            notes.push(no_image(file, &instead.value));
            stable(instead)
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

/// The version in the committed Dockerfile, while it can build the project.
fn committed(facts: &Facts, limits: &Limits, catalog: &Catalog) -> Option<Choice<String>> {
    let rust = kept::builder(facts, catalog)?.rust;
    let fits = limits.allow(&newest_patch(rust)?);
    fits.then(|| Choice::new(rust.to_owned(), Why::Committed))
}

/// The stable toolchain of the machine. A beta or nightly one stands for the stable release of its day: they
/// are one and two minor versions ahead.
fn installed(facts: &Facts, limits: &Limits) -> Option<Choice<String>> {
    let cargo = &facts.cargo;
    let ahead = match cargo.pre.as_str() {
        "" => 0,
        pre if pre.starts_with("beta") => 1,
        _ => 2,
    };
    let rust = format!("{}.{}", cargo.major, cargo.minor.saturating_sub(ahead));
    let fits = newest_patch(&rust).is_some_and(|rust| limits.allow(&rust));
    let why = if ahead == 0 {
        Why::Installed
    } else {
        Why::StableOf(cargo.clone())
    };
    fits.then(|| Choice::new(rust, why))
}

/// The last version before one that cannot compile a crate.
fn newest_before(limits: &Limits) -> Option<Choice<String>> {
    let (evidence, before, _) = limits.before.as_ref()?;
    let rust = format!("{}.{}", before.major, before.minor.checked_sub(1)?);
    Some(Choice::new(rust, Why::Crates(vec![evidence.clone()])))
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
