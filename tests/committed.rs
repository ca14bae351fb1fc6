//! What becomes of files that somebody else has a hand in: nothing is lost, whatever happens meanwhile.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests run the program and read what it wrote"
)]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::{Command, Output};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_dockerize::dockerfile::{self, Reference};
use cargo_dockerize::files::mark::{Owner, owner, sealed};
use cargo_dockerize::files::{Change, File, Mode, Occupied, apply};
use proptest::prelude::*;

/// A project without dependencies, in a folder of its own.
struct Project {
    dir: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let project = Self { dir };
        let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
        let lock = "version = 3\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
        fs_err::create_dir(project.path("src")).expect("a new folder");
        for (name, text) in [
            ("Cargo.toml", manifest),
            ("Cargo.lock", lock),
            ("src/main.rs", "fn main() {}\n"),
        ] {
            fs_err::write(project.path(name), text).expect("a new file");
        }
        project
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.dir.path())
            .expect("UTF-8")
            .join(name)
    }

    fn text(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).expect("a text")
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-dockerize"));
        command
            .args(["dockerize", "--offline", "--color=never"])
            .args(options);
        command
            .current_dir(self.dir.path())
            .env("CARGO", env!("CARGO"));
        command
    }

    fn run(&self, options: &[&str]) -> Output {
        self.command(options).output().expect("it starts")
    }

    /// Runs it, and wants a refusal in one sentence that holds `words`.
    fn is_refused(&self, options: &[&str], words: &str) {
        is_refusal(&self.run(options), words);
    }
}

fn is_refusal(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "{said}");
    let errors: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    let [error] = errors[..] else {
        panic!("{said}")
    };
    assert!(error.contains(words), "{error}");
}

fn succeeded(output: &Output) {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A file as the program writes it.
fn ours() -> String {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/cases/several_binaries_get_a_stage_each/out/Dockerfile"
    );
    fs_err::read_to_string(path).expect("a case")
}

/// Whether the texts are the same but for tags and digests, which bots may bump.
fn differ_in_tags_alone(a: &str, b: &str) -> bool {
    let [a, b] = [a, b].map(|text| text.replace("\r\n", "\n"));
    let same = |(a, b): (&str, &str)| {
        let name = |line: &str| -> Option<(String, String)> {
            let (image, stage) = line.strip_prefix("FROM ")?.split_once(' ')?;
            Some((Reference::of(image).name.to_owned(), stage.to_owned()))
        };
        a == b || name(a).is_some() && name(a) == name(b)
    };
    a.split('\n').count() == b.split('\n').count() && a.split('\n').zip(b.split('\n')).all(same)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_edit_by_hand_is_seen_and_kept(
        at in any::<prop::sample::Index>(),
        length in 0..40_usize,
        insert in "[ -~\n\tä]{0,12}",
    ) {
        let text = ours();
        let chars: Vec<char> = text.chars().collect();
        let start = at.index(chars.len() + 1);
        let end = (start + length).min(chars.len());
        let edited: String = chars[..start].iter().copied().chain(insert.chars()).chain(chars[end..].iter().copied()).collect();
        if differ_in_tags_alone(&text, &edited) {
            prop_assert_eq!(owner(&edited), Owner::Tool);
            return Ok(());
        }
        prop_assert_ne!(owner(&edited), Owner::Tool);

        let guard = tempfile::tempdir()?;
        let dir = Utf8Path::from_path(guard.path()).expect("UTF-8");
        let path = dir.join("Dockerfile");
        fs_err::write(&path, &edited)?;
        let files = [File { path: path.clone(), text: sealed("FROM new AS new\n"), optional: false }];
        let refused = apply(&files, dir, Mode::Write).expect_err("it is somebody's own now");
        prop_assert!(refused.downcast_ref::<Occupied>().is_some());
        prop_assert_eq!(&fs_err::read_to_string(&path)?, &edited);
        let checked = apply(&files, dir, Mode::Check).expect("it can be read");
        let stale = matches!(&checked[..], [Change::Stale { owner: Owner::Edited | Owner::User, .. }]);
        prop_assert!(stale);
        apply(&files, dir, Mode::Force).expect("it can be written");
        prop_assert_eq!(&fs_err::read_to_string(dir.join("Dockerfile.bak"))?, &edited);
        prop_assert_eq!(&fs_err::read_to_string(&path)?, &files[0].text);
    }
}

