//! A walk through the tokens of a source file. Tokens, so that comments and raw strings are no trouble; code that is
//! only compiled for tests is left out.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// What a walk comes by.
pub(super) enum Event<'t> {
    /// `name!(…)`; what is inside comes next.
    Macro(&'t str, &'t Group),
    /// `name(…)`; what is inside comes next.
    Call(&'t str, &'t Group),
    /// `key = "…"` or `key("…")` in an attribute.
    Value(&'t str, String),
    /// Any other string.
    Text(&'t Place, String),
    /// `#[…] name: …`, with the type or function that it belongs to, and the attributes.
    Field(&'t str, &'t str, &'t [TokenStream]),
}

/// Where a string stands.
#[derive(Default)]
pub(super) struct Place {
    /// What it is an argument of, in words: `Type::function`.
    pub(super) callee: Vec<String>,
    /// The macros around it.
    pub(super) macros: Vec<String>,
}

/// The tokens of a file's text; none where it is not Rust, or is nested more deeply than what people write, which no
/// stack is large enough for.
pub(super) fn parse(text: &str) -> Option<TokenStream> {
    let mut depth = 0;
    let is_too_deep = text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        depth > DEEPEST
    });
    let text = text.trim_start_matches('\u{feff}');
    (!is_too_deep).then(|| text.parse().ok())?
}

/// Far more than any program has.
const DEEPEST: i32 = 300;

/// Tells of everything in a source file, in its order.
pub(super) fn walk(tokens: TokenStream, listener: &mut dyn FnMut(Event<'_>)) {
    inside(tokens, &Place::default(), listener);
}

fn inside(tokens: TokenStream, place: &Place, listener: &mut dyn FnMut(Event<'_>)) {
    let mut tokens = tokens.into_iter().peekable();
    let mut words: Vec<String> = Vec::new();
    let mut attributes: Vec<TokenStream> = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => {
                words.push(ident.to_string());
                continue;
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ':' | '.' => {
                    if let (Some(name), false) = (words.last(), attributes.is_empty()) {
                        let owner = place.callee.last().map_or("", String::as_str);
                        listener(Event::Field(owner, name, &attributes));
                        attributes.clear();
                    }
                    continue;
                }
                '!' => {
                    if let Some(name) = words.last()
                        && let Some(TokenTree::Group(group)) = tokens.next_if(is_group)
                    {
                        of_macro(name, &group, place, listener);
                    }
                }
                '#' => {
                    tokens.next_if(|token| is_punct(token, '!'));
                    if let Some(TokenTree::Group(group)) = tokens.next_if(is_brackets) {
                        if is_for_tests(&group.stream().to_string()) {
                            skip_item(&mut tokens);
                        } else {
                            of_attribute(group.stream(), "", place, listener);
                            attributes.push(group.stream());
                        }
                    }
                }
                ',' | ';' => attributes.clear(),
                _ => {}
            },
            TokenTree::Group(group) => {
                if group.delimiter() == Delimiter::Brace {
                    attributes.clear();
                }
                if let Some(name) = words.last() {
                    listener(Event::Call(name, &group));
                }
                // `f(["…"])`: a list is what its items are for.
                let is_list = words.is_empty() && group.delimiter() == Delimiter::Bracket;
                let callee = if is_list {
                    place.callee.clone()
                } else {
                    std::mem::take(&mut words)
                };
                let place = Place {
                    callee,
                    macros: place.macros.clone(),
                };
                inside(group.stream(), &place, listener);
            }
            TokenTree::Literal(literal) => {
                if let Some(text) = unquoted(&literal.to_string()) {
                    listener(Event::Text(place, text));
                }
            }
        }
        words.clear();
    }
}

