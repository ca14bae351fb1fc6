//! What we know about crates, programs, images and distributions. The knowledge is data: the TOML files
//! beside this one, compiled in. This module gives them types and look-ups, and decides nothing.

mod images;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::ignore;

pub use self::images::{Alpine, Base, Images, Installer, Musl, Rustup, Substitute, Suite, User};

/// The catalog that is compiled into the program.
pub static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
        toml::from_str(text).expect("a test reads every catalog file")
    }
    Catalog {
        causes: parse(include_str!("catalog/causes.toml")),
        helpers: parse(include_str!("catalog/helpers.toml")),
        images: parse(include_str!("catalog/images.toml")),
        libraries: parse(include_str!("catalog/libraries.toml")),
        links: parse(include_str!("catalog/links.toml")),
        programs: parse(include_str!("catalog/programs.toml")),
        rust: parse(include_str!("catalog/rust.toml")),
    }
});

/// All that is known, by subject.
#[derive(Debug)]
pub struct Catalog {
    /// What logs and images show when something is wrong.
    pub causes: Causes,
    /// Names of what developers run and nobody ships.
    pub helpers: Helpers,
    /// Builders and bases.
    pub images: Images,
    /// Libraries of the system.
    pub libraries: BTreeMap<String, Library>,
    /// Rows by crate name. Every row whose conditions hold applies; rows add up.
    pub links: BTreeMap<String, Vec<Row>>,
    /// Programs that build scripts and cargo's configuration call.
    pub programs: BTreeMap<String, Program>,
    /// Published versions of the Rust image.
    pub rust: BTreeMap<Version, RustImage>,
}

/// What logs and images show when something is wrong. The schema is explained in `causes.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Causes {
    /// What logs say; the first row that matches explains a failure.
    pub cause: Vec<Cause>,
    /// The packages of what can be missing.
    pub provides: BTreeMap<String, Packages>,
    /// Files of packages that programs read without linking anything.
    pub file: Vec<PackageFile>,
    /// What has no place in an image.
    pub stray: Vec<Stray>,
}

/// A known cause of a failure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Where the log is from.
    pub at: Stage,
    /// A regular expression.
    pub pattern: String,
    /// What is wrong.
    pub says: String,
    /// What to do about it.
    pub fix: String,
    /// What is not there.
    pub missing: Option<String>,
}

/// Where a log is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The engine and the network: no fault of the project.
    Engine,
    /// The build.
    Build,
    /// The program.
    Run,
}

/// Files of a package that programs read without linking anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageFile {
    /// The package, in each distribution.
    pub packages: Vec<String>,
    /// What is in the files.
    pub what: String,
    /// Where they may be; one of them is enough.
    pub paths: Vec<String>,
}

/// What has no place in an image.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stray {
    /// What it is.
    pub what: String,
    /// Names of files and folders; a star at the beginning stands for anything.
    pub names: Vec<String>,
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
    /// Files and folders that a program may read where it runs.
    pub candidates: Vec<String>,
    /// Folders among them whose programs are shipped where there are no others.
    pub samples: Vec<String>,
    /// Names of files that are not copied unless they are asked for.
    pub private: Vec<String>,
    /// The last word of names of programs that only talk to another one of the same project, or are tools for it.
    pub clients: Vec<String>,
    /// Macros and keys of attributes that a folder is compiled in with.
    pub embedding: Vec<String>,
    /// Where `[package.metadata]` names the features of a package's binaries, as JSON pointers.
    pub features: Vec<String>,
    /// What shows that a package is compiled for browsers, by another program than cargo: a file beside its manifest, or
    /// an attribute in its page.
    pub browser: Vec<String>,
    /// The attribute in a page that names the binary for browsers.
    pub browser_bin: String,
    /// What makes the other part of a program, which cargo alone does not, by what shows it: a file beside the manifest,
    /// an attribute in its page, or a table of its `metadata`.
    pub packagers: BTreeMap<String, String>,
    /// What makes the front end in a folder.
    pub front_ends: FrontEnds,
    /// Hosts whose keys for ssh cargo has built in.
    pub known_hosts: Vec<String>,
    /// Hosts whose repositories over https are public as a rule.
    pub public_hosts: Vec<String>,
}

