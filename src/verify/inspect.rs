//! What an image is made of, against what the plan says of it. Pure: it sees the files that the engine exported,
//! not what labels promise.

use camino::{Utf8Path, Utf8PathBuf};

use super::Subject;
use super::described::Description;
use super::loader::{self, Loaded};
use super::report::{Change, Check, Verdict, What};
use super::tree::{Content, Entry, File, Tree};
use crate::catalog::{Causes, PackageFile, Stray};

/// Everything that can be told without running it, and the libraries that are missing.
pub(super) fn inspect(
    tree: &Tree,
    image: &Description,
    subject: &Subject,
    known: &Causes,
) -> (Vec<Check>, Vec<String>) {
    let mut checks = Vec::new();
    let mut missing = Vec::new();
    match program(tree, image) {
        Err(failed) => checks.push(failed),
        Ok((path, file)) => {
            checks.extend(is_the_program(&path, file, image));
            let environment = image.config.env("LD_LIBRARY_PATH");
            let loaded = loader::load(tree, &path, environment);
            checks.extend(libraries(tree, file, &loaded, subject));
            missing.extend(loaded.missing.into_keys());
        }
    }
    let needed = known.file.iter().filter_map(|file| {
        let needs = |package: &&String| subject.packages.contains(package);
        Some((file, file.packages.iter().find(needs)?))
    });
    checks.extend(needed.map(|(file, package)| holds(tree, file, package)));
    checks.push(user(&image.config.user));
    checks.extend(contents(
        tree,
        subject,
        &image.config.working_dir,
        &known.stray,
    ));
    (checks, missing)
}

/// Where the program is, by way of links and the search path.
fn program<'t>(tree: &'t Tree, image: &Description) -> Result<(Utf8PathBuf, &'t File), Check> {
    let config = &image.config;
    let Some(named) = config.program() else {
        return Err(Check::failed(
            What::Program,
            "the image names no program to start",
        ));
    };
    let places: Vec<Utf8PathBuf> = if named.contains('/') {
        vec![Utf8Path::new("/").join(&config.working_dir).join(named)]
    } else {
        let path = config
            .env("PATH")
            .unwrap_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        path.split(':')
            .map(|folder| Utf8Path::new(folder).join(named))
            .collect()
    };
    let found = places.iter().find_map(|place| tree.find(place));
    match found {
        Some((path, Entry::File(file))) => Ok((Utf8Path::new("/").join(path), file)),
        Some(_) => Err(Check::failed(
            What::Program,
            format!("the entry point {named} is not a file"),
        )),
        None => Err(Check::failed(
            What::Program,
            format!("the entry point {named} is not in the image"),
        )
        .fix(
            "let `ENTRYPOINT` name the path that the program is copied to",
            None,
        )),
    }
}

/// Whether it can be started here, and is not an empty one.
fn is_the_program(path: &Utf8Path, file: &File, image: &Description) -> Vec<Check> {
    let failed = |says: String| Check::failed(What::Program, says);
    let mut checks = Vec::new();
    if !may_run(file, &image.config.user) {
        checks.push(failed(format!(
            "{path} has mode {:o}: user {} may not execute it",
            file.mode & 0o7777,
            image.config.user
        )));
    }
    match &file.content {
        Content::Elf(facts) => {
            let architecture = facts.architecture();
            if architecture != image.architecture {
                checks.push(
                    failed(format!("{path} is a program for {architecture}, in an image for {}", image.platform()))
                        .fix("build for the platform of the image: a target set in cargo's configuration must not name another one", None),
                );
            }
            if facts.is_empty {
                checks.push(failed(format!("{path} is a stub: its `main` does nothing")).fix(
                    "the build shipped what it compiled in place of the sources: build again with `--no-cache`, and report it",
                    None,
                ));
            }
            if checks.is_empty() {
                let kind = if facts.is_static() { "static, " } else { "" };
                let size = super::report::megabytes(file.size);
                checks.push(Check::ok(
                    What::Program,
                    format!("{path}: {kind}{architecture}, {size}"),
                ));
            }
        }
        Content::Script(interpreter) => {
            let says = format!("{path} is a script that {interpreter} runs");
            checks.push(Check::new(What::Program, Verdict::Note, says));
        }
        _ if file.size == 0 => checks.push(failed(format!("{path} is empty"))),
        _ => checks.push(failed(format!("{path} is not a program that Linux runs"))),
    }
    checks
}

/// Whether the bits allow the user to execute it; a user by name is one of the others.
fn may_run(file: &File, user: &str) -> bool {
    let mut ids = user.split(':').map(str::parse::<u64>);
    let user = ids.next().and_then(Result::ok);
    let group = ids.next().and_then(Result::ok);
    let bit = if user == Some(file.owner.0) {
        0o100
    } else if group == Some(file.owner.1) {
        0o010
    } else {
        0o001
    };
    // The superuser needs any of them.
    file.mode & bit != 0 || (matches!(user, None | Some(0)) && file.mode & 0o111 != 0)
}

