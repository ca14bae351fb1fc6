//! `--explain`: every decision, its reason, and how to change it, for people and for programs.

use std::fmt::{self, Write};

use camino::Utf8Path;
use serde::Serialize;

use crate::plan::{Needed, Plan};
use crate::why::Why;

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
        for package in plan.images.iter().flat_map(|image| packages(&image.packages)) {
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
            packages: Packages { build: packages(&plan.build.packages), runtime },
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
        let width = self.decisions.iter().map(|d| d.what.chars().count()).max().unwrap_or(0);
        for Decision { what, value, why, change } in &self.decisions {
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
    needed.iter().map(|n| Package { name: n.package.clone(), why: n.why.iter().map(full).collect() }).collect()
}

/// The reason with the versions of the crates.
fn full(why: &Why) -> String {
    format!("{why:#}")
}

fn decisions(plan: &Plan) -> Vec<Decision> {
    let mut all = Vec::new();
    let mut add = |what: &str, value: &str, why: String, change: &str| {
        let [what, value, change] = [what, value, change].map(str::to_owned);
        all.push(Decision { what, value, why, change });
    };
    let joined = |needed: &Needed| needed.why.iter().map(full).collect::<Vec<_>>().join("; ");

    let context = &plan.context.dir;
    add("context", context.value.as_str(), full(&context.why), "move the path dependencies into the workspace");
    for kept in &plan.context.kept {
        add("context keeps", &kept.value, full(&kept.why), "a row `links.CRATE` without `keep`");
    }
    let toolchain = &plan.toolchain;
    add("rust", &toolchain.rust.value, full(&toolchain.rust.why), "`rust = \"VERSION\"`, or a rust-toolchain.toml");
    add("suite", &toolchain.suite.value, full(&toolchain.suite.why), "`rust = \"VERSION\"`: the suite follows from it");
    for needed in &plan.build.packages {
        add("build package", &needed.package, joined(needed), "a row `links.CRATE`, or `packages.build`");
    }
    for var in &plan.build.env {
        let value = format!("{}={}", var.value.name, var.value.value);
        add("build env", &value, full(&var.why), "cargo's configuration, or a row `links.CRATE`");
    }
    let command = &plan.build.command;
    add("profile", &command.profile.value, full(&command.profile.why), "`--profile NAME`, or `profile = \"NAME\"`");
    let locked = if command.locked.value { "--locked" } else { "not --locked" };
    add("lock file", locked, full(&command.locked.why), "commit Cargo.lock, or remove it");
    for image in plan.images.iter().rev() {
        let of = |what: &str| format!("{}: {what}", image.stage);
        add(&of("binary"), &image.bin.value, full(&image.bin.why), "`--bin NAME`, or `bins = [\"NAME\"]`");
        add(&of("base"), &image.base.value, full(&image.base.why), "`packages.runtime`, or rows `links.CRATE`");
        for needed in &image.packages {
            add(&of("package"), &needed.package, joined(needed), "a row `links.CRATE`, or `packages.runtime`");
        }
        add(&of("user"), &image.user.value.id, full(&image.user.why), "`docker run --user`");
        for var in &image.env {
            let value = format!("{}={}", var.value.name, var.value.value);
            add(&of("env"), &value, full(&var.why), "`env.NAME = \"VALUE\"`");
        }
    }
    for left_out in &plan.left_out {
        add("left out", &left_out.value, full(&left_out.why), "`--bin NAME`, or `bins = [\"NAME\"]`");
    }
    all
}