fn of_macro(name: &str, group: &Group, place: &Place, listener: &mut dyn FnMut(Event<'_>)) {
    listener(Event::Macro(name, group));
    let around = place.macros.iter().cloned();
    // What is made of a text is what the text is for.
    let callee = match name {
        "format" => place.callee.clone(),
        _ => Vec::new(),
    };
    let place = Place {
        callee,
        macros: around.chain([name.to_owned()]).collect(),
    };
    inside(group.stream(), &place, listener);
}

/// At any depth; `key` is what the tokens are arguments of.
fn of_attribute(
    tokens: TokenStream,
    key: &str,
    place: &Place,
    listener: &mut dyn FnMut(Event<'_>),
) {
    let mut tokens = tokens.into_iter().peekable();
    let mut key = key.to_owned();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => key = ident.to_string(),
            TokenTree::Group(group) => of_attribute(group.stream(), &key, place, listener),
            TokenTree::Literal(literal) => {
                if let Some(text) = unquoted(&literal.to_string()) {
                    listener(Event::Value(&key, text));
                }
            }
            // `#[doc = include_str!("…")]`
            TokenTree::Punct(punct) if punct.as_char() == '!' => {
                if let Some(TokenTree::Group(group)) = tokens.next_if(is_group) {
                    of_macro(&key, &group, place, listener);
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
}

/// Whether what has an attribute is compiled for tests alone: `cfg(test)`, `test`, `tokio::test(…)`.
fn is_for_tests(attribute: &str) -> bool {
    let attribute = attribute.replace(' ', "");
    let name = attribute.split('(').next().unwrap_or_default();
    let starts = ["cfg(test)", "cfg(all(test,"];
    name.rsplit("::").next() == Some("test")
        || starts.iter().any(|start| attribute.starts_with(start))
}

fn is_group(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(_))
}

fn is_brackets(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

fn is_punct(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// Goes on to the end of the item or statement: its body, or a semicolon.
pub(super) fn skip_item(tokens: &mut impl Iterator<Item = TokenTree>) {
    tokens.find(|token| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(token, ';'),
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn events(source: &str) -> Vec<String> {
        let mut events = Vec::new();
        walk(source.parse().expect("Rust"), &mut |event| {
            events.push(match event {
                Event::Macro(name, _) => format!("{name}!"),
                Event::Call(name, _) => format!("{name}()"),
                Event::Value(key, text) => format!("{key} = {text}"),
                Event::Field(owner, name, attributes) => {
                    format!("{owner} {name}, {}", attributes.len())
                }
                Event::Text(place, text) => format!(
                    "{text} of {} in {}",
                    place.callee.join("::"),
                    place.macros.join("!")
                ),
            });
        });
        events
    }

    #[test]
    fn strings_with_what_is_around_them() {
        assert_eq!(
            events(r##"a(A::b(["c"], x!(f("d"), r#"e"#)))"##),
            [
                "a()",
                "b()",
                "c of A::b in ",
                "x!",
                "f()",
                "d of f in x",
                "e of  in x",
            ]
        );
    }

    #[test]
    fn nested_deeply() {
        let nested = |depth: usize| "(".repeat(depth) + &")".repeat(depth);
        assert!(parse(&nested(200)).is_some() && parse(&nested(100_000)).is_none());
    }

    #[test]
    fn attributes() {
        let source = r#"#![a = "b"] #[c(d = "e", f("g"))] #[doc = h!("i")]"#;
        assert_eq!(
            events(source),
            ["a = b", "d = e", "f = g", "h!", "i of  in h"]
        );
    }

    #[test]
    fn fields_with_attributes() {
        let source =
            "pub struct A { #[b] #[c] pub(crate) d: ::e::F, g: H } enum I { J { #[k] l: M, } }";
        assert_eq!(
            events(source),
            ["A()", "pub()", "A d, 2", "I()", "J()", "J l, 1"]
        );
    }

    #[test]
    fn neither_comments_nor_tests_nor_escapes() {
        let source = r#"// "a"
            #[cfg(test)] mod tests { fn f() { "b" } }
            #[cfg(test)] use c;
            #[tokio::test(start_paused = true)] async fn e() { "f" }
            #[cfg(all(test, unix))] mod more { fn g() { "h" } }
            "d"; "\n""#;
        assert_eq!(events(source), ["d of  in "]);
    }
}
