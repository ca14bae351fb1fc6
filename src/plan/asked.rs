//! What the images are asked to be based on.

use super::binaries::Selection;
use super::libc::Program;
use super::{Request, configured};
use crate::facts::{Facts, Package};
use crate::why::{Choice, Why};

/// A base as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The smallest that is the right one for the program.
    Auto,
    /// One of the tool's own choices.
    Kind(Kind),
    /// Any image.
    Image(String),
}

/// The bases that the tool knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// With glibc and no shell.
    Distroless,
    /// Without any C library.
    Bare,
    /// With a shell and packages.
    Debian,
    /// With a shell, packages and musl.
    Alpine,
    /// With nothing.
    Scratch,
}

impl Kind {
    /// The name by which it is asked for.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Distroless | Self::Bare => "distroless",
            Self::Debian => "debian",
            Self::Alpine => "alpine",
            Self::Scratch => "scratch",
        }
    }

    /// What programs have to be for it, where it is not open.
    pub(super) fn program(self) -> Option<Program> {
        match self {
            Self::Distroless | Self::Debian => Some(Program::Gnu),
            Self::Bare | Self::Scratch => Some(Program::Static),
            Self::Alpine => None,
        }
    }
}

impl Asked {
    /// In the words of `--base`.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Auto => "auto".to_owned(),
            Self::Kind(kind) => kind.name().to_owned(),
            Self::Image(image) => image.clone(),
        }
    }

    /// Reads the value of `--base`.
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "auto" => Self::Auto,
            "distroless" => Self::Kind(Kind::Distroless),
            "debian" => Self::Kind(Kind::Debian),
            "alpine" => Self::Kind(Kind::Alpine),
            "scratch" => Self::Kind(Kind::Scratch),
            image => Self::Image(image.to_owned()),
        }
    }
}

/// What is asked for an image.
pub(super) struct Asking<'f> {
    pub(super) bin: &'f str,
    pub(super) package: &'f str,
    pub(super) base: Choice<Asked>,
}

/// What is asked for each image of the selection.
pub(super) fn asked<'f>(
    facts: &Facts,
    request: &Request,
    selection: &Selection<'f>,
) -> Vec<Asking<'f>> {
    let each = selection.picked.iter().map(|picked| Asking {
        bin: &picked.value.bin.name,
        package: &picked.value.package.name,
        base: asked_for(facts, request, picked.value.package),
    });
    each.collect()
}

/// Order of precedence: `--base`, the package's configuration, the workspace's.
fn asked_for(facts: &Facts, request: &Request, package: &Package) -> Choice<Asked> {
    let flag = |base: &String| Choice::new(base.clone(), Why::Flag(format!("--base {base}")));
    let named = (request.base.as_ref().map(flag))
        .or_else(|| configured(package.config.base.as_ref(), "base"))
        .or_else(|| configured(facts.config.base.as_ref(), "base"));
    named.map_or(Choice::new(Asked::Auto, Why::CargoBuilds), |named| {
        Choice::new(Asked::parse(&named.value), named.why)
    })
}
