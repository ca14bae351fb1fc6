//! Rules of the repository that no compiler checks: of the catalog, the code and the templates.
#![expect(
    clippy::disallowed_methods,
    reason = "the repository's own files are read"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_dockerize::Cargo;
use cargo_dockerize::catalog::{CATALOG, Names, Packages};
use clap::Parser;
use proc_macro2::{TokenStream, TokenTree};
use snapbox::dir::Walk;

/// More lines than this, and a file has more than one subject.
const LONGEST: usize = 450;

/// How many branches and loops each template has. A new one is a decision that the plan does not make yet: think
/// before raising the number.
const BRANCHES: [(&str, usize); 7] = [
    ("Dockerfile", 28),
    ("apk", 5),
    ("apt", 4),
    ("docker-bake.hcl", 4),
    ("dockerignore", 5),
    ("owner", 1),
    ("sources", 3),
];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs_err::read_to_string(repository().join(path)).expect("the file is in the repository")
}

/// Every Rust file of the program.
fn sources() -> Vec<PathBuf> {
    let all =
        Walk::new(&repository().join("src")).map(|path| path.expect("the folder can be read"));
    all.filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

/// All lists of packages in the catalog, each with the key that it belongs to.
fn packages() -> impl Iterator<Item = (&'static str, &'static Packages)> {
    let rows = CATALOG
        .links
        .iter()
        .flat_map(|(name, rows)| rows.iter().map(move |row| (name, row)));
    let of_rows =
        rows.flat_map(|(name, row)| [(name.as_str(), &row.build), (name.as_str(), &row.run)]);
    let programs = CATALOG.programs.iter();
    let of_programs =
        programs.flat_map(|(name, of)| [(name.as_str(), &of.build), (name.as_str(), &of.run)]);
    let libraries = CATALOG.libraries.iter();
    let of_libraries =
        libraries.flat_map(|(name, of)| [(name.as_str(), &of.build), (name.as_str(), &of.run)]);
    of_rows.chain(of_programs).chain(of_libraries)
}

#[test]
fn every_row_says_what_and_where() {
    for (name, rows) in &CATALOG.links {
        for row in rows {
            assert!(!row.about.is_empty(), "{name}: a row has no `about`");
            assert!(
                !row.source.is_empty(),
                "{name}: the row that {} has no `source`",
                row.about
            );
            let verb = row.about.starts_with(|c: char| c.is_ascii_lowercase());
            assert!(
                verb && !row.about.ends_with('.'),
                "{name} {}: not the rest of a sentence",
                row.about
            );
        }
    }
}

#[test]
fn keys_are_sorted() {
    for file in ["libraries", "links", "programs"] {
        let text = read(format!("src/catalog/{file}.toml"));
        let header = |line: &str| {
            Some(
                line.strip_prefix('[')?
                    .trim_matches(['[', ']', '"'])
                    .to_owned(),
            )
        };
        let keys: Vec<String> = text.lines().filter_map(header).collect();
        for pair in keys.windows(2) {
            assert!(
                pair[0] <= pair[1],
                "{file}.toml: {} stands before {}",
                pair[0],
                pair[1]
            );
        }
    }
    for (key, packages) in packages() {
        for list in packages.0.values() {
            assert!(list.is_sorted(), "{key}: {list:?} is not sorted");
        }
    }
}

#[test]
fn a_name_means_one_thing() {
    let programs = CATALOG.programs.iter().map(|(key, of)| (key, &of.also));
    let libraries = CATALOG.libraries.iter().map(|(key, of)| (key, &of.also));
    let all: [Vec<_>; 2] = [programs.collect(), libraries.collect()];
    for names in all {
        let mut seen = BTreeSet::new();
        for (key, also) in names {
            assert!(also.is_sorted(), "{key}: {also:?} is not sorted");
            for name in also.iter().chain([key]) {
                assert!(seen.insert(name), "{key}: `{name}` is known already");
            }
        }
    }
}

#[test]
fn distributions_are_known() {
    let suites = CATALOG
        .images
        .suites
        .iter()
        .map(|suite| suite.name.as_str());
    let known: BTreeSet<&str> = suites
        .chain(["alpine", "alpine-static", "debian", "scratch"])
        .collect();
    for (key, packages) in packages() {
        for name in packages.0.keys() {
            assert!(
                known.contains(name.as_str()),
                "{key}: `{name}` is no distribution"
            );
        }
    }
}

#[test]
fn packages_of_alpine_exist() {
    let text = read("tests/alpine-packages.txt");
    let known: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(known.is_sorted(), "alpine-packages.txt is not sorted");
    for (key, packages) in packages() {
        for name in packages.names(Names::AlpineStatic) {
            assert!(
                known.contains(&name.as_str()),
                "{key}: does Alpine have {name}? See tests/alpine-packages.txt"
            );
        }
    }
}

#[test]
fn every_suite_has_an_image_of_rust() {
    for suite in &CATALOG.images.suites {
        let found = CATALOG
            .rust
            .values()
            .any(|image| image.debian.contains(&suite.name));
        assert!(found, "rust.toml has no image on {}", suite.name);
    }
}

#[test]
fn what_is_known_is_not_in_code() {
    let known = known();
    let mut found = Vec::new();
    for path in sources() {
        let code: TokenStream = fs_err::read_to_string(&path)
            .expect("the file can be read")
            .parse()
            .expect("it is Rust");
        let mut literals = Vec::new();
        collect_literals(code, &mut literals);
        found.extend(
            literals
                .iter()
                .filter(|literal| names_one(literal, &known))
                .map(|literal| {
                    format!(
                        "{}: {literal}",
                        path.strip_prefix(repository()).unwrap_or(&path).display()
                    )
                }),
        );
    }
    assert!(found.is_empty(), "these belong to the catalog: {found:#?}");
}

/// Whether the literal holds a known name or a suite.
fn names_one(literal: &str, known: &BTreeSet<String>) -> bool {
    let text = literal.trim_matches('"');
    let word = |c: char| c.is_ascii_alphanumeric() || "-_+.:/".contains(c);
    let name = |word: &str| known.contains(word) && (!is_plain(word) || word == text);
    let suite = |word: &str| CATALOG.images.suites.iter().any(|s| word.contains(&s.name));
    !ALLOWED.contains(&text)
        && text
            .split(|c| !word(c))
            .any(|word| name(word) || suite(word))
}

/// A word of the language, one in the names of addresses, the programs that cargo's settings `net.git-fetch-with-cli` and
/// `net.ssh` are about, and two keys of manifests.
const ALLOWED: [&str; 6] = ["file", "git", "ip", "patch", "ssh", "system-deps"];

/// Whether a name is a word of everyday language as well. Of packages and programs these count where they
/// stand alone, of crates never.
fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase())
}

