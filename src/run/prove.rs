//! `--verify`: the proof, from the plan and the files that were written, and what follows from it.

use anyhow::Result;

use super::{Outcome, dockerize};
use crate::catalog::CATALOG;
use crate::cli::{Args, Format};
use crate::facts::{self, Facts};
use crate::files::File;
use crate::files::manifest::{self, Setting};
use crate::plan::{Access, Homes, Plan, Toolchain};
use crate::shell::Shell;
use crate::verify::{Causes, Engine, Patience, Source, Subject, Verification};

/// Verifies the images and prints the report; with `--fix`, writes what they lack and runs once more.
pub(super) fn prove(
    args: &Args,
    shell: Shell,
    facts: &Facts,
    plan: &Plan,
    files: &[File],
) -> Result<Outcome> {
    let causes = Causes::new(&CATALOG, plan.toolchain.names());
    let patience = Patience::new(args.verify.timeout)?;
    let engine = Engine::find(args.verify.engine, &patience, &causes)?;
    let [dockerfile, ignore, ..] = files else {
        unreachable!("there is a Dockerfile, and an ignore file");
    };
    let of_context = plan.context.dir.value.join(".dockerignore");
    let source = Source {
        context: plan.context.dir.value.clone(),
        dockerfile: dockerfile.path.clone(),
        ignore: (ignore.path != of_context).then(|| ignore.path.clone()),
        options: access(plan),
    };
    let verification = Verification {
        engine: &engine,
        source: &source,
        dockerfile: &dockerfile.text,
        builder: Toolchain::STAGE,
        causes: &causes,
        catalog: &CATALOG,
        shell,
    };
    let report = verification.report(&Subject::of(plan))?;
    let changes = report.changes();
    if report.sound || !args.verify.fix || changes.is_empty() {
        match args.format {
            Format::Text => Shell::out(report.text())?,
            Format::Json => Shell::out(report.json())?,
        }
        return Ok(if report.sound {
            Outcome::Done
        } else {
            Outcome::Unsound
        });
    }
    let additions = changes.iter().map(|change| {
        let key: Vec<&str> = change.key.split('.').collect();
        Setting::add(&key, change.values.iter().cloned())
    });
    let root = facts.workspace().join("Cargo.toml");
    manifest::edit(&root, &additions.collect::<Vec<_>>())?.write()?;
    for change in &changes {
        shell.status("Fixed", format_args!("{change}, in Cargo.toml"));
    }
    let mut again = args.clone();
    again.verify.fix = false;
    dockerize(&again)
}

/// What the engine is told to hand to the steps that call cargo, as far as this machine has it.
fn access(plan: &Plan) -> Vec<String> {
    let access = plan.build.access.iter().map(|access| &access.value);
    let options = access.filter_map(|access| {
        let home = match access.file_of_home() {
            Some(file) => facts::user_home(file)?,
            None => String::new(),
        };
        let cargo = match access {
            Access::Credentials => facts::home_with_tokens()?,
            _ => String::new(),
        };
        let (user, cargo) = (home.as_str(), cargo.as_str());
        Some(access.option(Homes { user, cargo }))
    });
    options.flatten().collect()
}
