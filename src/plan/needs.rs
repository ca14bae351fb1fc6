//! What the crates of the build need from the system: the rows of the catalog and of the configuration
//! whose conditions hold, each with its evidence.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::libc::Program;
use super::{Note, access, scripts, tools};
use crate::catalog::{Catalog, Linkage, Names, Packages, Row, RowSide};
use crate::config::OneOrMany;
use crate::facts::{BuildScript, Facts, Libc, Resolution, ResolvedCrate, Side};
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
    unknown: Vec<Note>,
}

/// A row that holds.
#[derive(Debug)]
pub(super) struct Held<'p> {
    pub(super) row: Cow<'p, Row>,
    pub(super) side: Side,
    pub(super) why: Why,
    /// The crate that it holds for, if it is one's.
    krate: Option<(String, Version)>,
}

impl<'p> Needs<'p> {
    pub(super) fn new(
        facts: &'p Facts,
        resolution: &Resolution,
        libc: Libc,
        catalog: &'p Catalog,
    ) -> Self {
        let names: BTreeSet<&str> = resolution.crates.iter().map(|k| k.name.as_str()).collect();
        let mut needs = Self {
            facts,
            rows: Vec::new(),
            unknown: Vec::new(),
        };
        for krate in &resolution.crates {
            let of_users = facts.config.links.get(&krate.name).map(OneOrMany::as_slice);
            let of_catalog = catalog.links.get(&krate.name).map(Vec::as_slice);
            let all = of_users.or(of_catalog);
            for row in all.into_iter().flatten() {
                if holds(row, krate, &names, facts) {
                    let why = Why::Crates(vec![evidence(row, krate)]);
                    needs.add(Cow::Borrowed(row), why, Some(krate));
                }
            }
            if all.is_none() && !krate.local {
                needs.read_foreign(krate, catalog);
            }
        }
        for krate in resolution.crates.iter().filter(|krate| krate.local) {
            needs.read_own(krate, catalog);
        }
        needs.read_cargo_config(libc, catalog);
        needs
    }

    fn add(&mut self, row: Cow<'p, Row>, why: Why, krate: Option<&ResolvedCrate>) {
        self.rows.push(Held {
            row,
            why,
            side: krate.map_or(Side::Host, |krate| krate.side),
            krate: krate.map(|krate| (krate.name.clone(), krate.version.clone())),
        });
    }

    /// The build script of a crate that the catalog does not know. What it starts is mostly for other systems,
    /// or nothing that it could not do without, unless it is there to link something.
    fn read_foreign(&mut self, krate: &ResolvedCrate, catalog: &Catalog) {
        let key = (krate.name.clone(), krate.version.clone());
        let script = self.facts.scripts.get(&key);
        let code = script.map_or("", |script| &script.code);
        let calls = scripts::calls(code, &krate.libraries, catalog);
        let started = calls.started.into_iter().filter(|_| krate.links.is_some());
        let rows = started.chain(calls.rows);
        let rows = rows
            .filter(|row| row.keep.is_empty() && row.components.is_empty() && row.note.is_none());
        let before = self.rows.len();
        for row in rows {
            let why = Why::Crates(vec![evidence(&row, krate)]);
            self.add(Cow::Owned(row), why, Some(krate));
        }
        let found = self.rows.len() > before;
        // Many have the key for what they tell other build scripts, and link nothing.
        let silent = script.is_some_and(|script| script.code.is_empty());
        if let (Some(links), true, false) = (&krate.links, krate.build_script, found || silent) {
            let (krate, links) = (krate.name.clone(), links.clone());
            self.note(Note::UnknownNative { krate, links });
        }
    }

    /// The build script of a package of the project, or its library, where it is one that build scripts call.
    fn read_own(&mut self, krate: &ResolvedCrate, catalog: &Catalog) {
        let mut packages = self.facts.packages.iter();
        let package = packages.find(|p| p.name == krate.name && p.version == krate.version);
        let library = package.and_then(|package| package.build_library.as_ref());
        if let Some(library) = library.filter(|_| krate.side == Side::Host) {
            self.read_code(library, krate, catalog);
        }
        let Some(script) = package.and_then(|package| package.build_script.as_ref()) else {
            return;
        };
        let (programs, libraries) = self.read_code(script, krate, catalog);
        for program in programs {
            let does = format!("calls {program}");
            self.note(Note::UnknownCall(script.path.clone(), does));
        }
        for library in libraries {
            let does = format!("looks for the library {library}");
            self.note(Note::UnknownCall(script.path.clone(), does));
        }
    }

    /// What code that runs while the project is built calls for. Returns the programs and the libraries that the
    /// catalog does not know.
    fn read_code(
        &mut self,
        code: &BuildScript,
        krate: &ResolvedCrate,
        catalog: &Catalog,
    ) -> (Vec<String>, Vec<String>) {
        let calls = scripts::calls(&code.code, &krate.libraries, catalog);
        for row in calls.started.into_iter().chain(calls.rows) {
            let why = Why::BuildScript(code.path.clone(), row.about.clone());
            self.add(Cow::Owned(row), why, Some(krate));
        }
        (calls.programs, calls.libraries)
    }

