//! The bases that were not chosen: whether each would do, what it would take, and what it costs.

use std::fmt;

use super::asked::{Asking, Kind};
use super::base::{Fit, Grounds};
use super::libc::{Musl, Program};
use super::needs::Needed;
use crate::why::Why;

/// A base that was not chosen.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// The binary.
    pub bin: String,
    /// The name by which it is asked for.
    pub base: &'static str,
    /// Whether it would do; else the reason why not.
    pub outcome: Result<Would, Why>,
}

/// What a base would take and cost.
#[derive(Clone, Debug)]
pub struct Would {
    /// The image.
    pub image: String,
    /// Packages that would be installed.
    pub packages: Vec<Needed>,
    /// The image's own compressed size in megabytes.
    pub weight: u32,
    /// What is paid for it.
    pub prices: Vec<Price>,
}

/// What is paid for a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// A shell and tools, of use to whoever breaks in.
    Shell,
    /// Packages whose fixes call for new builds.
    Packages,
    /// No shell to look around with.
    NoShell,
    /// Nothing but the program.
    Nothing,
    /// musl with an allocator that is slow under threads.
    SlowAllocator,
    /// musl.
    Musl,
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shell => "a shell and tools, also for whoever breaks in",
            Self::Packages => "more packages whose fixes call for a new image",
            Self::NoShell => "no shell to look around with",
            Self::Nothing => {
                "nothing but the program: no shell, no users, no temporary folder unless it is made"
            }
            Self::SlowAllocator => "musl, whose allocator is slow under threads",
            Self::Musl => "musl in place of glibc",
        })
    }
}

/// The bases that each image does not have.
pub(super) fn alternatives(
    grounds: &Grounds<'_>,
    asked: &[Asking<'_>],
    fits: &[Fit<'_>],
) -> Vec<Alternative> {
    let kinds = [Kind::Distroless, Kind::Debian, Kind::Alpine, Kind::Scratch];
    let each = asked.iter().zip(fits).rev().flat_map(|(asking, fit)| {
        let chosen = fit.kind.map(Kind::name);
        let others = kinds
            .into_iter()
            .filter(move |kind| chosen != Some(kind.name()));
        others.map(|kind| Alternative {
            bin: asking.bin.to_owned(),
            base: kind.name(),
            outcome: would(grounds, kind, asking.package),
        })
    });
    each.collect()
}

fn would(grounds: &Grounds<'_>, kind: Kind, package: &str) -> Result<Would, Why> {
    let program = program(grounds, kind)?;
    let fit = grounds.known(kind, program, package)?;
    let of_musl = match (program, grounds.musl) {
        (Program::Static | Program::Musl, Some(musl)) => {
            Some(match musl.allocator(grounds.catalog) {
                Some(_) => Price::Musl,
                None => Price::SlowAllocator,
            })
        }
        _ => None,
    };
    let of_kind: &[Price] = match kind {
        Kind::Debian => &[Price::Shell, Price::Packages],
        Kind::Alpine => &[Price::Shell],
        Kind::Distroless | Kind::Bare => &[Price::NoShell],
        Kind::Scratch => &[Price::Nothing],
    };
    Ok(Would {
        image: fit.image,
        packages: fit.packages,
        weight: fit.base.map_or(0, |base| base.weight),
        prices: of_musl.into_iter().chain(of_kind.iter().copied()).collect(),
    })
}

/// What the programs would have to be.
fn program(grounds: &Grounds<'_>, kind: Kind) -> Result<Program, Why> {
    let (Kind::Alpine | Kind::Scratch | Kind::Bare, Some(musl)) = (kind, grounds.musl) else {
        return Ok(Program::Gnu);
    };
    match (musl.musl(grounds.catalog), kind) {
        (Musl::Static(_), _) => Ok(Program::Static),
        (Musl::Dynamic(_), Kind::Alpine) => Ok(Program::Musl),
        (Musl::Dynamic(why), _) => Err(Why::NotStatic(Box::new(why))),
        (Musl::Never(why), _) => Err(Why::NotForMusl(Box::new(why))),
    }
}
