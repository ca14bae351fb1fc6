//! The cases: the binary on tiny projects. A case is a folder in `tests/cases`:
//!
//! * `case.md` opens with a sentence that says what is shown, and lists commands with what they print,
//! * `in` is the project before,
//! * `out` holds every file that the commands created or changed, and nothing else.
//!
//! `SNAPSHOTS=overwrite cargo test --test golden` rewrites what the commands print and `out`. Whatever a case
//! is about, the files that it wrote must also be up to date for a second run, on other machines, and after bots.
//!
//! The crates that the projects depend on are stubs in `tests/registry`, so that nothing is downloaded, and
//! cargo is `tests/bin/cargo`, which has the same version everywhere. To lock the dependencies of a case:
//! `CARGO_HOME=tests/cargo-home cargo generate-lockfile --manifest-path tests/cases/NAME/in/Cargo.toml`.
//!
//! This is trycmd's idea on snapbox alone: trycmd compares the files that it expects, so that a lock file left
//! behind would go unseen, has no `cd`, and is one test for all cases. The commands run in `sh`.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run the program and read what it wrote"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use cargo_dockerize::files::mark::{self, Owner};
use libtest_mimic::{Arguments, Trial};
use snapbox::dir::{DirRoot, Walk};
use snapbox::{Assert, Data, IntoData, Redactions};

/// The folder of the tests.
const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let cases =
        fs_err::read_dir(Path::new(TESTS).join("cases")).expect("the folder is in the repository");
    let mut trials: Vec<Trial> = cases
        .map(|case| {
            let case = case.expect("the folder can be read");
            let name = case
                .file_name()
                .into_string()
                .expect("cases have plain names");
            Trial::test(name, move || {
                Ok(run(&case.path()).map_err(|error| format!("{error:#}"))?)
            })
        })
        .collect();
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    libtest_mimic::run(&args, trials).exit_code()
}

/// Runs the commands of a case in a copy of its project, and compares what they print and write.
fn run(case: &Path) -> Result<()> {
    let before = files(&case.join("in"))?;
    let machine = Machine::new("project", &before, "1.95.0")?;
    let path = case.join("case.md");
    let mut writes = None;
    let transcript = replay(&fs_err::read_to_string(&path)?, |line| {
        let output = machine.shell(line)?;
        if output.status.success() && is_write(line) {
            writes = Some(if line.contains("--save") {
                // The options are in the manifest now.
                "cargo dockerize".to_owned()
            } else {
                line.replace(" --force", "")
            });
        }
        Ok(output)
    })?;
    let after = files(&machine.project())?;

    let assert = Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .normalize_paths(false);
    let mut redactions = Redactions::new();
    redactions.insert("[ROOT]", machine.project())?;
    assert.clone().redact_with(redactions).try_eq(
        Some(&"printed"),
        transcript.into_data(),
        Data::read_from(&path, Some(snapbox::data::DataFormat::Text)),
    )?;
    compare(&assert, &case.join("out"), &before, &after)?;
    writes.map_or(Ok(()), |line| is_current(&line, &machine, &after))
}

/// Whether the command line brings the files up to date.
fn is_write(line: &str) -> bool {
    let other = ["--check", "--stdout", "--explain", "--help", "--version"];
    line.contains("cargo dockerize") && !other.iter().any(|flag| line.contains(flag))
}

/// What holds of every project whose files `line` has just written: a second run changes nothing, other machines
/// agree, and what bots bump stays.
fn is_current(line: &str, machine: &Machine, written: &Files) -> Result<()> {
    changes_nothing(line, machine, written)?;
    let of_windows = as_on_windows(written);
    let windows = Machine::new("Windows", &of_windows, "1.94.1")?;
    changes_nothing(line, &windows, &of_windows)?;

    let other = Machine::new("another folder, ö", written, "1.96.0-nightly")?;
    let digest = format!("@sha256:{}", "0123456789abcdef".repeat(4));
    for digest in ["", &digest] {
        let bumped = with_dockerfiles(written, |text| bumped(text, digest));
        // As if another version of the tool had written it: then all but the images is written anew.
        other.write(&with_dockerfiles(&bumped, outdated))?;
        other.succeeds(line)?;
        ensure!(
            files(&other.project())? == bumped,
            "`{line}` does not keep what a bot has bumped"
        );
    }
    changes_nothing(
        &format!("{line} --check"),
        &other,
        &files(&other.project())?,
    )
}

