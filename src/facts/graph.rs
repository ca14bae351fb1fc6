//! The dependency graph, and which crates with which features a build really uses.
//!
//! Plain `cargo metadata` unifies features over the program and its build scripts, and so reports a
//! build-dependency's `vendored` for the crate that the program links. `guppy` resolves both sides apart, as
//! cargo does. Its types stay in this module.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use anyhow::{Context, Result};
use guppy::PackageId;
use guppy::graph::cargo::{CargoOptions, CargoResolverVersion, CargoSet};
use guppy::graph::feature::{FeatureId, FeatureLabel, FeatureSet, StandardFeatures};
use guppy::graph::{PackageGraph, PackageMetadata};
use guppy::platform::{Platform, TargetFeatures};
use semver::Version;

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
pub struct ResolvedCrate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The library that its manifest says it links.
    pub links: Option<String>,
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

/// The platform that images are resolved for. Dependencies hardly ever differ between processors.
pub(super) const TARGET: &str = "x86_64-unknown-linux-gnu";

fn platform() -> Platform {
    Platform::new(TARGET, TargetFeatures::Unknown).expect("a known triple")
}

impl Graph {
    /// Takes the JSON of `cargo metadata` and the resolver that the root manifest asks for (`1` to `3`).
    pub(super) fn new(metadata: &str, resolver: &str) -> Result<Self> {
        let packages = PackageGraph::from_json(metadata).context("failed to read `cargo metadata`")?;
        let resolver = match resolver {
            "1" => CargoResolverVersion::V1,
            "2" => CargoResolverVersion::V2,
            _ => CargoResolverVersion::V3,
        };
        Ok(Self { packages, resolver })
    }

    pub(super) fn packages(&self) -> &PackageGraph {
        &self.packages
    }

    /// The crates that `cargo build` compiles for the binaries of the package `of`, when the packages
    /// `selected` are built together: cargo unifies features over all of these.
    ///
    /// # Errors
    /// A feature that no selected package has.
    pub fn resolve(&self, selected: &[&str], features: &Features, of: &[&str]) -> Result<Resolution> {
        let mut options = CargoOptions::new();
        options.set_resolver(self.resolver);
        options.set_platform(guppy::platform::PlatformSpec::from(platform()));
        // The first resolver lets dev-dependencies turn features on in every build.
        options.set_include_dev(self.resolver == CargoResolverVersion::V1);

        let initials = self.initials(selected, features)?;
        let none = self.packages.feature_graph().resolve_none();
        let set = CargoSet::new(initials, none, &options).context("failed to resolve the features")?;
        Ok(self.walk(&set, of))
    }

