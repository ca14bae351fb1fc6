//! What the images are based on. A base is fit for a program when everything is there, or can be put there; one
//! that was asked for and is not fit is refused with the reason, before anything is written.

use super::asked::{Asked, Asking, Kind};
use super::libc::{Built, Musl, Program, plainly_for_musl};
use super::needs::Needed;
use super::{Note, Refusal};
use crate::catalog::{Alpine, Base, Catalog, Installer, Names, Substitute, Suite};
use crate::facts::Facts;
use crate::why::{Choice, Evidence, Why};

/// A base that a program can run on.
#[derive(Clone, Debug)]
pub(super) struct Fit<'c> {
    /// Which of the tool's own choices it is.
    pub(super) kind: Option<Kind>,
    pub(super) image: String,
    pub(super) why: Why,
    /// What is known of the image; nothing of those that are not the tool's choice.
    pub(super) base: Option<&'c Base>,
    /// Every package that the program needs, whether the base holds it or not.
    pub(super) needs: Vec<String>,
    /// Packages that it lacks.
    pub(super) packages: Vec<Needed>,
    /// Files and folders that it lacks.
    pub(super) substitutes: Vec<Choice<&'c Substitute>>,
    pub(super) notes: Vec<Note>,
}

impl Fit<'_> {
    pub(super) fn installer(&self) -> Option<Installer> {
        self.base?.installer
    }
}

/// What bases are chosen from.
#[derive(Clone, Copy)]
pub(super) struct Grounds<'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) suite: &'c Suite,
    pub(super) alpine: Option<&'c Alpine>,
    pub(super) gnu: &'c Built<'c>,
    pub(super) musl: Option<&'c Built<'c>>,
    /// Whether the builder that is asked for makes programs for musl alone.
    pub(super) on_alpine: bool,
}

impl<'c> Grounds<'c> {
    /// The build that makes such programs.
    pub(super) fn built(&self, program: Program) -> &'c Built<'c> {
        match (program, self.musl) {
            (Program::Static | Program::Musl, Some(musl)) => musl,
            _ => self.gnu,
        }
    }

    /// With the suite and release that the image's own name tells.
    fn of(self, image: &str) -> Self {
        Self {
            suite: self.catalog.suite_named(image).unwrap_or(self.suite),
            alpine: self.catalog.alpine_in(image).or(self.alpine),
            ..self
        }
    }

    /// What an image is known for, when it is one that the tool could have chosen.
    fn kind(&self, image: &str) -> Option<Kind> {
        let bases = [
            (Kind::Distroless, self.suite.distroless.as_ref()),
            (Kind::Bare, self.suite.bare.as_ref()),
            (Kind::Debian, Some(&self.suite.slim)),
            (Kind::Alpine, self.alpine.map(|alpine| &alpine.base)),
            (Kind::Scratch, Some(&self.catalog.images.scratch)),
        ];
        let like = |(kind, base): (Kind, Option<&Base>)| base?.is_like(image).then_some(kind);
        bases.into_iter().find_map(like)
    }

