//! What the user should know, and can change, beside the decisions.

use std::fmt;

use camino::Utf8PathBuf;

use crate::why::Evidence;

/// A notice. Its `Display` is the only wording of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The catalog has something to say that it cannot decide.
    Row(Evidence, String),
    /// A program that the build calls, and what to know of it.
    Program(Utf8PathBuf, String),
    /// A crate that links something that the catalog does not know.
    UnknownNative {
        /// The crate.
        krate: String,
        /// Its `links` key.
        links: String,
    },
    /// What to know of musl's allocator.
    Musl(String),
    /// An image that gets no more fixes.
    Ended {
        /// The image.
        image: String,
        /// Its last day with fixes.
        end: String,
        /// The day of the data.
        date: String,
    },
    /// A base that nothing is known of.
    OtherBase {
        /// The image.
        image: String,
        /// Packages that it has to hold.
        packages: Vec<String>,
        /// The suite whose glibc it must not be older than, where its name does not tell.
        glibc: Option<String>,
    },
    /// A builder that nothing is known of.
    OtherBuilder {
        /// The image.
        image: String,
        /// The suite whose glibc it must not be newer than.
        suite: String,
    },
    /// Programs that may do everything.
    Root(String),
    /// What a build script or cargo's configuration does, with something that the catalog does not know.
    UnknownCall(Utf8PathBuf, String),
    /// A variable of cargo's configuration whose value is a path outside of the project.
    HostPath(Utf8PathBuf, String, String),
    /// The lock file is not there.
    NoLock,
    /// The lock file does not fit the manifests.
    LockStale,
    /// The lock file is not committed.
    LockIgnored,
    /// Somebody's own ignore file, its line, and what that hides from the build: another file is read in its place.
    OwnIgnoreHides(String, String, Utf8PathBuf),
    /// The same of a file that no other one can be read in place of.
    OwnIgnoreStays(String, String, Utf8PathBuf),
    /// Somebody's own ignore file, its line, and what that hides in a folder that is copied.
    OwnIgnoreHidesPart(String, String, Utf8PathBuf),
    /// Somebody's own ignore file, and what it leaves in the context and no build reads.
    OwnIgnoreShows(String, Vec<&'static str>),
    /// A source file that has the program listen to its own machine alone, and the option by which it need not.
    Loopback(Utf8PathBuf, Option<String>),
    /// A source file, the folder that it embeds, which not every checkout has, and the configuration that makes it.
    NothingToEmbed(Utf8PathBuf, Utf8PathBuf, Option<String>),
    /// A source file, a program that it starts where it runs, and the packages of that.
    Starts(Utf8PathBuf, String, Vec<String>),
    /// An asset of the configuration that is not there.
    NoAsset(Utf8PathBuf),
    /// A package, what shows that it has another part, and what makes that.
    OtherPart(String, String, String),
    /// A link, and what it leads to: nothing that the context has.
    LeadsOutside(Utf8PathBuf, Utf8PathBuf),
    /// The folders of submodules that are not checked out.
    NoSubmodules(Vec<Utf8PathBuf>),
    /// A repository that may ask for a password.
    UnknownRepository(String),
    /// A registry that no file of the project names.
    UnknownRegistry(String),
    /// The code is made for the processor of the machine that builds.
    NativeCpu(Utf8PathBuf),
    /// Cargo's configuration asks for another target than the image's own platform.
    OtherTarget(Utf8PathBuf, String),
    /// A channel that has no image.
    NoChannelImage {
        /// The toolchain file.
        file: Utf8PathBuf,
        /// The channel.
        channel: String,
        /// The image's Rust.
        instead: String,
    },
    /// The chosen Rust is older than a package asks for.
    TooOld {
        /// The chosen version.
        rust: String,
        /// The package.
        package: String,
        /// Its `rust-version`.
        needs: String,
    },
    /// The lock file's format is newer than the chosen Rust reads.
    LockTooNew {
        /// The format.
        format: u32,
        /// The first Rust that reads it.
        needs: String,
    },
}

const NO_LOCK: &str = "there is no Cargo.lock: every build resolves its dependencies anew; commit one to build with `--locked`";
const LOCK_STALE: &str = "Cargo.lock lacks what the manifests ask for, and every build resolves that anew: run \
     `cargo update --workspace` and commit it to build with `--locked`";
const LOCK_IGNORED: &str = "git ignores Cargo.lock, so that other checkouts resolve their dependencies anew: commit it \
     to build with `--locked`";

