//! What stays of the committed Dockerfile's images: it is its own lock, and bots bump it. An image is kept
//! while it satisfies what the project asks for.

use semver::Version;

use super::rust::newest_patch;
use crate::catalog::{Alpine, Catalog, Suite};
use crate::dockerfile::Reference;
use crate::facts::Facts;
use crate::why::{Choice, Why};

/// The stage of the builder image.
const BUILDER: &str = "toolchain";

/// A builder image that is one of ours: Rust's version as its tag has it, and the system.
#[derive(Clone, Copy, Debug)]
pub(super) struct Builder<'c> {
    pub(super) rust: &'c str,
    pub(super) suite: Option<&'c Suite>,
    pub(super) alpine: Option<&'c Alpine>,
}

/// The committed builder.
pub(super) fn builder<'c>(facts: &'c Facts, catalog: &'c Catalog) -> Option<Builder<'c>> {
    let image = facts.committed.image(BUILDER)?.split('@').next()?;
    let rust = |builder: &str| {
        let (before, after) = builder.split_once("{rust}")?;
        let rust = image.strip_prefix(before)?.strip_suffix(after)?;
        newest_patch(rust).map(|_| rust)
    };
    let mut suites = catalog.images.suites.iter();
    let of_suite = suites.find_map(|suite| {
        rust(&suite.builder).map(|rust| Builder {
            rust,
            suite: Some(suite),
            alpine: None,
        })
    });
    let mut alpines = catalog.images.alpines.iter();
    of_suite.or_else(|| {
        alpines.find_map(|alpine| {
            rust(&alpine.builder).map(|rust| Builder {
                rust,
                suite: None,
                alpine: Some(alpine),
            })
        })
    })
}

/// The version, or the committed patch of it where it is a minor version without one.
pub(super) fn patch(rust: Choice<String>, committed: Option<Builder<'_>>) -> Choice<String> {
    let is_patch = |patch: &str| {
        let minor = patch.rsplit_once('.').map(|(minor, _)| minor);
        minor == Some(&rust.value)
    };
    match committed {
        Some(committed) if is_patch(committed.rust) => {
            Choice::new(committed.rust.to_owned(), rust.why)
        }
        _ => rust,
    }
}

/// Why the committed builder cannot stay, where a package asks for a newer Rust than it has.
pub(super) fn too_old(
    committed: Option<Builder<'_>>,
    needed: Option<&(String, Version)>,
) -> Option<Why> {
    let (package, needs) = needed?;
    let has = newest_patch(committed?.rust)?;
    (has < *needs).then(|| Why::RustVersion(package.clone(), needs.clone()))
}

/// The image with the digest that the committed file has for the same tag.
pub(super) fn digest(facts: &Facts, stage: &str, image: String) -> String {
    match facts.committed.image(stage) {
        Some(committed) if committed.split('@').next() == Some(&image) => committed.to_owned(),
        _ => image,
    }
}

/// The committed image, with its digest, where it is the same one with the same or a newer tag.
pub(super) fn newer(facts: &Facts, stage: &str, image: String) -> String {
    let fits = |committed: &&str| {
        let (committed, image) = (Reference::of(committed), Reference::of(&image));
        committed.name == image.name && at_least(committed.tag, image.tag)
    };
    match facts.committed.image(stage).filter(fits) {
        Some(committed) => committed.to_owned(),
        None => image,
    }
}

/// Whether a tag is the other one with higher numbers, or with a date: `3.23` for `3.22`, `trixie-20260824-slim`
/// for `trixie-slim`.
fn at_least(tag: &str, minimum: &str) -> bool {
    let is_date = |word: &&str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit());
    let undated: Vec<&str> = tag.split('-').filter(|word| !is_date(word)).collect();
    if minimum.split('-').eq(undated) {
        return true;
    }
    let (words, numbers) = parts(tag);
    let (other_words, other_numbers) = parts(minimum);
    words == other_words && numbers.iter().zip(&other_numbers).all(|(a, b)| a >= b)
}

/// The versions in a tag, and what stands around them.
fn parts(tag: &str) -> (Vec<&str>, Vec<Vec<u64>>) {
    let is_digit = |c: char| c.is_ascii_digit();
    let (mut words, mut versions) = (Vec::new(), Vec::new());
    let mut rest = tag;
    while let Some(start) = rest.find(is_digit) {
        words.push(&rest[..start]);
        rest = &rest[start..];
        let end = rest
            .find(|c: char| !is_digit(c) && c != '.')
            .unwrap_or(rest.len());
        let version = rest[..end].trim_end_matches('.');
        versions.push(version.split('.').filter_map(|n| n.parse().ok()).collect());
        rest = &rest[version.len()..];
    }
    words.push(rest);
    (words, versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_tags_of_the_same_kind_are_kept() {
        for (tag, minimum) in [
            ("3.22", "3.22"),
            ("3.22.1", "3.22"),
            ("3.23", "3.22"),
            ("3.100", "3.22"),
            ("3.13-slim", "3.12-slim"),
            ("trixie-20260824-slim", "trixie-slim"),
            ("nonroot", "nonroot"),
        ] {
            assert!(at_least(tag, minimum), "{tag} for {minimum}");
        }
        for (tag, minimum) in [
            ("3.21", "3.22"),
            ("3", "3.22"),
            ("3.13", "3.12-slim"),
            ("bookworm-slim", "trixie-slim"),
            ("debug-nonroot", "nonroot"),
            ("latest", "3.22"),
            ("", "3.22"),
        ] {
            assert!(!at_least(tag, minimum), "{tag} for {minimum}");
        }
    }
}
