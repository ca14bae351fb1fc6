//! The build for each C library, and what it takes to make programs for musl.

use super::base::{Fit, Grounds};
use super::needs::{EnvVar, Held, Needed, Needs};
use super::rust::Rust;
use super::{Command, Note};
use crate::catalog::{Catalog, Linkage, Names};
use crate::facts::{Build, Channel, Facts, Libc, Resolution, Side};
use crate::why::{Choice, Evidence, Why};

/// The build for one C library: what is compiled, and what that needs.
pub(super) struct Built<'f> {
    pub(super) graph: Build<'f>,
    pub(super) resolution: Resolution,
    pub(super) needs: Needs<'f>,
}

/// What the programs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// Linked with glibc.
    Gnu,
    /// With all that they need inside of them.
    Static,
    /// Linked with Alpine's musl.
    Musl,
}

/// The systems that programs for musl can be built on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// Has libraries and a C++ compiler for musl.
    Alpine,
    /// Has only a C compiler for it, but lets build scripts load libraries.
    Debian(Option<Why>),
}

/// How programs for musl can be made.
pub(super) enum Musl {
    /// With all that they need inside of them.
    Static(Host),
    /// Against shared libraries only.
    Dynamic(Why),
    /// Not at all.
    Never(Why),
}

impl<'f> Built<'f> {
    pub(super) fn new(
        facts: &'f Facts,
        command: &Command,
        libc: Libc,
        catalog: &'f Catalog,
    ) -> anyhow::Result<Self> {
        let graph = facts
            .graph
            .build(&command.unified(facts), &command.features, libc)?;
        let resolution = graph.crates(&command.built());
        let needs = Needs::new(facts, &resolution, libc, catalog);
        Ok(Self {
            graph,
            resolution,
            needs,
        })
    }

    /// How the programs of this build, which is one for musl, can be made. Alpine is the place for it: its image
    /// of Rust needs no second toolchain, and it has libraries for musl and a C++ compiler. There Rust links
    /// build scripts statically, and those that load libclang need a Debian builder.
    pub(super) fn musl(&self, catalog: &Catalog) -> Musl {
        let musl = &catalog.images.musl;
        let why = |held: &Held<'_>| held.why.clone();
        let linked = |how: &dyn Fn(&Held<'_>) -> bool| {
            let mut rows = self.needs.rows().filter(|held| held.side == Side::Target);
            rows.find(|held| how(held)).map(why)
        };
        if let Some(why) = linked(&|held| held.row.link.musl == Some(Linkage::Unsupported)) {
            return Musl::Never(why);
        }
        let dynamic = |held: &Held<'_>| match held.row.link.musl {
            Some(Linkage::Dlopen) => true,
            // What generates bindings adds nothing to the program.
            Some(Linkage::Dynamic) => held.row.link.gnu != Some(Linkage::None),
            _ => false,
        };
        if let Some(why) = linked(&dynamic) {
            return Musl::Dynamic(why);
        }
        let asks = |held: &Held<'_>, place: Names<'_>, packages: &[String]| {
            held.row
                .build
                .names(place)
                .any(|name| packages.contains(name))
        };
        let loads = |held: &&Held<'_>| asks(held, Names::Alpine, &musl.loaded);
        let Some(loads) = self.needs.rows().find(loads) else {
            return Musl::Static(Host::Alpine);
        };
        let from_alpine = |held: &Held<'_>| {
            let of_system = held.row.link.gnu == Some(Linkage::Dynamic)
                && held.row.link.musl == Some(Linkage::Static);
            held.side == Side::Target && of_system || asks(held, Names::Suite(""), &musl.impossible)
        };
        if self.needs.rows().any(from_alpine) {
            Musl::Dynamic(why(loads))
        } else {
            Musl::Static(Host::Debian(Some(why(loads))))
        }
    }

    /// The crate that takes the place of musl's allocator.
    pub(super) fn allocator(&self, catalog: &Catalog) -> Option<Evidence> {
        let known = &catalog.images.musl.allocators;
        let mut crates = self.resolution.crates.iter();
        let found = crates.find(|k| k.side == Side::Target && known.contains(&k.name))?;
        Some(Evidence {
            krate: found.name.clone(),
            version: found.version.clone(),
            via: found.via.clone(),
            about: "takes the place of musl's allocator".to_owned(),
            features: Vec::new(),
        })
    }
}

/// The allocator that a project brings for musl and for nothing else, where the static program it asks for is
/// safe to make: all code is Rust, or C that a known crate brings, and nothing in the project adjusts the
/// build. Being wrong would cost an image that does not work, and saves about ten megabytes.
pub(super) fn plainly_for_musl(
    facts: &Facts,
    gnu: &Built<'_>,
    musl: &Built<'_>,
    catalog: &Catalog,
) -> Option<Evidence> {
    let allocator = musl.allocator(catalog)?;
    if gnu.allocator(catalog).is_some() || !matches!(musl.musl(catalog), Musl::Static(Host::Alpine))
    {
        return None;
    }
    let of_musl = &catalog.images.musl;
    let usual_channel = facts.toolchain.as_ref().is_none_or(|file| {
        matches!(
            file.channel,
            Channel::Stable | Channel::Exact(_) | Channel::Minor(..)
        )
    });
    let config = &facts.cargo_config;
    let sets = |libc| !config.flags(libc).is_empty() || !config.linkers(libc).is_empty();
    let adjusted = config.target.is_some() || sets(Libc::Gnu) || sets(Libc::Musl);
    let crates = &musl.resolution.crates;
    let own_script = crates.iter().any(|k| k.local && k.build_script);
    let loads = crates.iter().any(|k| of_musl.loaders.contains(&k.name));
    // Whoever calls a compiler or looks for libraries, and is not known for what it does.
    let compilers = crates
        .iter()
        .filter(|k| of_musl.compilers.contains(&k.name));
    let mut callers = compilers.flat_map(|k| &k.dependents);
    let known =
        |name: &String| catalog.links.contains_key(name) || of_musl.compilers.contains(name);
    let doubtful = musl.needs.has_unknown() || !callers.all(known);
    let only_c = musl.needs.rows().all(|held| {
        let suite = Names::Suite("");
        let cxx = held
            .row
            .build
            .names(suite)
            .any(|name| of_musl.impossible.contains(name));
        let of_system = held.row.link.gnu == Some(Linkage::Dynamic);
        !(cxx || of_system && held.side == Side::Target)
    });
    let plain = usual_channel && !adjusted && !own_script && !loads && !doubtful && only_c;
    plain.then_some(allocator)
}

