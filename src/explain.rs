//! `--explain`: every decision, its reason, and how to change it, for people and for programs.

use std::fmt::{self, Write};

use camino::Utf8Path;
use serde::Serialize;

use crate::plan::{self, EnvVar, Needed, Plan};
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
            builder: plan.toolchain.builder.clone(),
            packages: Packages {
                build: packages(&plan.build.packages),
                runtime,
            },
            decisions: decisions(plan),
            notes: plan.notes.iter().map(ToString::to_string).collect(),
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
        Ok(())
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
    let (rust, suite) = (&plan.toolchain.rust, &plan.toolchain.suite);
    let change = "`rust = \"VERSION\"`, or a rust-toolchain.toml";
    let mut all = vec![Decision::new("rust", &rust.value, &rust.why, change)];
    let change = "`rust = \"VERSION\"`: the suite follows from it";
    all.push(Decision::new("suite", &suite.value, &suite.why, change));

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
    let cache = &plan.cache;
    all.push(Decision::new(
        "cache",
        &cache.value.to_string(),
        &cache.why,
        change,
    ));
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
    let change = "`packages.runtime`, or rows `links.CRATE`";
    all.push(Decision::new(
        &what("base"),
        &image.base.value,
        &image.base.why,
        change,
    ));
    let packages = image.packages.iter();
    all.extend(packages.map(|needed| Decision::package(&what("package"), needed, change)));
    let user = &image.user;
    all.push(Decision::new(
        &what("user"),
        &user.value.id,
        &user.why,
        "`docker run --user`",
    ));
    let change = "`env.NAME = \"VALUE\"`";
    all.extend(
        image
            .env
            .iter()
            .map(|var| Decision::env(&what("env"), var, change)),
    );
    all
}
