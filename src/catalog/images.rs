//! Images: Debian suites and Alpine releases with their builders and bases, and what is known of others.

use std::collections::BTreeMap;

use semver::Version;
use serde::Deserialize;

use super::Catalog;

/// The whole of `images.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// The day of the data, `YYYY-MM-DD`.
    pub date: String,
    /// The user of every final stage.
    pub user: User,
    /// What programs for musl take.
    pub musl: Musl,
    /// What there is to know of rustup.
    pub rustup: Rustup,
    /// The empty image.
    pub scratch: Base,
    /// What takes the place of packages there.
    #[serde(rename = "file")]
    pub files: Vec<Substitute>,
    /// Debian suites, newest first.
    #[serde(rename = "suite")]
    pub suites: Vec<Suite>,
    /// Alpine releases, newest first.
    #[serde(rename = "alpine")]
    pub alpines: Vec<Alpine>,
    /// What the names of other images tell.
    #[serde(rename = "other")]
    pub others: Vec<Other>,
}

/// A Debian suite: the builder and the runtime bases that share its glibc.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Debian's name of it.
    pub name: String,
    /// Debian's number of it.
    pub release: u32,
    /// The builder image; `{rust}` stands for the version.
    pub builder: String,
    /// The builder image of the nightly channel.
    pub nightly: String,
    /// The last day with fixes.
    pub end: String,
    /// The distroless image with glibc, libgcc and libstdc++, where there is one.
    pub distroless: Option<Base>,
    /// The distroless image without any C library, for programs that bring theirs.
    #[serde(rename = "static")]
    pub bare: Option<Base>,
    /// The slim image of the suite.
    pub slim: Base,
}

/// An Alpine release: the builder and the base that share its musl.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alpine {
    /// Its number.
    pub release: String,
    /// The builder image; `{rust}` stands for the version.
    pub builder: String,
    /// The last day with fixes.
    pub end: String,
    /// The image of the release.
    pub base: Base,
}

/// A runtime base image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Name and tag.
    pub image: String,
    /// The runtime packages that it already contains.
    pub holds: Vec<String>,
    /// Its compressed size in megabytes, rounded.
    #[serde(default)]
    pub weight: u32,
    /// What installs packages in it. Where there is nothing, there is no shell either.
    pub installer: Option<Installer>,
    /// The last day with fixes, where it is not the suite's own.
    pub end: Option<String>,
}

/// What installs packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Installer {
    /// Debian's.
    Apt,
    /// Alpine's.
    Apk,
}

/// The user that the programs run as.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name, for the bases that have to be given the user.
    pub name: String,
    /// User and group number.
    pub id: String,
    /// The home directory, which the user can write to.
    pub home: String,
}

/// What programs for musl take. The keys are explained in `images.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Musl {
    /// The target, as the shell of the builder completes it.
    pub triple: String,
    /// The targets that it may stand for.
    pub triples: Vec<String>,
    /// The compiler's flags for a static program.
    #[serde(rename = "static")]
    pub fixed: String,
    /// The compiler's flags for a dynamic one.
    pub dynamic: String,
    /// Packages that a Debian builder needs.
    pub tools: Vec<String>,
    /// Packages that are of no use for musl on Debian.
    pub impossible: Vec<String>,
    /// Packages of Alpine that build scripts load while they run.
    pub loaded: Vec<String>,
    /// What early Alpine images of Rust lack.
    pub early: Early,
    /// Packages that a dynamic program needs on Alpine.
    pub libraries: Vec<String>,
    /// Crates that take the place of musl's allocator.
    pub allocators: Vec<String>,
    /// Crates with which build scripts compile native code, or look for it.
    pub compilers: Vec<String>,
    /// Crates that load shared libraries.
    pub loaders: Vec<String>,
    /// The package by which build scripts on Alpine find libraries.
    pub finder: String,
    /// Variables that have it tell all that a static library needs.
    pub env: BTreeMap<String, String>,
    /// The variable that shows musl's headers to the generator of bindings, on Debian.
    pub bindgen: Variable,
    /// What to know of musl's own allocator.
    pub slow: String,
}

/// What there is to know of rustup.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rustup {
    /// Components that builds use.
    pub components: Vec<String>,
}

/// What images of Rust lack before a version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Early {
    /// The first version that has it.
    pub before: Version,
    /// The packages.
    pub packages: Vec<String>,
}

/// A variable with placeholders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What takes the place of packages in the empty image.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Substitute {
    /// The packages, by every name that a row may give.
    pub packages: Vec<String>,
    /// A file or folder of the builder.
    pub copy: Option<String>,
    /// Commands that make it below a folder.
    #[serde(default)]
    pub make: Vec<String>,
    /// Packages that the builder needs for it.
    #[serde(default)]
    pub builder: Vec<String>,
}

/// What the names of other images tell.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// Words of the name or tag.
    pub marks: Vec<String>,
    /// The newest suite whose glibc is not newer than the image's own.
    pub suite: Option<String>,
    /// Which programs it runs, where these are not the usual ones for glibc.
    pub program: Option<OtherProgram>,
}

/// The programs that an image runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OtherProgram {
    /// Static ones only.
    Static,
}

