//! The dependency graph, and which crates with which features a build really uses.
//!
//! Plain `cargo metadata` unifies features over the program and its build scripts, and so reports a
//! build-dependency's `vendored` for the crate that the program links. `guppy` resolves both sides apart, as
//! cargo does. Its types stay in this module.

use std::collections::{BTreeSet, HashMap, VecDeque};

use anyhow::{Context, Result};
use guppy::PackageId;
use guppy::graph::cargo::{CargoOptions, CargoResolverVersion, CargoSet};
use guppy::graph::feature::{FeatureId, FeatureLabel, FeatureList, FeatureSet, StandardFeatures};
use guppy::graph::{PackageGraph, PackageLink, PackageMetadata};
use guppy::platform::{Platform, TargetFeatures};
use semver::Version;

use super::system_deps;

/// The dependencies of a workspace.
#[derive(Debug)]
pub struct Graph {
    packages: PackageGraph,
    resolver: CargoResolverVersion,
}

/// Features to build with, as cargo's options give them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// `--all-features`
    pub all: bool,
    /// `--no-default-features`
    pub no_default: bool,
    /// `--features`: `name`, or `package/name`.
    pub named: Vec<String>,
}

/// The side of the build that a crate is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Linked into the program.
    Target,
    /// Run during the build.
    Host,
}

/// A crate as the build uses it.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are facts that have nothing to do with one another"
)]
pub struct ResolvedCrate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The library that its manifest says it links.
    pub links: Option<String>,
    /// The libraries that its manifest names, as pkg-config knows them.
    pub libraries: Vec<String>,
    /// Whether it runs code during the build.
    pub build_script: bool,
    /// Where it is compiled for.
    pub side: Side,
    /// The features that are on, on this side.
    pub features: BTreeSet<String>,
    /// The crates on the shortest way from the binary's package, without both ends.
    pub via: Vec<String>,
    /// The crates of this build that depend on it.
    pub dependents: BTreeSet<String>,
    /// Whether a package of the project itself has it as a build-dependency.
    pub member_build_dependency: bool,
    /// Whether a package that git has the history of depends on it: one of the project, or from a repository.
    pub history_dependency: bool,
    /// Whether its source is in the project.
    pub local: bool,
    /// The oldest Rust that it declares to work with.
    pub rust_version: Option<Version>,
}

/// The crates of a build.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// By name, version and side.
    pub crates: Vec<ResolvedCrate>,
}

/// The C libraries that programs are built against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Libc {
    /// glibc.
    Gnu,
    /// musl.
    Musl,
}

impl Libc {
    /// The target that stands for it. Dependencies hardly ever differ between processors.
    pub(super) fn target(self) -> &'static str {
        match self {
            Self::Gnu => "x86_64-unknown-linux-gnu",
            Self::Musl => "x86_64-unknown-linux-musl",
        }
    }
}

fn platform(libc: Libc) -> Platform {
    Platform::new(libc.target(), TargetFeatures::Unknown).expect("a known triple")
}

impl Graph {
    /// Takes the JSON of `cargo metadata` and the resolver that the root manifest asks for (`1` to `3`).
    pub(super) fn new(metadata: &str, resolver: &str) -> Result<Self> {
        let packages =
            PackageGraph::from_json(metadata).context("failed to read `cargo metadata`")?;
        let resolver = match resolver {
            "1" => CargoResolverVersion::V1,
            "2" => CargoResolverVersion::V2,
            _ => CargoResolverVersion::V3,
        };
        Ok(Self { packages, resolver })
    }

    /// Whether a package of this name is there, whatever it may be for.
    pub fn has(&self, name: &str) -> bool {
        self.packages
            .packages()
            .any(|package| package.name() == name)
    }

    pub(super) fn packages(&self) -> &PackageGraph {
        &self.packages
    }

