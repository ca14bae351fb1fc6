//! What the manifests say that no dependency follows from, and whether edits by line can take it out: the layer
//! of the dependencies is the same for two states of the project that differ in nothing else.
//!
//! The edits are those of `templates/Dockerfile`. They are made here too, and what comes of them is compared
//! with what should: where a file is written in another way, it has to stay as it is.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};
use guppy::graph::BuildTargetId;
use regex_lite::Regex;
use toml::{Table, Value};

use super::{CargoConfig, Lock, Membership, Package};

/// Which edits are safe, or the file that stands in the way, relative to the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trimmable {
    /// Benchmarks, examples and tests can be left out.
    pub targets: Result<(), Utf8PathBuf>,
    /// The versions of the workspace's own packages can all be made the same, also in the lock file.
    pub versions: Result<(), Utf8PathBuf>,
}

/// What is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Targets,
    Versions,
}

/// The version in place of all others.
const LEVEL: &str = "0.0.0";

const TARGETS: [&str; 3] = ["bench", "example", "test"];

/// Looks at the manifests of the packages that stubs stand for, at that of the workspace at `root`, and at its
/// lock file. `context` is absolute, the other paths are relative to it.
pub(super) fn trimmable(
    packages: &[Package],
    context: &Utf8Path,
    root: &Utf8Path,
    lock: &Lock,
    config: &CargoConfig,
) -> Trimmable {
    let stubs = packages.iter().filter(|p| !p.below_dependencies);
    let manifests: BTreeSet<Utf8PathBuf> = stubs
        .map(|p| p.dir.as_path())
        .chain([root])
        .map(|dir| dir.join("Cargo.toml"))
        .collect();
    let holds = |part| match manifests
        .iter()
        .find(|m| !is_trimmable(&context.join(m), part))
    {
        None => Ok(()),
        Some(manifest) => Err(manifest.clone()),
    };
    let targets = holds(Part::Targets);
    let versions = targets
        .clone()
        .and_then(|()| own_versions_are_alone(packages, context, root, lock, config))
        .and_then(|()| holds(Part::Versions));
    Trimmable { targets, versions }
}

/// Whether nothing outside of the members' manifests and the lock file goes by the members' versions.
fn own_versions_are_alone(
    packages: &[Package],
    context: &Utf8Path,
    root: &Utf8Path,
    lock: &Lock,
    config: &CargoConfig,
) -> Result<(), Utf8PathBuf> {
    let compiled =
        |p: &&Package| p.below_dependencies || p.membership == Membership::PathDependency;
    if let Some(package) = packages.iter().find(compiled) {
        return Err(package.dir.join("Cargo.toml"));
    }
    let replaces = |file: &Utf8PathBuf| {
        let table = table(&context.join(file)).unwrap_or_default();
        ["patch", "paths", "replace"]
            .iter()
            .any(|key| table.contains_key(*key))
    };
    let manifest = root.join("Cargo.toml");
    let mut replacing = config.files.iter().chain([&manifest]);
    if let Some(file) = replacing.find(|file| replaces(file)) {
        return Err(file.clone());
    }
    let path = root.join("Cargo.lock");
    match lock {
        Lock::Present(_) if is_lock_trimmable(&context.join(&path)) => Ok(()),
        _ => Err(path),
    }
}

/// Whether no binary can be built of a target.
pub(super) fn is_spare(target: BuildTargetId<'_>) -> bool {
    matches!(
        target,
        BuildTargetId::Benchmark(_) | BuildTargetId::Example(_) | BuildTargetId::Test(_)
    )
}

/// Whether the layer keeps a target's root file by its place alone. The patterns are those of
/// `templates/Dockerfile`; `path` is relative to the package.
pub(super) fn is_usual_root(path: &Utf8Path) -> bool {
    let in_bin = path.parent().is_some_and(|folder| folder == "src/bin");
    matches!(path.file_name(), Some("build.rs" | "lib.rs" | "main.rs")) || in_bin
}

fn table(path: &Utf8Path) -> Option<Table> {
    toml::from_str(&fs_err::read_to_string(path).ok()?).ok()
}

fn is_trimmable(manifest: &Utf8Path, part: Part) -> bool {
    let text = fs_err::read_to_string(manifest).unwrap_or_default();
    // What the ends of lines are is a matter of the checkout.
    let text = text.replace("\r\n", "\n");
    let whole = toml::from_str::<Table>(&text).ok();
    whole.is_some_and(|whole| {
        toml::from_str(&edited(&text, part)).ok() == Some(trimmed(whole, part))
    })
}

/// A manifest after the edits by line.
fn edited(text: &str, part: Part) -> String {
    static RULES: LazyLock<[Regex; 6]> = LazyLock::new(|| {
        [
            r"^ *\[\[ *(bench|example|test) *\]\]",
            r"^ *\[ *(workspace *\. *)?package *\]",
            r#""[^"]*""#,
            r#", *version *= *"[^"]*""#,
            r#"version *= *"[^"]*" *, *"#,
            r#"path *= *""#,
        ]
        .map(|rule| Regex::new(rule).expect("the rules are valid"))
    });
    let [target, package, value, last, first, path] = &*RULES;
    let mut header = "";
    let mut edited = String::new();
    for line in text.lines() {
        let start = line.trim_start_matches(' ');
        if start.starts_with('[') {
            header = line;
        }
        if target.is_match(header) || start.is_empty() || start.starts_with('#') {
            continue;
        }
        let mut line = line.to_owned();
        if part == Part::Versions {
            let key = start
                .strip_prefix("version")
                .map(|rest| rest.trim_start_matches(' '));
            if package.is_match(header) && key.is_some_and(|rest| rest.starts_with('=')) {
                line = value.replace(&line, format!("\"{LEVEL}\"")).into_owned();
            }
            if path.is_match(&line) {
                line = last.replace(&line, "").into_owned();
                line = first.replace(&line, "").into_owned();
            }
        }
        edited.extend([line.as_str(), "\n"]);
    }
    edited
}

