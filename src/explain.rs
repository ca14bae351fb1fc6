//! `--explain`: every decision, its reason, and how to change it, for people and for programs.

use std::fmt::{self, Write};

use camino::Utf8Path;
use serde::Serialize;

use crate::config::Cache;
use crate::plan::{self, EnvVar, Homes, Needed, Plan};
use crate::why::{Choice, Why};

/// The JSON of `--explain --format json`. Its fields are a stable interface: within one `schema` they keep
/// their names and meanings, and new ones may be added.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The version of this interface.
    pub schema: u32,
    /// The absolute path of the build context.
    pub context: String,
    /// The absolute path of the Dockerfile.
    pub dockerfile: String,
    /// The images, the default one last.
    pub images: Vec<Image>,
    /// The builder image.
    pub builder: String,
    /// Packages of the distribution.
    pub packages: Packages,
    /// Every decision, in the order of the Dockerfile.
    pub decisions: Vec<Decision>,
    /// What to know beside the decisions.
    pub notes: Vec<String>,
    /// The bases that were not chosen.
    pub alternatives: Vec<Alternative>,
}

/// A base that was not chosen for a binary.
#[derive(Debug, Serialize)]
pub struct Alternative {
    /// The binary.
    pub bin: String,
    /// The base, as `--base` takes it.
    pub base: String,
    /// Whether it would do.
    pub works: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Its compressed size in megabytes, about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub megabytes: Option<u32>,
    /// Packages that would be installed.
    pub packages: Vec<Package>,
    /// What is paid for it.
    pub prices: Vec<String>,
}

/// An image.
#[derive(Debug, Serialize)]
pub struct Image {
    /// The binary.
    pub bin: String,
    /// Its package.
    pub package: String,
    /// The stage, for `docker build --target`.
    pub stage: String,
    /// The base image.
    pub runtime: String,
}

/// Packages by stage.
#[derive(Debug, Serialize)]
pub struct Packages {
    /// Installed for the build.
    pub build: Vec<Package>,
    /// Installed in final stages.
    pub runtime: Vec<Package>,
}

/// A package of the distribution.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Every reason for it.
    pub why: Vec<String>,
}

/// A decision.
#[derive(Debug, Serialize)]
pub struct Decision {
    /// What it is about.
    pub what: String,
    /// What was decided.
    pub value: String,
    /// Why.
    pub why: String,
    /// How to change it.
    pub change: String,
}

impl Explanation {
    /// Lists what a plan holds.
    pub fn new(plan: &Plan, dockerfile: &Utf8Path) -> Self {
        let mut runtime: Vec<Package> = Vec::new();
        for package in plan
            .images
            .iter()
            .flat_map(|image| packages(&image.packages))
        {
            if !runtime.contains(&package) {
                runtime.push(package);
            }
        }
        Self {
            schema: 1,
            context: plan.context.dir.value.to_string(),
            dockerfile: dockerfile.to_string(),
            images: plan
                .images
                .iter()
                .map(|image| Image {
                    bin: image.bin.value.clone(),
                    package: image.package.clone(),
                    stage: image.stage.clone(),
                    runtime: image.base.value.clone(),
                })
                .collect(),
            builder: plan.toolchain.builder.value.clone(),
            packages: Packages {
                build: packages(&plan.build.packages),
                runtime,
            },
            decisions: decisions(plan),
            notes: plan.notes.iter().map(ToString::to_string).collect(),
            alternatives: plan.alternatives.iter().map(alternative).collect(),
        }
    }

    /// For programs, on several lines.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every field becomes JSON") + "\n"
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("a string takes everything");
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let width = self
            .decisions
            .iter()
            .map(|d| d.what.chars().count())
            .max()
            .unwrap_or(0);
        for Decision {
            what,
            value,
            why,
            change,
        } in &self.decisions
        {
            writeln!(out, "{what:<width$}  {value}")?;
            writeln!(out, "{:<width$}  because: {why}", "")?;
            writeln!(out, "{:<width$}  change:  {change}", "")?;
        }
        for note in &self.notes {
            writeln!(out, "\nnote: {note}")?;
        }
        let several = self.images.len() > 1;
        for (i, other) in self.alternatives.iter().enumerate() {
            if i == 0 || self.alternatives[i - 1].bin != other.bin {
                let of = if several {
                    format!(" for {}", other.bin)
                } else {
                    String::new()
                };
                writeln!(out, "\nother bases{of}:")?;
            }
            writeln!(out, "  --base {:<12}{}", other.base, other.text())?;
        }
        Ok(())
    }
}

