//! What is edited ships, whatever a builder has kept: `tests/rebuild` goes through the edits that a kept target
//! directory is known to miss. Each step is a build on top of the last one.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use snapbox::dir::{DirRoot, Walk};

use crate::ROOT;
use crate::docker::{self, Built};

/// A copy of a project of `tests`, and the stage of its image.
struct Project {
    copy: DirRoot,
    stage: &'static str,
}

impl Project {
    fn new(strategy: &str) -> Result<Self> {
        Self::of("rebuild", strategy)
    }

    fn of(name: &'static str, strategy: &str) -> Result<Self> {
        let template = Path::new(ROOT).join("tests").join(name);
        let copy = DirRoot::mutable_temp()?.with_template(&template)?;
        let project = Self { copy, stage: name };
        // What other runs have kept must not be found.
        project.append(
            "Cargo.toml",
            &format!("\n[package.metadata.run]\nid = {}\n", std::process::id()),
        )?;
        project.dockerize(&["--cache", strategy])?;
        Ok(project)
    }

    fn dir(&self) -> &Utf8Path {
        let path = self.copy.path().and_then(Utf8Path::from_path);
        path.expect("temporary folders have plain names")
    }

    fn dockerize(&self, options: &[&str]) -> Result<()> {
        crate::dockerize(self.dir(), options)
    }

    fn build(&self) -> Result<Built> {
        docker::build_beside(self.dir(), self.stage)
    }

    fn read(&self, file: &str) -> Result<String> {
        Ok(fs_err::read_to_string(self.dir().join(file))?)
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.dir().join(file);
        fs_err::create_dir_all(path.parent().context("a file is in a folder")?)?;
        Ok(fs_err::write(path, text)?)
    }

    fn append(&self, file: &str, text: &str) -> Result<()> {
        self.write(file, &(self.read(file)? + text))
    }

    fn replace(&self, file: &str, from: &str, to: &str) -> Result<()> {
        let text = self.read(file)?;
        ensure!(text.contains(from), "`{file}` does not hold `{from}`");
        self.write(file, &text.replace(from, to))
    }

    fn remove(&self, file: &str) -> Result<()> {
        Ok(fs_err::remove_file(self.dir().join(file))?)
    }

    /// Gives files a date.
    fn date(&self, files: &[Utf8PathBuf], date: SystemTime) -> Result<()> {
        for file in files {
            let file = fs_err::File::options()
                .write(true)
                .open(self.dir().join(file))?;
            file.file().set_modified(date)?;
        }
        Ok(())
    }

    fn files(&self) -> Result<Vec<Utf8PathBuf>> {
        let mut files = Vec::new();
        for path in Walk::new(self.dir().as_std_path()) {
            let path = Utf8PathBuf::try_from(path?)?;
            if path.is_file() {
                files.push(path);
            }
        }
        Ok(files)
    }

    /// The image that is built now prints exactly these lines in place of those of `lines`.
    fn ships(&self, lines: &mut Lines, changed: &[(&str, &str)]) -> Result<Built> {
        let built = self.build().with_context(|| format!("{changed:?}"))?;
        for &(name, rest) in changed {
            lines.insert(name.to_owned(), rest.to_owned());
        }
        let printed = built.image.run(&[], &[], "")?;
        ensure!(
            read(&printed) == *lines,
            "after {changed:?} it prints\n{printed}"
        );
        Ok(built)
    }
}

/// What the program prints, by the first word of each line.
type Lines = BTreeMap<String, String>;

fn read(printed: &str) -> Lines {
    let pairs = printed
        .lines()
        .map(|line| line.split_once(' ').unwrap_or((line, "")));
    pairs
        .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .collect()
}

fn first() -> Lines {
    read(
        "main 1\nloud false\nflavor plain\nscript 1 saw a\nextra 1\nbase 1\ninner 1\nnote 1\n\
         1.sql create 1\n1",
    )
}

/// Whether cargo compiled a package, where the layer of the dependencies is there already.
fn compiled(built: &Built, package: &str) -> bool {
    built.log.contains(&format!("Compiling {package} v"))
}

