//! Files that a program opens where it runs, as far as its sources plainly name them:
//! `Tera::new("templates/**/*")`, `ServeDir::new("./static")`, `default_value = "config.toml"`.

use camino::{Utf8Path, Utf8PathBuf};
use proc_macro2::TokenStream;

use super::sources::Places;
use super::tokens::{self, Event, Place};

/// A file or folder that a source file names, and the program may open where it runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opened {
    /// The source file, relative to the context.
    pub source: Utf8PathBuf,
    /// What it names, relative to the context.
    pub path: Utf8PathBuf,
    /// The way to it from where it starts.
    pub way: Utf8PathBuf,
    /// Where the way to it starts.
    pub start: Start,
    /// Whether it can hardly be anything else: what a function that reads is given, or the way to a file that is
    /// there.
    pub plainly: bool,
}

/// Where the program looks for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Start {
    /// In the folder that it is run in.
    Run,
    /// In the folder of its package where it was built, whose path the compiler wrote into it:
    /// `env!("CARGO_MANIFEST_DIR")`.
    Built,
}

/// Words in the names of types and functions that take a path. Elsewhere, a word without a slash or a full stop is
/// more likely to be the name of something else.
const OPENING: [&str; 8] = [
    "dir", "file", "join", "load", "open", "path", "serve", "template",
];

/// Ends of the names of functions that read the file or folder whose path they are given, as `callee` has them.
const READING: [&str; 20] = [
    "fileendpointnew",
    "fileopen",
    "fileserverfrom",
    "filesendpointnew",
    "filesnew",
    "filewith_name",
    "from_file",
    "from_path",
    "fsdir",
    "fsfile",
    "fsread",
    "imageopen",
    "init_file",
    "load_file",
    "load_from_file",
    "read_dir",
    "read_to_string",
    "servedirnew",
    "servefilenew",
    "staticdirnew",
];

/// Words for settings, and for what the functions do that are given the path of a file of them.
const OF_SETTINGS: [&str; 3] = ["config", "options", "settings"];
const TAKING_IN: [&str; 4] = ["load", "open", "parse", "read"];

/// The endings of settings.
const SETTINGS: [&str; 6] = ["ini", "json", "json5", "toml", "yaml", "yml"];

/// Words in the names of macros that have a file read while the code compiles.
const COMPILED: [&str; 4] = ["embed", "env", "include", "migrat"];

/// Macros that put the folder of the package before what they are given.
const AT_PACKAGE: [&str; 2] = ["crate_relative", "relative"];

/// A relative path: up to the first wildcard, and without a `./` before it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    path: String,
    start: Start,
    /// Whether a function that reads is given it.
    read: bool,
}

/// What an event in a source file names that is there; `knows_its_folder` where the file asks the compiler for the
/// folder of the package.
pub(super) fn opened<'e>(
    event: &'e Event<'_>,
    knows_its_folder: bool,
    file: &'e Utf8Path,
    places: &'e Places<'_>,
) -> impl Iterator<Item = Opened> + 'e {
    let named = named(event, knows_its_folder).into_iter();
    named.filter_map(move |named| {
        let (base, path) = at_hand(&named, places)?;
        let below = named.path.contains('/') && !named.path.starts_with("src/");
        let is_data = below && path.extension().is_some() && path.is_file();
        let is_source = path == places.package.join("src");
        Some(Opened {
            source: file.to_owned(),
            way: super::relative(&path, base),
            plainly: (named.read || is_data || named.start == Start::Built) && !is_source,
            start: named.start,
            path,
        })
    })
}

/// Whether a file has the path of the package's folder compiled in, for when it runs.
pub(super) fn knows_its_folder(tokens: TokenStream) -> bool {
    let mut knows = false;
    tokens::walk(tokens, &mut |event| {
        if let Event::Text(place, text) = event
            && let [around @ .., env] = &place.macros[..]
        {
            let asks = env == "env" && text == "CARGO_MANIFEST_DIR";
            knows |= asks && !around.iter().any(|name| has(name, &COMPILED));
        }
    });
    knows
}

