//! What only an engine can tell: that the images build, run, and are as locked up as they should be.
//!
//! Without an engine these tests are ignored, unless `CARGO_DOCKERIZE_TEST_ENGINE` is `required`, or `all`, which
//! adds those that take long. To add a project, add a folder with an `expect.toml` to `examples`, or to
//! `tests/native` for what a crate links; for anything else, a function to [`SCENARIOS`].

#![expect(
    clippy::disallowed_methods,
    reason = "tests run programs, read and write files, and wait"
)]

mod bases;
mod cache;
mod docker;
mod native;
mod packages;
mod private;
mod proof;
mod repos;
mod verify;

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use snapbox::dir::Walk;

use crate::docker::Checked;
use crate::proof::Proof;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

type Scenario = fn() -> Result<()>;

/// What takes more than building an example and running it.
const SCENARIOS: &[(&str, Scenario)] = &[
    ("every_edit_ships", cache::every_edit_ships),
    (
        "every_kind_of_entry_ships",
        cache::every_kind_of_entry_ships,
    ),
    (
        "a_script_that_writes_among_the_sources_runs_again",
        cache::a_script_that_writes_among_the_sources_runs_again,
    ),
    ("embedded_files_ship", cache::embedded_files_ship),
    (
        "a_release_finds_the_dependencies_again",
        cache::a_release_finds_the_dependencies_again,
    ),
    ("two_builds_at_once", cache::two_builds_at_once),
    ("a_stub_does_not_ship", cache::a_stub_does_not_ship),
    (
        "verify::ctrl_c_leaves_nothing",
        verify::ctrl_c_leaves_nothing,
    ),
    (
        "verify::fix_writes_what_is_missing",
        verify::fix_writes_what_is_missing,
    ),
    (
        "verify::is_content_with_sound_images",
        verify::is_content_with_sound_images,
    ),
    (
        "verify::knows_whose_a_library_is",
        verify::knows_whose_a_library_is,
    ),
    ("verify::names_every_fault", verify::names_every_fault),
    (
        "verify::no_engine_is_no_answer",
        verify::no_engine_is_no_answer,
    ),
    ("verify::report_for_programs", verify::report_for_programs),
    (
        "private::a_registry_with_a_token",
        private::a_registry_with_a_token,
    ),
    (
        "private::a_repository_over_ssh",
        private::a_repository_over_ssh,
    ),
    (
        "private::a_repository_with_a_password",
        private::a_repository_with_a_password,
    ),
    (
        "repos::a_bake_file_builds_every_image",
        repos::a_bake_file_builds_every_image,
    ),
    (
        "repos::a_whole_repository_builds",
        repos::a_whole_repository_builds,
    ),
    ("repos::cases_build_and_run", repos::cases_build_and_run),
    (
        "repos::lock_files_of_all_ages_are_kept_to",
        repos::lock_files_of_all_ages_are_kept_to,
    ),
    ("packages_of_the_catalog_exist", packages::exist),
];

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let trials = trials().expect("the examples and cases can be read");
    libtest_mimic::run(&args, trials).exit_code()
}

fn trials() -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for manifest in files("examples", "expect.toml")? {
        let dir = manifest.parent().context("it is in a folder")?.to_owned();
        let example = dir.file_name().unwrap_or_default();
        for (bin, proofs) in proof::read(&manifest)? {
            let name = format!("image_is_sound::{example}::{bin}");
            let dir = dir.clone();
            let test = move || image_is_sound(&dir, &bin, &proofs).map(|()| Completion::Completed);
            trials.push(needs_engine(name, test));
        }
        let name = format!("files_are_current::{example}");
        let test = move || files_are_current(&dir).map_err(failed);
        trials.push(Trial::test(name, test));
    }
    let mut dockerfiles = files("examples", "Dockerfile")?;
    dockerfiles.extend(files("tests/cases", "Dockerfile")?);
    dockerfiles.retain(is_generated);
    for dockerfile in dockerfiles {
        let shown = dockerfile.strip_prefix(ROOT).unwrap_or(&dockerfile);
        let name = format!("dockerfile_draws_no_warning::{shown}");
        trials.push(needs_engine(name, move || {
            dockerfile_draws_no_warning(&dockerfile)
        }));
    }
    for (project, usual) in native::projects()? {
        let name = format!("native::{project}");
        let test = move || {
            if usual {
                native::builds_and_runs(&project).map(|()| Completion::Completed)
            } else {
                if_time_allows(|| native::builds_and_runs(&project))
            }
        };
        trials.push(needs_engine(name, test));
    }
    for base in bases::BASES {
        trials.push(needs_engine(
            format!("programs_run_on::{base}"),
            move || bases::programs_run_on(base).map(|()| Completion::Completed),
        ));
        trials.push(needs_engine(
            format!("vendored_openssl_runs_on::{base}"),
            move || if_time_allows(|| bases::vendored_openssl_runs_on(base)),
        ));
    }
    trials.push(needs_engine(
        "repos::front_ends_are_made".to_owned(),
        || if_time_allows(repos::front_ends_are_made),
    ));
    for &(name, scenario) in SCENARIOS {
        let test = move || scenario().map(|()| Completion::Completed);
        trials.push(needs_engine(name.to_owned(), test));
    }
    Ok(trials)
}

