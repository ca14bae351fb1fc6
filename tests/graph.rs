//! The crates and features of a build, on each of its sides, are those that cargo itself would compile: compared
//! with the plan that cargo prints, for every package with a binary, on the examples, the projects of
//! `tests/native`, and those of `tests/graph`, which are full of features of either side and of other platforms.
//! `CARGO_DOCKERIZE_TREES` names a folder of further projects to compare.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run programs and read files"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use camino::Utf8PathBuf;
use cargo_dockerize::facts::{Features, Libc, Side, Where, gather};
use serde::Deserialize;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Name, version, side and features of a crate.
type Crate = (String, String, Side, BTreeSet<String>);

#[test]
#[cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64")),
    ignore = "cargo plans for this machine as the host"
)]
fn crates_and_features_are_those_of_cargo() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["examples", "tests/graph", "tests/native"].map(|folder| root.join(folder));
    let more = std::env::var_os("CARGO_DOCKERIZE_TREES").map(Into::into);
    let mut different = Vec::new();
    for folder in folders.into_iter().chain(more) {
        for project in fs_err::read_dir(folder).expect("the folder can be read") {
            let manifest = project.expect("it is there").path().join("Cargo.toml");
            if manifest.with_file_name("Cargo.lock").is_file() {
                match compare(&manifest) {
                    Ok(lines) => different.extend(lines),
                    Err(error) => different.push(format!("{}: {error:#}", manifest.display())),
                }
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// What differs, a line for each crate.
fn compare(manifest: &Path) -> Result<Vec<String>> {
    let manifest = Utf8PathBuf::try_from(manifest.to_owned())?;
    let facts = gather(&Where {
        manifest: Some(manifest.clone()),
        ..Where::default()
    })?;
    let mut different = Vec::new();
    for package in facts.members().filter(|package| !package.bins.is_empty()) {
        for features in [Features::default(), without_defaults()] {
            let name = package.name.as_str();
            let build = facts.graph.build(&[name], &features, Libc::Gnu)?;
            let ours: BTreeSet<Crate> = build
                .crates(&[name])
                .crates
                .into_iter()
                .map(|krate| {
                    let version = krate.version.to_string();
                    (krate.name, version, krate.side, krate.features)
                })
                .collect();
            let cargos = units(&manifest, name, &features)?;
            let line = |sign: char, krate: &Crate| format!("{sign} {manifest} {name}: {krate:?}");
            different.extend(ours.difference(&cargos).map(|krate| line('+', krate)));
            different.extend(cargos.difference(&ours).map(|krate| line('-', krate)));
        }
    }
    Ok(different)
}

fn without_defaults() -> Features {
    Features {
        no_default: true,
        ..Features::default()
    }
}

/// The crates that cargo would compile, by its own plan of the build.
fn units(manifest: &Utf8PathBuf, package: &str, features: &Features) -> Result<BTreeSet<Crate>> {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--locked", "--unit-graph", "-Zunstable-options"])
        .args(["--target", TARGET, "--package", package, "--manifest-path"])
        .arg(manifest)
        // The plan is not a stable interface.
        .env("RUSTC_BOOTSTRAP", "1");
    if features.no_default {
        command.arg("--no-default-features");
    }
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{package}: {said}");
    let graph: UnitGraph = serde_json::from_slice(&output.stdout)?;
    let units = graph.units.into_iter();
    let compiled = units.filter(|unit| unit.target.kind != ["custom-build"]);
    compiled.map(Unit::into_crate).collect()
}

/// What `cargo build --unit-graph` prints.
#[derive(Deserialize)]
struct UnitGraph {
    units: Vec<Unit>,
}

#[derive(Deserialize)]
struct Unit {
    pkg_id: String,
    target: Target,
    /// None for what runs during the build.
    platform: Option<String>,
    features: Vec<String>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

impl Unit {
    fn into_crate(self) -> Result<Crate> {
        // `registry+https://…#name@1.2.3`, or `path+file:///…/name#1.2.3`
        let (place, id) = self.pkg_id.split_once('#').context("no package id")?;
        let folder = || place.rsplit('/').next().unwrap_or_default();
        let (name, version) = id.split_once('@').unwrap_or((folder(), id));
        let side = match self.platform {
            Some(_) => Side::Target,
            None => Side::Host,
        };
        let features = self.features.into_iter().collect();
        Ok((name.to_owned(), version.to_owned(), side, features))
    }
}
