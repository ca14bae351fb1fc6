//! What the crates of the build need from the system: the rows of the catalog and of the configuration
//! whose conditions hold, each with its evidence.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::Note;
use super::libc::Program;
use crate::catalog::{self, Catalog, Linkage, Names, Packages, Row, RowSide};
use crate::config::OneOrMany;
use crate::facts::{CargoConfig, Facts, Libc, Resolution, ResolvedCrate, Side};
use crate::why::{Choice, Evidence, Why};

/// A package and every reason for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// The package's name in its distribution.
    pub package: String,
    /// Why it is there; the first reason comes first.
    pub why: Vec<Why>,
}

/// An environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The rows that hold for a build.
#[derive(Debug)]
pub(super) struct Needs<'p> {
    facts: &'p Facts,
    rows: Vec<Held<'p>>,
    programs: Vec<(Why, &'p catalog::Program)>,
    unknown: Vec<Note>,
}

/// A row and the crate that it holds for.
#[derive(Debug)]
pub(super) struct Held<'p> {
    pub(super) row: &'p Row,
    pub(super) side: Side,
    pub(super) evidence: Evidence,
}

impl<'p> Needs<'p> {
    pub(super) fn new(
        facts: &'p Facts,
        resolution: &Resolution,
        libc: Libc,
        catalog: &'p Catalog,
    ) -> Self {
        let names: BTreeSet<&str> = resolution.crates.iter().map(|k| k.name.as_str()).collect();
        let mut rows = Vec::new();
        let mut unknown = BTreeMap::new();
        for krate in &resolution.crates {
            let of_users = facts.config.links.get(&krate.name).map(OneOrMany::as_slice);
            let of_catalog = catalog.links.get(&krate.name).map(Vec::as_slice);
            let Some(all) = of_users.or(of_catalog) else {
                if let (Some(links), true, false) = (&krate.links, krate.build_script, krate.local)
                {
                    let note = Note::UnknownNative {
                        krate: krate.name.clone(),
                        links: links.clone(),
                    };
                    unknown.insert(krate.name.clone(), note);
                }
                continue;
            };
            let held = all
                .iter()
                .filter(|row| holds(row, krate, &names, &facts.cargo_config));
            rows.extend(held.map(|row| Held {
                row,
                side: krate.side,
                evidence: evidence(row, krate),
            }));
        }
        Self {
            facts,
            rows,
            programs: programs(facts, resolution, libc, catalog),
            unknown: unknown.into_values().collect(),
        }
    }