impl Alternative {
    /// The line without its beginning.
    fn text(&self) -> String {
        if let Some(why) = &self.why {
            return format!("would not work: {why}");
        }
        let mut text = format!("{} MB", self.megabytes.unwrap_or_default());
        let packages: Vec<&str> = self.packages.iter().map(|p| p.name.as_str()).collect();
        if !packages.is_empty() {
            text = text + " and the packages " + &packages.join(", ");
        }
        text + "; " + &self.prices.join("; ")
    }
}

fn alternative(other: &plan::Alternative) -> Alternative {
    let would = other.outcome.as_ref().ok();
    Alternative {
        bin: other.bin.clone(),
        base: other.base.to_owned(),
        works: would.is_some(),
        why: other.outcome.as_ref().err().map(full),
        image: would.map(|would| would.image.clone()),
        megabytes: would.map(|would| would.weight),
        packages: would.map_or_else(Vec::new, |would| packages(&would.packages)),
        prices: would
            .iter()
            .flat_map(|would| &would.prices)
            .map(ToString::to_string)
            .collect(),
    }
}

fn packages(needed: &[Needed]) -> Vec<Package> {
    needed
        .iter()
        .map(|n| Package {
            name: n.package.clone(),
            why: n.why.iter().map(full).collect(),
        })
        .collect()
}

/// The reason with the versions of the crates.
fn full(why: &Why) -> String {
    format!("{why:#}")
}

fn decisions(plan: &Plan) -> Vec<Decision> {
    let mut all = of_context(plan);
    all.extend(of_build(plan));
    all.extend(plan.images.iter().rev().flat_map(of_image));
    let change = "`--bin NAME`, or `bins = [\"NAME\"]`";
    all.extend(
        plan.left_out
            .iter()
            .map(|bin| Decision::new("left out", &bin.value, &bin.why, change)),
    );
    all
}

impl Decision {
    fn new(what: &str, value: &str, why: &Why, change: &str) -> Self {
        let [what, value, change] = [what, value, change].map(str::to_owned);
        Self {
            what,
            value,
            why: full(why),
            change,
        }
    }

    fn package(what: &str, needed: &Needed, change: &str) -> Self {
        let [what, value, change] = [what, &needed.package, change].map(str::to_owned);
        let why = needed.why.iter().map(full).collect::<Vec<_>>().join("; ");
        Self {
            what,
            value,
            why,
            change,
        }
    }

    fn env(what: &str, var: &Choice<EnvVar>, change: &str) -> Self {
        let value = format!("{}={}", var.value.name, var.value.value);
        Self::new(what, &value, &var.why, change)
    }
}

fn of_context(plan: &Plan) -> Vec<Decision> {
    let dir = &plan.context.dir;
    let change = "keep every path dependency inside of the folder that you want";
    let mut all = vec![Decision::new(
        "context",
        dir.value.as_str(),
        &dir.why,
        change,
    )];
    let change = "a row `links.CRATE` without `keep`";
    let kept = plan.context.kept.iter();
    all.extend(kept.map(|kept| Decision::new("context keeps", &kept.value, &kept.why, change)));
    let change = "take the path out of the source";
    let shown = plan.context.shown.iter();
    all.extend(shown.map(|p| Decision::new("context shows", p.value.as_str(), &p.why, change)));
    all
}