fn changes_nothing(line: &str, machine: &Machine, files_before: &Files) -> Result<()> {
    let output = machine.succeeds(line)?;
    ensure!(
        files(&machine.project())? == *files_before,
        "`{line}` writes something on the machine `{}`: {}",
        machine.name,
        text(&output)
    );
    Ok(())
}

/// The files as git checks them out on Windows: texts with its line ends.
fn as_on_windows(files: &Files) -> Files {
    let with_its_ends = |content: &Vec<u8>| match std::str::from_utf8(content) {
        Ok(text) => text.replace("\r\n", "\n").replace('\n', "\r\n").into(),
        Err(_) => content.clone(),
    };
    let files = files.iter();
    files
        .map(|(path, content)| (path.clone(), with_its_ends(content)))
        .collect()
}

/// The files with another text of each Dockerfile that is the tool's own.
fn with_dockerfiles(files: &Files, text: impl Fn(&str) -> String) -> Files {
    let mut files = files.clone();
    for (path, content) in &mut files {
        let old = String::from_utf8_lossy(content);
        if path.to_string_lossy().ends_with("Dockerfile") && mark::owner(&old) == Owner::Tool {
            *content = text(&old).into();
        }
    }
    files
}

/// The Dockerfile as Dependabot and Renovate leave it: with newer tags of Rust and Alpine where the project does not
/// name a version, and with digests.
fn bumped(dockerfile: &str, digest: &str) -> String {
    let mut bumped = String::new();
    let mut comment = "";
    for line in dockerfile.lines() {
        let from = line
            .strip_prefix("FROM ")
            .and_then(|rest| rest.split_once(' '));
        match from.filter(|(image, _)| image.contains(':') && !image.contains('@')) {
            Some((image, stage)) => {
                // The comment gives the reason for a version that stays.
                let image = match image.strip_prefix("rust:1.95") {
                    Some(rest) if !comment.contains("; ") => format!("rust:1.98{rest}"),
                    Some(rest) if rest.starts_with('-') => format!("rust:1.95.7{rest}"),
                    _ => image.replace("alpine:3.22", "alpine:3.23"),
                };
                writeln!(bumped, "FROM {image}{digest} {stage}").expect("a string takes it");
            }
            None => writeln!(bumped, "{line}").expect("a string takes it"),
        }
        comment = line;
    }
    bumped
}

/// The Dockerfile with something that the tool does not write, and a mark that fits.
fn outdated(dockerfile: &str) -> String {
    let (_, body) = dockerfile.split_once('\n').expect("it has a mark");
    mark::sealed(&format!("{body}# outdated\n"))
}

/// A home, a toolchain, and a copy of a project.
struct Machine {
    root: DirRoot,
    /// The name of the project's folder.
    name: &'static str,
    /// What cargo calls itself.
    cargo: &'static str,
}

impl Machine {
    fn new(name: &'static str, project: &Files, cargo: &'static str) -> Result<Self> {
        let machine = Self {
            root: DirRoot::mutable_temp()?,
            name,
            cargo,
        };
        machine.write(project)?;
        let home = machine.root().join("cargo-home");
        fs_err::create_dir_all(&home)?;
        let config = fs_err::read_to_string(Path::new(TESTS).join("cargo-home/config.toml"))?;
        let registry = format!("'{TESTS}/registry'");
        let config = config.replace("\"registry\"", &registry);
        fs_err::write(home.join("config.toml"), config)?;
        Ok(machine)
    }

    fn write(&self, files: &Files) -> Result<()> {
        for (path, content) in files {
            let path = self.project().join(path);
            fs_err::create_dir_all(path.parent().expect("it is below the root"))?;
            fs_err::write(path, content)?;
        }
        Ok(())
    }

    fn succeeds(&self, line: &str) -> Result<Output> {
        let output = self.shell(line)?;
        ensure!(
            output.status.success(),
            "`{line}` fails on the machine `{}`: {}",
            self.name,
            text(&output)
        );
        Ok(output)
    }

    fn root(&self) -> &Path {
        self.root.path().expect("it is a temporary folder")
    }

