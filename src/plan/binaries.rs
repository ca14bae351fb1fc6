//! Which binaries get an image.

use super::{Refusal, Request, front_end};
use crate::catalog::Catalog;
use crate::facts::{Bin, Facts, Features, Libc, Membership, Package};
use crate::why::{Choice, Why};

/// A binary of a package.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'f> {
    pub(super) package: &'f Package,
    pub(super) bin: &'f Bin,
}

/// The binaries to ship, the default one last, and those that are left out.
#[derive(Debug)]
pub(super) struct Selection<'f> {
    pub(super) picked: Vec<Choice<Candidate<'f>>>,
    pub(super) left_out: Vec<Choice<String>>,
    /// Whether packages were named, so that only these may be built.
    pub(super) by_package: bool,
}

impl Candidate<'_> {
    fn path(&self) -> String {
        format!("{}/{}", self.package.name, self.bin.name)
    }

    fn is(&self, other: &Candidate<'_>) -> bool {
        self.path() == other.path()
    }
}

/// Order of precedence: `--bin` and `--package`, the configuration, then what cargo would build.
pub(super) fn select<'f>(
    facts: &'f Facts,
    request: &Request,
    features: &Features,
    catalog: &Catalog,
) -> anyhow::Result<Selection<'f>> {
    let here = here(facts, request);
    let request = here.as_ref().unwrap_or(request);
    let all: Vec<Candidate<'f>> = facts
        .members()
        .flat_map(|package| {
            package
                .bins
                .iter()
                .map(move |bin| Candidate { package, bin })
        })
        .collect();
    for name in &request.packages {
        if !facts.members().any(|package| package.name == *name) {
            let names = facts.members().map(|package| package.name.as_str());
            return Err(not_found("package", name, names).into());
        }
    }
    let in_packages = |c: &Candidate<'_>| {
        request.packages.is_empty() || request.packages.contains(&c.package.name)
    };
    let eligible: Vec<_> = all.iter().copied().filter(in_packages).collect();
    let asked = |names: &[String], why: &dyn Fn(&str) -> Why| {
        let picked: Result<Vec<_>, Refusal> = names
            .iter()
            .map(|name| Ok(Choice::new(named(&eligible, name)?, why(name))))
            .collect();
        picked.map(|picked| finish(picked, &all, |_| Why::NotAsked, request, Order::AsGiven))
    };
    if !request.bins.is_empty() {
        return Ok(asked(&request.bins, &|name| {
            Why::Flag(format!("--bin {name}"))
        })?);
    }
    if let Some(bins) = facts
        .config
        .bins
        .as_ref()
        .filter(|_| request.packages.is_empty())
    {
        return Ok(asked(bins, &|_| Why::Config("bins"))?);
    }
    let picked = usual(facts, request, features, &eligible, catalog)?;
    let why_not = |c: &Candidate<'_>| why_not(facts, request, c, catalog);
    Ok(finish(
        picked,
        &all,
        why_not,
        request,
        Order::ByName {
            clients: &catalog.helpers.clients,
        },
    ))
}

/// The request for the package of the current folder, as `cargo build` takes it there, where nothing else says
/// which package or binary is meant, and it has one.
fn here(facts: &Facts, request: &Request) -> Option<Request> {
    let name = facts.here.as_ref()?;
    let has_bins = facts
        .members()
        .any(|p| p.name == *name && !p.bins.is_empty());
    let open =
        request.packages.is_empty() && request.bins.is_empty() && facts.config.bins.is_none();
    (open && has_bins).then(|| Request {
        packages: vec![name.clone()],
        ..request.clone()
    })
}

/// The binary of this name.
fn named<'f>(eligible: &[Candidate<'f>], name: &str) -> Result<Candidate<'f>, Refusal> {
    let found: Vec<_> = eligible.iter().filter(|c| c.bin.name == name).collect();
    match found[..] {
        [one] => Ok(*one),
        [] => Err(not_found(
            "binary",
            name,
            eligible.iter().map(|c| c.bin.name.as_str()),
        )),
        _ => Err(Refusal::Ambiguous {
            name: name.to_owned(),
            packages: found.iter().map(|c| c.package.name.clone()).collect(),
        }),
    }
}

fn not_found<'n>(kind: &'static str, name: &str, names: impl Iterator<Item = &'n str>) -> Refusal {
    let mut near: Vec<String> = names.map(str::to_owned).collect();
    near.sort_by(|a, b| similarity(name, b).total_cmp(&similarity(name, a)));
    near.truncate(3);
    Refusal::NotFound {
        kind,
        name: name.to_owned(),
        near,
    }
}

fn similarity(name: &str, other: &str) -> f64 {
    strsim::jaro_winkler(name, other)
}