#[test]
fn an_older_backup_is_never_overwritten() {
    let project = Project::new();
    for number in 1..=3 {
        fs_err::write(project.path("Dockerfile"), format!("FROM mine:{number}\n"))
            .expect("it can be written");
        succeeded(&project.run(&["--force"]));
    }
    assert_eq!(project.text("Dockerfile.bak"), "FROM mine:1\n");
    assert_eq!(project.text("Dockerfile.bak.1"), "FROM mine:2\n");
    assert_eq!(project.text("Dockerfile.bak.2"), "FROM mine:3\n");
}

#[test]
fn what_is_no_file_of_ones_own_is_refused() {
    let project = Project::new();
    let dockerfile = project.path("Dockerfile");
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let target = Utf8Path::from_path(elsewhere.path())
        .expect("UTF-8")
        .join("Dockerfile");
    fs_err::write(&target, ours()).expect("a new file");
    let refused = |words: &str| {
        for options in [&[][..], &["--force"], &["--check"]] {
            project.is_refused(options, words);
        }
    };

    fs_err::create_dir(&dockerfile).expect("a new folder");
    refused("is not a regular file");
    fs_err::remove_dir(&dockerfile).expect("it is empty");

    let made = Command::new("mkfifo")
        .arg(&dockerfile)
        .status()
        .expect("every Unix has it");
    assert!(made.success());
    refused("is not a regular file");
    fs_err::remove_file(&dockerfile).expect("it is there");

    symlink(&target, &dockerfile).expect("a new link");
    refused("outside of the project");
    assert_eq!(
        fs_err::read_to_string(&target).expect("it is there"),
        ours()
    );
    fs_err::remove_file(&dockerfile).expect("it is there");

    symlink("nowhere", &dockerfile).expect("a new link");
    refused("is a link to nothing");
    fs_err::remove_file(&dockerfile).expect("it is there");

    fs_err::write(&dockerfile, b"FROM \xff\n").expect("a new file");
    refused("is not UTF-8");
    assert_eq!(
        fs_err::read(&dockerfile).expect("it is there"),
        b"FROM \xff\n"
    );
    assert!(
        !project.path(".dockerignore").exists(),
        "half of the files were written"
    );
}

#[test]
fn no_link_leads_to_what_the_build_reads() {
    let project = Project::new();
    let texts = ["Cargo.toml", "src/main.rs"].map(|name| project.text(name));
    symlink("Cargo.toml", project.path("Dockerfile")).expect("a new link");
    symlink("src/main.rs", project.path("image")).expect("a new link");
    symlink(".", project.path("here")).expect("a new link");
    project.is_refused(&["--force"], "`Cargo.toml` is part of the project");
    for (output, target) in [("image", "src/main.rs"), ("here/Dockerfile", "Cargo.toml")] {
        let words = format!("`{target}` is part of the project");
        project.is_refused(&["--force", "--output", output], &words);
    }
    assert_eq!(
        ["Cargo.toml", "src/main.rs"].map(|name| project.text(name)),
        texts
    );
}

#[test]
fn nothing_waits_for_a_pipe() {
    let project = Project::new();
    fs_err::create_dir(project.path(".git")).expect("a new folder");
    for name in [
        ".gitignore",
        ".gitmodules",
        "docker-bake.hcl",
        "src/pipe.rs",
    ] {
        let made = Command::new("mkfifo").arg(project.path(name)).status();
        assert!(made.expect("every Unix has it").success());
    }
    symlink("/dev/zero", project.path("src/zero.rs")).expect("a new link");
    succeeded(&project.run(&[]));
    project.is_refused(&["--bake"], "is not a regular file");
}

#[test]
fn what_a_killed_run_left_is_removed_and_nothing_else() {
    let project = Project::new();
    let long_ago = std::time::SystemTime::now() - Duration::from_hours(2);
    let left = ".cargo-dockerize-aBc123.tmp";
    let others = [".dockerize-config", ".cargo-dockerize-notes", "x.tmp"];
    for name in others.iter().chain([&left]) {
        let file = fs_err::File::create(project.path(name)).expect("a new file");
        file.file().set_modified(long_ago).expect("it is ours");
    }
    succeeded(&project.run(&[]));
    assert!(!project.path(left).exists());
    assert!(others.iter().all(|name| project.path(name).exists()));
}

