//! The final stages: base image, packages, user, and what the program finds where it runs.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::binaries::{Candidate, Selection};
use super::needs::{EnvVar, Needed, Needs};
use super::toolchain::Toolchain;
use super::{Refusal, kept};
use crate::catalog::{Base, Catalog, Names, User};
use crate::config::Proof;
use crate::facts::{About, Build, Facts, Package};
use crate::why::{Choice, Why};

/// A final stage.
#[derive(Clone, Debug)]
pub struct Image {
    /// The binary.
    pub bin: Choice<String>,
    /// Its package.
    pub package: String,
    /// The name of the stage.
    pub stage: String,
    /// The base image, with a digest where the committed file has one.
    pub base: Choice<String>,
    /// Packages that the base lacks.
    pub packages: Vec<Needed>,
    /// Whether the base has no such user and no home for it yet.
    pub adds_user: bool,
    /// The user that the program runs as.
    pub user: Choice<User>,
    /// Environment.
    pub env: Vec<Choice<EnvVar>>,
    /// Labels: keys and values.
    pub labels: Vec<(String, String)>,
    /// Ports.
    pub expose: Vec<u16>,
    /// Files that are copied beside the program.
    pub assets: Vec<Choice<Asset>>,
    /// Default arguments.
    pub args: Vec<String>,
    /// Every package that the program needs, whether it is installed or the base holds it.
    pub needs: Vec<String>,
    /// How it is proved that the image runs.
    pub proof: Proof,
}

/// A file or folder that the program reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Relative to the context.
    pub from: Utf8PathBuf,
    /// Relative to the working directory.
    pub to: Utf8PathBuf,
}

/// The names of the stages before the final ones, and those that Dockerfiles reserve.
pub(crate) const TAKEN: [&str; 6] = [
    "build",
    "context",
    "deps",
    "manifests",
    "scratch",
    "toolchain",
];

pub(super) fn images(
    facts: &Facts,
    selection: &Selection<'_>,
    graph: &Build<'_>,
    toolchain: &Toolchain,
    needs: &Needs<'_>,
    catalog: &Catalog,
) -> anyhow::Result<Vec<Image>> {
    let suite = &toolchain.suite.value;
    let suite = catalog
        .images
        .suites
        .iter()
        .find(|s| s.name == *suite)
        .expect("the plan names a known suite");
    let mut stages = BTreeSet::new();
    let mut images = Vec::new();
    for picked in &selection.picked {
        let Candidate { package, bin } = picked.value;
        let linked = graph.crates(&[&package.name]);
        let needed = needs.run_packages(Names::Suite(&suite.name), &linked);
        let (base, why) = base(&needed, suite.distroless.as_ref(), &suite.slim);
        let stage = stage_name(&bin.name, &mut stages);
        images.push(Image {
            bin: Choice::new(bin.name.clone(), picked.why.clone()),
            package: package.name.clone(),
            base: Choice::new(kept::newer(facts, &stage, base.image.clone()), why),
            stage,
            needs: needed.iter().map(|n| n.package.clone()).collect(),
            proof: proof(facts, package)?,
            packages: needed
                .into_iter()
                .filter(|n| !base.holds.contains(&n.package))
                .collect(),
            adds_user: *base == suite.slim,
            user: Choice::new(catalog.images.user.clone(), Why::NonRoot),
            env: env(
                needs.run_env(&linked),
                &facts.config.env,
                &package.config.env,
            ),
            labels: labels(&bin.name, &package.about),
            expose: package
                .config
                .expose
                .as_ref()
                .unwrap_or(&facts.config.expose)
                .clone(),
            assets: assets(facts, package, needs.assets(&linked))?,
            args: package
                .config
                .args
                .as_ref()
                .unwrap_or(&facts.config.args)
                .clone(),
        });
    }
    Ok(images)
}

/// The package's, else the workspace's.
fn proof(facts: &Facts, package: &Package) -> Result<Proof, Refusal> {
    let proof = package
        .config
        .verify
        .as_ref()
        .unwrap_or(&facts.config.verify);
    let package = &package.name;
    match proof {
        Proof {
            http: Some(_),
            port: None,
            ..
        } => Err(Refusal::PageWithoutPort {
            package: package.clone(),
        }),
        _ => Ok(proof.clone()),
    }
}

/// Distroless when it holds every package that the program needs, else the slim image.
fn base<'c>(needed: &[Needed], distroless: Option<&'c Base>, slim: &'c Base) -> (&'c Base, Why) {
    let Some(distroless) = distroless else {
        return (slim, Why::NoDistroless);
    };
    let mut lacking = needed
        .iter()
        .filter(|n| !distroless.holds.contains(&n.package));
    match lacking.next() {
        None => (distroless, Why::BaseHoldsAll),
        Some(first) => {
            let packages = std::iter::once(first)
                .chain(lacking)
                .map(|n| n.package.clone())
                .collect();
            (
                slim,
                Why::BaseLacks(packages, Box::new(first.why[0].clone())),
            )
        }
    }
}