/// What `cargo build --release` makes in the packages asked for or in the default members, without helpers.
fn usual<'f>(
    facts: &'f Facts,
    request: &Request,
    features: &Features,
    eligible: &[Candidate<'f>],
    catalog: &Catalog,
) -> anyhow::Result<Vec<Choice<Candidate<'f>>>> {
    if eligible.is_empty() {
        let place = match &request.packages[..] {
            [] => "the workspace".to_owned(),
            packages => format!("package {}", packages.join(", ")),
        };
        return Err(Refusal::NoBinary { place }.into());
    }
    let elsewhere = |c: &Candidate<'_>| {
        c.bin
            .elsewhere
            .clone()
            .map(|root| (c.bin.name.clone(), root))
    };
    let all_elsewhere: Option<Vec<_>> = eligible.iter().map(elsewhere).collect();
    if let Some((bin, root)) = all_elsewhere.and_then(|all| all.into_iter().next()) {
        let (file, attribute) = (root.file.to_string(), root.value);
        return Err(Refusal::NoLinuxProgram {
            bin,
            file,
            attribute,
        }
        .into());
    }
    let default = |c: &Candidate<'_>| {
        !request.packages.is_empty() || c.package.membership == Membership::Default
    };
    let product =
        |c: &Candidate<'_>| !request.packages.is_empty() || helper(facts, c, catalog).is_none();
    let of = |keep: &dyn Fn(&Candidate<'f>) -> bool| -> Vec<Candidate<'f>> {
        eligible.iter().copied().filter(keep).collect()
    };
    // Where cargo would build nothing to ship, the members that it builds on request are looked at.
    let mut found = of(&|c| default(c) && product(c));
    if found.is_empty() {
        found = of(&product);
    }
    if found.is_empty() {
        found = of(&|c| is_sample(facts, c, catalog));
    }
    if found.is_empty() {
        found = eligible.to_vec();
        if let [_, _, ..] = found[..] {
            let bins = found.iter().map(|c| c.bin.name.clone()).collect();
            return Err(Refusal::OnlyHelpers { bins }.into());
        }
    }
    let runs_by_default = |c: &Candidate<'_>| {
        c.package
            .default_run
            .as_ref()
            .is_none_or(|bin| *bin == c.bin.name)
    };
    found.retain(runs_by_default);
    if let [only] = found[..] {
        let why = match (&only.package.default_run, &request.packages[..]) {
            _ if eligible.len() == 1 && request.packages.is_empty() => Why::OnlyBinary,
            (Some(_), _) => Why::DefaultRun(only.package.name.clone()),
            (None, [package, ..]) => asked_for(facts, package),
            (None, []) => Why::CargoBuilds,
        };
        return Ok(vec![Choice::new(only, why)]);
    }
    let built = built_by_default(facts, request, features, &found)?;
    let mut found = if built.is_empty() { found } else { built };
    // Cargo would write one over the other.
    let all = found.clone();
    found.retain(|c| {
        let same = |other: &&Candidate<'_>| other.bin.name == c.bin.name;
        let named_so = all
            .iter()
            .filter(same)
            .find(|other| other.package.name == c.bin.name);
        let first = named_so.or_else(|| all.iter().find(same));
        first.is_some_and(|first| first.is(c))
    });
    Ok(found
        .into_iter()
        .map(|c| {
            match (
                &c.package.default_run,
                request.packages.contains(&c.package.name),
            ) {
                (Some(_), _) => Choice::new(c, Why::DefaultRun(c.package.name.clone())),
                (None, true) => Choice::new(c, asked_for(facts, &c.package.name)),
                (None, false) => Choice::new(c, Why::CargoBuilds),
            }
        })
        .collect())
}

/// Whether a package was asked for by its name or by its folder.
fn asked_for(facts: &Facts, package: &str) -> Why {
    match &facts.here {
        Some(here) if here == package => Why::Here(here.clone()),
        _ => Why::Flag(format!("-p {package}")),
    }
}

/// Those whose `required-features` are on without being asked for.
fn built_by_default<'f>(
    facts: &'f Facts,
    request: &Request,
    features: &Features,
    found: &[Candidate<'f>],
) -> anyhow::Result<Vec<Candidate<'f>>> {
    if found.iter().all(|c| c.bin.required_features.is_empty()) {
        return Ok(found.to_vec());
    }
    let packages: Vec<&str> = found.iter().map(|c| c.package.name.as_str()).collect();
    let selected: Vec<&str> = match &request.packages[..] {
        [] => packages.clone(),
        asked => asked.iter().map(String::as_str).collect(),
    };
    let resolution = facts
        .graph
        .build(&selected, features, Libc::Gnu)?
        .crates(&packages);
    let on = |c: &Candidate<'_>| {
        let krate = resolution.named(&c.package.name).find(|krate| krate.local);
        krate.is_some_and(|k| {
            c.bin
                .required_features
                .iter()
                .all(|f| k.features.contains(f))
        })
    };
    Ok(found
        .iter()
        .copied()
        .filter(|c| c.bin.required_features.is_empty() || on(c))
        .collect())
}