/// What makes front ends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontEnds {
    /// The packages with the programs for that.
    pub packages: Vec<String>,
    /// A file in the folder of a front end, and the commands there; the first that is there counts.
    pub by_lock: Vec<(String, String)>,
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
    /// The first version of Rust that cannot compile the crate.
    pub rust_before: Option<Version>,
    /// Holds when one of these crates is in the same build.
    pub if_crates: Vec<String>,
    /// Holds when none of these crates is in the same build.
    pub unless_crates: Vec<String>,
    /// Holds when one of these variables is set by cargo's configuration.
    pub if_env: Vec<String>,
    /// Holds when none of these variables is set by cargo's configuration.
    pub unless_env: Vec<String>,
    /// Holds when the project's sources give strings to one of these macros.
    pub if_macros: Vec<String>,
    /// Holds when none of these files is in the project: at its root, or beside a manifest.
    pub unless_files: Vec<String>,
    /// Holds when a package of the project itself has the crate as a build-dependency.
    pub if_member_build_dependency: bool,
    /// Holds when a package of the project itself, or from a git repository, depends on the crate.
    pub if_history_dependency: bool,
    /// Holds unless every crate that depends on this one is in the list.
    pub unless_dependents: Vec<String>,
    /// Packages that the build needs.
    pub build: Packages,
    /// Packages that the program needs where it runs.
    pub run: Packages,
    /// How the native code ends up in the program, for each libc.
    pub link: Link,
    /// Components that the toolchain needs beside those of the image.
    pub components: Vec<String>,
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
/// `alpine-static` for what a static program needs there in addition, and `scratch` (in addition to the list of
/// `alpine`) for what only the empty image lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Packages(pub BTreeMap<String, Vec<String>>);

/// Where packages have the names that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names<'a> {
    /// In a Debian suite.
    Suite(&'a str),
    /// In Alpine.
    Alpine,
    /// In Alpine, for a build of static programs.
    AlpineStatic,
    /// In the empty image, which has them of Alpine where it has none of its own.
    Scratch,
}

impl Packages {
    /// The names somewhere.
    pub fn names(&self, place: Names<'_>) -> impl Iterator<Item = &String> {
        let list = |key: &str| self.0.get(key).map_or(&[][..], Vec::as_slice);
        let (first, more) = match place {
            Names::Suite(suite) if self.0.contains_key(suite) => (list(suite), &[][..]),
            Names::Suite(_) => (list("debian"), &[][..]),
            Names::Alpine => (list("alpine"), &[][..]),
            Names::AlpineStatic => (list("alpine"), list("alpine-static")),
            Names::Scratch => (list("alpine"), list("scratch")),
        };
        first.iter().chain(more)
    }
}

/// A program that a build calls.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Program {
    /// Other names of it, or of programs in the same packages.
    pub also: Vec<String>,
    /// What a build script does with it, if that is not to call it by its name.
    pub about: Option<String>,
    /// Code of a build script that means it.
    pub code: Vec<String>,
    /// Whether it is given lines that call other programs.
    pub shell: bool,
    /// The packages that hold it.
    pub build: Packages,
    /// The packages that what it makes needs where it runs.
    pub run: Packages,
    /// How what it makes ends up in the program.
    pub link: Link,
    /// Components of the toolchain that hold it.
    pub components: Vec<String>,
    /// Paths that the build context must keep for it.
    pub keep: Vec<String>,
    /// What a user has to know.
    pub note: Option<String>,
}

/// A library of the system, by the name that pkg-config has for it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Library {
    /// Other names of it, such as the linker's.
    pub also: Vec<String>,
    /// The packages that the build needs.
    pub build: Packages,
    /// The packages that the program needs where it runs.
    pub run: Packages,
}

impl Program {
    /// What it means for a build whose script calls it.
    pub fn row(&self, name: &str) -> Row {
        Row {
            about: self
                .about
                .clone()
                .unwrap_or_else(|| format!("calls {name}")),
            build: self.build.clone(),
            run: self.run.clone(),
            link: self.link.clone(),
            components: self.components.clone(),
            keep: self.keep.clone(),
            note: self.note.clone(),
            ..Row::default()
        }
    }
}

impl Library {
    /// What it means for a build that links it.
    pub fn row(&self, about: &str) -> Row {
        Row {
            about: about.to_owned(),
            build: self.build.clone(),
            run: self.run.clone(),
            link: Link {
                gnu: Some(Linkage::Dynamic),
                musl: Some(Linkage::Dynamic),
            },
            ..Row::default()
        }
    }
}

impl Helpers {
    /// Whether a file of this name is not copied unless it is asked for.
    pub fn is_private(&self, name: &str) -> bool {
        let mut private = self.private.iter();
        private.any(|pattern| ignore::name_matches(pattern, name))
    }
}

impl Catalog {
    /// A program with its key, by any of its names.
    pub fn program(&self, name: &str) -> Option<(&str, &Program)> {
        let is = |(key, program): &(&String, &Program)| {
            *key == name || program.also.iter().any(|also| also == name)
        };
        let found = self.programs.iter().find(is);
        found.map(|(key, program)| (key.as_str(), program))
    }

    /// A library with its key, by any of its names.
    pub fn library(&self, name: &str) -> Option<(&str, &Library)> {
        let is = |(key, library): &(&String, &Library)| {
            *key == name || library.also.iter().any(|also| also == name)
        };
        let found = self.libraries.iter().find(is);
        found.map(|(key, library)| (key.as_str(), library))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suites_own_names_replace_debians() {
        let packages: Packages = toml::from_str("debian = ['any']\ntrixie = []").expect("TOML");
        let names = |suite| packages.names(Names::Suite(suite)).collect::<Vec<_>>();
        assert_eq!(names("bookworm"), ["any"]);
        assert!(names("trixie").is_empty());
    }
}