/// What the edits are to make of a manifest.
fn trimmed(mut manifest: Table, part: Part) -> Table {
    for kind in TARGETS {
        manifest.remove(kind);
    }
    if part == Part::Targets {
        return manifest;
    }
    level(manifest.get_mut("package"));
    let workspace = manifest.get_mut("workspace").and_then(Value::as_table_mut);
    if let Some(workspace) = workspace {
        level(workspace.get_mut("package"));
        without_versions(workspace);
    }
    without_versions(&mut manifest);
    let targets = manifest.get_mut("target").and_then(Value::as_table_mut);
    for (_, target) in targets.into_iter().flatten() {
        target.as_table_mut().map(without_versions);
    }
    manifest
}

fn level(package: Option<&mut Value>) {
    let version = package.and_then(|package| package.get_mut("version"));
    if let Some(Value::String(version)) = version {
        LEVEL.clone_into(version);
    }
}

/// Takes the versions from dependencies with a path.
fn without_versions(manifest: &mut Table) {
    for key in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let all = manifest.get_mut(key).and_then(Value::as_table_mut);
        for (_, dependency) in all.into_iter().flatten() {
            if let Some(table) = dependency.as_table_mut().filter(|t| t.contains_key("path")) {
                table.remove("version");
            }
        }
    }
}

/// Whether the lock file names the workspace's packages by their names alone, and edits by line level their
/// versions.
fn is_lock_trimmable(path: &Utf8Path) -> bool {
    let text = fs_err::read_to_string(path).unwrap_or_default();
    let Ok(mut lock) = toml::from_str::<Table>(&text) else {
        return false;
    };
    let Some(packages) = lock.get_mut("package").and_then(Value::as_array_mut) else {
        return false;
    };
    let name = |package: &Value| {
        package
            .get("name")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let is_own = |package: &Value| package.get("source").is_none();
    let own: BTreeSet<String> = packages
        .iter()
        .filter(|p| is_own(p))
        .filter_map(name)
        .collect();
    let is_one = |own: &String| {
        packages
            .iter()
            .filter(|p| name(p).as_ref() == Some(own))
            .count()
            == 1
    };
    let dependencies = packages
        .iter()
        .filter_map(|p| p.get("dependencies")?.as_array());
    let mut words = dependencies.flatten().filter_map(Value::as_str);
    let versioned = |word: &str| {
        word.split_once(' ')
            .is_some_and(|(name, _)| own.contains(name))
    };
    if !own.iter().all(is_one) || words.any(versioned) {
        return false;
    }
    for package in packages.iter_mut().filter(|p| is_own(p)) {
        level(Some(package));
    }
    toml::from_str(&edited_lock(&text)).ok() == Some(lock)
}

/// A lock file after the edits by line.
fn edited_lock(text: &str) -> String {
    let mut lines = text.lines().peekable();
    let mut edited = String::new();
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        if line.starts_with("version = \"") && !next.starts_with("source = ") {
            edited.extend(["version = \"", LEVEL, "\"\n"]);
        } else {
            edited.extend([line, "\n"]);
        }
    }
    edited
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(text: &str, part: Part) -> bool {
        let whole = toml::from_str(text).expect("TOML");
        toml::from_str(&edited(text, part)).ok() == Some(trimmed(whole, part))
    }

    #[test]
    fn usual_manifests_are_trimmed() {
        let text = "[package]\nname = \"a\"\nversion = \"1.2.3\"\n[[bench]]\nname = \"b\"\n[[test]]\n\
                    name = \"c\"\n[dependencies]\nd = { path = \"../d\", version = \"1\" }\n\
                    e = { version = \"=1.0\", path = \"../e\", default-features = false }\nf = \"1\"\n\
                    [[example]]\nname = 'g'";
        assert!(safe(text, Part::Targets));
        assert!(safe(text, Part::Versions));
        let edited = edited(text, Part::Versions);
        assert!(
            !edited.contains("1.2.3") && !edited.contains("[[") && edited.contains("f = \"1\"")
        );
        assert!(safe(
            "[workspace.package]\nversion = \"1.0.0\"",
            Part::Versions
        ));
        assert!(safe(
            "[package]\nname = 'a'\nversion.workspace = true",
            Part::Versions
        ));
    }

    #[test]
    fn other_ways_to_write_are_left_alone() {
        assert!(!safe(
            "bench = [{ name = 'a', harness = false }]",
            Part::Targets
        ));
        for text in [
            "[package]\nname = 'a'\nversion = '1.0.0'",
            "[dependencies.a]\npath = 'a'\nversion = \"1\"",
            "[dependencies]\na = { version = '1', path = 'a' }",
        ] {
            assert!(!safe(text, Part::Versions), "{text}");
        }
    }

    #[test]
    fn a_lock_file_is_levelled() {
        let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\n \"b\",\n]\n\n\
                    [[package]]\nname = \"b\"\nversion = \"2.0.0\"\nsource = \"registry+x\"\n\n\
                    [[package]]\nname = \"c\"\nversion = \"1.0.0\"\n";
        let expected = text.replace("1.0.0", LEVEL);
        assert_eq!(edited_lock(text), expected);
    }
}