/// What keeps the binary from being a product, if anything does.
fn helper(facts: &Facts, c: &Candidate<'_>, catalog: &Catalog) -> Option<Why> {
    let helpers = &catalog.helpers;
    if let Some(root) = &c.bin.elsewhere {
        return Some(Why::NotForLinux(root.file.clone(), root.value.clone()));
    }
    if let Some(file) = front_end::file_of(c.package, c.bin, catalog) {
        return Some(Why::Browser(file.to_owned()));
    }
    if let Some(folder) = folder(facts, c, catalog) {
        return Some(Why::Helper(format!("what lies in the folder {folder}")));
    }
    if helpers.packages.contains(&c.package.name) {
        return Some(Why::Helper(format!("package {}", c.package.name)));
    }
    helpers
        .bins
        .contains(&c.bin.name)
        .then(|| Why::Helper(c.bin.name.clone()))
}

/// The folder whose name makes a helper of what is in it.
fn folder<'f>(facts: &Facts, c: &Candidate<'f>, catalog: &Catalog) -> Option<&'f str> {
    let dir = &c.package.dir;
    let dir = dir.strip_prefix(&facts.root).unwrap_or(dir);
    let folders = &catalog.helpers.folders;
    dir.iter()
        .find(|part| folders.iter().any(|folder| folder == part))
}

/// Whether it is a helper only by the folder of the examples, which are products where there are no others.
fn is_sample(facts: &Facts, c: &Candidate<'_>, catalog: &Catalog) -> bool {
    let helpers = &catalog.helpers;
    folder(facts, c, catalog)
        .is_some_and(|folder| helpers.samples.iter().any(|sample| sample == folder))
        && !helpers.packages.contains(&c.package.name)
        && !helpers.bins.contains(&c.bin.name)
}

fn why_not(facts: &Facts, request: &Request, c: &Candidate<'_>, catalog: &Catalog) -> Why {
    if !request.packages.is_empty() && !request.packages.contains(&c.package.name) {
        return Why::NotAsked;
    }
    if let Some(why) = helper(facts, c, catalog) {
        return why;
    }
    match &c.package.default_run {
        _ if c.package.membership != Membership::Default => {
            Why::NotDefaultMember(c.package.name.clone())
        }
        Some(bin) if *bin != c.bin.name => Why::NotDefaultRun(bin.clone()),
        _ if c.bin.required_features.is_empty() => Why::SameName(c.bin.name.clone()),
        _ => Why::NeedsFeatures(c.bin.required_features.clone()),
    }
}

/// Which of the binaries is the default one.
#[derive(Clone, Copy)]
enum Order<'c> {
    /// The first one of those asked for.
    AsGiven,
    /// The one that is named like the project, and rather a service than a client or a tool of it.
    ByName {
        /// The last words of the names of clients and tools.
        clients: &'c [String],
    },
}

/// Puts the default binary last: the first that was asked for, else the one that is named like the root
/// package, else the one whose name those of all others begin with, else the one that its package runs by default,
/// else the first that does not look like a client or a tool of another.
fn finish<'f>(
    mut picked: Vec<Choice<Candidate<'f>>>,
    all: &[Candidate<'f>],
    why_not: impl Fn(&Candidate<'_>) -> Why,
    request: &Request,
    order: Order<'_>,
) -> Selection<'f> {
    picked.dedup_by(|a, b| a.value.is(&b.value));
    let left_out = all
        .iter()
        .filter(|c| !picked.iter().any(|p| p.value.is(c)))
        .map(|c| Choice::new(c.path(), why_not(c)))
        .collect();
    picked.reverse();
    if let Order::ByName { clients } = order {
        let main = |c: &Candidate<'_>| c.bin.name == c.package.name && c.package.dir == "";
        let client = |c: &Candidate<'_>| {
            let last_word = c.bin.name.rsplit(['-', '_']).next().unwrap_or_default();
            clients.iter().any(|client| client == last_word)
        };
        let names: Vec<&str> = picked.iter().map(|p| p.value.bin.name.as_str()).collect();
        let begins = |name: &str| {
            let goes_on = |other: &&str| {
                let rest = other.strip_prefix(name);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
            };
            names.iter().all(goes_on)
        };
        let stem = names.iter().find(|name| begins(name)).copied();
        picked.sort_by_key(|p| {
            let c = p.value;
            let is_stem = Some(c.bin.name.as_str()) == stem;
            let runs_by_default = matches!(p.why, Why::DefaultRun(_));
            (main(&c), is_stem, runs_by_default, !client(&c))
        });
    }
    Selection {
        picked,
        left_out,
        by_package: !request.packages.is_empty(),
    }
}