#[test]
fn an_answer_that_nobody_reads_is_no_error_and_one_that_cannot_be_written_is() {
    let project = Project::new();
    for options in [&["--stdout"][..], &["--explain"], &["--completions=bash"]] {
        let (reader, writer) = std::io::pipe().expect("every Unix has it");
        drop(reader);
        succeeded(
            &project
                .command(options)
                .stdout(writer)
                .output()
                .expect("it starts"),
        );
        let Ok(full) = fs_err::OpenOptions::new().write(true).open("/dev/full") else {
            return;
        };
        let output = project.command(options).stdout(full.into_file()).output();
        is_refusal(&output.expect("it starts"), "failed to print the answer");
    }
}

#[test]
fn a_file_stays_with_its_owner() {
    const SOMEBODY: u32 = 4321;
    let project = Project::new();
    let path = project.path("Dockerfile");
    fs_err::write(&path, sealed("FROM old AS old\n")).expect("a new file");
    if std::os::unix::fs::chown(&path, Some(SOMEBODY), Some(SOMEBODY)).is_err() {
        // Only root may give files away.
        return;
    }
    succeeded(&project.run(&[]));
    let metadata = path.metadata().expect("it is there");
    assert_eq!((metadata.uid(), metadata.gid()), (SOMEBODY, SOMEBODY));
}

#[test]
fn links_permissions_and_line_ends_stay() {
    let project = Project::new();
    fs_err::create_dir(project.path("docker")).expect("a new folder");
    let target = project.path("docker/Dockerfile");
    fs_err::write(&target, sealed("FROM old AS old\n").replace('\n', "\r\n")).expect("a new file");
    fs_err::set_permissions(&target, PermissionsExt::from_mode(0o640)).expect("it is ours");
    symlink("docker/Dockerfile", project.path("Dockerfile")).expect("a new link");
    succeeded(&project.run(&[]));
    assert!(project.path("Dockerfile").is_symlink());
    let text = fs_err::read_to_string(&target).expect("it is there");
    assert!(
        text.contains("AS app\r\n") && !text.replace("\r\n", "").contains('\n'),
        "{text}"
    );
    assert_eq!(
        target.metadata().expect("it is there").permissions().mode() & 0o777,
        0o640
    );
    succeeded(&project.run(&["--check"]));
}

#[test]
fn a_new_file_has_the_permissions_that_the_user_gives_files() {
    let project = Project::new();
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        "umask 027; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_cargo-dockerize"),
    ]);
    shell
        .args(["dockerize", "--offline"])
        .current_dir(project.dir.path())
        .env("CARGO", env!("CARGO"));
    succeeded(&shell.output().expect("it starts"));
    let mode = project
        .path("Dockerfile")
        .metadata()
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_full_disk_loses_nothing() {
    let project = Project::new();
    let old = sealed("FROM old AS old\n");
    fs_err::write(project.path("Dockerfile"), &old).expect("a new file");
    // The limit stands for the disk: no file may grow. A pipe may.
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        "trap '' XFSZ; ulimit -f 0; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_cargo-dockerize"),
    ]);
    shell
        .args(["dockerize", "--offline"])
        .current_dir(project.dir.path())
        .env("CARGO", env!("CARGO"));
    is_refusal(&shell.output().expect("it starts"), "failed to write `");
    assert_eq!(project.text("Dockerfile"), old);
    let names = project.path("").read_dir_utf8().expect("it is there");
    let left = names
        .flatten()
        .filter(|entry| entry.path().extension() == Some("tmp"));
    assert_eq!(left.count(), 0, "a temporary file is left");
}

#[test]
fn a_checkout_that_cannot_be_written_to_is_checked_and_said_to_be_so() {
    let project = Project::new();
    fs_err::remove_file(project.path("Cargo.lock")).expect("it is there");
    succeeded(&project.run(&[]));
    let current = project.text("Dockerfile");
    let checked = project.run_read_only(&["--check"]);
    if checked.stderr.starts_with(b"unshare: ") {
        // A container's root, who may not mount anything.
        return;
    }
    succeeded(&checked);
    assert!(!project.path("Cargo.lock").exists());

    let old = sealed("FROM old AS old\n");
    fs_err::write(project.path("Dockerfile"), &old).expect("it can be written");
    let output = project.run_read_only(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "{said}");
    assert!(said.contains("error: failed to write `"), "{said}");
    assert_eq!(project.text("Dockerfile"), old);
    assert_eq!(project.run_read_only(&["--check"]).status.code(), Some(1));
    fs_err::write(project.path("Dockerfile"), current).expect("it can be written again");
}