/// The packages of the build stages, by their names on the system that builds.
pub(super) fn packages(
    grounds: &Grounds<'_>,
    program: Program,
    host: &Host,
    rust: &Rust,
    fits: &[Fit<'_>],
) -> Vec<Needed> {
    let musl = &grounds.catalog.images.musl;
    let needs = &grounds.built(program).needs;
    let suite = Names::Suite(&grounds.suite.name);
    let early = rust
        .version
        .as_ref()
        .is_some_and(|rust| *rust < musl.early.before);
    let (names, more, why) = match (program, host) {
        (Program::Gnu, _) => (suite, &[][..], Why::LinksStatically),
        (_, Host::Debian(_)) => (suite, &musl.tools[..], Why::LinksStatically),
        (_, Host::Alpine) => {
            let names = match program {
                Program::Static => Names::AlpineStatic,
                _ => Names::Alpine,
            };
            let more = if early { &musl.early.packages[..] } else { &[] };
            (names, more, Why::EarlyAlpine(musl.early.before.clone()))
        }
    };
    let mut all = needs.build_packages(names);
    let mut add = |name: &String, why: &Why| {
        if !all.iter().any(|needed| needed.package == *name) {
            all.push(Needed {
                package: name.clone(),
                why: vec![why.clone()],
            });
        }
    };
    for name in more {
        add(name, &why);
    }
    if *host == Host::Alpine {
        // Debian's builder has them.
        for file in fits.iter().flat_map(|fit| &fit.substitutes) {
            file.value
                .builder
                .iter()
                .for_each(|name| add(name, &file.why));
        }
    }
    all.sort_by(|a, b| a.package.cmp(&b.package));
    all
}

/// Has cargo build for musl. Linked dynamically, the program is one for the builder itself, which build scripts
/// on Alpine then are, too.
pub(super) fn name_target(command: &mut Command, program: Program, catalog: &Catalog) {
    if program == Program::Static {
        command.target = Some(catalog.images.musl.triple.clone());
    }
}

/// What to know of musl.
pub(super) fn notes(program: Program, built: &Built<'_>, catalog: &Catalog) -> Option<Note> {
    let slow = program != Program::Gnu && built.allocator(catalog).is_none();
    slow.then(|| Note::Musl(catalog.images.musl.slow.clone()))
}

/// What has the compiler make programs for musl. `build.rustflags` of cargo's configuration stay in force;
/// flags that are set there for targets would hide these, so that they are set in the same way.
pub(super) fn env(
    facts: &Facts,
    program: Program,
    host: &Host,
    packages: &[Needed],
    catalog: &Catalog,
) -> Vec<Choice<EnvVar>> {
    let musl = &catalog.images.musl;
    let (flags, why) = match program {
        Program::Gnu => return Vec::new(),
        Program::Static => (&musl.fixed, Why::LinksStatically),
        Program::Musl => (&musl.dynamic, Why::LinksMusl),
    };
    let var = |name: String, value: &str, why: &Why| {
        let value = value.to_owned();
        Choice::new(EnvVar { name, value }, why.clone())
    };
    let of_cargo = |triple: &str, key: &str| {
        let triple = triple.to_uppercase().replace('-', "_");
        format!("CARGO_TARGET_{triple}_{key}")
    };
    let mut all = if facts.cargo_config.has_target_flags(Libc::Musl) {
        let each = musl.triples.iter();
        each.map(|triple| var(of_cargo(triple, "RUSTFLAGS"), flags, &why))
            .collect()
    } else {
        vec![var("CARGO_BUILD_RUSTFLAGS".to_owned(), flags, &why)]
    };
    if let Some(linker) = facts.cargo_config.linkers(Libc::Musl).first() {
        let setting = format!("the linker {}, which is not in the image", linker.value);
        let why = Why::CargoConfig(linker.file.clone(), setting);
        let each = musl.triples.iter();
        all.extend(each.map(|triple| var(of_cargo(triple, "LINKER"), "cc", &why)));
    }
    if let Host::Debian(Some(why)) = host {
        for triple in &musl.triples {
            let arch = triple.split('-').next().unwrap_or_default();
            let fill = |text: &str| text.replace("{triple}", triple).replace("{arch}", arch);
            let name = fill(&musl.bindgen.name).replace('-', "_");
            all.push(var(name, &fill(&musl.bindgen.value), why));
        }
    }
    let asks = |needed: &Needed| needed.package == musl.finder;
    if program == Program::Static && packages.iter().any(asks) {
        let each = musl.env.iter();
        all.extend(each.map(|(name, value)| var(name.clone(), value, &Why::WholeLibraries)));
    }
    all
}