    fn umask(&self) -> &'static str {
        if self.name == "project" { "022" } else { "077" }
    }

    fn project(&self) -> PathBuf {
        self.root().join(self.name)
    }

    /// Runs a command line at the root of the project. Its output is what a terminal would show.
    fn shell(&self, line: &str) -> Result<Output> {
        let cargo = Path::new(env!("CARGO"));
        let program = Path::new(env!("CARGO_BIN_EXE_cargo-dockerize"));
        let bin = Path::new(TESTS).join("bin");
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let path = [&bin, program.parent().expect("it lies in a folder")].map(Path::to_owned);
        let path = std::env::join_paths(path.into_iter().chain(std::env::split_paths(&inherited)))?;

        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec 2>&1\numask {}\n{line}", self.umask())])
            .current_dir(self.project())
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.root())
            .env("CARGO_HOME", self.root().join("cargo-home"))
            .env("CARGO", bin.join("cargo"))
            .env("CARGO_VERSION", self.cargo)
            .env("REAL_CARGO", cargo)
            // Not rustup's, which would look for the toolchain that the project names.
            .env("RUSTC", cargo.with_file_name("rustc"));
        if self.name != "project" {
            command
                .env("LC_ALL", "tr_TR.UTF-8")
                .env("TERM", "dumb")
                .env("TZ", "Asia/Kathmandu")
                .env("NO_COLOR", "1")
                .env("CARGO_BUILD_TARGET", "aarch64-apple-darwin")
                .env("RUSTFLAGS", "-Ctarget-cpu=native")
                .env("CARGO_TARGET_DIR", self.root().join("elsewhere"));
        }
        command.output().context("failed to run a shell")
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs every `$ ` line in the console blocks, and returns the text with what they print now. A code other
/// than 0 stands in a line of its own, `? 101`, as in trycmd.
fn replay(case: &str, mut run: impl FnMut(&str) -> Result<Output>) -> Result<String> {
    let mut now = String::new();
    let mut in_block = false;
    for line in case.lines() {
        if line.starts_with("```") {
            in_block = line == "```console";
            writeln!(now, "{line}")?;
        } else if !in_block {
            writeln!(now, "{line}")?;
        } else if let Some(command) = line.strip_prefix("$ ") {
            if !now.ends_with("```console\n") {
                now.push('\n');
            }
            let output = run(command)?;
            writeln!(now, "{line}")?;
            match output.status.code() {
                Some(0) => {}
                Some(code) => writeln!(now, "? {code}")?,
                None => bail!("`{command}` was killed"),
            }
            now.push_str(&text(&output));
            if !now.ends_with('\n') {
                now.push('\n');
            }
        }
    }
    Ok(now)
}

/// Contents by relative path.
type Files = BTreeMap<PathBuf, Vec<u8>>;

fn files(root: &Path) -> Result<Files> {
    let mut files = Files::new();
    if root.exists() {
        for path in Walk::new(root) {
            let path = path?;
            if path.is_file() {
                files.insert(path.strip_prefix(root)?.to_owned(), fs_err::read(&path)?);
            }
        }
    }
    Ok(files)
}

/// Compares the files that were created or changed with those in `out`, to the byte.
fn compare(assert: &Assert, out: &Path, before: &Files, after: &Files) -> Result<()> {
    let removed: Vec<_> = before
        .keys()
        .filter(|path| !after.contains_key(*path))
        .collect();
    ensure!(removed.is_empty(), "files are gone: {removed:?}");
    let changed = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let names: BTreeSet<PathBuf> = after.keys().filter(changed).cloned().collect();
    for stray in files(out)?.keys().filter(|path| !names.contains(*path)) {
        let path = out.join(stray);
        let overwrite = matches!(assert.selected_action(), snapbox::assert::Action::Overwrite);
        ensure!(
            overwrite,
            "`{}` is expected, and was not written",
            path.display()
        );
        fs_err::remove_file(path)?;
    }
    for name in names {
        let expected =
            Data::read_from(&out.join(&name), Some(snapbox::data::DataFormat::Text)).raw();
        let actual = String::from_utf8(after[&name].clone())?;
        assert.try_eq(Some(&name.display()), actual.into_data().raw(), expected)?;
    }
    Ok(())
}
