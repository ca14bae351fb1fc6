//! What is true of the project: the first stage. Only this module and those below it run cargo or read the
//! project; they decide nothing. The results are plain data, and a [`Graph`] that answers questions about
//! the dependencies without any I/O.
#![expect(
    clippy::disallowed_methods,
    reason = "cargo is run and the project is read here"
)]

mod build_script;
mod cargo;
mod cargo_config;
mod committed;
mod context;
mod gather;
mod git;
mod graph;
mod links;
mod lock;
mod loopback;
mod manifests;
mod opened;
mod own_ignore;
mod roots;
mod sources;
mod started;
mod system_deps;
mod target_folders;
mod tokens;
mod toolchain;

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use semver::Version;

pub use self::build_script::BuildScript;
pub use self::cargo::{CargoFailed, CargoFlags, home_with_tokens, user_home};
pub use self::cargo_config::{CargoConfig, Setting};
pub use self::committed::{Committed, FromLine, from_lines};
pub use self::gather::{Where, gather};
pub use self::graph::{Build, Features, Graph, Libc, Resolution, ResolvedCrate, Side};
pub use self::links::Link;
pub use self::lock::{Lock, LockFile, LockState};
pub use self::loopback::Loopback;
pub use self::manifests::Trimmable;
pub use self::opened::{Opened, Start};
pub use self::own_ignore::OwnIgnore;
pub use self::sources::Mention;
pub use self::toolchain::{Channel, ToolchainFile};
use crate::config::{Config, PackageConfig};
use crate::path::slashed;

/// Everything that the plan may depend on.
#[derive(Debug)]
pub struct Facts {
    /// The folder that the image is built from: the workspace root, or the common ancestor of it and the
    /// path dependencies outside of it. Absolute.
    pub context: Utf8PathBuf,
    /// The workspace root, relative to the context; empty when they are the same.
    pub root: Utf8PathBuf,
    /// Packages whose source is in the project, by folder: members and path dependencies.
    pub packages: Vec<Package>,
    /// The build scripts of crates from elsewhere, by name and version.
    pub scripts: BTreeMap<(String, Version), BuildScript>,
    /// The dependency graph.
    pub graph: Graph,
    /// The version of the cargo that answered.
    pub cargo: Version,
    /// The toolchain file that applies at the workspace root, if it is in the context.
    pub toolchain: Option<ToolchainFile>,
    /// The lock file.
    pub lock: Lock,
    /// What the layer of the dependencies can do without.
    pub trimmable: Trimmable,
    /// Where the dependencies come from, in the words of lock files.
    pub sources: BTreeSet<String>,
    /// Cargo's configuration in the context, merged.
    pub cargo_config: CargoConfig,
    /// What an earlier run wrote.
    pub committed: Committed,
    /// The file that the Dockerfile's path leads to by links, relative to the context.
    pub linked_dockerfile: Option<Utf8PathBuf>,
    /// The member whose folder the command runs in, or whose manifest was named, unless it is the root.
    pub here: Option<String>,
    /// The ignore file that the engine reads, where it is somebody's own.
    pub own_ignore: Option<OwnIgnore>,
    /// Whether git's history lies in the context.
    pub has_history: bool,
    /// The configuration of the workspace.
    pub config: Config,
    /// The links that the build goes through.
    pub links: Vec<Link>,
    /// Folders of submodules that are not checked out, relative to the context.
    pub missing_submodules: Vec<Utf8PathBuf>,
    /// What the workspace's manifest says for other tools: `[workspace.metadata]`.
    pub metadata: serde_json::Value,
    /// The names in the folder of the workspace.
    pub entries: BTreeSet<String>,
    /// What is in the folders of the workspace and of its packages, or what the compiler reads, but not in every
    /// checkout, relative to the context.
    pub left_out: BTreeSet<Utf8PathBuf>,
    /// Folders with a `package.json`, at or above what sources have the compiler read, and the names in them, relative to
    /// the context.
    pub front_ends: BTreeMap<Utf8PathBuf, BTreeSet<String>>,
    /// Assets of the configuration that are not there, relative to the context.
    pub absent: BTreeSet<Utf8PathBuf>,
}

/// The file in a package's folder that browsers begin with.
pub const PAGE: &str = "index.html";