/// Names of crates, programs, packages and images.
fn known() -> BTreeSet<String> {
    let crates = CATALOG.links.keys().filter(|name| !is_plain(name)).cloned();
    let installed = CATALOG
        .programs
        .iter()
        .filter(|(_, of)| !of.build.0.is_empty());
    let programs = installed.map(|(key, _)| key.clone());
    // Of files that stand for packages in the empty image, only the rows are about that.
    let lists = packages().flat_map(|(_, packages)| packages.0.values().flatten().cloned());
    let lists = lists.filter(|name| !name.starts_with('/'));
    let suites = CATALOG.images.suites.iter();
    let bases = suites.flat_map(|suite| suite.distroless.iter().chain([&suite.slim]));
    let of_bases = bases.flat_map(|base| base.holds.iter().chain([&base.image]).cloned());
    crates
        .chain(programs)
        .chain(lists)
        .chain(of_bases)
        .collect()
}

/// The literals of code that is neither documentation nor a test.
fn collect_literals(code: TokenStream, into: &mut Vec<String>) {
    let mut tokens = code.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next_if(|next| next.to_string() == "!");
                let attribute = tokens
                    .next()
                    .map(|group| group.to_string())
                    .unwrap_or_default();
                if attribute.replace(' ', "") == "[cfg(test)]" {
                    // Up to the end of the item: its body, or a semicolon.
                    tokens.find(|token| match token {
                        TokenTree::Group(group) => {
                            group.delimiter() == proc_macro2::Delimiter::Brace
                        }
                        token => token.to_string() == ";",
                    });
                }
            }
            TokenTree::Group(group) => collect_literals(group.stream(), into),
            TokenTree::Literal(literal) => into.push(literal.to_string()),
            TokenTree::Punct(_) | TokenTree::Ident(_) => {}
        }
    }
}

#[test]
fn files_have_one_subject() {
    for path in sources() {
        let lines = fs_err::read_to_string(&path)
            .expect("the file can be read")
            .lines()
            .count();
        assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
    }
}

#[test]
fn templates_have_shape_and_no_logic() {
    for (name, most) in BRANCHES {
        let text = read(format!("templates/{name}"));
        let tags = text
            .split("{%")
            .skip(1)
            .map(|tag| tag.trim_start_matches('-').trim_start());
        let branches = tags.filter(|tag| {
            ["if ", "else", "for ", "match "]
                .iter()
                .any(|word| tag.starts_with(word))
        });
        let branches = branches.count();
        assert!(
            branches <= most,
            "templates/{name} has {branches} branches and loops"
        );
    }
    let templates =
        fs_err::read_dir(repository().join("templates")).expect("the folder is in the repository");
    assert_eq!(
        templates.count(),
        BRANCHES.len(),
        "a template has no entry here"
    );
}

#[test]
fn cases_open_with_a_sentence() {
    let cases = fs_err::read_dir(repository().join("tests/cases"))
        .expect("the folder is in the repository");
    for case in cases {
        let path = case.expect("the folder can be read").path().join("case.md");
        let first = read(&path).lines().next().unwrap_or_default().to_owned();
        assert!(
            first.ends_with('.'),
            "{}: what does it show?",
            path.display()
        );
    }
}

#[test]
fn commands_that_are_shown_are_commands() {
    let hook = read(".pre-commit-hooks.yaml");
    let text = read("README.md")
        .replace("SHELL", "bash")
        .replace("SECONDS", "9")
        + &hook;
    let calls = text.split("cargo dockerize").skip(1).map(|rest| {
        let end = rest.find(['`', '\n', '|', '&']).unwrap_or(rest.len());
        &rest[..end]
    });
    let calls: Vec<&str> = calls.filter(|rest| rest.starts_with(" --")).collect();
    assert!(calls.len() > 8, "{calls:?}");
    for options in calls {
        let words = ["cargo", "dockerize"].into_iter().chain(options.split(' '));
        let words = words.filter(|word| !word.is_empty());
        if let Err(error) = Cargo::try_parse_from(words) {
            panic!("cargo dockerize{options}: {error}");
        }
    }
}