    fn base(&self, kind: Kind) -> Option<&'c Base> {
        match kind {
            Kind::Distroless => self.suite.distroless.as_ref(),
            Kind::Bare => self.suite.bare.as_ref(),
            Kind::Debian => Some(&self.suite.slim),
            Kind::Alpine => self.alpine.map(|alpine| &alpine.base),
            Kind::Scratch => Some(&self.catalog.images.scratch),
        }
    }

    /// What the programs have to be for what is asked; `None` leaves it to the others.
    pub(super) fn wanted(&self, asked: &Asked) -> Option<Wanted> {
        let of_kind = |kind: Kind| match kind.program() {
            Some(Program::Gnu) => Wanted::Gnu,
            Some(_) => Wanted::Static,
            None => Wanted::Musl,
        };
        match asked {
            Asked::Auto => None,
            Asked::Kind(kind) => Some(of_kind(*kind)),
            Asked::Image(image) => Some(match self.of(image).kind(image) {
                Some(kind) => of_kind(kind),
                None if self.catalog.is_bare(image) => Wanted::Static,
                None if self.catalog.alpine_in(image).is_some() => Wanted::Musl,
                None => Wanted::Gnu,
            }),
        }
    }

    /// The base of one image, or the reason why what is asked for does not fit.
    pub(super) fn fit(
        &self,
        asked: &Choice<Asked>,
        program: Program,
        package: &str,
        allocator: Option<&Evidence>,
    ) -> Result<Fit<'c>, Why> {
        let because = |mut fit: Fit<'c>| {
            fit.why = asked.why.clone();
            fit
        };
        match &asked.value {
            Asked::Auto => self.smallest(program, package, allocator),
            Asked::Kind(Kind::Distroless) if program == Program::Static => {
                self.known(Kind::Bare, program, package).map(because)
            }
            Asked::Kind(kind) => self.known(*kind, program, package).map(because),
            Asked::Image(image) => match self.of(image).kind(image) {
                Some(kind) => self.of(image).known(kind, program, package).map(|fit| {
                    let notes = fit.notes.iter().cloned().map(|note| match note {
                        Note::Ended { end, date, .. } => Note::Ended {
                            image: image.clone(),
                            end,
                            date,
                        },
                        note => note,
                    });
                    Fit {
                        image: image.clone(),
                        notes: notes.collect(),
                        ..because(fit)
                    }
                }),
                None => Ok(self.other(image, asked.why.clone(), program, package)),
            },
        }
    }

    /// The smallest base that holds everything, else the one that everything can be installed in.
    fn smallest(
        &self,
        program: Program,
        package: &str,
        allocator: Option<&Evidence>,
    ) -> Result<Fit<'c>, Why> {
        let (small, large) = match program {
            Program::Gnu => (Kind::Distroless, Kind::Debian),
            Program::Static => (Kind::Bare, Kind::Debian),
            Program::Musl => (Kind::Alpine, Kind::Alpine),
        };
        let fit = self.known(small, program, package).or_else(|why| {
            self.known(large, program, package)
                .map(|fit| Fit { why, ..fit })
        });
        fit.map(|fit| match allocator {
            Some(evidence) if program == Program::Static => Fit {
                why: Why::StandsAlone(Box::new(evidence.clone())),
                ..fit
            },
            _ => fit,
        })
    }

    /// One of the bases that the tool knows, for one package of the build.
    pub(super) fn known(
        &self,
        kind: Kind,
        program: Program,
        package: &str,
    ) -> Result<Fit<'c>, Why> {
        let base = self.base(kind).ok_or(match kind {
            Kind::Alpine => Why::NoAlpine,
            _ => Why::NoDistroless,
        })?;
        let names = match kind {
            Kind::Alpine => Names::Alpine,
            Kind::Scratch => Names::Scratch,
            _ => Names::Suite(&self.suite.name),
        };
        let built = self.built(program);
        let linked = built.graph.crates(&[package]);
        let mut needed = built.needs.run_packages(names, &linked, program);
        let all = needed.iter().map(|needed| needed.package.clone()).collect();
        needed.retain(|needed| !base.holds.contains(&needed.package));
        if program == Program::Musl {
            needed.extend(
                self.catalog
                    .images
                    .musl
                    .libraries
                    .iter()
                    .map(|name| Needed {
                        package: name.clone(),
                        why: vec![Why::Unwinds],
                    }),
            );
            needed.sort_by(|a, b| a.package.cmp(&b.package));
            needed.dedup_by(|a, b| a.package == b.package);
        }
        let mut substitutes = Vec::new();
        if kind == Kind::Scratch {
            needed.retain(|needed| {
                let mut files = self.catalog.images.files.iter();
                let Some(file) = files.find(|file| file.packages.contains(&needed.package)) else {
                    return true;
                };
                substitutes.push(Choice::new(file, needed.why[0].clone()));
                false
            });
        }
        if let (None, [first, ..]) = (base.installer, &needed[..]) {
            let packages = needed.iter().map(|needed| needed.package.clone()).collect();
            return Err(Why::BaseLacks(
                packages,
                kind.name(),
                Box::new(first.why[0].clone()),
            ));
        }
        let end = base.end.as_ref().or(match kind {
            Kind::Alpine => self.alpine.map(|alpine| &alpine.end),
            Kind::Scratch => None,
            _ => Some(&self.suite.end),
        });
        let ended = end.filter(|end| **end < self.catalog.images.date);
        let ended = ended.map(|end| Note::Ended {
            image: base.image.clone(),
            end: end.clone(),
            date: self.catalog.images.date.clone(),
        });
        Ok(Fit {
            kind: Some(kind),
            image: base.image.clone(),
            why: match kind {
                Kind::Bare | Kind::Scratch => Why::HoldsAllBesideProgram,
                Kind::Debian | Kind::Alpine | Kind::Distroless => Why::BaseHoldsAll,
            },
            base: Some(base),
            needs: all,
            packages: needed,
            substitutes,
            notes: ended.into_iter().collect(),
        })
    }

    /// An image that nothing is known of but what its name tells. Nothing is installed in it.
    fn other(&self, image: &str, why: Why, program: Program, package: &str) -> Fit<'c> {
        let names = match program {
            Program::Gnu => Names::Suite(&self.suite.name),
            Program::Static | Program::Musl => Names::Alpine,
        };
        let built = self.built(program);
        let linked = built.graph.crates(&[package]);
        let needed = built.needs.run_packages(names, &linked, program);
        let packages: Vec<String> = needed.into_iter().map(|needed| needed.package).collect();
        let glibc = (program == Program::Gnu && self.catalog.suite_in(image).is_none())
            .then(|| self.suite.name.clone());
        let note = (!packages.is_empty() || glibc.is_some()).then(|| Note::OtherBase {
            image: image.to_owned(),
            packages: packages.clone(),
            glibc,
        });
        Fit {
            kind: None,
            image: image.to_owned(),
            why,
            base: None,
            needs: packages,
            packages: Vec::new(),
            substitutes: Vec::new(),
            notes: note.into_iter().collect(),
        }
    }
}

