//! The final stages: base image, packages, user, and what the program finds where it runs.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::asked::Kind;
use super::assets::{Asset, assets};
use super::base::Fit;
use super::binaries::{Candidate, Selection};
use super::health::{Health, health};
use super::libc::Built;
use super::needs::{EnvVar, Needed};
use super::{Note, Refusal, configured, kept};
use crate::catalog::{Catalog, Installer, Names, User};
use crate::config::Proof;
use crate::facts::{About, Facts, Package};
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
    /// Its compressed size in megabytes, where it is known.
    pub weight: Option<u32>,
    /// What installs packages in it.
    pub installer: Option<Installer>,
    /// Packages that the base lacks.
    pub packages: Vec<Needed>,
    /// The user that the base has to be given, with a home.
    pub adds_user: Option<User>,
    /// Files and folders that come from the builder.
    pub copies: Vec<Choice<String>>,
    /// Commands that make files which the base lacks, below a folder that they call `{to}`.
    pub makes: Vec<String>,
    /// The user and group that the program runs as.
    pub user: Choice<String>,
    /// The working directory.
    pub workdir: Choice<String>,
    /// Environment.
    pub env: Vec<Choice<EnvVar>>,
    /// Labels: keys and values.
    pub labels: Vec<(String, String)>,
    /// Ports.
    pub expose: Vec<u16>,
    /// Folders that outlive the container.
    pub volumes: Vec<String>,
    /// Files that are copied beside the program.
    pub assets: Vec<Choice<Asset>>,
    /// Files beside the manifest that may be for the program, but are copied only when they are named.
    pub candidates: Vec<String>,
    /// Default arguments.
    pub args: Vec<String>,
    /// How the engine asks whether the program is well.
    pub health: Option<Health>,
    /// The signal that ends the program.
    pub stop_signal: Option<String>,
    /// Whether the base has no C library, so that the program has to be static.
    pub is_static: bool,
    /// Every package that the program needs, whether it is installed or the base holds it.
    pub needs: Vec<String>,
    /// How it is proved that the image runs.
    pub proof: Proof,
}

/// The names of the stages before the final ones, and those that Dockerfiles reserve.
pub(crate) const TAKEN: [&str; 7] = [
    "build",
    "context",
    "deps",
    "files",
    "manifests",
    "scratch",
    "toolchain",
];

