//! `--verify`: that it names every fault there is in an image, is content where there is none, and leaves nothing
//! behind. The images of `faults` are built from its one Dockerfile, whose stages are named after their faults.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;
use cargo_dockerize::catalog::{CATALOG, Names};
use cargo_dockerize::config::Proof;
use cargo_dockerize::shell::{Shell, Verbosity};
use cargo_dockerize::verify::{
    Causes, Engine, ImageReport, Patience, Source, Subject, Verdict, Verification, What,
};
use snapbox::dir::DirRoot;

use crate::docker;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine");

/// A stage of `faults`, and what the report has to say of it.
struct Fault {
    stage: &'static str,
    subject: fn(&mut Subject),
    what: What,
    says: &'static str,
}

const fn fault(stage: &'static str, what: What, says: &'static str) -> Fault {
    Fault {
        stage,
        subject: |_| {},
        what,
        says,
    }
}

const FAULTS: &[Fault] = &[
    fault(
        "missing-library",
        What::Libraries,
        "libpcre2-8.so.0 is nowhere in the image",
    ),
    fault(
        "new-libc",
        What::Libraries,
        "needs GLIBC_2.38 of libc.so.6, which has up to GLIBC_2.36",
    ),
    fault("dynamic-on-scratch", What::Libraries, "is not in the image"),
    Fault {
        subject: |subject| subject.is_static = true,
        ..fault("dynamic-where-static", What::Libraries, "should be static")
    },
    fault("stub", What::Program, "is a stub"),
    fault("stub-stripped", What::Run, "it is a stub"),
    fault(
        "wrong-entry-point",
        What::Program,
        "/usr/local/bin/app is not in the image",
    ),
    fault("not-executable", What::Program, "may not execute it"),
    fault("root", What::User, "root"),
    fault("named-user", What::User, "nonroot"),
    Fault {
        subject: |subject| subject.packages = vec!["ca-certificates".into()],
        ..fault(
            "no-certificates",
            What::Files,
            "there are no CA certificates",
        )
    },
    fault(
        "source",
        What::Contents,
        "source code is in the image: /home/nonroot/src/main.rs",
    ),
    fault(
        "secret",
        What::Contents,
        "a secret is in the image: /home/nonroot/.env",
    ),
    fault(
        "wrong-architecture",
        What::Program,
        "is a program for arm64, in an image for linux/amd64",
    ),
    fault("crash", What::Run, "is killed by signal 11"),
    Fault {
        subject: |subject| {
            subject.proof = Proof {
                port: Some(8080),
                timeout: Some(3),
                ..Proof::default()
            };
        },
        ..fault(
            "deaf-server",
            What::Run,
            "it listens at 127.0.0.1:8080 alone",
        )
    },
    fault("no-build", What::Build, "pq-sys links the system's libpq"),
];

/// Every fault is named, and the image with it is not sound.
pub(crate) fn names_every_fault() -> Result<()> {
    for fault in FAULTS {
        let report = report(fault.stage, fault.subject)?;
        ensure!(!report.sound, "{} is sound", fault.stage);
        let named = report.checks.iter().any(|check| {
            check.verdict == Verdict::Failed
                && check.what == fault.what
                && check.says.contains(fault.says)
        });
        ensure!(named, "{}: {:#?}", fault.stage, report.checks);
    }
    Ok(())
}

/// The package of a missing library, and what to write.
pub(crate) fn knows_whose_a_library_is() -> Result<()> {
    let report = report("missing-library", |_| {})?;
    let mut fixes = report.checks.iter().filter_map(|check| check.fix.as_ref());
    let change = fixes
        .find_map(|fix| fix.change.as_ref())
        .context("no fix")?;
    ensure!(
        change.to_string() == "packages.runtime = [\"libpcre2-8-0\"]",
        "{change}"
    );
    Ok(())
}

/// Nothing is found where there is nothing.
pub(crate) fn is_content_with_sound_images() -> Result<()> {
    let proof = |page: &str| Proof {
        port: Some(8080),
        http: Some(page.to_owned()),
        expect: Some("ok".into()),
        ..Proof::default()
    };
    let program = report("sound", |_| {})?;
    ensure!(program.sound, "{:#?}", program.checks);
    let server = report("sound-server", |subject| subject.proof = proof("/"))?;
    ensure!(server.sound, "{:#?}", server.checks);
    let writing = report("sound-and-writing", |subject| {
        subject.proof.expect = Some("hello".into());
    })?;
    ensure!(writing.sound, "{:#?}", writing.checks);
    let mut says = writing.checks.iter().map(|check| &check.says);
    ensure!(says.any(|says| says.contains("needs a writable root")));
    let exposed = report("sound-server", |subject| subject.ports = vec![8080])?;
    ensure!(exposed.sound, "{:#?}", exposed.checks);
    Ok(())
}

