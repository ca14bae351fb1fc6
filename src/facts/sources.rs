//! Files that sources name. `cargo metadata` knows nothing of what macros and attributes read while they
//! compile (`include_str!("…")`, `#[folder = "…"]`), or of what build scripts open. Every string that looks like
//! a path is looked up.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use proc_macro2::{TokenStream, TokenTree};

use super::git::Git;
use super::loopback::{self, Loopback};
use super::opened::{self, Opened};
use super::tokens::{self, Event, unquoted};
use super::{Link, clean, started};
use crate::path::is_for_tests;

/// A path in a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// The source file, relative to the context.
    pub source: Utf8PathBuf,
    /// The macro or the key of the attribute that it is given to; none in a build script.
    pub by: Option<String>,
    /// What it names, relative to the context.
    pub path: Utf8PathBuf,
    /// Whether there is such a file or folder.
    pub found: bool,
}

/// Where to look, absolute.
pub(super) struct Places<'p> {
    /// The folder of the package.
    pub(super) package: &'p Utf8Path,
    /// The root of the workspace.
    pub(super) workspace: &'p Utf8Path,
    /// The root file of its build script.
    pub(super) build_script: Option<&'p Utf8Path>,
    /// What git thinks of it all.
    pub(super) git: &'p Git,
}

/// More files or bytes than this, and a project is not read to its end.
const MOST_FILES: usize = 10_000;
const MOST_BYTES: u64 = 1 << 20;

/// Folders that no binary is compiled from.
const ASIDE: [&str; 7] = [
    "benches",
    "examples",
    "fuzz",
    "node_modules",
    "target",
    "tests",
    "vendor",
];

/// Words in the names of macros and the keys of attributes that have files read while the code compiles. Others,
/// such as the default of an option, are about where the program runs.
const READING: [&str; 12] = [
    "assets", "dir", "embed", "file", "folder", "gen", "i18n", "include", "locales", "migrat",
    "path", "schema",
];

/// Macros and attributes that look beside the source file, not at the package's folder.
const BESIDE: [&str; 4] = ["include", "include_bytes", "include_str", "path"];

/// What the sources of a package tell.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The files themselves, absolute.
    pub(super) files: BTreeSet<Utf8PathBuf>,
    /// Links to files or folders among them, absolute.
    pub(super) links: BTreeSet<Link>,
    /// Paths in them, absolute.
    pub(super) mentions: Vec<Mention>,
    /// What the program may open where it runs, and is there, absolute.
    pub(super) opened: Vec<Opened>,
    /// The programs that they start, each with the first file that does, absolute.
    pub(super) starts: BTreeMap<String, Utf8PathBuf>,
    /// The names of the macros that they call.
    pub(super) macros: BTreeSet<String>,
    /// An address of this machine alone that the program listens on, in a file that is absolute.
    pub(super) loopback: Option<Loopback>,
}

/// Reads the sources of a package.
pub(super) fn read(places: &Places<'_>) -> Sources {
    let mut sources = Sources::default();
    let mut files = Vec::new();
    find_sources(places.package, &mut files, &mut sources.links);
    let src = places.package.join("src");
    sources.links.retain(|link| link.path.starts_with(&src));
    let mut found = BTreeSet::new();
    let mut opened = BTreeSet::new();
    let mut addresses = Vec::new();
    for file in &files {
        let Ok(text) = fs_err::read_to_string(file) else {
            continue;
        };
        let Some(tokens) = tokens::parse(&text) else {
            continue;
        };
        let in_build_script = is_of_build_script(file, places);
        if !in_build_script && !is_for_tests(file) {
            addresses.push((file.as_path(), loopback::read(&text, tokens.clone())));
        }
        let knows_its_folder =
            text.contains("CARGO_MANIFEST_DIR") && opened::knows_its_folder(tokens.clone());
        let mut literals = Vec::new();
        // Commands of the command line itself have a type of the same name.
        let has_other_commands = text.contains("clap");
        tokens::walk(tokens, &mut |event| {
            if in_build_script {
                literals.extend(any_string(&event));
                return;
            }
            literals.extend(for_the_compiler(&event));
            opened.extend(opened::opened(&event, knows_its_folder, file, places));
            if let Some(program) = started::program(&event, has_other_commands) {
                let first = sources.starts.entry(program);
                first.or_insert_with(|| file.clone());
            }
        });
        let macros = literals.iter().filter_map(|literal| literal.by.clone());
        sources.macros.extend(macros);
        found.extend(
            literals
                .into_iter()
                .filter_map(|literal| look_up(literal, file, places)),
        );
    }
    sources.loopback = loopback::first(&addresses);
    sources.mentions = found.into_iter().collect();
    sources.opened = opened.into_iter().collect();
    sources.files = files.into_iter().collect();
    sources
}

