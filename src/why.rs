//! Decisions and their reasons.
//!
//! A [`Choice`] is a value with the [`Why`] that led to it. `Why` holds evidence, never text, and its
//! `Display` is the only place where reasons are put into words: the comment in the Dockerfile, the line
//! of `--explain` and the field of its JSON all print the same sentence. Only the versions of crates stand in
//! the alternate form (`{:#}`) alone: in the Dockerfile they would put it out of date with every update.

use std::fmt;

use camino::Utf8PathBuf;
use semver::Version;

/// A decided value and the reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<T> {
    /// What was decided.
    pub value: T,
    /// The evidence that decided it.
    pub why: Why,
}

impl<T> Choice<T> {
    /// Pairs a value with its reason.
    pub const fn new(value: T, why: Why) -> Self {
        Self { value, why }
    }
}

/// What a crate of the build does that calls for something from the image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Name of the crate.
    pub krate: String,
    /// Its resolved version.
    pub version: Version,
    /// The crates between the binary's package and this one, outermost first; both ends left out.
    pub via: Vec<String>,
    /// What the crate does, from its catalog row: `links the system OpenSSL`.
    pub about: String,
    /// The features of the crate that made the row hold.
    pub features: Vec<String>,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.krate)?;
        if f.alternate() {
            write!(f, " {}", self.version)?;
        }
        if let [feature, ..] = &self.features[..] {
            write!(f, " with feature {feature}")?;
        }
        write!(f, " {}", self.about)?;
        match &self.via[..] {
            [] => Ok(()),
            [first, .., last] if self.via.len() > 3 => write!(f, " (via {first}, …, {last})"),
            via => write!(f, " (via {})", via.join(", ")),
        }
    }
}

