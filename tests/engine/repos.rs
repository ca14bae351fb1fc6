//! Repositories that are not `cargo new`: what the tool writes for them builds, and the programs run.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use camino::Utf8Path;
use snapbox::dir::DirRoot;

use crate::{ROOT, docker, dockerize};

/// A golden case, which builds with the files that are expected of it.
struct Case {
    name: &'static str,
    /// The folder of its Dockerfile.
    folder: &'static str,
    stage: &'static str,
    options: &'static [&'static str],
    /// What the program prints.
    prints: &'static str,
}

const fn case(name: &'static str, stage: &'static str, prints: &'static str) -> Case {
    Case {
        name,
        folder: "",
        stage,
        options: &[],
        prints,
    }
}

const CASES: [Case; 11] = [
    // One build, for bases with two C libraries.
    case("base_for_each_package", "api", ""),
    case("base_for_each_package", "worker", ""),
    // A file above the workspace, and a build script that wants one there.
    Case {
        folder: "services/api",
        ..case("file_above_the_workspace", "api", "")
    },
    // Names that ignore files usually hide.
    case("hidden_name_that_a_macro_reads", "app", "a {}\n\n"),
    // A lock file that `--locked` would fail on.
    case("lock_file_out_of_date", "app", ""),
    // Somebody's own ignore file.
    case("own_ignore_file_hides_a_source", "app", "SELECT 1\n\n"),
    // A path dependency above the workspace.
    Case {
        folder: "backend",
        ..case("path_dependency_outside_the_workspace", "backend", "")
    },
    // A crate that is patched from there.
    Case {
        folder: "service",
        ..case("patch_outside_the_workspace", "service", "hush\n")
    },
    case("no_lock_file", "app", ""),
    case("required_features_of_the_only_binary", "draw", ""),
    // Names that build output usually has.
    case("source_folder_named_target", "app", "hit: 3 of target\n"),
];

/// npm makes the front end: before cargo builds, or because a build script calls it.
const FRONT_ENDS: [Case; 2] = [
    case("front_end_made_in_the_image", "app", PAGE),
    case("build_script_makes_the_front_end", "app", PAGE),
];

const PAGE: &str = "<h1>Made</h1>\n";

/// Nothing is downloaded where all is in the repository.
const VENDORED: Case = Case {
    options: &["--network=none"],
    ..case("vendored_sources", "app", "")
};

/// The images of the cases build, and their programs print what they should.
pub(crate) fn cases_build_and_run() -> Result<()> {
    for case in CASES.iter().chain([&VENDORED]) {
        builds(case).context(case.name)?;
    }
    Ok(())
}

/// Debian's npm is several hundred packages.
pub(crate) fn front_ends_are_made() -> Result<()> {
    for case in &FRONT_ENDS {
        builds(case).context(case.name)?;
    }
    Ok(())
}

fn builds(case: &Case) -> Result<()> {
    let case_dir = Path::new(ROOT).join("tests/cases").join(case.name);
    let copy = DirRoot::mutable_temp()?.with_template(&case_dir.join("in"))?;
    let context = folder(&copy)?;
    for file in ["Dockerfile", "Dockerfile.dockerignore", ".dockerignore"] {
        let file = Path::new(case.folder).join(file);
        let written = case_dir.join("out").join(&file);
        if written.is_file() {
            fs_err::copy(written, context.as_std_path().join(&file))?;
        }
    }
    let dockerfile = context.join(case.folder).join("Dockerfile");
    let built = docker::build_from(context, &dockerfile, case.stage, case.options)?;
    let printed = built.image.run(&["--read-only"], &[], "")?;
    ensure!(printed == case.prints, "printed {printed:?}");
    Ok(())
}