/// What programs have to be for a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Linked with glibc, or static.
    Gnu,
    /// Linked with musl, or static.
    Musl,
    /// Static.
    Static,
}

/// What the programs are, so that all bases that are asked for fit: they come out of one build. Beside it, the
/// allocator for which programs are static without having been asked for.
pub(super) fn program(
    facts: &Facts,
    grounds: &Grounds<'_>,
    asked: &[Asking<'_>],
) -> Result<(Program, Option<Evidence>), Refusal> {
    let first = |wanted: &[Wanted]| {
        let is = |asking: &&Asking<'_>| {
            let wants = grounds.wanted(&asking.base.value);
            wants.is_some_and(|wants| wanted.contains(&wants))
        };
        asked.iter().find(is)
    };
    let Some(musl) = grounds.musl else {
        return Ok((Program::Gnu, None));
    };
    let for_musl = first(&[Wanted::Musl, Wanted::Static]);
    let Some(for_musl) = for_musl.or(asked.first().filter(|_| grounds.on_alpine)) else {
        let free = first(&[Wanted::Gnu]).is_none() && grounds.alpine.is_some();
        let allocator = free.then(|| plainly_for_musl(facts, grounds.gnu, musl, grounds.catalog));
        let allocator = allocator.flatten();
        let program = match allocator {
            Some(_) => Program::Static,
            None => Program::Gnu,
        };
        return Ok((program, allocator));
    };
    match musl.musl(grounds.catalog) {
        Musl::Static(_) => Ok((Program::Static, None)),
        Musl::Never(why) => Err(unfit(for_musl, Why::NotForMusl(Box::new(why)))),
        Musl::Dynamic(why) => {
            if let Some(asking) = first(&[Wanted::Static]) {
                return Err(unfit(asking, Why::NotStatic(Box::new(why))));
            }
            if let Some(asking) = first(&[Wanted::Gnu]) {
                let one = |asking: &Asking<'_>| (asking.bin.to_owned(), asking.base.value.name());
                return Err(Refusal::TwoLibcs {
                    gnu: one(asking),
                    musl: one(for_musl),
                    why: Box::new(why),
                });
            }
            Ok((Program::Musl, None))
        }
    }
}

fn unfit(asking: &Asking<'_>, why: Why) -> Refusal {
    Refusal::Unfit {
        bin: asking.bin.to_owned(),
        base: asking.base.value.name(),
        why: Box::new(why),
    }
}

/// The base of each image.
pub(super) fn fits<'c>(
    grounds: &Grounds<'c>,
    asked: &[Asking<'_>],
    program: Program,
    allocator: Option<&Evidence>,
) -> Result<Vec<Fit<'c>>, Refusal> {
    let fits = asked.iter().map(|asking| {
        let fit = grounds.fit(&asking.base, program, asking.package, allocator);
        fit.map_err(|why| unfit(asking, why))
    });
    fits.collect()
}

/// Whether the build for musl is to be looked at: a base may want it, or the project may.
pub(super) fn may_want_musl(facts: &Facts, asked: &[Asking<'_>], catalog: &Catalog) -> bool {
    let all_auto = asked.iter().all(|asking| asking.base.value == Asked::Auto);
    let allocators = &catalog.images.musl.allocators;
    !all_auto || allocators.iter().any(|name| facts.graph.has(name))
}
