//! What is said of a run, in a few lines.

use camino::{Utf8Path, Utf8PathBuf};

use super::Outcome;
use crate::facts::Facts;
use crate::files::mark::Owner;
use crate::files::{Change, File, Mode};
use crate::plan::{Homes, Plan};
use crate::shell::Shell;
use crate::{dockerfile, drift};

/// What was found in the project.
pub(super) fn analyzed(shell: Shell, facts: &Facts, plan: &Plan) {
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

/// What became of the files, and what comes next.
pub(super) fn changes(
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
    let mut remedies: Vec<String> = Vec::new();
    for (file, change) in files.iter().zip(changes) {
        let name = file.path.file_name().unwrap_or_default();
        match change {
            Change::Written {
                backup: None,
                replaced,
            } => {
                if let Some(old) = replaced {
                    shell.note(
                        "Changed",
                        format_args!("{name}: {}", summary(file, old, plan)),
                    );
                }
                written.push(name.to_owned());
            }
            Change::Written {
                backup: Some(backup),
                ..
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
            Change::Stale { diff, owner, found } => {
                // The line below says what matters.
                let _ = Shell::out(diff);
                let what = match (owner, found) {
                    (_, None) => "is not there".to_owned(),
                    (Owner::User, _) => "was not written by cargo-dockerize".to_owned(),
                    (Owner::Edited, _) => "was edited by hand".to_owned(),
                    (Owner::Tool, Some(found)) => summary(file, found, plan),
                };
                shell.note("Outdated", format_args!("{name}: {what}"));
                let remedy = match found {
                    Some(found) => way_out(*owner, found, &file.text),
                    None => COMMIT.to_owned(),
                };
                if !remedies.contains(&remedy) {
                    remedies.push(remedy);
                }
                outcome = Outcome::Stale;
            }
        }
    }
    if outcome == Outcome::Stale {
        for remedy in remedies {
            shell.note("Next", remedy);
        }
        return outcome;
    }
    if !written.is_empty() {
        let base = plan.images.last().map_or("", |image| &image.base.value);
        let from = format_args!(
            "{}: built on {}, runs on {base}",
            written.join(", "),
            plan.toolchain.builder.value
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
        // The file is read in its own folder.
        if files.len() > 2 && dockerfile.parent() == Some(current) {
            shell.note("Next", "docker buildx bake");
        } else {
            shell.note("Next", build_line(plan, &image.stage, dockerfile, current));
        }
    }
    outcome
}

/// What changed in a file that is ours, in one line.
fn summary(file: &File, old: &str, plan: &Plan) -> String {
    if file.optional {
        return drift::summary_of_ignore(old, &file.text);
    }
    match (dockerfile::read(old), dockerfile::read(&file.text)) {
        (Ok(old), Ok(new)) => drift::summary(&drift::differences(&old, &new), plan),
        (Err(malformed), _) | (_, Err(malformed)) => malformed.to_string(),
    }
}

const COMMIT: &str = "run `cargo dockerize` and commit it";

/// What to do about a file that differs from ours.
pub(super) fn way_out(owner: Owner, found: &str, wanted: &str) -> String {
    match owner {
        Owner::Tool => COMMIT.to_owned(),
        Owner::User => "write another file with `--output FILE`, or over this one with `--force`, which keeps it \
                        as a backup"
            .to_owned(),
        Owner::Edited => {
            let force = "write over it with `--force`, which keeps the old file as a backup";
            let Ok(ours) = dockerfile::read(wanted) else {
                // The ignore file may be anybody's.
                return format!("make it your own by removing its first line, or {force}");
            };
            let edited = dockerfile::read(found).unwrap_or_default();
            let place = "say it in `[workspace.metadata.dockerize]` of Cargo.toml instead";
            match drift::settings(&ours, &edited) {
                lines if lines.is_empty() => format!("{place}, or {force}"),
                lines => format!("{place}:\n\n    {}\n\nor {force}", lines.join("\n    ")),
            }
        }
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
    if let Some(platforms) = &plan.platforms {
        words.extend(["--platform".to_owned(), platforms.value.join(",")]);
    }
    words.extend(file.into_iter().flat_map(|file| ["-f".to_owned(), file]));
    words.push(from_here(context));
    let line = shlex::try_join(words.iter().map(String::as_str)).expect("paths hold no NUL");
    // Not quoted: the shell is to find the home.
    let access = plan
        .build
        .access
        .iter()
        .map(|access| access.value.option(Homes::SHELL).join(" "));
    match access.collect::<Vec<_>>().join(" ") {
        access if access.is_empty() => line,
        access => line.replacen("docker build", &format!("docker build {access}"), 1),
    }
}
