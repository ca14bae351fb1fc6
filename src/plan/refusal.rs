//! The reasons for which there is no plan.

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::why::Why;

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
    /// No image of Rust's version on the suite of a base.
    #[error("Rust {rust} has no image on {suite}, which {base} asks for")]
    NoBuilder {
        /// The version.
        rust: String,
        /// The suite.
        suite: String,
        /// The base.
        base: String,
    },
    /// A builder whose glibc is newer than that of the base.
    #[error("what {builder} builds asks for a newer glibc than {base} has")]
    NewerBuilder {
        /// The builder.
        builder: String,
        /// The base.
        base: String,
    },
    /// A base that does not do for a program.
    #[error("{bin} cannot run on {base}: {why}")]
    Unfit {
        /// The binary.
        bin: String,
        /// What was asked for.
        base: String,
        /// Why not.
        why: Box<Why>,
    },
    /// Bases for two C libraries in one build, and programs that cannot be static.
    #[error(
        "{} on {} and {} on {} need different C libraries, and one build has one: {why}",
        .gnu.0, .gnu.1, .musl.0, .musl.1
    )]
    TwoLibcs {
        /// A binary and its base with glibc.
        gnu: (String, String),
        /// A binary and its base with musl.
        musl: (String, String),
        /// Why they cannot be static.
        why: Box<Why>,
    },
    /// A health check that calls what is not there.
    #[error("the health check of {bin} calls `{program}`, which {base} does not have")]
    Healthcheck {
        /// The program.
        program: String,
        /// The image.
        base: String,
        /// The binary.
        bin: String,
    },
    /// What is no name of its kind.
    #[error("`{}` is no {kind}", .name.escape_debug())]
    Malformed {
        /// `image`, `platform`, …
        kind: &'static str,
        /// As it was given.
        name: String,
    },
    /// A health check that calls nothing.
    #[error("the health check is empty")]
    EmptyHealthcheck,
    /// A user by name.
    #[error("the user `{user}` is not a number")]
    UserName {
        /// As it was given.
        user: String,
    },
    /// A folder of the image that is not an absolute path.
    #[error("`{path}` in `{key}` is not an absolute path")]
    NotAbsolute {
        /// The key.
        key: &'static str,
        /// As it was given.
        path: String,
    },
    /// Cargo's configuration names targets, and none of them is Linux.
    #[error("{file} has cargo build for {targets}, which no Linux container runs")]
    NotForLinux {
        /// The file.
        file: String,
        /// The targets.
        targets: String,
    },
    /// A binary that is none for Linux.
    #[error("{bin} is no program for Linux: {file} says `{attribute}`")]
    NoLinuxProgram {
        /// The binary.
        bin: String,
        /// Its root file.
        file: String,
        /// The attribute there.
        attribute: String,
    },
    /// A page to ask for, and no port to ask on.
    #[error("`verify.http` of package {package} has no `verify.port`")]
    PageWithoutPort {
        /// The package.
        package: String,
    },
    /// Instructions for a stage that the Dockerfile does not have.
    #[error("there is no stage for `{key}`")]
    NoStage {
        /// The key of the configuration.
        key: String,
        /// The stages.
        stages: Vec<String>,
    },
    /// Instructions that no engine reads.
    #[error("what `before` and `after` add to the Dockerfile is not right: {what}")]
    Verbatim {
        /// The reason.
        what: String,
    },
    /// A file that is read as something else.
    #[error("`{path}` is part of the project, and no place for a Dockerfile")]
    OutputIsInput {
        /// Relative to the context.
        path: Utf8PathBuf,
    },
    /// An option that is saved for the workspace, where a package has its own.
    #[error("package {package} has its own `base`, which wins over the one to save")]
    OwnBase {
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
            Self::NoBuilder { .. } => "choose a base of another suite, or another `rust`".into(),
            Self::NewerBuilder { .. } => "choose a builder of the base's suite, or leave it out".into(),
            Self::Unfit { .. } => {
                "`--base auto` finds one that does; `cargo dockerize --explain` lists the others".into()
            }
            Self::TwoLibcs { .. } => {
                "give them bases of one kind, or a Dockerfile each, with `-p` and `--output`".into()
            }
            Self::Healthcheck { bin, .. } => format!(
                "call the program itself, `healthcheck = [\"{bin}\", …]`, or use `base = \"debian\"`"
            ),
            Self::Malformed { kind: "platform", .. } => "name it as `docker build --platform` does: `linux/arm64`".into(),
            Self::Malformed { kind: "image", .. } => "name it as `docker pull` does: `REGISTRY/NAME:TAG`".into(),
            Self::Malformed { .. } => return None,
            Self::EmptyHealthcheck => "name a program: `healthcheck = [\"PROGRAM\", \"ARGUMENT\"]`".into(),
            Self::UserName { .. } => {
                "name it by number, such as `user = \"1000:1000\"`: names are only known inside of the image".into()
            }
            Self::NotAbsolute { .. } => "begin it with a slash".into(),
            Self::NotForLinux { .. } => {
                "move `build.target` out of it, to where only the other target is built".into()
            }
            Self::NoLinuxProgram { .. } => "run this in the folder of another package, or name it with `-p`".into(),
            Self::PageWithoutPort { .. } => "add the port that the program listens on".into(),
            Self::NoStage { stages, .. } => format!("there is `{}`", stages.join("`, `")),
            Self::Verbatim { .. } => {
                "each string is a whole instruction, such as \"RUN mkdir /data\"".into()
            }
            Self::OutputIsInput { .. } => "name another file with `--output`".into(),
            Self::OwnBase { .. } => "change it in that package's manifest".into(),
            Self::AssetOutside { .. } => "name a file or folder inside of the package".into(),
        })
    }
}
