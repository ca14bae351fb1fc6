//! The reasons for which there is no plan.

use thiserror::Error;

/// Why the tool gives no answer. [`Refusal::hint`] says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is nothing to run.
    #[error("{place} has no binary to ship")]
    NoBinary {
        /// The workspace or package.
        place: String,
    },
    /// Only examples, benchmarks and the like.
    #[error("the workspace has only helpers to run: {}", .bins.join(", "))]
    OnlyHelpers {
        /// Their names.
        bins: Vec<String>,
    },
    /// A name that is not there.
    #[error("there is no {kind} `{name}` in the workspace")]
    NotFound {
        /// `binary` or `package`
        kind: &'static str,
        /// As it was given.
        name: String,
        /// Names that are there, the most similar ones first.
        near: Vec<String>,
    },
    /// A binary's name that several packages use.
    #[error("several packages have a binary `{name}`: {}", .packages.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// The packages.
        packages: Vec<String>,
    },
    /// No image of Rust's version on a suite that has a runtime base.
    #[error("Rust {rust} has no image on a Debian suite that is known here")]
    NoSuite {
        /// The version.
        rust: String,
    },
    /// Cargo's configuration names targets, and none of them is Linux.
    #[error("{file} has cargo build for {targets}, which no Linux container runs")]
    NotForLinux {
        /// The file.
        file: String,
        /// The targets.
        targets: String,
    },
    /// A page to ask for, and no port to ask on.
    #[error("`verify.http` of package {package} has no `verify.port`")]
    PageWithoutPort {
        /// The package.
        package: String,
    },
    /// A path of the configuration that cannot be part of the context.
    #[error("the asset `{path}` is not a path below its package")]
    AssetOutside {
        /// As it was given.
        path: String,
    },
}

impl Refusal {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoBinary { .. } => {
                "a library cannot be run: add `src/main.rs` or a `[[bin]]`, or run this in another folder".into()
            }
            Self::OnlyHelpers { .. } => "name the one to ship with `--bin`".into(),
            Self::NotFound { near, .. } if near.is_empty() => return None,
            Self::NotFound { near, .. } => format!("there is {}", near.join(", ")),
            Self::Ambiguous { .. } => "name the package as well, with `-p`".into(),
            Self::NoSuite { .. } => "set `rust = \"VERSION\"` under [workspace.metadata.dockerize]".into(),
            Self::NotForLinux { .. } => {
                "move `build.target` out of it, to where only the other target is built".into()
            }
            Self::PageWithoutPort { .. } => "add the port that the program listens on".into(),
            Self::AssetOutside { .. } => "name a file or folder inside of the package".into(),
        })
    }
}