impl Project {
    /// Runs it where it cannot write. Root can write to any folder, so that it gets one of a file system that nobody
    /// can write to.
    fn run_read_only(&self, options: &[&str]) -> Output {
        let mode = |mode| fs_err::set_permissions(self.path(""), PermissionsExt::from_mode(mode));
        let id = Command::new("id")
            .arg("-u")
            .output()
            .expect("every Unix has it");
        let mut command = self.command(options);
        if id.stdout == b"0\n" {
            let script =
                "mount --bind . . && mount -o remount,bind,ro . && cd \"$PWD\" && exec \"$@\"";
            let program = command.get_program().to_owned();
            let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
            let mut shell = Command::new("unshare");
            shell
                .args(["--mount", "sh", "-c", script, "sh"])
                .arg(program)
                .args(words);
            shell
                .current_dir(self.dir.path())
                .env("CARGO", env!("CARGO"));
            command = shell;
        }
        mode(0o555).expect("it is ours");
        let output = command.output().expect("it starts");
        mode(0o755).expect("it is ours");
        output
    }
}

/// A file that is long enough to be caught in the middle.
fn long(word: &str) -> String {
    sealed(&format!(
        "FROM {word} AS {word}\n{}",
        format!("RUN {word}\n").repeat(20_000)
    ))
}

/// Writes one file again and again, until it is killed. Not a test: the next one starts it.
#[test]
#[ignore = "runs until it is killed"]
fn writer() {
    let Ok(dir) = std::env::var("DOCKERIZE_TEST_DIR") else {
        return;
    };
    let dir = Utf8PathBuf::from(dir);
    for word in ["one", "two"].iter().cycle() {
        let file = File {
            path: dir.join("Dockerfile"),
            text: long(word),
            optional: false,
        };
        apply(&[file], &dir, Mode::Write).expect("it can be written");
    }
}

#[test]
fn a_file_is_whole_when_its_writer_is_killed() {
    let guard = tempfile::tempdir().expect("a temporary folder");
    let path = guard.path().join("Dockerfile");
    let whole = [long("one"), long("two")];
    let mut seen = [0, 0];
    for round in 0..200_u64 {
        let mut command = Command::new(std::env::current_exe().expect("it runs"));
        command
            .args(["--exact", "writer", "--ignored"])
            .env("DOCKERIZE_TEST_DIR", guard.path());
        let mut child = command
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        // The start takes a few milliseconds, a write about as long.
        std::thread::sleep(Duration::from_micros(4_000 + round * 7_919 % 9_000));
        child.kill().expect("it runs");
        child.wait().expect("it is ours");
        if let Ok(text) = fs_err::read_to_string(&path) {
            let which = whole
                .iter()
                .position(|whole| *whole == text)
                .expect("it is one or the other");
            seen[which] += 1;
        }
    }
    assert!(
        seen[0] + seen[1] > 100,
        "too few were killed while they wrote: {seen:?}"
    );
}

#[test]
fn ten_at_once_leave_whole_files() {
    let project = Project::new();
    fs_err::remove_file(project.path("Cargo.lock")).expect("it is there");
    let children: Vec<_> = (0..10)
        .map(|_| {
            project
                .command(&["-q"])
                .stderr(std::process::Stdio::piped())
                .spawn()
                .expect("it starts")
        })
        .collect();
    for child in children {
        succeeded(&child.wait_with_output().expect("it is ours"));
    }
    dockerfile::read(&project.text("Dockerfile")).expect("it is whole");
    assert_eq!(owner(&project.text("Dockerfile")), Owner::Tool);
    assert_eq!(owner(&project.text(".dockerignore")), Owner::Tool);
    assert!(
        !project.text("Dockerfile").contains("--locked"),
        "one took another's lock file for the project's"
    );
    succeeded(&project.run(&["--check"]));
}