    /// The programs that cargo's configuration calls.
    fn read_cargo_config(&mut self, libc: Libc, catalog: &Catalog) {
        for (file, setting, program) in tools::of(self.facts, libc) {
            match catalog.program(&program) {
                Some((name, known)) => {
                    let why = Why::CargoConfig(file, setting);
                    self.add_for_cargo(known.row(name), why);
                }
                None => self.note(Note::UnknownCall(file, format!("calls {program}"))),
            }
        }
        if let (Some(why), Some((name, git))) =
            (access::signs_in(self.facts), catalog.program("git"))
        {
            self.add_for_cargo(git.row(name), why);
        }
    }

    /// What cargo itself starts reads nothing of the project.
    fn add_for_cargo(&mut self, row: Row, why: Why) {
        let row = Row {
            keep: Vec::new(),
            ..row
        };
        self.add(Cow::Owned(row), why, None);
    }

    fn note(&mut self, note: Note) {
        if !self.unknown.contains(&note) {
            self.unknown.push(note);
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
            match &held.why {
                Why::Crates(all) => {
                    Some((all.first()?.clone(), held.row.rust_before.clone()?, fix))
                }
                _ => None,
            }
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
            all.add(&held.row.build, names, &held.why);
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
            all.add(&held.row.run, names, &held.why);
        }
        all.add_named(
            &self.facts.config.packages.runtime,
            &Why::Config("packages.runtime"),
        );
        all.into_needed()
    }

    /// The components that the toolchain needs, by name, each with the first reason.
    pub(super) fn components(&self) -> Vec<Choice<String>> {
        let mut all: BTreeMap<&String, &Why> = BTreeMap::new();
        for held in &self.rows {
            for component in &held.row.components {
                all.entry(component).or_insert(&held.why);
            }
        }
        let choice = |(name, why): (&String, &Why)| Choice::new(name.clone(), why.clone());
        all.into_iter().map(choice).collect()
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
                assets
                    .entry(path.clone())
                    .or_insert_with(|| held.why.clone());
            }
        }
        assets
    }

    /// Paths that the context must keep, each with its reason.
    pub(super) fn kept(&self) -> BTreeMap<String, Why> {
        // The first reason stays.
        let mut kept = BTreeMap::new();
        for held in &self.rows {
            for path in &held.row.keep {
                kept.entry(path.clone()).or_insert_with(|| held.why.clone());
            }
        }
        kept
    }

    /// What is left for the user to know.
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = Vec::new();
        let rows = self.rows.iter();
        let rows = rows.filter(|held| held.row.rust_before.is_none());
        let of_rows = rows.filter_map(|held| {
            let text = held.row.note.clone()?;
            match &held.why {
                Why::Crates(all) => Some(Note::Row(all.first()?.clone(), text)),
                Why::BuildScript(path, _) | Why::CargoConfig(path, _) => {
                    Some(Note::Program(path.clone(), text))
                }
                _ => None,
            }
        });
        for note in of_rows.chain(self.unknown.iter().cloned()) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    fn in_program<'a>(&'a self, linked: &'a Resolution) -> impl Iterator<Item = &'a Held<'p>> {
        let of_program = |(name, version): &(String, Version)| {
            let mut same = linked.named(name);
            same.any(|k| k.side == Side::Target && k.version == *version)
        };
        let rows = self.rows.iter().filter(|held| held.side == Side::Target);
        rows.filter(move |held| held.krate.as_ref().is_some_and(of_program))
    }
}

/// Whether every condition of the row holds for the crate.
fn holds(row: &Row, krate: &ResolvedCrate, names: &BTreeSet<&str>, facts: &Facts) -> bool {
    let on = |feature: &String| krate.features.contains(feature);
    let here = |name: &String| names.contains(name.as_str());
    let set = |name: &String| facts.cargo_config.env.contains_key(name);
    let called = |name: &String| facts.packages.iter().any(|p| p.macros.contains(name));
    let there = |name: &String| {
        let mut places = facts.packages.iter().map(|package| &package.entries);
        facts.entries.contains(name) || places.any(|entries| entries.contains(name))
    };
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
        && any_or_none(&row.if_macros, &called)
        && !row.unless_files.iter().any(there)
        && (!row.if_member_build_dependency || krate.member_build_dependency)
        && (!row.if_history_dependency || krate.history_dependency)
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

fn env<'a, 'p: 'a>(
    rows: impl Iterator<Item = &'a Held<'p>>,
    of: impl Fn(&Row) -> &BTreeMap<String, String>,
) -> Vec<Choice<EnvVar>> {
    let mut all: BTreeMap<String, Choice<EnvVar>> = BTreeMap::new();
    for held in rows {
        for (name, value) in of(&held.row) {
            all.entry(name.clone()).or_insert_with(|| {
                let var = EnvVar {
                    name: name.clone(),
                    value: value.clone(),
                };
                Choice::new(var, held.why.clone())
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