    /// The build of the packages `selected` together: cargo unifies features over all of these.
    ///
    /// # Errors
    /// A feature that no selected package has.
    pub fn build(&self, selected: &[&str], features: &Features, libc: Libc) -> Result<Build<'_>> {
        let mut options = CargoOptions::new();
        options.set_resolver(self.resolver);
        options.set_platform(guppy::platform::PlatformSpec::from(platform(libc)));
        // The first resolver lets dev-dependencies turn features on in every build.
        options.set_include_dev(self.resolver == CargoResolverVersion::V1);

        let initials = self.initials(selected, features)?;
        let none = self.packages.feature_graph().resolve_none();
        let set =
            CargoSet::new(initials, none, &options).context("failed to resolve the features")?;
        Ok(Build {
            packages: &self.packages,
            links: links(&set),
            set,
        })
    }

    fn initials(&self, selected: &[&str], features: &Features) -> Result<FeatureSet<'_>> {
        let graph = self.packages.feature_graph();
        let filter = match features {
            Features { all: true, .. } => StandardFeatures::All,
            Features {
                no_default: true, ..
            } => StandardFeatures::None,
            _ => StandardFeatures::Default,
        };
        let members = self.packages.workspace();
        let selected: Vec<PackageMetadata<'_>> = members
            .iter()
            .filter(|member| selected.contains(&member.name()))
            .collect();
        let mut initials = graph.resolve_none();
        for member in &selected {
            initials = initials.union(&member.to_feature_set(filter));
        }
        let mut named: Vec<FeatureId<'_>> = Vec::new();
        for name in &features.named {
            let (package, feature) = match name.split_once('/') {
                Some((package, feature)) => (Some(package), feature),
                None => (None, name.as_str()),
            };
            let found = selected
                .iter()
                .filter(|member| package.is_none_or(|p| p == member.name()));
            let found: Vec<_> = found
                .filter_map(|member| {
                    let feature = member.named_features().find(|f| *f == feature)?;
                    Some(FeatureId::named(member.id(), feature))
                })
                .collect();
            // `package/feature` may name a dependency's feature too; cargo knows, and the build will tell.
            if found.is_empty() && package.is_none() {
                anyhow::bail!("none of the selected packages has the feature `{feature}`");
            }
            named.extend(found);
        }
        let named = graph
            .resolve_ids(named)
            .context("failed to resolve the features")?;
        // What a feature turns on follows from the resolution of the set, not from the set itself.
        Ok(initials.union(&named))
    }
}

/// A package on one side of the build.
type Node<'g> = (&'g PackageId, Side);

/// The dependencies of each package that are part of a build; whether a link is a build-dependency.
type Links<'g> = HashMap<Node<'g>, Vec<(Node<'g>, bool)>>;

/// A resolved build.
#[derive(Debug)]
pub struct Build<'g> {
    packages: &'g PackageGraph,
    set: CargoSet<'g>,
    links: Links<'g>,
}

fn links<'g>(set: &CargoSet<'g>) -> Links<'g> {
    let mut links: Links<'g> = HashMap::new();
    let mut link = |l: &PackageLink<'g>, from, to, build| {
        let to = ((l.to().id(), to), build);
        links.entry((l.from().id(), from)).or_default().push(to);
    };
    for l in set.target_links().filter(|l| l.normal().is_present()) {
        link(&l, Side::Target, Side::Target, false);
    }
    for l in set.proc_macro_links().filter(|l| l.normal().is_present()) {
        link(&l, Side::Target, Side::Host, false);
    }
    // Some packages have build-dependencies and no build script; cargo compiles nothing for them.
    for l in set
        .build_dep_links()
        .filter(|l| l.from().has_build_script())
    {
        link(&l, Side::Target, Side::Host, true);
    }
    for l in set.host_links() {
        let build = l.build().is_present() && l.from().has_build_script();
        if build || l.normal().is_present() {
            link(&l, Side::Host, Side::Host, build);
        }
    }
    for next in links.values_mut() {
        next.sort_unstable();
    }
    links
}