/// Whether a file is the root of the build script, or in a folder of its own beside it.
fn is_of_build_script(file: &Utf8Path, places: &Places<'_>) -> bool {
    let Some(root) = places.build_script else {
        return false;
    };
    let folder = root.parent().filter(|folder| *folder != places.package);
    let in_folder =
        |folder: &Utf8Path| file.starts_with(folder) && folder.file_name() != Some("src");
    file == root || folder.is_some_and(in_folder)
}

/// The Rust files of a package, and its links, without those of packages below it.
fn find_sources(dir: &Utf8Path, found: &mut Vec<Utf8PathBuf>, links: &mut BTreeSet<Link>) {
    for entry in dir.read_dir_utf8().into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if found.len() >= MOST_FILES {
            return;
        }
        let other = ASIDE.contains(&name) || name.starts_with('.');
        if kind.is_symlink() && !other {
            links.extend(Link::at(path));
        }
        if kind.is_dir() {
            if !other && !path.join("Cargo.toml").exists() {
                find_sources(path, found, links);
            }
        } else if path.extension() == Some("rs")
            && path
                .metadata()
                .is_ok_and(|file| file.is_file() && file.len() <= MOST_BYTES)
        {
            found.push(path.to_owned());
        }
    }
}

/// A literal, and whose argument it is.
#[derive(Debug, PartialEq)]
struct Literal {
    by: Option<String>,
    text: String,
    /// Whether it starts at the package's folder.
    from_package: bool,
}

/// Every string counts in a build script.
fn any_string(event: &Event<'_>) -> Option<Literal> {
    let (Event::Text(_, text) | Event::Value(_, text)) = event else {
        return None;
    };
    Some(Literal {
        by: None,
        // `cargo:rerun-if-changed=PATH`
        text: text.rsplit('=').next().unwrap_or_default().to_owned(),
        from_package: true,
    })
}

/// The strings that macros and attributes are given.
fn for_the_compiler(event: &Event<'_>) -> Vec<Literal> {
    match event {
        Event::Macro(by, arguments) => of_macro(by, arguments.stream()),
        Event::Value(key, text) => vec![Literal {
            by: Some((*key).to_owned()),
            text: text.clone(),
            from_package: false,
        }],
        Event::Call(..) | Event::Field(..) | Event::Text(..) => Vec::new(),
    }
}

/// `name!(…)`: its own strings, those of `concat!` put together.
fn of_macro(by: &str, arguments: TokenStream) -> Vec<Literal> {
    let mut own = Vec::new();
    own_strings(arguments, &mut own);
    let from_package = own.iter().any(|text| text == "CARGO_MANIFEST_DIR");
    own.retain(|text| text != "CARGO_MANIFEST_DIR");
    if from_package {
        own = vec![own.concat()];
    }
    own.into_iter()
        .map(|text| Literal {
            by: Some(by.to_owned()),
            text,
            from_package,
        })
        .collect()
}

