//! The programs of `tests/bases`, on every base that can be asked for.

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;
use snapbox::dir::DirRoot;

use crate::docker::{self, Image};

/// What `--base` takes, but for other images.
pub(crate) const BASES: [&str; 5] = ["auto", "distroless", "debian", "alpine", "scratch"];

/// The packages of the project.
const PACKAGES: [&str; 4] = ["plain", "store", "tls", "zone"];

/// Every program builds, runs and ends as it should.
///
/// Two things cannot be seen where stand-ins take the place of Alpine's images, which install nothing: time
/// zones on Alpine, and C++ in a program for musl.
pub(crate) fn programs_run_on(base: &str) -> Result<()> {
    let musl = ["alpine", "scratch"].contains(&base);
    let shell = has_shell(base);
    let cxx = (!musl).then_some("cxx-program");
    let packages: Vec<&str> = PACKAGES.into_iter().chain(cxx).collect();
    let project = project(base, &packages)?;
    let dir = project.path().and_then(Utf8Path::from_path);
    let dir = dir.context("no folder")?;

    let plain = docker::build(dir, "plain")?;
    is_locked_up(&plain, shell)?;
    prints(&plain, &[], "the sum is 14995000")?;
    prints(&plain, &[], "the user is 65532")?;
    let waiting = plain.start(&["--read-only"], &["wait"])?;
    waiting.has_said("waiting")?;
    let code = waiting.stop()?;
    ensure!(code == "0", "asked to end, it ends with {code}");

    let store = docker::build(dir, "store")?;
    is_locked_up(&store, shell)?;
    prints(&store, &[], "the note is kept")?;
    let temporary = store.run(&[], &["temporary"], "")?;
    ensure!(temporary.contains("a temporary file"), "{temporary}");

    let tls = docker::build(dir, "tls")?;
    is_locked_up(&tls, shell)?;
    prints(&tls, &[], "roots: some")?;

    if base != "alpine" {
        let zone = docker::build(dir, "zone")?;
        is_locked_up(&zone, shell)?;
        prints(&zone, &[], "1970-01-01T09:00:00+09:00[Asia/Tokyo]")?;
    }
    if !musl {
        let cxx = docker::build(dir, "cxx")?;
        is_locked_up(&cxx, shell)?;
        prints(&cxx, &[], "exceptions: 0")?;
    }
    Ok(())
}

/// So does a program that compiles its own OpenSSL, which takes minutes.
pub(crate) fn vendored_openssl_runs_on(base: &str) -> Result<()> {
    let project = project(base, &["vendored"])?;
    let dir = project.path().and_then(Utf8Path::from_path);
    let vendored = docker::build(dir.context("no folder")?, "vendored")?;
    is_locked_up(&vendored, has_shell(base))?;
    prints(&vendored, &[], "the digest begins with ba78")
}

/// A copy of the project, with a Dockerfile for some of its packages.
fn project(base: &str, packages: &[&str]) -> Result<DirRoot> {
    let project = Utf8Path::new(crate::ROOT).join("tests/bases");
    let copy = DirRoot::mutable_temp()?.with_template(project.as_std_path())?;
    let packages = packages.iter().flat_map(|package| ["--package", *package]);
    let options: Vec<&str> = ["--quiet", "--base", base]
        .into_iter()
        .chain(packages)
        .collect();
    let dir = copy.path().and_then(Utf8Path::from_path);
    crate::dockerize(dir.context("no folder")?, &options)?;
    Ok(copy)
}

fn has_shell(base: &str) -> bool {
    ["alpine", "debian"].contains(&base)
}

/// Runs a program that finds nothing writable but its volumes.
fn prints(image: &Image, args: &[&str], expected: &str) -> Result<()> {
    let said = image.run(&["--read-only"], args, "")?;
    ensure!(
        said.contains(expected),
        "expected {expected:?}, got {said:?}"
    );
    Ok(())
}

/// The user is a number and not root; a shell is only there where the base is known for it.
fn is_locked_up(image: &Image, has_shell: bool) -> Result<()> {
    let user = image.inspect("{{.Config.User}}")?;
    ensure!(user == "65532:65532", "the user is `{user}`");
    let shell = image.run(&["--entrypoint=/bin/sh"], &["-c", "true"], "");
    ensure!(shell.is_ok() == has_shell, "the shell: {shell:?}");
    Ok(())
}