/// The long way through all edits.
pub(crate) fn every_edit_ships() -> Result<()> {
    let project = Project::new("auto")?;
    let mut lines = first();
    let main = Utf8PathBuf::from("src/main.rs");
    project.ships(&mut lines, &[])?;

    project.replace("src/main.rs", "main 1", "main 2")?;
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    project.date(&[main], long_ago)?;
    let built = project.ships(&mut lines, &[("main", "2")])?;
    ensure!(!compiled(&built, "base"), "an older date, and all is built");

    // A fresh clone.
    project.date(&project.files()?, SystemTime::now())?;
    project.replace("src/main.rs", "main 2", "main 3")?;
    let built = project.ships(&mut lines, &[("main", "3")])?;
    ensure!(!compiled(&built, "base"), "a fresh clone builds all");
    ensure!(compiled(&built, "rebuild"), "the log is not understood");
    ensure!(!compiled(&built, "itoa"), "a dependency is built twice");

    project.remove("crates/base/src/inner.rs")?;
    ensure!(
        project.build().is_err(),
        "a module that is gone still builds"
    );
    project.write(
        "crates/base/src/inner/mod.rs",
        "pub const TEXT: &str = \"inner 2\";",
    )?;
    project.ships(&mut lines, &[("inner", "2")])?;

    // What a build that failed has compiled on its way must not pass for what came before.
    project.replace("crates/base/src/lib.rs", "base 1", "base 2")?;
    project.replace("src/main.rs", "main 3", "main 4\"; \"")?;
    ensure!(project.build().is_err(), "it builds with a mistake");
    project.replace("src/main.rs", "main 4\"; \"", "main 4")?;
    project.replace("crates/base/src/lib.rs", "base 2", "base 1")?;
    project.ships(&mut lines, &[("main", "4")])?;

    project.replace("build.rs", "script 1", "script 2")?;
    project.ships(&mut lines, &[("script", "2 saw a")])?;
    project.write("watched/b", "")?;
    project.ships(&mut lines, &[("script", "2 saw a b")])?;
    project.remove("watched/a")?;
    project.ships(&mut lines, &[("script", "2 saw b")])?;

    project.write("note.txt", "note 2")?;
    project.ships(&mut lines, &[("note", "2")])?;
    let migrations = "crates/base/migrations";
    project.write(&format!("{migrations}/2.sql"), "alter 1")?;
    project.ships(&mut lines, &[("1.sql", "create 1, 2.sql alter 1")])?;
    project.write(&format!("{migrations}/2.sql"), "alter 2")?;
    project.ships(&mut lines, &[("1.sql", "create 1, 2.sql alter 2")])?;
    project.remove(&format!("{migrations}/2.sql"))?;
    project.ships(&mut lines, &[("1.sql", "create 1")])?;

    project.replace("extra/src/lib.rs", "extra 1", "extra 2")?;
    project.ships(&mut lines, &[("extra", "2")])?;
    project.replace(".cargo/config.toml", "plain", "sweet")?;
    project.ships(&mut lines, &[("flavor", "sweet")])?;
    project.dockerize(&["--features", "loud"])?;
    project.ships(&mut lines, &[("loud", "true")])?;
    Ok(())
}