    fn initials(&self, selected: &[&str], features: &Features) -> Result<FeatureSet<'_>> {
        let graph = self.packages.feature_graph();
        let filter = match features {
            Features { all: true, .. } => StandardFeatures::All,
            Features { no_default: true, .. } => StandardFeatures::None,
            _ => StandardFeatures::Default,
        };
        let members = self.packages.workspace();
        let selected: Vec<PackageMetadata<'_>> =
            members.iter().filter(|member| selected.contains(&member.name())).collect();
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
            let found = selected.iter().filter(|member| package.is_none_or(|p| p == member.name()));
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
        let named = graph.resolve_ids(named).context("failed to resolve the features")?;
        // What a feature turns on follows from the resolution of the set, not from the set itself.
        Ok(initials.union(&named))
    }

    /// Walks the links that are part of the build, from the packages `of`.
    fn walk(&self, set: &CargoSet<'_>, of: &[&str]) -> Resolution {
        type Node<'g> = (&'g PackageId, Side);
        let mut links: HashMap<Node<'_>, Vec<(Node<'_>, bool)>> = HashMap::new();
        let mut link = |from: Node<'_>, to: Node<'_>, build: bool| {
            links.entry(unbound(self, from)).or_default().push((unbound(self, to), build));
        };
        for l in set.target_links().filter(|l| l.normal().is_present()) {
            link((l.from().id(), Side::Target), (l.to().id(), Side::Target), false);
        }
        for l in set.proc_macro_links().filter(|l| l.normal().is_present()) {
            link((l.from().id(), Side::Target), (l.to().id(), Side::Host), false);
        }
        for l in set.build_dep_links() {
            link((l.from().id(), Side::Target), (l.to().id(), Side::Host), true);
        }
        for l in set.host_links() {
            link((l.from().id(), Side::Host), (l.to().id(), Side::Host), l.build().is_present());
        }

        let mut parent: HashMap<Node<'_>, Option<Node<'_>>> = HashMap::new();
        let mut queue: VecDeque<Node<'_>> = VecDeque::new();
        for member in self.packages.workspace().iter().filter(|m| of.contains(&m.name())) {
            let side = if member.is_proc_macro() { Side::Host } else { Side::Target };
            parent.insert((member.id(), side), None);
            queue.push_back((member.id(), side));
        }
        let mut dependents: HashMap<Node<'_>, BTreeSet<String>> = HashMap::new();
        let mut by_member: BTreeSet<&PackageId> = BTreeSet::new();
        while let Some(node) = queue.pop_front() {
            let mut next = links.get(&node).cloned().unwrap_or_default();
            next.sort_unstable();
            for (to, build) in next {
                let from = self.package(node.0);
                dependents.entry(to).or_default().insert(from.name().to_owned());
                if build && from.source().is_local() {
                    by_member.insert(to.0);
                }
                parent.entry(to).or_insert_with(|| {
                    queue.push_back(to);
                    Some(node)
                });
            }
        }

        let mut crates: BTreeMap<(String, Version, Side), ResolvedCrate> = BTreeMap::new();
        for (&(id, side), first) in &parent {
            let package = self.package(id);
            let mut via = Vec::new();
            let mut at = *first;
            while let Some(node) = at {
                let before = parent[&node];
                if before.is_some() {
                    via.push(self.package(node.0).name().to_owned());
                }
                at = before;
            }
            via.reverse();
            let resolved = ResolvedCrate {
                name: package.name().to_owned(),
                version: package.version().clone(),
                links: package.links().map(str::to_owned),
                build_script: package.has_build_script(),
                side,
                features: features_of(set, id, side),
                via,
                dependents: dependents.remove(&(id, side)).unwrap_or_default(),
                member_build_dependency: by_member.contains(id),
                local: package.source().is_local(),
                rust_version: package.rust_version().cloned(),
            };
            crates.insert((resolved.name.clone(), resolved.version.clone(), side), resolved);
        }
        Resolution { crates: crates.into_values().collect() }
    }

    fn package(&self, id: &PackageId) -> PackageMetadata<'_> {
        self.packages.metadata(id).expect("the id comes from this graph")
    }
}

/// The same node with the graph's own lifetime.
fn unbound<'g>(graph: &'g Graph, (id, side): (&PackageId, Side)) -> (&'g PackageId, Side) {
    (graph.package(id).id(), side)
}

/// The named features that are on for a package on one side. With the first resolver both sides are one.
fn features_of(set: &CargoSet<'_>, id: &PackageId, side: Side) -> BTreeSet<String> {
    let own = match side {
        Side::Target => set.target_features(),
        Side::Host => set.host_features(),
    };
    let list = own.features_for(id).ok().flatten();
    list.iter()
        .flat_map(|list| list.labels())
        .filter_map(|label| match label {
            FeatureLabel::Named(name) => Some((*name).to_owned()),
            FeatureLabel::OptionalDependency(name) => Some((*name).to_owned()),
            FeatureLabel::Base => None,
        })
        .collect()
}

impl Resolution {
    /// The crates of this name, on any side.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &ResolvedCrate> {
        self.crates.iter().filter(move |krate| krate.name == name)
    }
}
