//! Files that sources name. `cargo metadata` knows nothing of what macros and attributes read while they
//! compile (`include_str!("…")`, `#[folder = "…"]`), or of what build scripts open. Sources are taken apart
//! into tokens, so that comments, raw strings and code for tests are no trouble, and every literal that looks
//! like a path is looked up.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::{clean, git, opened};

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
const READING: [&str; 11] = [
    "dir", "embed", "file", "folder", "gen", "i18n", "include", "locales", "migrat", "path",
    "schema",
];

/// Macros and attributes that look beside the source file, not at the package's folder.
const BESIDE: [&str; 4] = ["include", "include_bytes", "include_str", "path"];

/// What the sources of a package tell.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The files themselves, absolute.
    pub(super) files: BTreeSet<Utf8PathBuf>,
    /// Paths in them, absolute.
    pub(super) mentions: Vec<Mention>,
    /// What the program may open where it runs, and is there, absolute.
    pub(super) opened: Vec<Mention>,
    /// The names of the macros that they call.
    pub(super) macros: BTreeSet<String>,
    /// A file that listens on an address of this machine alone, absolute.
    pub(super) loopback: Option<Utf8PathBuf>,
}

/// Reads the sources of a package.
pub(super) fn read(places: &Places<'_>) -> Sources {
    let mut sources = Sources::default();
    let mut files = Vec::new();
    find_sources(places.package, &mut files);
    let mut found = BTreeSet::new();
    let mut opened = BTreeSet::new();
    for file in &files {
        let Ok(text) = fs_err::read_to_string(file) else {
            continue;
        };
        let Ok(tokens) = text.parse::<TokenStream>() else {
            continue;
        };
        let mut literals = Vec::new();
        let in_build_script = places.build_script.is_some_and(|root| {
            let folder = root.parent().filter(|folder| *folder != places.package);
            file == root
                || folder.is_some_and(|folder| {
                    file.starts_with(folder) && folder.file_name() != Some("src")
                })
        });
        if in_build_script {
            strings(tokens, &mut literals);
        } else {
            let paths = opened::paths(tokens.clone());
            opened.extend(paths.iter().filter_map(|path| at_hand(path, file, places)));
            if sources.loopback.is_none() && listens_on_loopback(tokens.clone()) {
                sources.loopback = Some(file.clone());
            }
            arguments(tokens, &mut literals);
        }
        let macros = literals.iter().filter_map(|literal| literal.by.clone());
        sources.macros.extend(macros);
        found.extend(
            literals
                .into_iter()
                .filter_map(|literal| look_up(literal, file, places)),
        );
    }
    sources.mentions = found.into_iter().collect();
    sources.opened = opened.into_iter().collect();
    sources.files = files.into_iter().collect();
    sources
}

/// What a program finds when it is run in its package's folder, or at the root of the workspace. What git leaves out
/// is nobody else's.
fn at_hand(path: &str, file: &Utf8Path, places: &Places<'_>) -> Option<Mention> {
    let mut paths = [places.package, places.workspace]
        .map(|base| base.join(path))
        .into_iter();
    Some(Mention {
        source: file.to_owned(),
        by: None,
        path: paths.find(|path| path.exists() && !git::ignores(path))?,
        found: true,
    })
}

/// Whether a call of `bind`, or the making of an address, names the machine itself: `bind("127.0.0.1:80")`,
/// `SocketAddr::from(([127, 0, 0, 1], 80))`.
fn listens_on_loopback(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    let mut before = String::new();
    while let Some(token) = tokens.next() {
        if let TokenTree::Group(group) = &token {
            let text = group.stream().to_string().replace(' ', "");
            if before == "#" && text == CFG_TEST {
                skip_item(&mut tokens);
                continue;
            }
            let text = text.trim_start_matches(['(', '&']);
            let named = ["\"127.0.0.1", "\"localhost", "\"[::1]"];
            let any_port = ["\"127.0.0.1:0\"", "\"localhost:0\""];
            let binds = before == "bind"
                && named.iter().any(|address| text.starts_with(address))
                && !any_port.iter().any(|address| text.starts_with(address));
            let address = before == "from" && text.starts_with("[127,0,0,1],");
            if binds || address || listens_on_loopback(group.stream()) {
                return true;
            }
        }
        before = token.to_string();
    }
    false
}

/// An attribute without its brackets and blanks.
pub(super) const CFG_TEST: &str = "cfg(test)";

/// Goes on to the end of the item: its body, or a semicolon.
pub(super) fn skip_item(tokens: &mut impl Iterator<Item = TokenTree>) {
    tokens.find(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => token.to_string() == ";",
    });
}

