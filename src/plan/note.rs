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
    /// The lock file is not there.
    NoLock,
    /// The lock file is not as cargo wants it.
    LockOutdated,
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

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(evidence, text) => write!(f, "{evidence:#}: {text}"),
            Self::Program(path, text) => write!(f, "{path}: {text}"),
            Self::UnknownNative { krate, links } => write!(
                f,
                "{krate} links `{links}`, and nothing is known of it: if a library is missing, name its \
                 packages in `[workspace.metadata.dockerize.links.{krate}]`"
            ),
            Self::NoLock => write!(
                f,
                "there is no Cargo.lock: every build resolves its dependencies anew; commit one to build \
                 with `--locked`"
            ),
            Self::LockOutdated => write!(
                f,
                "Cargo.lock does not fit the manifests, and the image builds with `--locked`: run `cargo update --workspace` \
                 and commit it"
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
