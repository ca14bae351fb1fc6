//! One run of the command: the stages in a row, and what is said of them.

use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::catalog::CATALOG;
use crate::cli::{Args, Color, Format};
use crate::explain::Explanation;
use crate::facts::{Facts, Features, Where};
use crate::files::mark::Owner;
use crate::files::{Change, File, Mode, Occupied};
use crate::plan::{Plan, Refusal, Request};
use crate::shell::{Shell, Verbosity};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was asked for.
    Done,
    /// `--check` found a file that is out of date.
    Stale,
    /// It gave no answer, and said why.
    Failed,
}

impl Outcome {
    /// 0 done, 1 out of date, 101 (cargo's own code of failure) no answer. Clap exits with 2 by itself.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Stale => ExitCode::from(1),
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
        let hint = error
            .downcast_ref::<Refusal>()
            .and_then(Refusal::hint)
            .or_else(|| {
                error
                    .downcast_ref::<Occupied>()
                    .map(|occupied| occupied.hint().to_owned())
            });
        if let Some(occupied) = error.downcast_ref::<Occupied>() {
            Shell::out(&occupied.diff);
        }
        Shell::error(format_args!("{error:#}"), hint.as_deref());
        Outcome::Failed
    })
}

fn dockerize(args: &Args) -> Result<Outcome> {
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
        keep_lock: args.mode.check || args.mode.stdout || args.mode.explain,
        dockerfile: output.clone(),
    };
    // Cargo takes its time; the catalog is read meanwhile.
    std::thread::spawn(|| LazyLock::force(&CATALOG));
    let facts = crate::facts::gather(&place)?;
    let plan = crate::plan::decide(&facts, &request(args), &CATALOG)?;
    let dockerfile = output.unwrap_or_else(|| facts.workspace().join("Dockerfile"));
    let files = crate::render::render(&plan, &dockerfile);

    if args.mode.stdout {
        Shell::out(&files[0].text);
        return Ok(Outcome::Done);
    }
    let explanation = Explanation::new(&plan, &dockerfile);
    if args.mode.explain {
        match args.format {
            Format::Text => Shell::out(explanation.text()),
            Format::Json => Shell::out(explanation.json()),
        }
        return Ok(Outcome::Done);
    }
    let mode = match args {
        Args { force: true, .. } => Mode::Force,
        _ if args.mode.check => Mode::Check,
        _ => Mode::Write,
    };
    let changes = crate::files::apply(&files, mode)?;
    analyzed(shell, &facts, &plan);
    if shell.is_verbose() {
        for decision in &explanation.decisions {
            shell.note(
                &decision.what,
                format_args!("{}: {}", decision.value, decision.why),
            );
        }
    }
    Ok(report(shell, &plan, &files, &changes, &current, mode))
}

fn request(args: &Args) -> Request {
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
    }
}

/// Cargo takes blanks and commas alike between features.
fn words(list: &str) -> impl Iterator<Item = String> {
    list.split([' ', ','])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
}

/// The path without `.` and `..`, so that it can be compared with others.
fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let mut clean = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            camino::Utf8Component::CurDir => {}
            camino::Utf8Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

fn analyzed(shell: Shell, facts: &Facts, plan: &Plan) {
    let bins: Vec<&str> = plan
        .images
        .iter()
        .rev()
        .map(|image| image.bin.value.as_str())
        .collect();
    let left_out = match plan.left_out.len() {
        0 => String::new(),
        n => format!(", {n} left out"),
    };
    let members = match facts.members().count() {
        1 => String::new(),
        n => format!(" of {n} members"),
    };
    let noun = if bins.len() == 1 {
        "binary"
    } else {
        "binaries"
    };
    shell.status(
        "Analyzed",
        format_args!("workspace{members}: {noun} {}{left_out}", bins.join(", ")),
    );
}

/// Says in a few lines what was chosen and what comes next.
fn report(
    shell: Shell,
    plan: &Plan,
    files: &[File],
    changes: &[Change],
    current: &Utf8Path,
    mode: Mode,
) -> Outcome {
    let mut outcome = Outcome::Done;
    let mut written = Vec::new();
    let mut unchanged = Vec::new();
    for (file, change) in files.iter().zip(changes) {
        let name = file.path.file_name().unwrap_or_default();
        match change {
            Change::Written { backup: None } => written.push(name.to_owned()),
            Change::Written {
                backup: Some(backup),
            } => {
                written.push(format!(
                    "{name} (the old one is {})",
                    backup.file_name().unwrap_or_default()
                ));
            }
            Change::Unchanged => unchanged.push(name),
            Change::LeftAlone => {
                shell.note("Left alone", format_args!("{name}, which is your own"));
            }
            Change::Stale { diff, owner } => {
                Shell::out(diff);
                shell.note("Outdated", format_args!("{name}: {}", way_out(*owner)));
                outcome = Outcome::Stale;
            }
        }
    }
    if outcome == Outcome::Stale {
        return outcome;
    }
    if !written.is_empty() {
        let base = plan.images.last().map_or("", |image| &image.base.value);
        let from = format_args!(
            "{}: built on {}, runs on {base}",
            written.join(", "),
            plan.toolchain.builder
        )
        .to_string();
        shell.status("Wrote", from);
    }
    if !unchanged.is_empty() {
        shell.status("Unchanged", unchanged.join(", "));
    }
    if !plan.notes.is_empty() {
        let noun = if plan.notes.len() == 1 {
            "note"
        } else {
            "notes"
        };
        shell.note(
            "Note",
            format_args!(
                "{} {noun}: see `cargo dockerize --explain`",
                plan.notes.len()
            ),
        );
    }
    if let (Some(image), Mode::Write | Mode::Force) = (plan.images.last(), mode) {
        let dockerfile = &files[0].path;
        shell.note("Next", build_line(plan, &image.stage, dockerfile, current));
    }
    outcome
}

/// What to do about a file that is out of date.
fn way_out(owner: Owner) -> &'static str {
    match owner {
        Owner::Tool => "run `cargo dockerize` and commit it",
        Owner::Edited => Occupied::EDITED,
        Owner::User => Occupied::FOREIGN,
    }
}

/// The command that builds the default image, from the current folder.
fn build_line(plan: &Plan, tag: &str, dockerfile: &Utf8Path, current: &Utf8Path) -> String {
    let context = &plan.context.dir.value;
    let from_here = |path: &Utf8Path| {
        let Some(common) = current.ancestors().find(|folder| path.starts_with(folder)) else {
            return path.to_string();
        };
        let up = current.components().count() - common.components().count();
        let below = path.strip_prefix(common).unwrap_or(path);
        let way = std::iter::repeat_n("..", up)
            .chain(below.iter())
            .collect::<Utf8PathBuf>();
        // A way over the root of the disk reads worse than the path itself.
        match way.as_str() {
            "" => ".".to_owned(),
            _ if common.parent().is_none() => path.to_string(),
            way => way.to_owned(),
        }
    };
    let file = (*dockerfile != context.join("Dockerfile")).then(|| from_here(dockerfile));
    let mut words = vec![
        "docker".to_owned(),
        "build".to_owned(),
        "-t".to_owned(),
        tag.to_owned(),
    ];
    words.extend(file.into_iter().flat_map(|file| ["-f".to_owned(), file]));
    words.push(from_here(context));
    shlex::try_join(words.iter().map(String::as_str)).expect("paths hold no NUL")
}
