//! Files that a program opens where it runs, as far as its sources plainly name them:
//! `Tera::new("templates/**/*")`, `ServeDir::new("./static")`, `default_value = "config.toml"`.

use super::tokens::Event;

/// Words in the names of types and functions that take a path. Elsewhere, a word without a slash or a full stop is
/// more likely to be the name of something else.
const OPENING: [&str; 8] = [
    "dir", "file", "join", "load", "open", "path", "serve", "template",
];

/// Words in the names of macros that have a file read while the code compiles.
const COMPILED: [&str; 4] = ["embed", "env", "include", "migrat"];

/// The relative path that a program opens: up to the first wildcard, and without a `./` before it.
pub(super) fn path(event: &Event<'_>) -> Option<String> {
    let has = |name: &str, words: &[&str]| {
        let name = name.to_lowercase();
        words.iter().any(|word| name.contains(word))
    };
    match event {
        Event::Text(place, text) => {
            let compiled = place.macros.iter().any(|name| has(name, &COMPILED));
            let opens = || place.callee.iter().any(|name| has(name, &OPENING));
            let may_be_one = !compiled && (text.contains(['/', '.']) || opens());
            may_be_one.then(|| relative(text))?
        }
        // The default of an option: other strings there are names and texts.
        Event::Value(key, text) if key.starts_with("default") => relative(text),
        Event::Value(..) | Event::Macro(..) | Event::Call(..) => None,
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

    fn paths(source: &str) -> Vec<String> {
        let mut paths = BTreeSet::new();
        crate::facts::tokens::walk(source.parse().expect("Rust"), &mut |event| {
            paths.extend(super::path(&event));
        });
        paths.into_iter().collect()
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