fn of_build(plan: &Plan) -> Vec<Decision> {
    let (rust, system, builder) = (
        &plan.toolchain.rust,
        &plan.toolchain.suite,
        &plan.toolchain.builder,
    );
    let change = "`rust = \"VERSION\"`, or a rust-toolchain.toml";
    let mut all = vec![Decision::new("rust", &rust.value, &rust.why, change)];
    let change =
        "`rust = \"VERSION\"`, or a `base` or `builder` whose tag tells: it follows from them";
    all.push(Decision::new("suite", &system.value, &system.why, change));
    let change = "`--builder IMAGE`, or `builder = \"IMAGE\"`";
    all.push(Decision::new(
        "builder",
        &builder.value,
        &builder.why,
        change,
    ));
    let change = "a rust-toolchain.toml";
    let setup = plan.toolchain.setup.iter();
    all.extend(setup.map(|call| Decision::new("setup", &call.value, &call.why, change)));

    let change = "a row `links.CRATE`, or `packages.build`";
    let packages = plan.build.packages.iter();
    all.extend(packages.map(|needed| Decision::package("build package", needed, change)));
    let change = "cargo's configuration, or a row `links.CRATE`";
    all.extend(
        plan.build
            .env
            .iter()
            .map(|var| Decision::env("build env", var, change)),
    );

    all.extend(plan.platforms.iter().map(|platforms| {
        let change = "`--platform`, or `platforms`";
        Decision::new(
            "platforms",
            &platforms.value.join(", "),
            &platforms.why,
            change,
        )
    }));
    let change = "cargo's configuration, or `secrets`";
    all.extend(plan.build.access.iter().map(|access| {
        let option = access.value.option(Homes::SHELL).join(" ");
        Decision::new("docker build", &option, &access.why, change)
    }));

    let command = &plan.build.command;
    let change = "`--profile NAME`, or `profile = \"NAME\"`";
    all.push(Decision::new(
        "profile",
        &command.profile.value,
        &command.profile.why,
        change,
    ));
    let locked = if command.locked.value {
        "--locked"
    } else {
        "without --locked"
    };
    all.push(Decision::new(
        "lock file",
        locked,
        &command.locked.why,
        "commit Cargo.lock, or remove it",
    ));
    let change = "`--cache auto|layers|mounts`, or `cache = \"STRATEGY\"`";
    let cache = &plan.cache.strategy;
    all.push(Decision::new(
        "cache",
        &cache.value.to_string(),
        &cache.why,
        change,
    ));
    if cache.value != Cache::Mounts {
        let trims = &plan.cache.trims_versions;
        let value = if trims.value {
            "finds the layer of the dependencies again"
        } else {
            "builds the layer of the dependencies anew"
        };
        let change = "plain `version = \"…\"` lines, no `[patch]`, no path dependency outside of the workspace";
        all.push(Decision::new("a new version", value, &trims.why, change));
    }
    all
}

fn of_image(image: &plan::Image) -> Vec<Decision> {
    let what = |what: &str| format!("{}: {what}", image.stage);
    let change = "`--bin NAME`, or `bins = [\"NAME\"]`";
    let mut all = vec![Decision::new(
        &what("binary"),
        &image.bin.value,
        &image.bin.why,
        change,
    )];
    let change = "`--base BASE`, or `base = \"BASE\"`";
    all.push(Decision::new(
        &what("base"),
        &image.base.value,
        &image.base.why,
        change,
    ));
    let change = "`packages.runtime`, or rows `links.CRATE`";
    let copies = image.copies.iter();
    all.extend(copies.map(|copy| Decision::new(&what("copy"), &copy.value, &copy.why, change)));
    let packages = image.packages.iter();
    all.extend(packages.map(|needed| Decision::package(&what("package"), needed, change)));
    let user = &image.user;
    all.push(Decision::new(
        &what("user"),
        &user.value,
        &user.why,
        "`user = \"ID:GROUP\"`",
    ));
    let workdir = &image.workdir;
    all.push(Decision::new(
        &what("workdir"),
        &workdir.value,
        &workdir.why,
        "`workdir = \"/PATH\"`",
    ));
    all.extend(image.assets.iter().map(|asset| {
        Decision::new(
            &what("asset"),
            asset.value.to.as_str(),
            &asset.why,
            "`assets = [\"PATH\"]`",
        )
    }));
    all.extend(image.candidates.iter().map(|name| {
        let change = format!("`assets = [\"{name}\"]` copies it");
        Decision::new(&what("left behind"), name, &Why::MayBeRead, &change)
    }));
    let change = "`env.NAME = \"VALUE\"`";
    all.extend(
        image
            .env
            .iter()
            .map(|var| Decision::env(&what("env"), var, change)),
    );
    all
}