/// The evidence behind a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// An option of the command line, as it was given.
    Flag(String),
    /// A key of `[workspace.metadata.dockerize]` or `[package.metadata.dockerize]`.
    Config(&'static str),
    /// `default-run` of a package.
    DefaultRun(String),
    /// The package of the current folder, or of the manifest that was named.
    Here(String),
    /// The project has no other binary.
    OnlyBinary,
    /// Every binary that `cargo build --release` makes is shipped.
    CargoBuilds,
    /// The package is a helper of the developers, by its name or folder.
    Helper(String),
    /// The package has this file, and is compiled for browsers.
    Browser(String),
    /// A binary whose root file has such an attribute.
    NotForLinux(Utf8PathBuf, String),
    /// A binary that is not built unless these features are on.
    NeedsFeatures(Vec<String>),
    /// The default binary of the package is another one.
    NotDefaultRun(String),
    /// The package is not among the default members.
    NotDefaultMember(String),
    /// Another package has a binary of this name.
    SameName(String),
    /// Another binary was named.
    NotAsked,
    /// A toolchain file and the channel that it names.
    ToolchainFile(Utf8PathBuf, String),
    /// The version that the committed Dockerfile names, which still fits.
    Committed,
    /// The highest `rust-version` in the graph, and the package that asks for it.
    RustVersion(String, Version),
    /// The stable toolchain that ran the command.
    Installed,
    /// The stable release of the day, when the command ran on a nightly or beta toolchain.
    StableOf(Version),
    /// Debian's newest suite that the Rust image exists for.
    NewestSuite(String),
    /// The runtime base holds every library that the binary needs.
    BaseHoldsAll,
    /// The smaller base lacks these packages, which come with their own reasons.
    BaseLacks(Vec<String>, &'static str, Box<Why>),
    /// The base holds what the program does not bring itself.
    HoldsAllBesideProgram,
    /// The program brings an allocator for musl, and everything else as well.
    StandsAlone(Box<Evidence>),
    /// What is in the way of a static program.
    NotStatic(Box<Why>),
    /// What is in the way of any program for musl.
    NotForMusl(Box<Why>),
    /// The program is linked statically, against musl.
    LinksStatically,
    /// What finds libraries for a static program has to tell of their own needs, too.
    WholeLibraries,
    /// The program is linked dynamically, against musl.
    LinksMusl,
    /// A program that is linked with musl's shared library unwinds by way of another one.
    Unwinds,
    /// The images of Rust on Alpine lack it before this version.
    EarlyAlpine(Version),
    /// No image of Rust's version on an Alpine release that is known.
    NoAlpine,
    /// Alpine's newest release that the Rust image exists for.
    NewestAlpine(String),
    /// Another image, whose tag tells what goes with it.
    Follows(String),
    /// The image of this Rust on that system.
    HasBoth,
    /// A toolchain file, for which rustup would fetch another toolchain.
    OwnToolchain(Utf8PathBuf),
    /// A channel that no image has.
    NoChannelImage(String),
    /// A toolchain file asks for a component or a target.
    AskedByFile(Utf8PathBuf),
    /// A file or folder of a name that programs often read where they run.
    MayBeRead,
    /// The suite has no distroless image.
    NoDistroless,
    /// Crates in the build.
    Crates(Vec<Evidence>),
    /// What a package's own build script does: `calls git`.
    BuildScript(Utf8PathBuf, String),
    /// A setting of cargo's configuration.
    CargoConfig(Utf8PathBuf, String),
    /// No dependency goes by the versions of the workspace's own packages.
    OwnVersions,
    /// A file cannot do without the versions of the workspace's own packages.
    NeedsVersions(Utf8PathBuf),
    /// Neither a warm nor an empty builder compiles anything twice.
    FastRebuilds,
    /// The project has a lock file of this version.
    Locked(u32),
    /// Dependencies come from a registry that may ask for a token.
    Registry(String),
    /// Dependencies come from a repository that ssh keys are needed for.
    Git(String),
    /// The host of such a repository is not known to what fetches it.
    UnknownHost(String),
    /// The project has no lock file.
    NoLock,
    /// The lock file does not fit the manifests.
    LockStale,
    /// Git ignores the lock file.
    LockIgnored,
    /// The common ancestor of the workspace and of the path dependencies outside of it.
    OutsideWorkspace(Utf8PathBuf),
    /// A source file names a file or folder that the program may open where it runs.
    Opened(Utf8PathBuf, Utf8PathBuf),
    /// A source file, and the file or folder that it has the compiler read.
    Mentioned(Utf8PathBuf, Utf8PathBuf),
    /// A link among the sources, and what it leads to.
    LinkedTo(Utf8PathBuf, Utf8PathBuf),
    /// A folder with sources.
    HoldsSources,
    /// A folder of vendored crates.
    Vendored,
    /// The workspace root holds everything.
    WorkspaceRoot,
    /// Runs as a user without rights.
    NonRoot,
    /// The home of the user that the program runs as.
    Home,
}

impl fmt::Display for Why {
    #[expect(
        clippy::too_many_lines,
        reason = "it is a list, of one sentence for each reason"
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "asked for with `{flag}`"),
            Self::Config(key) => write!(f, "set by `{key}` in the manifest's dockerize metadata"),
            Self::DefaultRun(package) => write!(f, "the `default-run` of package {package}"),
            Self::Here(package) => {
                write!(f, "the folder or the manifest is that of package {package}")
            }
            Self::OnlyBinary => write!(f, "the only binary"),
            Self::CargoBuilds => write!(f, "`cargo build --release` makes it"),
            Self::Helper(what) => write!(f, "{what} is a helper, not a product"),
            Self::Browser(file) => write!(
                f,
                "by its {file}, it runs in browsers, and cargo alone does not make it"
            ),
            Self::NotForLinux(file, attribute) => {
                write!(f, "it is no program for Linux: {file} says `{attribute}`")
            }
            Self::NeedsFeatures(features) => {
                write!(f, "built only with feature {}", features.join(", "))
            }
            Self::NotDefaultRun(bin) => write!(f, "the package's `default-run` is {bin}"),
            Self::NotDefaultMember(package) => {
                write!(
                    f,
                    "package {package} is not a default member of the workspace"
                )
            }
            Self::SameName(bin) => write!(f, "another package has a binary {bin} as well"),
            Self::NotAsked => write!(f, "another binary was asked for"),
            Self::ToolchainFile(path, channel) => write!(f, "{path} says `{channel}`"),
            Self::Committed => write!(f, "the committed Dockerfile names it, and it still fits"),
            Self::RustVersion(package, version) => {
                write!(f, "{package} has `rust-version = \"{version}\"`")
            }
            Self::Installed => write!(f, "the stable toolchain at the time of writing"),
            Self::StableOf(cargo) => write!(f, "the stable release beside cargo {cargo}"),
            Self::NewestSuite(rust) => {
                write!(
                    f,
                    "the newest Debian suite that has an image of Rust {rust}"
                )
            }
            Self::BaseHoldsAll => write!(f, "holds every library that the binary links"),
            Self::BaseLacks(packages, base, why) => {
                write!(
                    f,
                    "has {}, for which {base} is not enough: ",
                    packages.join(", ")
                )?;
                why.fmt(f)
            }
            Self::HoldsAllBesideProgram => {
                write!(f, "holds all that the static program does not bring itself")
            }
            Self::StandsAlone(evidence) => {
                write!(f, "needs no C library: the program is static, and ")?;
                evidence.fmt(f)
            }
            Self::NotStatic(why) => {
                write!(f, "the program cannot be linked statically: ")?;
                why.fmt(f)
            }
            Self::NotForMusl(why) => {
                write!(f, "the program cannot be built for musl: ")?;
                why.fmt(f)
            }
            Self::LinksStatically => write!(f, "the program is static, built for musl"),
            Self::WholeLibraries => {
                write!(f, "a static library comes with all that it needs itself")
            }
            Self::LinksMusl => write!(f, "the program is linked with Alpine's musl"),
            Self::Unwinds => write!(
                f,
                "every program that is linked with musl's shared library needs it"
            ),
            Self::EarlyAlpine(version) => {
                write!(f, "Alpine images of Rust before {version} lack it")
            }
            Self::NoAlpine => write!(f, "this Rust has no image on a known Alpine release"),
            Self::NewestAlpine(rust) => {
                write!(
                    f,
                    "the newest Alpine release that has an image of Rust {rust}"
                )
            }
            Self::Follows(image) => write!(f, "goes with {image}"),
            Self::HasBoth => write!(f, "the official image of this Rust on this system"),
            Self::OwnToolchain(path) => write!(
                f,
                "The image's own toolchain, where {path} would have rustup download another"
            ),
            Self::MayBeRead => write!(f, "programs often read what has this name"),
            Self::NoChannelImage(channel) => write!(f, "no image has the channel {channel}"),
            Self::AskedByFile(path) => write!(f, "{path} asks for what the image lacks"),
            Self::NoDistroless => write!(f, "the suite has no distroless image"),
            Self::Crates(all) => {
                for (i, evidence) in all.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { "; " })?;
                    evidence.fmt(f)?;
                }
                Ok(())
            }
            Self::BuildScript(path, does) => write!(f, "{path} {does}"),
            Self::CargoConfig(path, setting) => write!(f, "{path} sets {setting}"),
            Self::OwnVersions => write!(
                f,
                "no dependency goes by the versions of the workspace's own packages"
            ),
            Self::NeedsVersions(file) => write!(
                f,
                "{file} cannot do without the versions of the workspace's own packages"
            ),
            Self::FastRebuilds => write!(
                f,
                "an empty builder starts from a layer of the dependencies, a warm one from its last build"
            ),
            Self::Locked(version) => write!(f, "there is a lock file of version {version}"),
            Self::Registry(url) => write!(f, "dependencies come from the registry {url}"),
            Self::Git(url) => write!(f, "dependencies come from {url}"),
            Self::UnknownHost(url) => write!(
                f,
                "`net.ssh.known-hosts` has no key of the host that {url} is on"
            ),
            Self::NoLock => write!(f, "there is no lock file"),
            Self::LockStale => write!(f, "the lock file lacks what the manifests ask for"),
            Self::LockIgnored => write!(f, "git ignores the lock file"),
            Self::OutsideWorkspace(path) => {
                write!(
                    f,
                    "the path dependency {path} lies outside of the workspace"
                )
            }
            Self::Opened(source, path) => write!(f, "{source} names {path}, which it may open"),
            Self::Mentioned(source, path) => write!(f, "{source} reads {path} while it compiles"),
            Self::LinkedTo(link, target) => write!(f, "{link} is a link to {target}"),
            Self::HoldsSources => write!(f, "it holds sources"),
            Self::Vendored => write!(f, "it holds the vendored crates"),
            Self::WorkspaceRoot => write!(f, "the workspace root"),
            Self::NonRoot => write!(f, "a user without rights"),
            Self::Home => write!(f, "that user's home"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(via: &[&str]) -> Evidence {
        Evidence {
            krate: "openssl-sys".into(),
            version: Version::new(0, 9, 111),
            via: via.iter().map(ToString::to_string).collect(),
            about: "links the system OpenSSL".into(),
            features: vec![],
        }
    }

    #[test]
    fn evidence_names_the_path() {
        assert_eq!(
            format!("{:#}", evidence(&["reqwest", "native-tls"])),
            "openssl-sys 0.9.111 links the system OpenSSL (via reqwest, native-tls)"
        );
    }

    #[test]
    fn a_long_path_is_cut_in_the_middle() {
        assert_eq!(
            evidence(&["a", "b", "c", "d"]).to_string(),
            "openssl-sys links the system OpenSSL (via a, …, d)"
        );
    }
}