/// The stages, each with a base that fits it, in the order of the selection.
pub(super) fn images(
    facts: &Facts,
    selection: &Selection<'_>,
    fits: Vec<Fit<'_>>,
    built: &Built<'_>,
    suite: &str,
    catalog: &Catalog,
) -> anyhow::Result<(Vec<Image>, Vec<Note>)> {
    let mut stages = BTreeSet::new();
    let mut images = Vec::new();
    let mut notes = Vec::new();
    for (picked, fit) in selection.picked.iter().zip(fits) {
        let Candidate { package, bin } = picked.value;
        let stage = stage_name(&bin.name, &mut stages);
        let linked = built.graph.crates(&[&package.name]);
        notes.extend(fit.notes.iter().cloned());
        let user = user(facts, package, catalog)?;
        let workdir = workdir(facts, package, catalog)?;
        let volumes = paths(
            "volumes",
            package
                .config
                .volumes
                .as_deref()
                .unwrap_or(&facts.config.volumes),
        )?;
        let (health, for_health) = health(facts, package, &bin.name, &fit, catalog)?;
        let adds_user = fit.installer().map(|_| catalog.images.user.clone());
        let has_home = fit.kind.is_some_and(|kind| kind != Kind::Scratch);
        let (is_usual, is_home) = (user.why == Why::NonRoot, workdir.why == Why::Home);
        let folders = (!(is_usual && is_home && has_home)).then_some(&workdir.value);
        let opened = super::opened::opened(facts, &linked, catalog);
        let assets = assets(facts, package, built.needs.assets(&linked), opened)?;
        let mut packages = fit.packages.clone();
        packages.extend(for_health);
        packages.sort_by(|a, b| a.package.cmp(&b.package));
        packages.dedup_by(|a, b| a.package == b.package);
        let names = match fit.installer() {
            Some(Installer::Apk) => Names::Alpine,
            _ => Names::Suite(suite),
        };
        let starts = super::started::notes(facts, &linked, names, &packages, catalog);
        let listens = super::loopback::notes(facts, package, &linked);
        for note in starts.into_iter().chain(listens) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        images.push(Image {
            bin: Choice::new(bin.name.clone(), picked.why.clone()),
            package: package.name.clone(),
            base: Choice::new(
                kept::newer(facts, &stage, fit.image.clone()),
                fit.why.clone(),
            ),
            weight: fit.base.map(|base| base.weight),
            installer: fit.installer(),
            packages,
            adds_user: adds_user.filter(|_| is_usual),
            copies: copies(&fit),
            makes: makes(
                &fit,
                folders.into_iter().chain(&volumes),
                &user.value,
                catalog,
            ),
            env: env(
                built.needs.run_env(&linked),
                &facts.config.env,
                &package.config.env,
            ),
            labels: labels(&bin.name, package, facts),
            expose: of(package.config.expose.as_ref(), &facts.config.expose).clone(),
            volumes: volumes.clone(),
            candidates: super::assets::candidates(facts, package, &assets, catalog),
            assets,
            args: of(package.config.args.as_ref(), &facts.config.args).clone(),
            health,
            is_static: matches!(fit.kind, Some(Kind::Bare | Kind::Scratch)),
            needs: fit.needs,
            proof: proof(facts, package)?,
            stop_signal: package
                .config
                .stop_signal
                .clone()
                .or_else(|| facts.config.stop_signal.clone()),
            stage,
            user,
            workdir,
        });
    }
    Ok((images, notes))
}

/// The package's, else the workspace's.
fn proof(facts: &Facts, package: &Package) -> Result<Proof, Refusal> {
    let proof = of(package.config.verify.as_ref(), &facts.config.verify);
    if proof.http.is_some() && proof.port.is_none() {
        let package = package.name.clone();
        return Err(Refusal::PageWithoutPort { package });
    }
    Ok(proof.clone())
}

/// The package's value, else the workspace's.
fn of<'a, T>(package: Option<&'a T>, workspace: &'a T) -> &'a T {
    package.unwrap_or(workspace)
}

/// The user, by number: what runs containers may only tell from a number that it is not root.
fn user(facts: &Facts, package: &Package, catalog: &Catalog) -> Result<Choice<String>, Refusal> {
    let set = configured(package.config.user.as_ref(), "user")
        .or_else(|| configured(facts.config.user.as_ref(), "user"));
    let Some(set) = set else {
        let id = &catalog.images.user.id;
        return Ok(Choice::new(format!("{id}:{id}"), Why::NonRoot));
    };
    let (id, group) = set
        .value
        .split_once(':')
        .unwrap_or((&set.value, &set.value));
    if [id, group].iter().any(|id| id.parse::<u32>().is_err()) {
        return Err(Refusal::UserName { user: set.value });
    }
    Ok(Choice::new(format!("{id}:{group}"), set.why))
}

fn workdir(facts: &Facts, package: &Package, catalog: &Catalog) -> Result<Choice<String>, Refusal> {
    let set = configured(package.config.workdir.as_ref(), "workdir")
        .or_else(|| configured(facts.config.workdir.as_ref(), "workdir"));
    let Some(set) = set else {
        return Ok(Choice::new(catalog.images.user.home.clone(), Why::Home));
    };
    let value = paths("workdir", std::slice::from_ref(&set.value))?.remove(0);
    Ok(Choice::new(value, set.why))
}