/// Whether a name has one of the words in it.
fn has(name: &str, words: &[&str]) -> bool {
    let name = name.to_lowercase();
    words.iter().any(|word| name.contains(word))
}

/// What a program finds when it is run in its package's folder, or at the root of the workspace. What git leaves out
/// is nobody else's.
fn at_hand<'p>(named: &Named, places: &Places<'p>) -> Option<(&'p Utf8Path, Utf8PathBuf)> {
    let there = |base: &'p Utf8Path| {
        let path = base.join(&named.path);
        let path = if named.read {
            completed(path)?
        } else {
            Some(path).filter(|path| path.exists())?
        };
        Some((base, path))
    };
    let bases = match named.start {
        Start::Run => &[places.package, places.workspace][..],
        Start::Built => &[places.package],
    };
    let mut found = bases.iter().copied().filter_map(there);
    found.find(|(_, path)| !places.git.ignores(path))
}

/// The path where it is there, else the file that it is the name of but for the ending, which some readers of
/// settings add by themselves.
fn completed(path: Utf8PathBuf) -> Option<Utf8PathBuf> {
    if path.exists() {
        return Some(path);
    }
    let files = path.parent()?.read_dir_utf8().ok()?.flatten();
    let files = files.map(|entry| entry.path().to_owned());
    let named = |file: &Utf8PathBuf| {
        let settings = file.extension().is_some_and(|end| SETTINGS.contains(&end));
        settings && file.file_stem() == path.file_name()
    };
    files.filter(named).min()
}

fn named(event: &Event<'_>, knows_its_folder: bool) -> Vec<Named> {
    match event {
        Event::Text(place, text) => in_code(place, text, knows_its_folder),
        // The default of an option: other strings there are names and texts.
        Event::Value(key, text) if key.starts_with("default") => {
            let named = relative(text).map(|path| Named {
                path,
                start: Start::Run,
                read: false,
            });
            named.into_iter().collect()
        }
        Event::Value(..) | Event::Field(..) | Event::Macro(..) | Event::Call(..) => Vec::new(),
    }
}

fn in_code(place: &Place, text: &str, knows_its_folder: bool) -> Vec<Named> {
    if place.macros.iter().any(|name| has(name, &COMPILED)) {
        return Vec::new();
    }
    let callee = place.callee.concat().to_lowercase();
    let read = READING.iter().any(|end| callee.ends_with(end))
        || has(&callee, &OF_SETTINGS) && has(&callee, &TAKING_IN);
    let named = |text: &str, start: Start| relative(text).map(|path| Named { path, start, read });
    let innermost = place.macros.last().map_or("", String::as_str);
    // `concat!(env!("…"), "/static")`, `format!("{}/static", env!("…"))`
    let after_folder = text
        .strip_prefix('{')
        .and_then(|rest| rest.split_once('}'))
        .map_or(text, |(_, rest)| rest);
    let after_folder = after_folder
        .strip_prefix('/')
        .filter(|_| knows_its_folder && ["concat", "format"].contains(&innermost));
    if AT_PACKAGE.contains(&innermost) {
        named(text.trim_start_matches('/'), Start::Built)
            .into_iter()
            .collect()
    } else if let Some(path) = after_folder {
        named(path, Start::Built).into_iter().collect()
    } else if text.contains(['/', '.']) || read || has(&callee, &OPENING) {
        // Whose path is gone on with, only the compiler can tell.
        let function = place.callee.last().map_or("", String::as_str);
        let goes_on = knows_its_folder && ["join", "push"].contains(&function);
        let built = goes_on.then(|| named(text, Start::Built)).flatten();
        named(text, Start::Run).into_iter().chain(built).collect()
    } else {
        Vec::new()
    }
}