/// The binary's name as the name of a stage: lower case, no other characters than a tag may have, not one
/// that is taken.
fn stage_name(bin: &str, taken: &mut BTreeSet<String>) -> String {
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let mut name: String = bin.to_ascii_lowercase().chars().map(allowed).collect();
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !starts_well || TAKEN.contains(&name.as_str()) {
        name.insert_str(0, "app-");
    }
    while !taken.insert(name.clone()) {
        name.push_str("-2");
    }
    name
}

/// What the crates want, then the workspace's configuration, then the package's; the last one wins.
fn env(
    crates: Vec<Choice<EnvVar>>,
    workspace: &BTreeMap<String, String>,
    package: &BTreeMap<String, String>,
) -> Vec<Choice<EnvVar>> {
    let configured = workspace.iter().chain(package).map(|(name, value)| {
        let var = EnvVar {
            name: name.clone(),
            value: value.clone(),
        };
        Choice::new(var, Why::Config("env"))
    });
    let all = crates
        .into_iter()
        .chain(configured)
        .map(|var| (var.value.name.clone(), var));
    all.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// Keys of the OCI image specification that the manifest has values for. Not the version: it changes with
/// every release, and the file would be out of date each time.
fn labels(bin: &str, about: &About) -> Vec<(String, String)> {
    let authors = (!about.authors.is_empty()).then(|| about.authors.join(", "));
    let values = [
        ("title", Some(bin.to_owned())),
        ("description", about.description.clone()),
        ("licenses", about.license.clone()),
        ("source", about.repository.clone()),
        ("url", about.homepage.clone()),
        ("documentation", about.documentation.clone()),
        ("authors", authors),
    ];
    values
        .into_iter()
        .filter_map(|(key, value)| {
            Some((format!("org.opencontainers.image.{key}"), one_line(&value?)))
        })
        .collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Order of precedence: the package's configuration (from its folder), the workspace's (from its root), what
/// the crates of the program read and one of the two folders has.
fn assets(
    facts: &Facts,
    package: &Package,
    known: BTreeMap<String, Why>,
) -> Result<Vec<Choice<Asset>>, Refusal> {
    let dir = &package.dir;
    let configured = |paths: &[String], base: &Utf8Path| {
        let asset = |path: &String| {
            let to = Utf8Path::new(path);
            let inside = to
                .components()
                .all(|part| matches!(part, Utf8Component::Normal(_)));
            let asset = Asset {
                from: base.join(to),
                to: to.to_owned(),
            };
            let refusal = || Refusal::AssetOutside { path: path.clone() };
            inside
                .then(|| Choice::new(asset, Why::Config("assets")))
                .ok_or_else(refusal)
        };
        paths.iter().map(asset).collect()
    };
    if let Some(paths) = &package.config.assets {
        return configured(paths, dir);
    }
    if let Some(paths) = &facts.config.assets {
        return configured(paths, &facts.root);
    }
    let found = known.into_iter().filter_map(|(name, why)| {
        let places = [(&package.entries, dir), (&facts.entries, &facts.root)];
        let (_, base) = places
            .into_iter()
            .find(|(entries, _)| entries.contains(&name))?;
        Some(Choice::new(
            Asset {
                from: base.join(&name),
                to: name.into(),
            },
            why,
        ))
    });
    Ok(found.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(package: &str) -> Needed {
        Needed {
            package: package.into(),
            why: vec![Why::Config("packages.runtime")],
        }
    }

    fn holding(image: &str, packages: &[&str]) -> Base {
        let holds = packages.iter().map(ToString::to_string).collect();
        Base {
            image: image.into(),
            holds,
            weight: 0,
            installer: None,
            end: None,
        }
    }

    #[test]
    fn distroless_when_it_holds_everything() {
        let (distroless, slim) = (holding("distroless", &["libssl"]), holding("slim", &[]));
        let chosen = |needed: &[Needed]| base(needed, Some(&distroless), &slim).0.image.clone();
        assert_eq!(chosen(&[needed("libssl")]), "distroless");
        assert_eq!(chosen(&[needed("libssl"), needed("libpq")]), "slim");
    }

    #[test]
    fn stage_names() {
        let mut taken = BTreeSet::new();
        assert_eq!(stage_name("api", &mut taken), "api");
        assert_eq!(stage_name("API", &mut taken), "api-2");
        assert_eq!(stage_name("build", &mut taken), "app-build");
        assert_eq!(stage_name("7zip", &mut taken), "app-7zip");
        assert_eq!(stage_name("größe", &mut taken), "gr--e");
    }
}