/// Absolute paths, without a slash at the end.
fn paths(key: &'static str, paths: &[String]) -> Result<Vec<String>, Refusal> {
    let checked = paths.iter().map(|path| {
        let clean = path.trim_end_matches('/');
        let absolute = clean.starts_with('/') && Utf8PathBuf::from(clean).iter().all(|p| p != "..");
        absolute
            .then(|| clean.to_owned())
            .ok_or(Refusal::NotAbsolute {
                key,
                path: path.clone(),
            })
    });
    checked.collect()
}

fn copies(fit: &Fit<'_>) -> Vec<Choice<String>> {
    let copies = fit.substitutes.iter();
    copies
        .filter_map(|file| Some(Choice::new(file.value.copy.clone()?, file.why.clone())))
        .collect()
}

/// The commands that make what a base lacks: files of its own, and folders that belong to the user.
fn makes<'a>(
    fit: &Fit<'_>,
    folders: impl Iterator<Item = &'a String>,
    user: &str,
    catalog: &Catalog,
) -> Vec<String> {
    let User { name, id, home } = &catalog.images.user;
    let fill = |line: &String| {
        line.replace("{name}", name)
            .replace("{id}", id)
            .replace("{home}", home)
    };
    let files = fit.substitutes.iter().flat_map(|file| &file.value.make);
    let folders: BTreeSet<&String> = folders.collect();
    let folders = folders.into_iter().flat_map(|folder| {
        let path = shlex::try_quote(folder).expect("a path holds no NUL");
        [
            format!("mkdir -p {{to}}{path}"),
            format!("chown {user} {{to}}{path}"),
        ]
    });
    files.map(fill).chain(folders).collect()
}

/// The binary's name as the name of a stage, not one that is taken. Engines take it for that of an image as well: lower
/// case, with letters or digits at both ends and around every separator.
fn stage_name(bin: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = String::new();
    let mut between = String::new();
    for c in bin.to_ascii_lowercase().chars() {
        if !c.is_ascii_alphanumeric() {
            between.push(if "_.".contains(c) { c } else { '-' });
            continue;
        }
        let is_separator = ["_", "__", "."].contains(&&*between) || !between.contains(['_', '.']);
        name += match &*between {
            _ if name.is_empty() => "",
            between if is_separator => between,
            _ => "-",
        };
        name.push(c);
        between.clear();
    }
    if name.is_empty() {
        "app".clone_into(&mut name);
    }
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

/// Keys of the OCI image specification that the manifest has values for, then those of the configuration. Not
/// the version: it changes with every release, and the file would be out of date each time.
fn labels(bin: &str, package: &Package, facts: &Facts) -> Vec<(String, String)> {
    let about: &About = &package.about;
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
    let configured: BTreeMap<_, _> = facts
        .config
        .labels
        .iter()
        .chain(&package.config.labels)
        .collect();
    let of_manifest = values.into_iter().filter_map(|(key, value)| {
        let key = format!("org.opencontainers.image.{key}");
        (!configured.contains_key(&key)).then_some((key, one_line(&value?)))
    });
    let configured = configured
        .iter()
        .map(|(key, value)| ((*key).clone(), (*value).clone()));
    of_manifest.chain(configured).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stage_names() {
        let mut taken = BTreeSet::new();
        assert_eq!(stage_name("api", &mut taken), "api");
        assert_eq!(stage_name("API", &mut taken), "api-2");
        assert_eq!(stage_name("build", &mut taken), "app-build");
        assert_eq!(stage_name("7zip", &mut taken), "app-7zip");
        assert_eq!(stage_name("größe", &mut taken), "gr--e");
        assert_eq!(stage_name("a.b_c__d--e", &mut taken), "a.b_c__d--e");
        assert_eq!(stage_name("_a..b-_c+", &mut taken), "a-b-c");
        assert_eq!(stage_name("日本", &mut taken), "app");
    }

    #[test]
    fn paths_are_absolute() {
        assert_eq!(
            paths("volumes", &["/data/".into()]),
            Ok(vec!["/data".into()])
        );
        assert!(paths("volumes", &["data".into()]).is_err());
        assert!(paths("volumes", &["/data/../etc".into()]).is_err());
    }
}