/// The loader, and all that it would load.
fn libraries(tree: &Tree, file: &File, loaded: &Loaded, subject: &Subject) -> Vec<Check> {
    let Content::Elf(facts) = &file.content else {
        return Vec::new();
    };
    let failed = |says: String| Check::failed(What::Libraries, says);
    if facts.is_static() {
        return vec![Check::ok(
            What::Libraries,
            "none needed: the program is static",
        )];
    }
    let mut checks = Vec::new();
    if subject.is_static {
        let libraries = facts.needed.join(", ");
        checks.push(failed(format!(
            "the program should be static, and loads {libraries}"
        )));
    }
    if let Some(interpreter) = facts.interpreter.as_deref() {
        match tree.elf(interpreter.into()) {
            None => checks.push(
                failed(format!("its loader {interpreter} is not in the image: no program that is not static starts"))
                    .fix("run it on a base with that libc, or link it statically", None),
            ),
            Some(other) if !other.fits(facts) => {
                checks.push(failed(format!("its loader {interpreter} is one for {}", other.architecture())));
            }
            Some(_) => {}
        }
    }
    for (library, needed_by) in &loaded.missing {
        checks.push(failed(format!(
            "{library} is nowhere in the image, and {needed_by} needs it"
        )));
    }
    for old in &loaded.too_old {
        let has = old
            .has
            .as_ref()
            .map_or("none".to_owned(), |has| format!("up to {has}"));
        checks.push(
            failed(format!(
                "{} needs {} of {}, which has {has}",
                old.needed_by, old.wants, old.library
            ))
            .fix(
                "take builder and runtime from the same release of the distribution",
                None,
            ),
        );
    }
    if checks.is_empty() {
        let mut newest = facts.wants.iter().filter_map(|(library, versions)| {
            let newest = versions
                .iter()
                .max_by_key(|version| super::elf::by_number(version))?;
            library.starts_with("libc.").then_some(newest.as_str())
        });
        let newest = newest
            .next()
            .map_or(String::new(), |newest| format!("; needs {newest}"));
        let all = loaded
            .found
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        checks.push(Check::ok(
            What::Libraries,
            format!("all there: {all}{newest}"),
        ));
    }
    checks
}

/// Files of a package that the program needs.
fn holds(tree: &Tree, wanted: &PackageFile, package: &String) -> Check {
    let sound = |path: &&String| {
        tree.file(Utf8Path::new("/").join(path).as_path())
            .is_some_and(|file| {
                let is_bundle = matches!(Utf8Path::new(path).extension(), Some("crt" | "pem"));
                file.size > 0 && (file.content == Content::Certificates || !is_bundle)
            })
    };
    if let Some(path) = wanted.paths.iter().find(sound) {
        return Check::ok(What::Files, format!("{}: /{path}", wanted.what));
    }
    let says = format!("there are no {}, which the program needs", wanted.what);
    let change = Change::new("packages.runtime", std::slice::from_ref(package));
    Check::failed(What::Files, says).fix("add the package that has them", Some(change))
}

/// A number that is not the superuser's.
fn user(user: &str) -> Check {
    let failed = |says: &str| {
        Check::failed(What::User, says).fix("let `USER` name a number other than 0", None)
    };
    let (id, group) = user.split_once(':').unwrap_or((user, "1"));
    match (id.parse::<u32>(), group.parse::<u32>()) {
        _ if id.is_empty() || id == "root" => failed("the program runs as root"),
        (Ok(0), _) => failed("the program runs as user 0, which is root"),
        (Ok(_), Ok(0)) => Check::new(
            What::User,
            Verdict::Note,
            format!("{user}, in the group of root"),
        ),
        (Ok(_), Ok(_)) => Check::ok(What::User, user),
        _ => failed(&format!(
            "the user is the name {user}: who enforces that it is not root needs a number"
        )),
    }
}

/// How many of the strays are listed.
const LISTED: usize = 3;

/// What has no place in an image. Files that the configuration has copied are the user's decision, but for keys.
fn contents(tree: &Tree, subject: &Subject, home: &str, strays: &[Stray]) -> Vec<Check> {
    let mut checks = Vec::new();
    let copied = subject.assets.iter().map(|asset| {
        let path = Utf8Path::new(home).join(asset);
        Utf8PathBuf::from(path.as_str().trim_start_matches('/'))
    });
    let copied: Vec<Utf8PathBuf> = copied.collect();
    for stray in strays {
        let found = tree.iter().filter(|(path, entry)| {
            let name = path.file_name().unwrap_or_default();
            let named = stray
                .names
                .iter()
                .any(|pattern| match pattern.strip_prefix('*') {
                    Some(end) => name.ends_with(end) && matches!(entry, Entry::File(_)),
                    None => name == pattern,
                });
            named && !copied.iter().any(|asset| path.starts_with(asset))
        });
        let found: Vec<&Utf8Path> = found.map(|(path, _)| path).collect();
        checks.extend(stray_check(&stray.what, &found));
    }
    let keys = tree.iter().filter(
        |(_, entry)| matches!(entry, Entry::File(file) if file.content == Content::PrivateKey),
    );
    let keys: Vec<&Utf8Path> = keys.map(|(path, _)| path).collect();
    checks.extend(stray_check("a private key", &keys));
    if checks.is_empty() {
        checks.push(Check::ok(
            What::Contents,
            "no source code, build output, history or secrets",
        ));
    }
    checks
}

fn stray_check(what: &str, found: &[&Utf8Path]) -> Option<Check> {
    if found.is_empty() {
        return None;
    }
    let listed = found.iter().take(LISTED).map(|path| format!("/{path}"));
    let rest = found.len().saturating_sub(LISTED);
    let rest = (rest > 0).then(|| format!("and {rest} more"));
    let listed = listed.chain(rest).collect::<Vec<_>>().join(", ");
    let check = Check::failed(What::Contents, format!("{what} is in the image: {listed}"));
    Some(check.fix("copy what the program reads alone: `assets` names it", None))
}