/// The Rust files of a package, without those of packages below it.
fn find_sources(dir: &Utf8Path, found: &mut Vec<Utf8PathBuf>) {
    for entry in dir.read_dir_utf8().into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if found.len() >= MOST_FILES {
            return;
        }
        if kind.is_dir() {
            let other = ASIDE.contains(&name) || name.starts_with('.');
            if !other && !path.join("Cargo.toml").exists() {
                find_sources(path, found);
            }
        } else if path.extension() == Some("rs")
            && entry.metadata().is_ok_and(|file| file.len() <= MOST_BYTES)
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

/// Every string.
fn strings(tokens: TokenStream, into: &mut Vec<Literal>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => strings(group.stream(), into),
            TokenTree::Literal(literal) => {
                into.extend(unquoted(&literal.to_string()).map(|text| Literal {
                    by: None,
                    // `cargo:rerun-if-changed=PATH`
                    text: text.rsplit('=').next().unwrap_or_default().to_owned(),
                    from_package: true,
                }));
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The strings that macros and attributes are given, code for tests left out.
fn arguments(tokens: TokenStream, into: &mut Vec<Literal>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut name: Option<String> = None;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => {
                name = Some(ident.to_string());
                continue;
            }
            TokenTree::Punct(punct) if punct.as_char() == '!' => match (tokens.peek(), &name) {
                (Some(TokenTree::Group(group)), Some(by)) => {
                    of_macro(by, group, into);
                    tokens.next();
                }
                // `#![…]`
                _ => continue,
            },
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Punct(_)) = tokens.peek() {
                    tokens.next();
                }
                if let Some(TokenTree::Group(group)) = tokens.next() {
                    if group.stream().to_string().replace(' ', "") == CFG_TEST {
                        skip_item(&mut tokens);
                    } else {
                        of_attribute(group.stream(), into);
                    }
                }
            }
            TokenTree::Group(group) => arguments(group.stream(), into),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
        name = None;
    }
}

/// `name!(…)`: its own strings, those of `concat!` put together; then the macros among its arguments.
fn of_macro(by: &str, group: &Group, into: &mut Vec<Literal>) {
    let mut own = Vec::new();
    own_strings(group.stream(), &mut own);
    let from_package = own.iter().any(|text| text == "CARGO_MANIFEST_DIR");
    own.retain(|text| text != "CARGO_MANIFEST_DIR");
    if from_package {
        own = vec![own.concat()];
    }
    into.extend(own.into_iter().map(|text| Literal {
        by: Some(by.to_owned()),
        text,
        from_package,
    }));
    arguments(group.stream(), into);
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

/// `key = "…"` and `key("…")`, at any depth.
fn of_attribute(tokens: TokenStream, into: &mut Vec<Literal>) {
    let mut key = None;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => key = Some(ident.to_string()),
            TokenTree::Group(group) => of_attribute(group.stream(), into),
            TokenTree::Literal(literal) => {
                into.extend(unquoted(&literal.to_string()).map(|text| Literal {
                    by: key.clone(),
                    text,
                    from_package: false,
                }));
            }
            // `#[doc = include_str!("…")]`
            TokenTree::Punct(punct) if punct.as_char() == '!' => {
                if let (Some(TokenTree::Group(group)), Some(by)) = (tokens.peek(), &key) {
                    of_macro(by, group, into);
                    tokens.next();
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
}

/// The text of a string literal. One with an escape is no path.
pub(super) fn unquoted(literal: &str) -> Option<String> {
    let plain = literal
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let raw = || {
        let rest = literal.strip_prefix('r')?.trim_matches('#');
        rest.strip_prefix('"')?.strip_suffix('"')
    };
    let text = plain.or_else(raw)?;
    (!text.contains('\\')).then(|| text.to_owned())
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
        arguments(source.parse().expect("Rust"), &mut literals);
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
    fn addresses_of_the_machine_itself() {
        let listens = |source: &str| listens_on_loopback(source.parse().expect("Rust"));
        assert!(listens(r#"fn f() { TcpListener::bind("127.0.0.1:80") }"#));
        assert!(listens(
            r#"fn f() { HttpServer::new(g).bind(("localhost", 80)) }"#
        ));
        assert!(listens("fn f() { SocketAddr::from(([127, 0, 0, 1], 80)) }"));
        assert!(!listens(
            r#"fn f() { TcpListener::bind("0.0.0.0:80"); connect("127.0.0.1:80") }"#
        ));
        assert!(!listens(r#"fn f() { TcpListener::bind("127.0.0.1:0") }"#));
        assert!(!listens(
            r#"#[cfg(test)] mod tests { fn f() { bind("127.0.0.1:80") } }"#
        ));
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