/// A test that is ignored where no engine answers, or fails there if one is required.
fn needs_engine(name: String, test: impl FnOnce() -> Result<Completion> + Send + 'static) -> Trial {
    Trial::ignorable_test(name, move || match docker::answers() {
        true => test().map_err(failed),
        false if asked() > Asked::IfItAnswers => Err("no Docker engine answers".into()),
        false => Ok(Completion::ignored_with("no Docker engine answers")),
    })
}

/// A test that is left out unless all of them are asked for.
fn if_time_allows(test: impl FnOnce() -> Result<()>) -> Result<Completion> {
    if asked() == Asked::All {
        test().map(|()| Completion::Completed)
    } else {
        Ok(Completion::ignored_with("it takes long"))
    }
}

/// What the environment asks for.
#[derive(PartialEq, PartialOrd)]
enum Asked {
    IfItAnswers,
    Required,
    All,
}

fn asked() -> Asked {
    match std::env::var("CARGO_DOCKERIZE_TEST_ENGINE").as_deref() {
        Ok("required") => Asked::Required,
        Ok("all") => Asked::All,
        _ => Asked::IfItAnswers,
    }
}

/// The error with its causes, which the harness would leave out.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn failed(error: anyhow::Error) -> Failed {
    format!("{error:#}").into()
}

/// The committed files are those that the tool writes today.
fn files_are_current(dir: &Utf8Path) -> Result<()> {
    for file in ["Dockerfile", ".dockerignore"] {
        ensure!(dir.join(file).is_file(), "`{dir}/{file}` is missing");
    }
    dockerize(dir, &["--check"])
}

/// Runs the tool on the project in a folder. An error holds what it prints and says.
fn dockerize(dir: &Utf8Path, options: &[&str]) -> Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-dockerize"))
        .args(["dockerize", "--manifest-path"])
        .arg(dir.join("Cargo.toml"))
        .args(options)
        .output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{}\n{printed}{said}",
        output.status
    );
    Ok(())
}

/// The image does what `expect.toml` says, as a user without rights, and holds nothing to break in with.
fn image_is_sound(dir: &Utf8Path, bin: &str, proofs: &[Proof]) -> Result<()> {
    let image = docker::build(dir, bin)?;
    let user = image.inspect("{{.Config.User}}")?;
    let is_nobody = |id: &str| id.parse::<u32>().is_ok_and(|id| id != 0);
    ensure!(user.split(':').all(is_nobody), "the user is `{user}`");
    let entrypoint = image.inspect("{{json .Config.Entrypoint}}")?;
    let words: Vec<String> = serde_json::from_str(&entrypoint)?;
    ensure!(
        words.len() == 1,
        "the entrypoint is {entrypoint}, not the program alone"
    );
    for proof in proofs {
        proof.holds(&image).with_context(|| format!("{proof:?}"))?;
    }
    if base(dir, bin)?.contains("distroless") {
        let shell = image.run(&["--entrypoint=/bin/sh"], &["-c", "true"], "");
        ensure!(shell.is_err(), "there is a shell");
    }
    Ok(())
}

/// What a stage starts from.
fn base(dir: &Utf8Path, stage: &str) -> Result<String> {
    let dockerfile = fs_err::read_to_string(dir.join("Dockerfile"))?;
    dockerfile
        .lines()
        .find_map(|line| {
            line.strip_prefix("FROM ")?
                .strip_suffix(&format!(" AS {stage}"))
        })
        .map(str::to_owned)
        .with_context(|| format!("`{dir}/Dockerfile` has no stage `{stage}`"))
}

/// The engine's own linter looks at the base images too. Where one cannot be had, it has no answer.
fn dockerfile_draws_no_warning(dockerfile: &Utf8Path) -> Result<Completion> {
    match docker::check(dockerfile)? {
        Checked::Clean => Ok(Completion::Completed),
        Checked::Warned(warnings) => Err(anyhow::Error::msg(warnings)),
        Checked::NoImage(image) => Ok(Completion::ignored_with(format!(
            "there is no {image} here"
        ))),
    }
}

/// Whether the tool wrote it. Some cases start from somebody else's.
fn is_generated(file: &Utf8PathBuf) -> bool {
    fs_err::read_to_string(file)
        .is_ok_and(|text| text.starts_with("# Generated by cargo-dockerize"))
}

/// The files of that name anywhere in a folder of the repository.
fn files(folder: &str, name: &str) -> Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    for path in Walk::new(&Path::new(ROOT).join(folder)) {
        let path = Utf8PathBuf::try_from(path?)?;
        if path.file_name() == Some(name) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