fn report(stage: &str, change: impl Fn(&mut Subject)) -> Result<ImageReport> {
    // What one of them has at work would count as left behind for another.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let context = Utf8Path::new(HERE).join("faults");
    let dockerfile = context.join("Dockerfile");
    let causes = Causes::new(&CATALOG, Names::Suite("trixie"));
    let engine = Engine::find(None, &Patience::new(Some(600))?, &causes)?;
    let verification = Verification {
        engine: &engine,
        dockerfile: &fs_err::read_to_string(&dockerfile)?,
        source: &Source {
            context,
            dockerfile,
            ignore: None,
            options: Vec::new(),
        },
        builder: "toolchain",
        causes: &causes,
        catalog: &CATALOG,
        shell: Shell::new(Verbosity::Quiet),
    };
    let mut subject = Subject {
        bin: "app".into(),
        stage: stage.into(),
        base: "a base".into(),
        ..Subject::default()
    };
    change(&mut subject);
    let mut report = verification.report(&[subject])?;
    nothing_is_left(std::process::id())?;
    report.images.pop().context("an image was asked for")
}

/// What the report says of an example is what the engine says.
pub(crate) fn report_for_programs() -> Result<()> {
    let example = Utf8Path::new(HERE).with_file_name("../examples/cli");
    let image = docker::build(&example, "wordfreq")?;
    let size: u64 = image.inspect("{{.Size}}")?.parse()?;
    let (status, stdout, stderr) =
        dockerize(&example, &["--check", "--verify", "--format=json", "-q"])?;
    ensure!(status.success(), "{status}\n{stdout}{stderr}");
    let report: serde_json::Value = serde_json::from_str(&stdout)?;
    ensure!(report["sound"] == true, "{report}");
    let built = &report["images"][0]["built"];
    ensure!(built["size"] == size, "{built} is not {size}");
    Ok(())
}

/// A program that links what the catalog does not know of is not sound, until `--fix` has written what it lacks.
pub(crate) fn fix_writes_what_is_missing() -> Result<()> {
    let copy = DirRoot::mutable_temp()?.with_template(&std::path::Path::new(HERE).join("links"))?;
    let dir = copy
        .path()
        .and_then(Utf8Path::from_path)
        .context("no folder")?;
    let (status, stdout, stderr) = dockerize(dir, &["--verify"])?;
    ensure!(status.code() == Some(1), "{status}\n{stdout}{stderr}");
    ensure!(
        stdout.contains("packages.runtime = [\"libpcre2-8-0\"]"),
        "{stdout}"
    );
    let (status, stdout, stderr) = dockerize(dir, &["--verify", "--fix"])?;
    ensure!(status.success(), "{status}\n{stdout}{stderr}");
    let manifest = fs_err::read_to_string(dir.join("Cargo.toml"))?;
    ensure!(
        manifest.contains("packages.runtime = [\"libpcre2-8-0\"]"),
        "{manifest}"
    );
    let dockerfile = fs_err::read_to_string(dir.join("Dockerfile"))?;
    ensure!(dockerfile.contains("libpcre2-8-0"), "{dockerfile}");
    Ok(())
}

/// Ctrl-C, at any moment, ends it and leaves nothing.
pub(crate) fn ctrl_c_leaves_nothing() -> Result<()> {
    let example = Utf8Path::new(HERE).with_file_name("../examples/cli");
    for delay in [300, 1500, 3500] {
        let child = start(&example, &["--check", "--verify"])?;
        let id = child.id();
        std::thread::sleep(Duration::from_millis(delay));
        let kill = Command::new("kill")
            .args(["-INT", &id.to_string()])
            .status()?;
        let output = child.wait_with_output()?;
        // It may have been done already, or not have begun with anything that needs an end.
        let code = output.status.code();
        ensure!(
            !kill.success() || matches!(code, None | Some(0 | 130)),
            "{}",
            output.status
        );
        nothing_is_left(id)?;
    }
    Ok(())
}

/// An engine that does not answer is no fault of the project.
pub(crate) fn no_engine_is_no_answer() -> Result<()> {
    let example = Utf8Path::new(HERE).with_file_name("../examples/cli");
    let mut command = command(&example, &["--check", "--verify"]);
    let output = command.env("DOCKER_HOST", "tcp://127.0.0.1:1").output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(101),
        "{}\n{stderr}",
        output.status
    );
    ensure!(
        stderr.contains("error: the engine is not running"),
        "{stderr}"
    );
    ensure!(stderr.contains("hint: start it"), "{stderr}");
    Ok(())
}

fn command(dir: &Utf8Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-dockerize"));
    command
        .arg("dockerize")
        .args(args)
        .arg("--manifest-path")
        .arg(dir.join("Cargo.toml"));
    command
}

fn start(dir: &Utf8Path, args: &[&str]) -> Result<Child> {
    let mut command = command(dir, args);
    Ok(command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?)
}

/// Runs the tool, and looks that it left nothing behind.
fn dockerize(dir: &Utf8Path, args: &[&str]) -> Result<(ExitStatus, String, String)> {
    let child = start(dir, args)?;
    let id = child.id();
    let output = child.wait_with_output()?;
    nothing_is_left(id)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status, text(&output.stdout), text(&output.stderr)))
}

/// The names of all that a process makes hold its number.
fn nothing_is_left(process: u32) -> Result<()> {
    let name = format!("cargo-dockerize-verify-{process}-");
    let containers = docker::docker(&["ps", "--all", "--format={{.Names}}"])?;
    let images = docker::docker(&["image", "ls", "--all", "--format={{.Repository}}:{{.Tag}}"])?;
    let left = |list: &str| {
        list.lines()
            .any(|line| line.replace(':', "-").contains(&name))
    };
    ensure!(
        !left(&containers) && !left(&images),
        "left behind: {containers}{images}"
    );
    Ok(())
}
