//! One run of the command: the stages in a row.

mod prove;
mod report;
mod save;

use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::catalog::CATALOG;
use crate::cli::{self, Args, Color, Format};
use crate::config::Invalid;
use crate::explain::Explanation;
use crate::facts::{CargoFailed, Features, Where, clean};
use crate::files::mark::Owner;
use crate::files::{Mode, Occupied, manifest};
use crate::plan::{Refusal, Request};
use crate::shell::{Shell, Verbosity};
use crate::verify::{Stopped, Trouble};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was asked for.
    Done,
    /// `--check` found a file that is out of date.
    Stale,
    /// `--verify` found an image that is not sound.
    Unsound,
    /// The user ended it.
    Interrupted,
    /// It gave no answer, and said why.
    Failed,
}

impl Outcome {
    /// 0 done, 1 out of date or not sound, 101 (cargo's own code of failure) no answer, 130 (the shells' code of
    /// Ctrl-C) interrupted. Clap exits with 2 by itself.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Stale | Self::Unsound => ExitCode::from(1),
            Self::Interrupted => ExitCode::from(130),
            Self::Failed => ExitCode::from(101),
        }
    }
}

/// Runs the command. Errors are printed here, once.
pub fn run(args: &Args) -> Outcome {
    Shell::set_color(match args.color {
        Color::Auto => None,
        Color::Always => Some(true),
        Color::Never => Some(false),
    });
    dockerize(args).unwrap_or_else(|error| {
        if let Some(occupied) = error.downcast_ref::<Occupied>() {
            // The error below says what matters.
            let _ = Shell::out(&occupied.diff);
        }
        Shell::error(format_args!("{error:#}"), hint(&error).as_deref());
        match error.downcast_ref::<Stopped>() {
            Some(Stopped::Interrupted) => Outcome::Interrupted,
            _ => Outcome::Failed,
        }
    })
}

/// What to do about an error.
fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        refusal.hint()
    } else if let Some(occupied) = error.downcast_ref::<Occupied>() {
        let owner = if occupied.edited {
            Owner::Edited
        } else {
            Owner::User
        };
        Some(report::way_out(owner, &occupied.found, &occupied.wanted))
    } else if let Some(trouble) = error.downcast_ref::<Trouble>() {
        Some(trouble.hint.clone())
    } else if let Some(failed) = error.downcast_ref::<CargoFailed>() {
        failed.hint()
    } else {
        error.downcast_ref::<Invalid>()?.hint.clone()
    }
}

fn dockerize(args: &Args) -> Result<Outcome> {
    if let Some(shell) = args.manual.completions {
        Shell::out(cli::completions(shell))?;
        return Ok(Outcome::Done);
    }
    if args.manual.man {
        Shell::out(cli::man())?;
        return Ok(Outcome::Done);
    }
    let shell = Shell::new(match args {
        Args { quiet: true, .. } => Verbosity::Quiet,
        Args { verbose: 1.., .. } => Verbosity::Verbose,
        _ => Verbosity::Normal,
    });
    let current = Shell::current_dir().unwrap_or_default();
    let output = args.output.as_ref().map(|file| clean(&current.join(file)));
    let place = Where {
        manifest: args.cargo.manifest_path.clone(),
        cargo: args.cargo.flags(),
        dockerfile: output.clone(),
    };
    // Cargo takes its time; the catalog is read meanwhile.
    std::thread::spawn(|| LazyLock::force(&CATALOG));
    let mut facts = crate::facts::gather(&place)?;
    let asked = request(args, output.clone());
    let mut plan = crate::plan::decide(&facts, &asked, &CATALOG)?;
    let saved = if args.save {
        // What is written is what the next run would write, without these options.
        let (settings, rest) = save::settings(&asked, &facts, &plan)?;
        let saved = manifest::edit(&facts.workspace().join("Cargo.toml"), &settings)?;
        facts.config = saved.config()?;
        plan = crate::plan::decide(&facts, &rest, &CATALOG)?;
        Some(saved)
    } else {
        None
    };
    let dockerfile = output.unwrap_or_else(|| facts.workspace().join("Dockerfile"));
    let files = crate::render::render(&plan, &dockerfile)?;

    if args.mode.stdout {
        Shell::out(&files[0].text)?;
        return Ok(Outcome::Done);
    }
    let explanation = Explanation::new(&plan, &dockerfile);
    if args.mode.explain {
        match args.format {
            Format::Text => Shell::out(explanation.text())?,
            Format::Json => Shell::out(explanation.json())?,
        }
        return Ok(Outcome::Done);
    }
    let mode = match args {
        Args { force: true, .. } => Mode::Force,
        _ if args.mode.check => Mode::Check,
        _ => Mode::Write,
    };
    let changes = crate::files::apply(&files, &plan.context.dir.value, mode)?;
    if let Some(saved) = saved
        && saved.write()?
    {
        shell.status("Saved", "the options in Cargo.toml");
    }
    report::analyzed(shell, &facts, &plan);
    if shell.is_verbose() {
        for decision in &explanation.decisions {
            shell.note(
                &decision.what,
                format_args!("{}: {}", decision.value, decision.why),
            );
        }
    }
    let outcome = report::changes(shell, &plan, &files, &changes, &current, mode);
    match outcome {
        Outcome::Done if args.verify.verify => prove::prove(args, shell, &facts, &plan, &files),
        outcome => Ok(outcome),
    }
}

fn request(args: &Args, output: Option<Utf8PathBuf>) -> Request {
    let selection = &args.selection;
    Request {
        packages: selection.package.clone(),
        bins: selection.bin.clone(),
        features: Features {
            all: selection.features.all_features,
            no_default: selection.features.no_default_features,
            named: selection
                .features
                .features
                .iter()
                .flat_map(|list| words(list))
                .collect(),
        },
        profile: selection.profile.clone(),
        cache: args.dockerfile.cache,
        base: args.dockerfile.base.clone(),
        builder: args.dockerfile.builder.clone(),
        bake: args.dockerfile.bake,
        platforms: args.dockerfile.platform.clone(),
        output,
        alternatives: args.mode.explain,
    }
}

/// Cargo takes blanks and commas alike between features.
fn words(list: &str) -> impl Iterator<Item = String> {
    list.split([' ', ','])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
}