impl fmt::Display for Note {
    #[expect(
        clippy::too_many_lines,
        reason = "it is a list, of one sentence for each note"
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(evidence, text) => write!(f, "{evidence:#}: {text}"),
            Self::Program(path, text) => write!(f, "{path}: {text}"),
            Self::UnknownNative { krate, links } => write!(
                f,
                "{krate} links `{links}`, and nothing is known of it: if a library is missing, name its \
                 packages in `[workspace.metadata.dockerize.links.{krate}]`"
            ),
            Self::Musl(text) => f.write_str(text),
            Self::Ended { image, end, date } => write!(
                f,
                "{image} gets no fixes since {end} (as of {date}): a newer Rust, or another `base`, has a newer system"
            ),
            Self::OtherBase {
                image,
                packages,
                glibc,
            } => other_base(f, image, packages, glibc.as_deref()),
            Self::OtherBuilder { image, suite } => write!(
                f,
                "{image} must have rustup's or another Rust that can build the project, Debian's apt, and a glibc \
                 that is not newer than that of {suite}, which the program runs on"
            ),
            Self::Root(bin) => write!(
                f,
                "{bin} runs as root, as `user` asks: another user can do less harm"
            ),
            Self::UnknownCall(path, does) => write!(
                f,
                "{path} {does}, and nothing is known of it: name its package in `packages.build`, that of a \
                 library in `packages.runtime` as well, unless the build does without"
            ),
            Self::HostPath(path, name, value) => write!(
                f,
                "{path} sets {name} to {value}, which has to exist in the build stage"
            ),
            Self::NoLock => f.write_str(NO_LOCK),
            Self::LockStale => f.write_str(LOCK_STALE),
            Self::LockIgnored => f.write_str(LOCK_IGNORED),
            Self::OwnIgnoreHides(file, line, path) => write!(
                f,
                "the line `{line}` of {file} hides {path}, which the build needs: an ignore file of this \
                 Dockerfile's own is read in its place"
            ),
            Self::OwnIgnoreStays(file, line, path) => write!(
                f,
                "the line `{line}` of {file} hides {path}, which the build needs: remove the line, or the file, and \
                 one is written that fits"
            ),
            Self::OwnIgnoreHidesPart(file, line, path) => write!(
                f,
                "the line `{line}` of {file} hides {path}, so that the image does without: where it should not, \
                 add the line `!{path}`"
            ),
            Self::OwnIgnoreShows(file, folders) => write!(
                f,
                "{file} has no line for `{}`, which every build sends to the engine and none reads: add it, \
                 or remove the file, and one is written that fits",
                folders.join("` and `")
            ),
            Self::Loopback(file, None) => write!(
                f,
                "{file} listens on 127.0.0.1, which nothing outside of the container reaches: have it listen on \
                 0.0.0.0 there"
            ),
            Self::Loopback(file, Some(option)) => write!(
                f,
                "by its `{option}`, {file} listens on 127.0.0.1 unless told otherwise, which nothing outside of the \
                 container reaches: have `args` or `env` say 0.0.0.0"
            ),
            Self::NothingToEmbed(file, folder, way) => write!(
                f,
                "{file} embeds {folder}, which no fresh checkout has: make it before the image is built, or {}",
                match way {
                    Some(configuration) => format!("have the image make it, by {configuration}"),
                    None => "cargo fails there".to_owned(),
                }
            ),
            Self::Starts(file, program, packages) => write!(
                f,
                "{file} starts {program}, which the image has not: where it cannot do without, \
                 `packages.runtime = {packages:?}`"
            ),
            Self::NoAsset(path) => write!(
                f,
                "`assets` names {path}, which is not there: make it before the image is built, or the build ends there"
            ),
            Self::OtherPart(package, shows, packager) => write!(
                f,
                "by its {shows}, {package} has a part that `{packager}` makes and cargo alone does not, so that the \
                 image lacks it: build that part beside the image, or in a stage of your own"
            ),
            Self::LeadsOutside(link, target) => write!(
                f,
                "{link} is a link to {target}, which no image can be built from: put a copy in its place, or have \
                 it lead to a path of the same repository, by a relative way"
            ),
            Self::NoSubmodules(folders) => no_submodules(f, folders),
            Self::UnknownRepository(url) => write!(
                f,
                "dependencies come from {url}: if that asks for a password, `secrets = [\"netrc\"]` has git take it from \
                 ~/.netrc"
            ),
            Self::UnknownRegistry(url) => write!(
                f,
                "cargo knows the registry {url} from outside of the project: name it in .cargo/config.toml, under \
                 `[registries.NAME]`, or the image cannot"
            ),
            Self::NativeCpu(file) => write!(
                f,
                "{file} sets `target-cpu=native`: the image runs only on processors like the one that \
                 builds it"
            ),
            Self::OtherTarget(file, target) => write!(
                f,
                "{file} sets `build.target` to {target}: the image builds for its own platform instead"
            ),
            Self::NoChannelImage {
                file,
                channel,
                instead,
            } => {
                write!(
                    f,
                    "{file} asks for `{channel}`, which has no image: Rust {instead} is used"
                )
            }
            Self::TooOld {
                rust,
                package,
                needs,
            } => {
                write!(
                    f,
                    "{package} asks for Rust {needs}, newer than the Rust {rust} of the image"
                )
            }
            Self::LockTooNew { format, needs } => {
                write!(
                    f,
                    "a Cargo.lock of version {format} needs Rust {needs} or newer"
                )
            }
        }
    }
}

/// There may be a hundred of them.
fn no_submodules(f: &mut fmt::Formatter<'_>, folders: &[Utf8PathBuf]) -> fmt::Result {
    match folders {
        [folder] => write!(f, "the submodule {folder} is")?,
        [first, rest @ ..] => write!(f, "the submodule {first} and {} more are", rest.len())?,
        [] => return Ok(()),
    }
    f.write_str(
        " not checked out: run `git submodule update --init --recursive` before the image is built, if the build \
         reads what is there",
    )
}

/// What an image that nothing is known of has to be like.
fn other_base(
    f: &mut fmt::Formatter<'_>,
    image: &str,
    packages: &[String],
    glibc: Option<&str>,
) -> fmt::Result {
    write!(f, "{image} has to")?;
    if let Some(suite) = glibc {
        write!(
            f,
            " have a glibc that is not older than that of {suite}, which the program is built on"
        )?;
    }
    if !packages.is_empty() {
        let and = if glibc.is_some() { ", and to" } else { "" };
        write!(
            f,
            "{and} hold what these packages do: {}",
            packages.join(", ")
        )?;
    }
    Ok(())
}