impl<'g> Build<'g> {
    /// The crates that are compiled for the packages `of`.
    pub fn crates(&self, of: &[&str]) -> Resolution {
        let members = self
            .packages
            .workspace()
            .iter()
            .filter(|m| of.contains(&m.name()));
        let roots = members.map(|member| {
            let side = if member.is_proc_macro() {
                Side::Host
            } else {
                Side::Target
            };
            (member.id(), side)
        });
        let mut parents: HashMap<Node<'g>, Option<Node<'g>>> =
            roots.map(|root| (root, None)).collect();
        // In the order of the names, so that the ways are the same each time.
        let mut queue: Vec<Node<'g>> = parents.keys().copied().collect();
        queue.sort_by_key(|node| (self.package(node.0).name(), node.1));
        let mut queue = VecDeque::from(queue);
        let mut dependents: HashMap<Node<'g>, BTreeSet<String>> = HashMap::new();
        let mut by_member: BTreeSet<&PackageId> = BTreeSet::new();
        let mut by_history: BTreeSet<&PackageId> = BTreeSet::new();
        // Breadth first, so that the way to each crate is a shortest one.
        while let Some(node) = queue.pop_front() {
            let from = self.package(node.0);
            let source = from.source();
            let of_git = |source: &str| source.starts_with("git+");
            let has_history = source.is_local() || source.external_source().is_some_and(of_git);
            for &(to, build) in self.links.get(&node).into_iter().flatten() {
                dependents
                    .entry(to)
                    .or_default()
                    .insert(from.name().to_owned());
                if build && source.is_local() {
                    by_member.insert(to.0);
                }
                if has_history {
                    by_history.insert(to.0);
                }
                parents.entry(to).or_insert_with(|| {
                    queue.push_back(to);
                    Some(node)
                });
            }
        }
        let crates = parents.keys().map(|&node| {
            let (id, side) = node;
            let package = self.package(id);
            let features = features_of(&self.set, id, side);
            ResolvedCrate {
                name: package.name().to_owned(),
                version: package.version().clone(),
                links: package.links().map(str::to_owned),
                build_script: package.has_build_script(),
                side,
                libraries: system_deps::read(package.metadata_table(), &features),
                features,
                via: self.way(&parents, node),
                dependents: dependents.remove(&node).unwrap_or_default(),
                member_build_dependency: by_member.contains(id),
                history_dependency: by_history.contains(id),
                local: package.source().is_local(),
                rust_version: package.rust_version().cloned(),
            }
        });
        let mut crates: Vec<ResolvedCrate> = crates.collect();
        crates.sort_by(|a, b| (&a.name, &a.version, a.side).cmp(&(&b.name, &b.version, b.side)));
        Resolution { crates }
    }

    /// The names between a root and a crate, both left out.
    fn way(&self, parents: &HashMap<Node<'g>, Option<Node<'g>>>, node: Node<'g>) -> Vec<String> {
        let above = std::iter::successors(parents[&node], |node| parents[node]);
        let mut way: Vec<String> = above
            .map(|(id, _)| self.package(id).name().to_owned())
            .collect();
        way.pop();
        way.reverse();
        way
    }

    fn package(&self, id: &PackageId) -> PackageMetadata<'g> {
        self.packages
            .metadata(id)
            .expect("the id comes from this graph")
    }
}

/// The named features that are on for a package on one side. With the first resolver both sides are one.
fn features_of(set: &CargoSet<'_>, id: &PackageId, side: Side) -> BTreeSet<String> {
    let own = match side {
        Side::Target => set.target_features(),
        Side::Host => set.host_features(),
    };
    let list = own.features_for(id).ok().flatten();
    list.iter()
        .flat_map(FeatureList::labels)
        .filter_map(|label| match label {
            FeatureLabel::Named(name) => Some((*name).to_owned()),
            FeatureLabel::OptionalDependency(_) | FeatureLabel::Base => None,
        })
        .collect()
}

impl Resolution {
    /// The crates of this name, on any side.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &ResolvedCrate> {
        self.crates.iter().filter(move |krate| krate.name == name)
    }
}
