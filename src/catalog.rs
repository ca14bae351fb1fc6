//! What we know about crates, programs, images and distributions. The knowledge is data: the TOML files
//! beside this one, compiled in. This module gives them types and look-ups, and decides nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use semver::{Version, VersionReq};
use serde::Deserialize;

/// The catalog that is compiled into the program.
pub static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
        toml::from_str(text).expect("a test reads every catalog file")
    }
    let images: Images = parse(include_str!("catalog/images.toml"));
    Catalog {
        helpers: parse(include_str!("catalog/helpers.toml")),
        links: parse(include_str!("catalog/links.toml")),
        programs: parse(include_str!("catalog/programs.toml")),
        rust: parse(include_str!("catalog/rust.toml")),
        suites: images.suite,
        user: images.user,
    }
});

/// All that is known, by subject.
#[derive(Debug)]
pub struct Catalog {
    /// Names of what developers run and nobody ships.
    pub helpers: Helpers,
    /// Rows by crate name. Every row whose conditions hold applies; rows add up.
    pub links: BTreeMap<String, Vec<Row>>,
    /// Programs that build scripts and cargo's configuration call.
    pub programs: BTreeMap<String, Program>,
    /// Published versions of the Rust image.
    pub rust: BTreeMap<Version, RustImage>,
    /// Debian suites, newest first.
    pub suites: Vec<Suite>,
    /// The user of every final stage.
    pub user: User,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Images {
    user: User,
    suite: Vec<Suite>,
}

/// Names of what developers run and nobody ships.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Helpers {
    /// Folders of the workspace.
    pub folders: Vec<String>,
    /// Packages.
    pub packages: Vec<String>,
    /// Binaries.
    pub bins: Vec<String>,
    /// The last word of names of programs that only talk to another one of the same project.
    pub clients: Vec<String>,
}

/// What a crate needs from the image, and when. The schema is explained at the head of `links.toml`; users
/// write the same keys in `[workspace.metadata.dockerize.links.<crate>]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Row {
    /// What the crate does, as the rest of a sentence that begins with its name.
    pub about: String,
    /// Holds on one side of the build only.
    pub side: Option<RowSide>,
    /// Holds when one of these features of the crate is on.
    pub if_features: Vec<String>,
    /// Holds when none of these features is on.
    pub unless_features: Vec<String>,
    /// Holds for these versions of the crate.
    pub versions: Option<VersionReq>,
    /// Holds when one of these crates is in the same build.
    pub if_crates: Vec<String>,
    /// Holds when none of these crates is in the same build.
    pub unless_crates: Vec<String>,
    /// Holds when one of these variables is set by cargo's configuration.
    pub if_env: Vec<String>,
    /// Holds when none of these variables is set by cargo's configuration.
    pub unless_env: Vec<String>,
    /// Holds when a package of the project itself has the crate as a build-dependency.
    pub if_member_build_dependency: bool,
    /// Holds unless every crate that depends on this one is in the list.
    pub unless_dependents: Vec<String>,
    /// Packages that the build needs.
    pub build: Packages,
    /// Packages that the program needs where it runs.
    pub run: Packages,
    /// How the native code ends up in the program, for each libc.
    pub link: Link,
    /// Environment of the build.
    pub build_env: BTreeMap<String, String>,
    /// Environment of the running program.
    pub run_env: BTreeMap<String, String>,
    /// Paths that the build context must keep.
    pub keep: Vec<String>,
    /// Files and folders beside the manifest that the program reads where it runs, if they are there.
    pub assets: Vec<String>,
    /// What a user has to know, where the tool cannot decide.
    pub note: Option<String>,
    /// Where the fact was read.
    pub source: String,
}

/// The side of the build that a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowSide {
    /// Crates that are linked into the program.
    Target,
    /// Crates that run during the build: build scripts, procedural macros and what they use.
    Host,
}

/// How native code is linked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Link {
    /// On glibc.
    pub gnu: Option<Linkage>,
    /// On musl.
    pub musl: Option<Linkage>,
}

/// The ways in which native code gets into a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linkage {
    /// A shared library, loaded at start.
    Dynamic,
    /// Copied into the program.
    Static,
    /// A shared library, loaded when it is first used.
    Dlopen,
    /// No native code ends up in the program.
    None,
    /// Cannot be built for this libc.
    Unsupported,
}

/// Package names by distribution: `debian`, a suite of it (whose list replaces the one of `debian`), `alpine`,
/// and `alpine-static` for what a static program needs there in addition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Packages(pub BTreeMap<String, Vec<String>>);

impl Packages {
    /// The names in a Debian suite.
    pub fn in_suite(&self, suite: &str) -> &[String] {
        self.0
            .get(suite)
            .or_else(|| self.0.get("debian"))
            .map_or(&[], Vec::as_slice)
    }
}

/// A program that a build calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Program {
    /// The packages that hold it.
    #[serde(default)]
    pub build: Packages,
    /// Paths that the build context must keep for it.
    #[serde(default)]
    pub keep: Vec<String>,
    /// What a user has to know.
    pub note: Option<String>,
}

/// One published version of the Rust image.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RustImage {
    /// Debian suites that it is built on, newest first.
    pub debian: Vec<String>,
    /// Alpine releases that it is built on, newest first.
    pub alpine: Vec<String>,
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
    /// The distroless image with glibc, libgcc and libstdc++, where there is one.
    pub distroless: Option<Base>,
    /// The slim image of the suite.
    pub slim: Base,
}

/// A runtime base image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Name and tag.
    pub image: String,
    /// The runtime packages that it already contains.
    pub holds: Vec<String>,
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

impl Catalog {
    /// The Debian suites that an image of this Rust version exists for, newest first. A version that is
    /// newer than the data has the suites of the newest known one; an unknown older one those of its
    /// nearest predecessor.
    pub fn suites_of(&self, rust: &Version) -> Vec<&Suite> {
        let known = self.rust.range(..=rust).next_back().map(|(_, image)| image);
        let names = known.map_or(&[][..], |image| &image.debian);
        self.suites
            .iter()
            .filter(|suite| names.contains(&suite.name))
            .collect()
    }

    /// Whether this exact version was published, or is newer than the data.
    pub fn is_published(&self, rust: &Version) -> bool {
        self.rust.contains_key(rust) || self.rust.keys().next_back().is_none_or(|last| rust > last)
    }
}

#[cfg(test)]
mod tests {
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
    fn a_suites_own_names_replace_debians() {
        let packages: Packages = toml::from_str("debian = ['any']\ntrixie = []").expect("TOML");
        assert_eq!(packages.in_suite("bookworm"), ["any"]);
        assert!(packages.in_suite("trixie").is_empty());
    }
}
