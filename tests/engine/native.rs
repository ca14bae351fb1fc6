//! Native libraries: the projects of `tests/native` build in an image and call what they link where they run.
//!
//! A project is copied to a temporary folder, the tool writes its files there, and `expect.toml` says what its
//! image must be seen to do. Those that take longest are built only if `CARGO_DOCKERIZE_TEST_ENGINE` is `all`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;
use snapbox::dir::DirRoot;

use crate::docker::{self, Image};
use crate::{ROOT, proof};

/// Projects that compile C and C++ for minutes.
const SLOW: [&str; 1] = ["compiled_at_length"];

/// The projects, each with whether it is built every time.
pub(crate) fn projects() -> Result<Vec<(String, bool)>> {
    let mut projects = Vec::new();
    for entry in fs_err::read_dir(Path::new(ROOT).join("tests/native"))? {
        let name = entry?.file_name().into_string().ok();
        let name = name.context("projects have plain names")?;
        let usual = !SLOW.contains(&name.as_str());
        projects.push((name, usual));
    }
    projects.sort();
    Ok(projects)
}

/// Writes the files of a project, builds its image, and puts it to the proof.
pub(crate) fn builds_and_runs(project: &str) -> Result<()> {
    let root = Path::new(ROOT).join("tests/native").join(project);
    let copy = DirRoot::mutable_temp()?.with_template(&root)?;
    let dir = copy
        .path()
        .and_then(Utf8Path::from_path)
        .context("no folder")?;
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-dockerize"))
        .args(["dockerize", "--manifest-path"])
        .arg(dir.join("Cargo.toml"))
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}\n{said}", output.status);

    let bin = project.replace('_', "-");
    let image = docker::build(dir, &bin)?;
    if dir.join("expect.toml").exists() {
        let proofs = proof::read(&dir.join("expect.toml"))?;
        for proof in proofs.values().flatten() {
            proof.holds(&image).with_context(|| format!("{proof:?}"))?;
        }
        return Ok(());
    }
    shakes_hands(&image)
}

/// The program is given a server's certificate, and trusts its authority if and only if the image's bundle of
/// certificates has it.
fn shakes_hands(image: &Image) -> Result<()> {
    let bundle = "/etc/ssl/certs/ca-certificates.crt";
    let pem = image.run(&[], &["authority"], "")?;
    let refused = image.run(&[], &["connect"], &pem);
    ensure!(refused.is_err(), "anybody is trusted");

    let trusting = image.with_file(bundle, |authorities| format!("{authorities}\n{pem}"))?;
    let page = trusting.run(&[], &["connect"], &pem)?;
    ensure!(page.contains("the server says: welcome"), "{page}");
    Ok(())
}
