//! The names of packages in the catalog are those of the distribution, in each of its suites.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use cargo_dockerize::catalog::{CATALOG, Names, Packages};

use crate::docker;

/// Suites that images are written for; older ones are there for an old Rust alone, and have no lists of their
/// own.
const SUITES: usize = 2;

/// Asks the index of each suite, in one run of its image.
pub(crate) fn exist() -> Result<()> {
    let mut missing = Vec::new();
    for suite in CATALOG.images.suites.iter().take(SUITES) {
        let script = "apt-get update -qq && apt-cache pkgnames";
        let options = ["--user=0", "--entrypoint=sh"];
        let image = &suite.slim.image;
        let index = docker::run(image, &options, &["-c", script])
            .with_context(|| format!("the index of {}", suite.name))?;
        let index: BTreeSet<&str> = index.lines().collect();
        ensure!(index.len() > 10_000, "the index has {} names", index.len());
        for (key, packages) in packages() {
            let names = packages.names(Names::Suite(&suite.name));
            let unknown = names.filter(|name| !index.contains(name.as_str()));
            missing.extend(unknown.map(|name| format!("{}: {name}, for {key}", suite.name)));
        }
    }
    ensure!(
        missing.is_empty(),
        "no such packages:\n{}",
        missing.join("\n")
    );
    Ok(())
}

/// All lists of packages in the catalog, each with the key that it belongs to.
fn packages() -> Vec<(&'static str, &'static Packages)> {
    let mut all: Vec<(&str, &Packages)> = Vec::new();
    for (key, rows) in &CATALOG.links {
        all.extend(
            rows.iter()
                .flat_map(|row| [(&**key, &row.build), (&**key, &row.run)]),
        );
    }
    for (key, program) in &CATALOG.programs {
        all.extend([(&**key, &program.build), (&**key, &program.run)]);
    }
    for (key, library) in &CATALOG.libraries {
        all.extend([(&**key, &library.build), (&**key, &library.run)]);
    }
    all
}