fn relative(literal: &str) -> Option<String> {
    let start = literal.find(['*', '?', '{']).unwrap_or(literal.len());
    let (before, wildcard) = literal.split_at(start);
    let path = match wildcard {
        "" => before,
        _ => before.rsplit_once('/')?.0,
    };
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            "" | ".." => return None,
            part => parts.push(part),
        }
    }
    let plain = |c: char| c.is_alphanumeric() || "._- ".contains(c);
    let is_path =
        !parts.is_empty() && path.len() <= 100 && parts.iter().all(|part| part.chars().all(plain));
    is_path.then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Named, Start};

    fn all_named(source: &str) -> BTreeSet<Named> {
        let tokens: super::TokenStream = source.parse().expect("Rust");
        let knows_its_folder = super::knows_its_folder(tokens.clone());
        let mut all = BTreeSet::new();
        super::tokens::walk(tokens, &mut |event| {
            all.extend(super::named(&event, knows_its_folder));
        });
        all
    }

    fn built(source: &str) -> Vec<String> {
        let all = all_named(source).into_iter();
        let built = all.filter(|named| named.start == Start::Built);
        built.map(|named| named.path).collect()
    }

    fn paths(source: &str) -> Vec<String> {
        let all = all_named(source).into_iter();
        all.map(|named| named.path).collect()
    }

    #[test]
    fn what_functions_that_read_are_given() {
        let read = |source| all_named(source).iter().all(|named| named.read);
        assert!(read(r#"fn f() { std::fs::File::open("json/a.json"); }"#));
        assert!(read(
            r#"fn f() { fs::read_to_string(format!("json/{name}.json")); }"#
        ));
        assert!(read(r#"fn f() { Files::new("/", "./web") }"#));
        assert!(read(r#"fn f() { StaticDir::new(["web", "../shared"]) }"#));
        assert!(read(
            r#"fn f() { open_config_file("shop.toml"); Settings::load("shop") }"#
        ));
        assert!(!read(r#"fn f() { File::create("json/a.json"); }"#));
        assert!(!read(r#"const PATH: &str = "json/a.json";"#));
    }

    #[test]
    fn what_functions_and_defaults_name() {
        assert_eq!(
            paths(r#"fn f() { Tera::new("templates/**/*.html"); ServeDir::new("./static/") }"#),
            ["static", "templates"]
        );
        assert_eq!(
            paths(
                r#"#[arg(long, default_value = "config/app.toml", help = "a/b")] struct A { config: String }"#
            ),
            ["config/app.toml"]
        );
        assert_eq!(
            paths(
                r#"fn f() { Files::new("/", "public"); Arg::new("assets"); base.join("views") }"#
            ),
            ["public", "views"]
        );
        assert_eq!(
            paths(r#"fn f() { read("data/a b.txt"); }"#),
            ["data/a b.txt"]
        );
        assert_eq!(
            paths(r#"lazy! { static ref T: T = read("a.toml"); }"#),
            ["a.toml"]
        );
    }

    #[test]
    fn what_starts_where_the_package_was_built() {
        assert_eq!(
            built(
                r#"fn f() { Tera::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/**/*")) }"#
            ),
            ["templates"]
        );
        assert_eq!(
            built(r#"fn f() { FileServer::from(relative!("/static")) }"#),
            ["static"]
        );
        assert_eq!(
            built(
                r#"fn f() { read(format!("{}/a.toml", env!("CARGO_MANIFEST_DIR"))); base.join("views") }"#
            ),
            ["a.toml", "views"]
        );
        assert_eq!(
            built(
                r#"fn f() { include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/a")); base.join("b") }"#
            ),
            [""; 0]
        );
    }

    #[test]
    fn neither_tests_nor_absolute_paths_nor_what_the_compiler_reads() {
        assert_eq!(
            paths(
                r#"fn f() { open("/etc/a"); open("../a"); include_str!("b/c") }
                   #[cfg(test)] mod tests { fn t() { open("d/e"); } }"#
            ),
            [""; 0]
        );
    }
}