fn own_strings(tokens: TokenStream, into: &mut Vec<String>) {
    let mut before = [String::new(), String::new()];
    for token in tokens {
        let [name, mark] = &before;
        match &token {
            TokenTree::Group(group)
                if mark != "!" || ["concat", "env"].contains(&name.as_str()) =>
            {
                own_strings(group.stream(), into);
            }
            TokenTree::Literal(literal) => into.extend(unquoted(&literal.to_string())),
            _ => {}
        }
        before.swap(0, 1);
        before[1] = match token {
            TokenTree::Group(_) => String::new(),
            token => token.to_string(),
        };
    }
}

/// Finds what a literal names, if it can be a path.
fn look_up(literal: Literal, file: &Utf8Path, places: &Places<'_>) -> Option<Mention> {
    let text = literal.text.as_str();
    let after = ["$CARGO_MANIFEST_DIR/", "${CARGO_MANIFEST_DIR}/"];
    let at_package = after.iter().find_map(|start| text.strip_prefix(start));
    let from_package = literal.from_package || at_package.is_some();
    let text = at_package.unwrap_or(text);
    let text = if from_package {
        text.trim_start_matches('/')
    } else {
        text
    };
    let is_path = |c: char| c.is_alphanumeric() || "/._-@+~()[]".contains(c);
    if text.starts_with('/') || text.len() > 200 || !text.chars().all(is_path) {
        return None;
    }
    if !text.contains(char::is_alphanumeric) {
        return None;
    }
    let by = literal.by.as_deref();
    if by.is_some_and(|by| !READING.iter().any(|word| by.contains(word))) {
        return None;
    }
    let beside = file.parent().filter(|_| !from_package);
    let mut bases: Vec<&Utf8Path> = beside
        .into_iter()
        .chain([places.package, places.workspace])
        .collect();
    if !by.is_some_and(|by| BESIDE.contains(&by)) {
        bases.rotate_left(usize::from(beside.is_some()));
    }
    let paths: Vec<Utf8PathBuf> = bases.iter().map(|base| clean(&base.join(text))).collect();
    let found = paths.iter().find(|path| path.exists());
    Some(Mention {
        source: file.to_owned(),
        by: literal.by,
        found: found.is_some(),
        path: found.unwrap_or(&paths[0]).clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(source: &str) -> Vec<(String, String)> {
        let mut literals = Vec::new();
        tokens::walk(source.parse().expect("Rust"), &mut |event| {
            literals.extend(for_the_compiler(&event));
        });
        let pair = |l: Literal| (l.by.unwrap_or_default(), l.text);
        literals.into_iter().map(pair).collect()
    }

    fn one(source: &str) -> (String, String) {
        let [one] = &literals(source)[..] else {
            panic!("not one literal: {:?}", literals(source));
        };
        one.clone()
    }

    fn pair(by: &str, text: &str) -> (String, String) {
        (by.to_owned(), text.to_owned())
    }

    #[test]
    fn macros_and_attributes() {
        let include = r#"const A: &str = include_str!("../a.txt");"#;
        assert_eq!(one(include), pair("include_str", "../a.txt"));
        let at = r##"fn f() { x::include!(concat!(env!("CARGO_MANIFEST_DIR"), r#"/../b"#)) }"##;
        assert_eq!(literals(at)[0], pair("include", "/../b"));
        let doc = r#"#![doc = include_str!("../README.md")]"#;
        assert_eq!(one(doc), pair("include_str", "../README.md"));
        let folder = r#"#[derive(Embed)] #[folder = "dist"] struct Dist;"#;
        assert_eq!(one(folder), pair("folder", "dist"));
        let nested = r#"#[graphql(schema_path = "../s.graphql")] struct Q;"#;
        assert_eq!(one(nested), pair("schema_path", "../s.graphql"));
    }

    #[test]
    fn code_for_tests_and_plain_strings_do_not_count() {
        assert_eq!(
            literals(r#"fn f() { open("../a") } // include_str!("b")"#),
            []
        );
        let tests = r#"#[cfg(test)] mod tests { const A: &str = include_str!("../a"); }"#;
        assert_eq!(literals(tests), []);
    }
}