/// What is not the text of a file: links, modes, names that the shell or `sha256sum` would write in another way, folders.
pub(crate) fn every_kind_of_entry_ships() -> Result<()> {
    let project = Project::new("auto")?;
    let mut lines = first();
    let watched = |name: &str| project.dir().join("watched").join(name);
    let script = "use std::os::unix::fs::PermissionsExt;

        fn main() {
            println!(\"cargo::rerun-if-changed=watched\");
            let mut names = Vec::new();
            for entry in std::fs::read_dir(\"watched\").unwrap() {
                let entry = entry.unwrap();
                let at = entry.path();
                let kind = entry.file_type().unwrap();
                let runs = entry.metadata().unwrap().permissions().mode() & 0o100 != 0;
                names.push(format!(\"{}{}\", at.file_name().unwrap().to_str().unwrap(),
                    if kind.is_dir() { String::from(\"/\") }
                    else if kind.is_symlink() { format!(\">{}\", std::fs::read_link(&at).unwrap().display()) }
                    else if runs { String::from(\"*\") } else { String::new() }));
            }
            names.sort();
            println!(\"cargo::rustc-env=SCRIPT=script {}\", names.join(\",\"));
        }";
    project.write("build.rs", script)?;
    project.ships(&mut lines, &[("script", "a")])?;

    project.write("watched/x\\x2d and 'y'", "")?;
    let built = project.ships(&mut lines, &[("script", "a,x\\x2d and 'y'")])?;
    ensure!(!compiled(&built, "itoa"), "a dependency is built twice");

    symlink("a", watched("link"))?;
    project.ships(&mut lines, &[("script", "a,link>a,x\\x2d and 'y'")])?;

    fs_err::remove_file(watched("link"))?;
    symlink("b", watched("link"))?;
    fs_err::set_permissions(watched("a"), Permissions::from_mode(0o755))?;
    fs_err::remove_file(watched("x\\x2d and 'y'"))?;
    project.ships(&mut lines, &[("script", "a*,link>b")])?;

    fs_err::set_permissions(watched("a"), Permissions::from_mode(0o644))?;
    project.write("watched/Icon\r", "")?;
    project.ships(&mut lines, &[("script", "a,link>b")])?;
    fs_err::remove_file(watched("Icon\r"))?;

    fs_err::remove_file(watched("link"))?;
    project.write("watched/link/inner", "")?;
    fs_err::remove_file(watched("a"))?;
    project.ships(&mut lines, &[("script", "link/")])?;

    fs_err::remove_dir_all(watched("link"))?;
    project.write("watched/a", "")?;
    project.ships(&mut lines, &[("script", "a")])?;
    Ok(())
}

/// A file that a build script writes among the sources is in no checkout, and cargo believes that it is there.
pub(crate) fn a_script_that_writes_among_the_sources_runs_again() -> Result<()> {
    let project = Project::new("auto")?;
    let mut lines = first();
    let script = "println!(\"cargo::rerun-if-changed=input\");
        let text = std::fs::read_to_string(\"input\").unwrap();
        std::fs::write(\"src/made.rs\", format!(\"pub const TEXT: &str = {text:?};\")).unwrap();";
    project.write("crates/base/build.rs", &format!("fn main() {{ {script} }}"))?;
    project.write("crates/base/input", "base 2")?;
    project.replace(
        "crates/base/src/lib.rs",
        "pub const TEXT: &str = \"base 1\";",
        "mod made;\npub use made::TEXT;",
    )?;
    project.ships(&mut lines, &[("base", "2")])?;
    project.replace("src/main.rs", "main 1", "main 2\"; \"")?;
    ensure!(project.build().is_err(), "it builds with a mistake");
    project.replace("src/main.rs", "main 2\"; \"", "main 2")?;
    project.append("crates/base/src/inner.rs", "\n")?;
    project.ships(&mut lines, &[("main", "2")])?;
    project.write("crates/base/input", "base 3")?;
    project.ships(&mut lines, &[("base", "3")])?;
    Ok(())
}

/// What the macros of real crates read, of which cargo is told nothing or not all: `sqlx::migrate!`, diesel's
/// `embed_migrations!`, `include_dir!`.
pub(crate) fn embedded_files_ship() -> Result<()> {
    let project = Project::of("embedded", "auto")?;
    let ships = |markers: &[&str]| -> Result<Built> {
        let built = project.build()?;
        let printed = built.image.run(&[], &[], "")?;
        let printed: Vec<&str> = printed.lines().collect();
        ensure!(printed == markers, "{printed:?} in place of {markers:?}");
        Ok(built)
    };
    let first = ["assets-first", "diesel-first", "sqlx-first"];
    let write = |state: &str| -> Result<()> {
        project.write(
            "assets/deep/second.txt",
            &format!("marker-assets-{state}\n"),
        )?;
        project.write("sqlx/2_second.sql", &format!("-- marker-sqlx-{state}\n"))?;
        let diesel = "diesel/2024-01-02-000000_second/up.sql";
        project.write(diesel, &format!("-- marker-diesel-{state}\n"))
    };
    ships(&first)?;
    for state in ["added", "changed"] {
        write(state)?;
        let new = ["assets", "diesel", "sqlx"].map(|what| format!("{what}-{state}"));
        let mut all: Vec<&str> = first
            .into_iter()
            .chain(new.iter().map(String::as_str))
            .collect();
        all.sort_unstable();
        let built = ships(&all)?;
        ensure!(
            !compiled(&built, "sqlx-core"),
            "a dependency is built twice"
        );
    }
    project.remove("assets/deep/second.txt")?;
    project.remove("sqlx/2_second.sql")?;
    fs_err::remove_dir_all(project.dir().join("diesel/2024-01-02-000000_second"))?;
    ships(&first)?;
    Ok(())
}

/// What no dependency follows from does not touch their layer: a release that bumps the workspace's own versions,
/// new tests and modules.
pub(crate) fn a_release_finds_the_dependencies_again() -> Result<()> {
    let project = Project::new("auto")?;
    let mut lines = first();
    let (outside, inside) = ("\"]\nexclude = [\"extra\"]", "\", \"extra\"]");
    project.replace("Cargo.toml", outside, inside)?;
    project.replace(
        "src/main.rs",
        "\"main 1\"",
        "\"main {}\", env!(\"CARGO_PKG_VERSION\")",
    )?;
    project.dockerize(&[])?;
    project.ships(&mut lines, &[("main", "0.1.0")])?;

    let members = ["crates/base", "crates/names", "extra"].map(|dir| format!("{dir}/Cargo.toml"));
    for file in members
        .iter()
        .map(String::as_str)
        .chain(["Cargo.toml", "Cargo.lock"])
    {
        project.replace(file, "\"0.1.0\"", "\"0.2.0-rc.1\"")?;
    }
    project.append(
        "Cargo.toml",
        "\n[[test]]\nname = \"new\"\nharness = false\n",
    )?;
    project.write("tests/new.rs", "fn main() {}")?;
    project.write("src/new.rs", "")?;
    let built = project.ships(&mut lines, &[("main", "0.2.0-rc.1")])?;
    ensure!(compiled(&built, "rebuild"), "the log is not understood");
    ensure!(!compiled(&built, "itoa"), "a dependency is built twice");
    Ok(())
}

/// Two builds of different states of one project, at the same time, on one builder.
pub(crate) fn two_builds_at_once() -> Result<()> {
    let projects = [
        Project::new("auto")?,
        Project::new("mounts")?,
        Project::new("auto")?,
    ];
    projects[2].replace("crates/base/src/lib.rs", "base 1", "base 2")?;
    let base_of = |project: &Project| {
        let printed = project.build()?.image.run(&[], &[], "")?;
        anyhow::Ok(read(&printed)["base"].clone())
    };
    let printed = thread::scope(|scope| {
        let builds = projects
            .each_ref()
            .map(|project| scope.spawn(move || base_of(project)));
        builds.map(|build| build.join().expect("no panic"))
    });
    for (base, expected) in printed.into_iter().zip(["1", "1", "2"]) {
        let base = base?;
        ensure!(base == expected, "base {base} in place of {expected}");
    }
    Ok(())
}

/// A stub that finds its way to the end of the build stops it.
pub(crate) fn a_stub_does_not_ship() -> Result<()> {
    let project = Project::new("layers")?;
    let mut lines = first();
    project.ships(&mut lines, &[])?;
    project.replace("src/main.rs", "main 1", "main 2")?;
    project.ships(&mut lines, &[("main", "2")])?;

    let dockerfile = project.read("Dockerfile")?;
    let (before, build) = dockerfile
        .rsplit_once("RUN cargo build")
        .context("the Dockerfile is not understood")?;
    let planted = format!("{before}RUN cp /stubs/* target/release/ && true || cargo{build}");
    project.write("Dockerfile", &planted)?;
    let error = project.build().err().context("a stub ships")?;
    ensure!(format!("{error:#}").contains("cmp -s"), "{error:#}");
    Ok(())
}
