//! Files that a program opens where it runs, as far as its sources plainly name them:
//! `Tera::new("templates/**/*")`, `ServeDir::new("./static")`, `default_value = "config.toml"`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::sources::{CFG_TEST, skip_item, unquoted};

/// Words in the names of types and functions that take a path. Elsewhere, a word without a slash or a full stop is
/// more likely to be the name of something else.
const OPENING: [&str; 8] = [
    "dir", "file", "join", "load", "open", "path", "serve", "template",
];

/// Words in the names of macros that have a file read while the code compiles.
const COMPILED: [&str; 4] = ["embed", "env", "include", "migrat"];

/// The relative paths among the strings of a source file, without what is only compiled for tests: up to the
/// first wildcard, and without a `./` before them.
pub(super) fn paths(tokens: TokenStream) -> Vec<String> {
    let mut literals = Vec::new();
    collect(tokens, "", &mut literals);
    let mut paths: Vec<String> = literals
        .iter()
        .filter_map(|literal| relative(literal))
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Collects the strings; `callee` is what the tokens are arguments of: `Type::function`.
fn collect(tokens: TokenStream, callee: &str, into: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut name = String::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => {
                name += &ident.to_string().to_lowercase();
                continue;
            }
            TokenTree::Punct(punct) if [':', '.'].contains(&punct.as_char()) => continue,
            TokenTree::Punct(punct) if punct.as_char() == '!' => {
                if COMPILED.iter().any(|word| name.contains(word))
                    && matches!(tokens.peek(), Some(TokenTree::Group(_)))
                {
                    tokens.next();
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Group(group)) = tokens.next_if(is_brackets) {
                    if group.stream().to_string().replace(' ', "") == CFG_TEST {
                        skip_item(&mut tokens);
                    } else {
                        defaults(group.stream(), into);
                    }
                }
            }
            TokenTree::Group(group) => collect(group.stream(), &name, into),
            TokenTree::Literal(literal) => {
                let opens = || OPENING.iter().any(|word| callee.contains(word));
                let text = unquoted(&literal.to_string());
                into.extend(text.filter(|text| text.contains(['/', '.']) || opens()));
            }
            TokenTree::Punct(_) => {}
        }
        name.clear();
    }
}

fn is_brackets(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

/// In attributes, the default values of options: other strings there are names and texts.
fn defaults(tokens: TokenStream, into: &mut Vec<String>) {
    let mut key = String::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => key = ident.to_string(),
            TokenTree::Group(group) => defaults(group.stream(), into),
            TokenTree::Literal(literal) if key.starts_with("default") => {
                into.extend(unquoted(&literal.to_string()));
            }
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
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
    fn paths(source: &str) -> Vec<String> {
        super::paths(source.parse().expect("Rust"))
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