/// A package whose source is in the project.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Its folder, relative to the context.
    pub dir: Utf8PathBuf,
    /// Whether it belongs to the workspace.
    pub membership: Membership,
    /// The `default-run` key.
    pub default_run: Option<String>,
    /// Its binaries, by name.
    pub bins: Vec<Bin>,
    /// Root files of its targets that cargo requires to be there, relative to the context.
    pub roots: Vec<Utf8PathBuf>,
    /// The Rust files in its `src` folder, relative to the context.
    pub modules: Vec<Utf8PathBuf>,
    /// Root files of its targets that cargo requires but would not look for by itself, relative to the context.
    pub unusual_roots: Vec<Utf8PathBuf>,
    /// Root files of its benchmarks, examples and tests, relative to the context.
    pub spare_roots: Vec<Utf8PathBuf>,
    /// Folders named `target` that hold sources, relative to the context.
    pub target_folders: Vec<Utf8PathBuf>,
    /// Whether something that no stub can stand for is compiled from its sources: it lies outside of the
    /// workspace, or a crate from elsewhere depends on it by way of `[patch]`.
    pub below_dependencies: bool,
    /// The names in its folder.
    pub entries: BTreeSet<String>,
    /// What its [`PAGE`] says, if it has one.
    pub page: Option<String>,
    /// What the manifest says for people.
    pub about: About,
    /// Its build script.
    pub build_script: Option<BuildScript>,
    /// Its library, where build scripts of the project call it.
    pub build_library: Option<BuildScript>,
    /// Paths that its sources have the compiler read.
    pub mentions: Vec<Mention>,
    /// Macros that its sources give strings to.
    pub macros: BTreeSet<String>,
    /// An address of the machine alone that it listens on.
    pub loopback: Option<Loopback>,
    /// Files and folders that its sources name otherwise: the program may open them where it runs.
    pub opened: Vec<Opened>,
    /// Programs that its sources start, each with the first file that does, relative to the context.
    pub starts: BTreeMap<String, Utf8PathBuf>,
    /// What its manifest says for other tools: `[package.metadata]`.
    pub metadata: serde_json::Value,
    /// Its own configuration.
    pub config: PackageConfig,
}

/// How a package belongs to the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// A member that `cargo build` at the root builds.
    Default,
    /// A member that is built only when it is asked for or depended on.
    Member,
    /// A path dependency outside of the workspace.
    PathDependency,
}

/// A binary target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bin {
    /// Its name.
    pub name: String,
    /// Features that it is not built without.
    pub required_features: Vec<String>,
    /// Its root file, relative to the context, and the attribute there by which it is no program for Linux.
    pub elsewhere: Option<Setting<String>>,
}

/// What a manifest says for people.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// `description`
    pub description: Option<String>,
    /// `license`
    pub license: Option<String>,
    /// `repository`
    pub repository: Option<String>,
    /// `homepage`
    pub homepage: Option<String>,
    /// `documentation`
    pub documentation: Option<String>,
    /// `authors`
    pub authors: Vec<String>,
}

impl Facts {
    /// The Dockerfile's folder: the workspace root. Absolute.
    pub fn workspace(&self) -> Utf8PathBuf {
        if self.root == "" {
            self.context.clone()
        } else {
            self.context.join(&self.root)
        }
    }

    /// The addresses of registries on the network beside crates.io, as cargo's configuration has them.
    pub fn registries(&self) -> impl Iterator<Item = &str> {
        let sources = self
            .sources
            .iter()
            .filter(|source| !lock::is_crates_io(source));
        sources.filter_map(|source| {
            let url = source.strip_prefix("registry+").unwrap_or(source);
            let on_network = url.starts_with("sparse+") || source != url;
            (on_network && !url.starts_with("file:")).then_some(url)
        })
    }

    /// The local packages that a program is made of, by what it is linked from.
    pub fn packages_of<'f>(&'f self, linked: &Resolution) -> impl Iterator<Item = &'f Package> {
        self.packages.iter().filter(|package| {
            let mut same = linked.named(&package.name);
            same.any(|krate| krate.local && krate.side == Side::Target)
        })
    }

    /// The assets of the configuration, relative to the context.
    pub fn assets(&self) -> impl Iterator<Item = Utf8PathBuf> {
        context::assets(&self.root, &self.config, &self.packages)
    }

    /// The addresses of repositories over ssh.
    pub fn over_ssh(&self) -> impl Iterator<Item = &str> + Clone {
        self.repositories().filter(|url| url.starts_with("ssh:"))
    }

    /// The addresses of repositories over https.
    pub fn over_https(&self) -> impl Iterator<Item = &str> + Clone {
        self.repositories().filter(|url| url.starts_with("http"))
    }

    fn repositories(&self) -> impl Iterator<Item = &str> + Clone {
        let urls = self
            .sources
            .iter()
            .filter_map(|source| source.strip_prefix("git+"));
        urls.map(|url| url.split(['?', '#']).next().unwrap_or(url))
    }

    /// The members of the workspace.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|p| p.membership != Membership::PathDependency)
    }
}

/// The text of a regular file, if it is one. Reading a pipe would wait for its writer.
fn text_of(path: &Utf8Path) -> Option<String> {
    path.is_file()
        .then(|| fs_err::read_to_string(path).ok())
        .flatten()
}

/// `path` below `base`, as it is written on every system, or as it is where it lies elsewhere.
fn relative(path: &Utf8Path, base: &Utf8Path) -> Utf8PathBuf {
    path.strip_prefix(base)
        .map_or_else(|_| path.to_owned(), slashed)
}

/// The path without `.` and `..`, so that it can be compared with others.
pub(crate) fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let mut clean = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}