/// `tests/engine/repository`: two services on different bases, below a path dependency. One of them asks git for the
/// revision, needs a feature, and has its queries checked; the script of the other one writes among the sources.
pub(crate) fn a_whole_repository_builds() -> Result<()> {
    let template = Path::new(ROOT).join("tests/engine/repository");
    let copy = DirRoot::mutable_temp()?.with_template(&template)?;
    let context = folder(&copy)?;
    let author = ["-c", "user.name=test", "-c", "user.email=test"];
    git(context, &["init", "--quiet"])?;
    git(context, &["add", "."])?;
    git(
        context,
        &[&author[..], &["commit", "--quiet", "-m", "test"]].concat(),
    )?;
    let revision = git(context, &["rev-parse", "HEAD"])?;
    let backend = context.join("backend");
    dockerize(&backend, &[])?;

    let dockerfile = backend.join("Dockerfile");
    let build = |stage| docker::build_from(context, &dockerfile, stage, &[]);
    let api = build("api")?.image;
    let printed = api.run(&["--read-only"], &[], "")?;
    let expected = format!("hello from above\nrevision {revision}query {{\"nullable\":[false]}}\n");
    ensure!(printed == expected, "the api printed {printed:?}");
    let worker = build("worker")?.image;
    let printed = worker.run(&["--read-only"], &[], "")?;
    let expected = "hello from above\nmade by a build script\n";
    ensure!(printed == expected, "the worker printed {printed:?}");
    for (image, own, other) in [(&api, "api", "worker"), (&worker, "worker", "api")] {
        let run = |program: &str| {
            let entrypoint = format!("--entrypoint=/usr/local/bin/{program}");
            image.run(&[&entrypoint], &[], "")
        };
        ensure!(
            run(own).is_ok() && run(other).is_err(),
            "{own} is not alone"
        );
    }
    let shell = |image: &docker::Image| image.run(&["--entrypoint=/bin/sh"], &["-c", "true"], "");
    ensure!(
        shell(&worker).is_ok() && shell(&api).is_err(),
        "the bases are the same"
    );
    Ok(())
}

/// The oldest and the newest format of lock files are kept to.
pub(crate) fn lock_files_of_all_ages_are_kept_to() -> Result<()> {
    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
    const SUM: &str = "3bd1574e617a9a6c1f8f8181bd7e841e1f20e4277607ef28945765188d6284d4";
    let app = |dependency: &str| {
        format!(
            "[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"{dependency}\",\n]\n"
        )
    };
    let itoa =
        format!("\n[[package]]\nname = \"itoa\"\nversion = \"1.0.19\"\nsource = \"{CRATES_IO}\"\n");
    let first = app(&format!("itoa 1.0.19 ({CRATES_IO})"));
    let sums = format!("[metadata]\n\"checksum itoa 1.0.19 ({CRATES_IO})\" = \"{SUM}\"\n");
    let fourth = app("itoa");
    for lock in [
        format!("{first}{itoa}\n{sums}"),
        format!("version = 4\n\n{fourth}{itoa}checksum = \"{SUM}\"\n"),
    ] {
        let folder = tempfile::tempdir()?;
        let dir = Utf8Path::from_path(folder.path()).context("no folder")?;
        fs_err::create_dir(dir.join("src"))?;
        let manifest =
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\n\n[dependencies]\nitoa = \"1\"\n";
        fs_err::write(dir.join("Cargo.toml"), manifest)?;
        let main = "fn main() { println!(\"{}\", itoa::Buffer::new().format(42)); }\n";
        fs_err::write(dir.join("src/main.rs"), main)?;
        fs_err::write(dir.join("Cargo.lock"), &lock)?;
        dockerize(dir, &[])?;
        ensure!(
            fs_err::read_to_string(dir.join("Cargo.lock"))? == lock,
            "it was changed"
        );
        let dockerfile = fs_err::read_to_string(dir.join("Dockerfile"))?;
        ensure!(dockerfile.contains("cargo build --locked"), "{dockerfile}");
        let printed = docker::build(dir, "app")?.run(&[], &[], "")?;
        ensure!(printed == "42\n", "printed {printed:?}");
    }
    Ok(())
}

/// The file of the example builds every image of it.
pub(crate) fn a_bake_file_builds_every_image() -> Result<()> {
    let example = Utf8Path::new(ROOT).join("examples/workspace");
    let tag = format!("test-{}", std::process::id());
    let output = Command::new("docker")
        .args(["buildx", "bake", "--load"])
        .env("REGISTRY", "cargo-dockerize-test/")
        .env("TAG", &tag)
        .current_dir(&example)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}\n{said}", output.status);
    for bin in ["api", "dashboard", "worker"] {
        let image = docker::Image::named(format!("cargo-dockerize-test/{bin}:{tag}"));
        let version = image.run(&[], &["--version"], "")?;
        ensure!(
            version == format!("{bin} 0.1.0\n"),
            "{bin} printed {version:?}"
        );
    }
    Ok(())
}

fn git(dir: &Utf8Path, args: &[&str]) -> Result<String> {
    let output = Command::new("git").args(args).current_dir(dir).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {args:?}: {said}");
    Ok(String::from_utf8(output.stdout)?)
}

fn folder(copy: &DirRoot) -> Result<&Utf8Path> {
    let path = copy.path().and_then(Utf8Path::from_path);
    path.context("no folder")
}