impl Base {
    /// Whether the other image is one of the same repository, and so holds the same.
    pub fn is_like(&self, image: &str) -> bool {
        repository(&self.image) == repository(image)
    }
}

/// An image's name without tag and digest.
fn repository(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or_default();
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

impl Other {
    /// Whether the image's name or tag has one of the marks.
    pub fn is_about(&self, image: &str) -> bool {
        self.marks.iter().any(|mark| has_word(image, mark))
    }
}

/// Whether `word` stands in `text` with no letter, digit or dot next to it.
fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '.';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

impl Catalog {
    /// The Debian suites that an image of this Rust version exists for, newest first. A version that is
    /// newer than the data has the suites of the newest known one; an unknown older one those of its
    /// nearest predecessor.
    pub fn suites_of(&self, rust: &Version) -> Vec<&Suite> {
        let known = self.rust.range(..=rust).next_back().map(|(_, image)| image);
        let names = known.map_or(&[][..], |image| &image.debian);
        let suites = self.images.suites.iter();
        suites.filter(|suite| names.contains(&suite.name)).collect()
    }

    /// The Alpine releases, in the same way.
    pub fn alpines_of(&self, rust: &Version) -> Vec<&Alpine> {
        let known = self.rust.range(..=rust).next_back().map(|(_, image)| image);
        let names = known.map_or(&[][..], |image| &image.alpine);
        let alpines = self.images.alpines.iter();
        alpines
            .filter(|alpine| names.contains(&alpine.release))
            .collect()
    }

    /// Whether this exact version was published, or is newer than the data.
    pub fn is_published(&self, rust: &Version) -> bool {
        self.rust.contains_key(rust) || self.rust.keys().next_back().is_none_or(|last| rust > last)
    }

    /// The suite that an image of that name has, or goes with.
    pub fn suite_in(&self, image: &str) -> Option<&Suite> {
        let name = self
            .images
            .others
            .iter()
            .find(|other| other.is_about(image))?
            .suite
            .as_ref()?;
        self.images.suites.iter().find(|suite| suite.name == *name)
    }

    /// The suite that an image is itself of.
    pub fn suite_named(&self, image: &str) -> Option<&Suite> {
        let mut suites = self.images.suites.iter();
        let number = |suite: &Suite| format!("debian{}", suite.release);
        suites.find(|suite| has_word(image, &suite.name) || has_word(image, &number(suite)))
    }

    /// The Alpine release that an image of that name has: a tag without a number means the newest.
    pub fn alpine_in(&self, image: &str) -> Option<&Alpine> {
        let (_, rest) = image.rsplit_once("alpine")?;
        let number = rest.trim_start_matches([':', '-']);
        let exact = |alpine: &&Alpine| {
            number
                .strip_prefix(alpine.release.as_str())
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let numbered = number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.');
        let alpines = &self.images.alpines;
        alpines
            .iter()
            .find(exact)
            .or_else(|| alpines.first().filter(|_| !numbered))
    }

    /// Whether an image of that name runs static programs only.
    pub fn is_bare(&self, image: &str) -> bool {
        let other = self
            .images
            .others
            .iter()
            .find(|other| other.is_about(image));
        image == self.images.scratch.image || other.is_some_and(|other| other.program.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::CATALOG;
    use super::*;

    fn newest(rust: &str) -> &'static str {
        let rust = rust.parse().expect("a version");
        &CATALOG.suites_of(&rust)[0].name
    }

    #[test]
    fn suites_follow_the_rust_version() {
        assert_eq!(newest("1.70.0"), "bookworm");
        assert_eq!(newest("1.72.0"), "bookworm");
        assert_eq!(newest("1.88.0"), "trixie");
    }

    #[test]
    fn versions_newer_than_the_data_are_extrapolated() {
        assert_eq!(newest("1.999.0"), "trixie");
        assert!(CATALOG.is_published(&Version::new(1, 999, 0)));
        assert!(!CATALOG.is_published(&Version::new(1, 22, 0)));
    }

    #[test]
    fn tags_tell_the_suite() {
        let suite = |image| CATALOG.suite_in(image).map(|suite| suite.name.as_str());
        assert_eq!(suite("debian:bookworm-20260901-slim"), Some("bookworm"));
        assert_eq!(suite("registry.example/base:2-trixie"), Some("trixie"));
        assert_eq!(suite("ubuntu:24.04"), Some("bookworm"));
        assert_eq!(suite("debian:13.1-slim"), None);
        assert_eq!(suite("gcr.io/distroless/static-debian13"), None);
        assert!(CATALOG.is_bare("gcr.io/distroless/static-debian13"));
        assert_eq!(suite("acme/base"), None);
    }

    #[test]
    fn tags_tell_the_alpine_release() {
        let release = |image| {
            CATALOG
                .alpine_in(image)
                .map(|alpine| alpine.release.as_str())
        };
        assert_eq!(release("rust:1.95-alpine3.22"), Some("3.22"));
        assert_eq!(release("alpine:3.22.1"), Some("3.22"));
        assert_eq!(release("alpine:3.2"), None);
        assert_eq!(
            release("alpine"),
            Some(CATALOG.images.alpines[0].release.as_str())
        );
        assert_eq!(release("debian"), None);
    }
}