    /// The rows, each with the crate that it holds for.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Held<'p>> {
        self.rows.iter()
    }

    /// A crate that newer versions of Rust cannot compile, the first of them, and what to do about it.
    pub(super) fn first_rust_too_new(&self) -> Option<(Evidence, Version, String)> {
        let limited = self.rows.iter().filter_map(|held| {
            let fix = held.row.note.clone().unwrap_or_default();
            Some((held.evidence.clone(), held.row.rust_before.clone()?, fix))
        });
        limited.min_by(|a, b| a.1.cmp(&b.1))
    }

    /// Whether a crate links something that nothing is known of.
    pub(super) fn has_unknown(&self) -> bool {
        !self.unknown.is_empty()
    }

    /// The packages that the build stages install, by name.
    pub(super) fn build_packages(&self, names: Names<'_>) -> Vec<Needed> {
        let mut all = Collected::default();
        for held in &self.rows {
            all.add(
                &held.row.build,
                names,
                &Why::Crates(vec![held.evidence.clone()]),
            );
        }
        for (why, program) in &self.programs {
            all.add(&program.build, names, why);
        }
        all.add_named(
            &self.facts.config.packages.build,
            &Why::Config("packages.build"),
        );
        all.into_needed()
    }

    /// The packages that a program needs where it runs; `linked` tells which crates are part of it.
    pub(super) fn run_packages(
        &self,
        names: Names<'_>,
        linked: &Resolution,
        program: Program,
    ) -> Vec<Needed> {
        let mut all = Collected::default();
        let within = |held: &&Held<'_>| {
            program == Program::Static && held.row.link.musl == Some(Linkage::Static)
        };
        for held in self.in_program(linked).filter(|held| !within(held)) {
            all.add(
                &held.row.run,
                names,
                &Why::Crates(vec![held.evidence.clone()]),
            );
        }
        all.add_named(
            &self.facts.config.packages.runtime,
            &Why::Config("packages.runtime"),
        );
        all.into_needed()
    }

    /// The environment of the build.
    pub(super) fn build_env(&self) -> Vec<Choice<EnvVar>> {
        env(self.rows.iter(), |row| &row.build_env)
    }

    /// The environment that a program's crates want where it runs.
    pub(super) fn run_env(&self, linked: &Resolution) -> Vec<Choice<EnvVar>> {
        env(self.in_program(linked), |row| &row.run_env)
    }

    /// Files and folders that a program's crates read where it runs, whether they are there or not.
    pub(super) fn assets(&self, linked: &Resolution) -> BTreeMap<String, Why> {
        let mut assets = BTreeMap::new();
        for held in self.in_program(linked) {
            for path in &held.row.assets {
                let why = || Why::Crates(vec![held.evidence.clone()]);
                assets.entry(path.clone()).or_insert_with(why);
            }
        }
        assets
    }

    /// Paths that the context must keep, each with its reason.
    pub(super) fn kept(&self) -> BTreeMap<String, Why> {
        let rows = self.rows.iter().flat_map(|held| {
            held.row
                .keep
                .iter()
                .map(|path| (path.clone(), Why::Crates(vec![held.evidence.clone()])))
        });
        let programs = self
            .programs
            .iter()
            .flat_map(|(why, program)| program.keep.iter().map(|path| (path.clone(), why.clone())));
        // The first reason stays.
        let mut kept = BTreeMap::new();
        for (path, why) in rows.chain(programs) {
            kept.entry(path).or_insert(why);
        }
        kept
    }

    /// What is left for the user to know.
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = Vec::new();
        let rows = self
            .rows
            .iter()
            .filter(|held| held.row.rust_before.is_none())
            .filter_map(|held| Some(Note::Row(held.evidence.clone(), held.row.note.clone()?)));
        let programs = self.programs.iter().filter_map(|(why, program)| match why {
            Why::BuildScript(path, _) | Why::CargoConfig(path, _) => {
                Some(Note::Program(path.clone(), program.note.clone()?))
            }
            _ => None,
        });
        for note in rows.chain(programs).chain(self.unknown.iter().cloned()) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    fn in_program<'a>(&'a self, linked: &'a Resolution) -> impl Iterator<Item = &'a Held<'p>> {
        self.rows.iter().filter(|held| {
            held.side == Side::Target
                && linked
                    .named(&held.evidence.krate)
                    .any(|k| k.side == Side::Target && k.version == held.evidence.version)
        })
    }
}

/// Whether every condition of the row holds for the crate.
fn holds(row: &Row, krate: &ResolvedCrate, names: &BTreeSet<&str>, config: &CargoConfig) -> bool {
    let on = |feature: &String| krate.features.contains(feature);
    let here = |name: &String| names.contains(name.as_str());
    let set = |name: &String| config.env.contains_key(name);
    let any_or_none = |list: &[String], holds: &dyn Fn(&String) -> bool| {
        list.is_empty() || list.iter().any(holds)
    };
    let side = match row.side {
        None => true,
        Some(RowSide::Target) => krate.side == Side::Target,
        Some(RowSide::Host) => krate.side == Side::Host,
    };
    side && any_or_none(&row.if_features, &on)
        && !row.unless_features.iter().any(on)
        && row
            .versions
            .as_ref()
            .is_none_or(|versions| versions.matches(&krate.version))
        && any_or_none(&row.if_crates, &here)
        && !row.unless_crates.iter().any(here)
        && any_or_none(&row.if_env, &set)
        && !row.unless_env.iter().any(set)
        && (!row.if_member_build_dependency || krate.member_build_dependency)
        && (row.unless_dependents.is_empty()
            || krate
                .dependents
                .iter()
                .any(|name| !row.unless_dependents.contains(name)))
}

