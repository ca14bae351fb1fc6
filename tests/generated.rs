//! What nobody would think of: generated workspaces, and damaged files. `PROPTEST_CASES` sets how many are tried.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run the program and read what it wrote"
)]

use std::fmt::Write;
use std::process::{Command, Output};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_dockerize::dockerfile;
use proptest::prelude::*;

use self::reading::{read_configuration, read_dockerfile};

// The fuzz targets read in the same way.
#[path = "fuzz/reading.rs"]
mod reading;

/// A member of a workspace.
#[derive(Clone, Debug)]
struct Member {
    /// A folder, with characters that paths have somewhere.
    folder: String,
    /// How the package's name begins.
    name: String,
    /// Whether it has a binary, with a name of its own: almost any, says cargo.
    bin: Option<String>,
    /// Features, each with whether it is on by default.
    features: Vec<bool>,
    /// Members before this one that it depends on.
    depends: Vec<prop::sample::Index>,
    /// Text for people.
    about: String,
}

fn member() -> impl Strategy<Value = Member> {
    let name = "[a-zäß日][a-z0-9_ä-]{0,6}";
    let bin = prop::option::of("[A-Za-zä日][A-Za-z0-9_.ä日 '\"$+@~-]{0,12}");
    let features = prop::collection::vec(any::<bool>(), 0..3);
    let depends = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    // Not all that paths may hold: `\` and `"` have no place in a manifest's list of members on every system.
    let folder = "[a-zA-Zäß日$'()+,.;=@ #&-]{0,10}[a-z]";
    (folder, name, bin, features, depends, "[ -~ä\n]{0,30}").prop_map(
        |(folder, name, bin, features, depends, about)| Member {
            folder,
            name,
            bin,
            features,
            depends,
            about,
        },
    )
}

/// Mostly few members, sometimes as many as large projects have.
fn workspace() -> impl Strategy<Value = Vec<Member>> {
    let few = prop::collection::vec(member(), 1..8);
    let many = prop::collection::vec(member(), 100..=150);
    prop_oneof![9 => few, 1 => many]
}

fn create(root: &Utf8Path, members: &[Member]) {
    let name = |number: usize| format!("{}{number}", members[number].name);
    // A number keeps names apart where a file system does not tell capitals from others.
    let folder = |number: usize| format!("{}{number}", members[number].folder);
    let mut lock = "version = 4\n".to_owned();
    let mut sorted: Vec<usize> = (0..members.len()).collect();
    sorted.sort_by_key(|number| name(*number));
    let depends = |number: usize| {
        let mut on: Vec<usize> = match number {
            0 => Vec::new(),
            _ => members[number]
                .depends
                .iter()
                .map(|index| index.index(number))
                .collect(),
        };
        on.sort_by_key(|number| name(*number));
        on.dedup();
        on
    };
    for number in sorted {
        let _ = write!(
            lock,
            "\n[[package]]\nname = \"{}\"\nversion = \"0.1.0\"\n",
            name(number)
        );
        let on = depends(number);
        if !on.is_empty() {
            let lines: String = on.iter().fold(String::new(), |lines, on| {
                lines + &format!(" \"{}\",\n", name(*on))
            });
            let _ = write!(lock, "dependencies = [\n{lines}]\n");
        }
    }
    let folders: Vec<String> = (0..members.len()).map(folder).collect();
    let manifest = format!(
        "[workspace]\nresolver = \"2\"\nmembers = {}\n",
        toml_list(&folders)
    );
    let write = |path: Utf8PathBuf, text: &str| {
        fs_err::create_dir_all(path.parent().expect("it is below the root")).expect("a new folder");
        fs_err::write(path, text).expect("a new file");
    };
    write(root.join("Cargo.toml"), &manifest);
    write(root.join("Cargo.lock"), &lock);
    for (number, member) in members.iter().enumerate() {
        let dir = root.join(folder(number));
        let about = toml_string(&member.about);
        let mut manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2021\"\ndescription = {about}\n",
            name(number)
        );
        match &member.bin {
            Some(bin) => {
                let bin = toml_string(&format!("{bin}{number}"));
                let _ = write!(manifest, "[[bin]]\nname = {bin}\npath = \"src/main.rs\"\n");
                write(dir.join("src/main.rs"), "fn main() {}\n");
            }
            None => write(dir.join("src/lib.rs"), ""),
        }
        manifest += "[features]\n";
        let on = member.features.iter().enumerate().filter(|(_, on)| **on);
        let on: Vec<String> = on.map(|(feature, _)| format!("f{feature}")).collect();
        let _ = writeln!(manifest, "default = {}", toml_list(&on));
        for feature in 0..member.features.len() {
            let _ = writeln!(manifest, "f{feature} = []");
        }
        manifest += "[dependencies]\n";
        for on in depends(number) {
            let path = toml_string(&format!("../{}", folder(on)));
            let on = toml_string(&name(on));
            let _ = writeln!(manifest, "{on} = {{ path = {path} }}");
        }
        // What others depend on has a library as well.
        if member.bin.is_some() {
            write(dir.join("src/lib.rs"), "");
        }
        write(dir.join("Cargo.toml"), &manifest);
    }
}

