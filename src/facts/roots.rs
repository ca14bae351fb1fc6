//! What the root file of a binary says of where it runs.

use camino::Utf8Path;
use proc_macro2::{TokenStream, TokenTree};

use super::{build_script, tokens};

/// The attribute by which a file is no program for Linux: it is compiled for other systems only, or for none.
pub(super) fn elsewhere(path: &Utf8Path) -> Option<String> {
    of(&fs_err::read_to_string(path).ok()?)
}

fn of(text: &str) -> Option<String> {
    let attributes = attributes(tokens::parse(text)?);
    let says = |attribute: &str| attributes.iter().any(|other| other == attribute);
    // Alone, each of them may be a program for Linux; and both, with the C library's entry point.
    let by_libc = text.contains("extern \"C\" fn main");
    let bare = (says("no_std") && says("no_main") && !by_libc).then(|| "no_std".to_owned());
    // Which features are on is not known here.
    let mut others = attributes
        .iter()
        .filter(|one| build_script::is_elsewhere(one) && !one.contains("feature"));
    let attribute = bare.or_else(|| others.next().cloned())?;
    Some(format!("#![{attribute}]"))
}

/// The attributes that a file begins with, without blanks.
fn attributes(tokens: TokenStream) -> Vec<String> {
    let mut attributes = Vec::new();
    let mut tokens = tokens.into_iter();
    while let (Some(hash), Some(mark)) = (tokens.next(), tokens.next()) {
        match tokens.next() {
            Some(TokenTree::Group(group)) if hash.to_string() + &mark.to_string() == "#!" => {
                attributes.push(group.stream().to_string().replace(' ', ""));
            }
            _ => break,
        }
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_for_other_systems() {
        let says = |text: &str| of(text).unwrap_or_default();
        assert_eq!(
            says("//! Doc\n#![cfg(windows)]\nfn main() {}"),
            "#![cfg(windows)]"
        );
        assert_eq!(says("#![no_std]\n#![no_main]\nuse a::b;"), "#![no_std]");
        for text in [
            "#![cfg(unix)] fn main() {}",
            "#![no_main] use a::b;",
            "#![no_std]\n#![no_main]\n#[no_mangle] pub extern \"C\" fn main() {}",
            "#![cfg(feature = \"server\")] fn main() {}",
            "#![windows_subsystem = \"windows\"] fn main() {}",
            "#[cfg(windows)] fn f() {} fn main() {}",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