fn evidence(row: &Row, krate: &ResolvedCrate) -> Evidence {
    let on = row
        .if_features
        .iter()
        .filter(|feature| krate.features.contains(*feature));
    Evidence {
        krate: krate.name.clone(),
        version: krate.version.clone(),
        via: krate.via.clone(),
        about: if row.about.is_empty() {
            "is in the build".into()
        } else {
            row.about.clone()
        },
        features: on.cloned().collect(),
    }
}

/// The programs that the packages' own build scripts and cargo's configuration call, as far as the catalog
/// knows them.
fn programs<'p>(
    facts: &Facts,
    resolution: &Resolution,
    libc: Libc,
    catalog: &'p Catalog,
) -> Vec<(Why, &'p catalog::Program)> {
    let built = |name: &str| resolution.named(name).any(|krate| krate.local);
    let scripts = facts
        .packages
        .iter()
        .filter(|package| built(&package.name))
        .filter_map(|package| package.build_script.as_ref());
    let called = scripts.flat_map(|script| {
        script.programs.iter().map(|program| {
            (
                program.clone(),
                Why::BuildScript(script.path.clone(), program.clone()),
            )
        })
    });
    let flags = match libc {
        Libc::Gnu => &facts.cargo_config.flags,
        Libc::Musl => &facts.cargo_config.musl_flags,
    };
    let flags = flags.iter().filter_map(|flag| {
        let program = flag.value.rsplit(['=', '/', ',']).next()?;
        Some((
            program.to_owned(),
            Why::CargoConfig(flag.file.clone(), format!("`{}`", flag.value)),
        ))
    });
    let fetch = facts
        .cargo_config
        .git_fetch_with_cli
        .iter()
        .filter(|on| on.value)
        .map(|on| {
            (
                "git".to_owned(),
                Why::CargoConfig(on.file.clone(), "`git-fetch-with-cli`".to_owned()),
            )
        });
    called
        .chain(flags)
        .chain(fetch)
        .filter_map(|(program, why)| Some((why, catalog.programs.get(&program)?)))
        .collect()
}

fn env<'a, 'p: 'a>(
    rows: impl Iterator<Item = &'a Held<'p>>,
    of: impl Fn(&Row) -> &BTreeMap<String, String>,
) -> Vec<Choice<EnvVar>> {
    let mut all: BTreeMap<String, Choice<EnvVar>> = BTreeMap::new();
    for held in rows {
        for (name, value) in of(held.row) {
            all.entry(name.clone()).or_insert_with(|| {
                let var = EnvVar {
                    name: name.clone(),
                    value: value.clone(),
                };
                Choice::new(var, Why::Crates(vec![held.evidence.clone()]))
            });
        }
    }
    all.into_values().collect()
}

/// Packages with their reasons, while they are collected.
#[derive(Default)]
struct Collected(BTreeMap<String, Vec<Why>>);

impl Collected {
    fn add(&mut self, packages: &Packages, names: Names<'_>, why: &Why) {
        self.add_named(packages.names(names), why);
    }

    fn add_named<'a>(&mut self, packages: impl IntoIterator<Item = &'a String>, why: &Why) {
        for package in packages {
            let reasons = self.0.entry(package.clone()).or_default();
            // The two sides of a crate would give the same reason twice.
            if !reasons.iter().any(|reason| is_same(reason, why)) {
                reasons.push(why.clone());
            }
        }
    }

    fn into_needed(self) -> Vec<Needed> {
        self.0
            .into_iter()
            .map(|(package, why)| Needed { package, why })
            .collect()
    }
}

/// Whether two reasons are the same but for the way to the crate.
fn is_same(a: &Why, b: &Why) -> bool {
    match (a, b) {
        (Why::Crates(a), Why::Crates(b)) => {
            let key = |e: &Evidence| (e.krate.clone(), e.version.clone(), e.about.clone());
            a.iter().map(key).eq(b.iter().map(key))
        }
        _ => a == b,
    }
}