fn toml_string(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn toml_list(texts: &[String]) -> String {
    toml::Value::from(texts.to_vec()).to_string()
}

fn run(root: &Utf8Path, options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-dockerize"));
    command
        .args(["dockerize", "--offline", "--color=never"])
        .args(options);
    command
        .current_dir(root)
        .env("CARGO", env!("CARGO"))
        .output()
        .expect("it starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(12), failure_persistence: None, max_shrink_iters: 30, ..ProptestConfig::default() })]

    #[test]
    fn every_workspace_has_an_answer(members in workspace()) {
        let guard = tempfile::Builder::new().prefix("a folder, ä ").tempdir()?;
        let root = Utf8Path::from_path(guard.path()).expect("UTF-8");
        create(root, &members);
        let first = run(root, &[]);
        prop_assert!(!said(&first).contains("panicked"), "{}", said(&first));
        if members.iter().all(|member| member.bin.is_none()) {
            prop_assert_eq!(first.status.code(), Some(101), "{}", said(&first));
            return Ok(());
        }
        // Names like `bench` and `xtask` are helpers.
        if said(&first).contains("only helpers") {
            return Ok(());
        }
        prop_assert!(first.status.success(), "{}", said(&first));
        let text = fs_err::read_to_string(root.join("Dockerfile"))?;
        let file = dockerfile::read(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert!(file.stages.len() > 3);
        if let Some(complaint) = complaint_of_engine(root) {
            return Err(TestCaseError::fail(format!("{complaint}\n{text}")));
        }
        let lock = fs_err::read_to_string(root.join("Cargo.lock"))?;

        let check = run(root, &["--check"]);
        prop_assert!(check.status.success(), "{}", said(&check));
        let again = run(root, &[]);
        prop_assert!(said(&again).contains("Unchanged Dockerfile, .dockerignore"), "{}", said(&again));
        prop_assert_eq!(fs_err::read_to_string(root.join("Dockerfile"))?, text);
        prop_assert_eq!(fs_err::read_to_string(root.join("Cargo.lock"))?, lock);
    }
}

/// What the engine's own parser has to say of the Dockerfile, if it says anything. It is asked where tests are to have
/// an engine.
fn complaint_of_engine(root: &Utf8Path) -> Option<String> {
    std::env::var_os("CARGO_DOCKERIZE_TEST_ENGINE")?;
    let mut command = Command::new("docker");
    let output = command
        .args(["build", "--check", "."])
        .current_dir(root)
        .output();
    let output = output.expect("there is an engine");
    (!output.status.success()).then(|| said(&output))
}

/// How many cases to try.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(usual)
}

/// The texts of a folder of `tests/corpus`.
fn corpus(folder: &str) -> Vec<String> {
    let folder = format!("{}/tests/corpus/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = fs_err::read_dir(folder)
        .expect("it is in the repository")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            String::from_utf8_lossy(&fs_err::read(path).expect("it can be read")).into_owned()
        })
        .collect()
}

#[test]
fn the_corpus_is_read() {
    for text in corpus("dockerfiles") {
        read_dockerfile(&text);
    }
    for text in corpus("configurations") {
        read_configuration(&text);
    }
}

/// A text with some of it replaced, moved or repeated.
fn damaged(texts: Vec<String>) -> impl Strategy<Value = String> {
    let cut = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    );
    let insert = prop_oneof![
        "[ -~\n\t\r\\\\#<'\"\\[\\]{}=@:ä\u{feff}]{0,6}",
        prop::sample::select(vec![
            "\\\n",
            "FROM ",
            " AS ",
            "<<EOF",
            "@sha256:",
            "[[",
            "COPY --from=",
            "\u{0}",
            "\r\n"
        ])
        .prop_map(str::to_owned),
    ];
    let change = (cut, insert, any::<bool>());
    (
        prop::sample::select(texts),
        prop::collection::vec(change, 1..6),
    )
        .prop_map(|(text, changes)| {
            let mut text: Vec<char> = text.chars().collect();
            for ((from, to, at), insert, repeat) in changes {
                let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
                let piece: Vec<char> =
                    text[from.min(to)..from.max(to).min(from.min(to) + 30)].to_vec();
                if !repeat {
                    text.drain(from.min(to)..from.min(to) + piece.len());
                }
                let at = at.index(text.len() + 1);
                text.splice(
                    at..at,
                    insert
                        .chars()
                        .chain(if repeat { piece } else { Vec::new() }),
                );
            }
            text.into_iter().collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(2_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_dockerfiles_are_read(text in damaged(corpus("dockerfiles"))) {
        read_dockerfile(&text);
    }

    #[test]
    fn damaged_configurations_are_read(text in damaged(corpus("configurations"))) {
        read_configuration(&text);
    }
}
