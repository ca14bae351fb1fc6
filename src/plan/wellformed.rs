//! Names that the command line and the configuration give: what no engine, and no cargo, takes is refused before it
//! gets into a file.

use super::{Refusal, Request};
use crate::facts::Facts;

/// Looks at all of them.
pub(super) fn check(facts: &Facts, request: &Request) -> Result<(), Refusal> {
    let config = &facts.config;
    let of_packages = facts.packages.iter().map(|package| &package.config.base);
    let images = [
        &request.base,
        &request.builder,
        &config.base,
        &config.builder,
    ];
    let images = images.into_iter().chain(of_packages).flatten();
    let platforms = request.platforms.iter();
    let platforms = platforms.chain(config.platforms.iter().flatten());
    let profiles = request.profile.iter().chain(&config.profile);
    find("image", images, is_image)?;
    find("platform", platforms, is_platform)?;
    find("profile", profiles, is_name)?;
    find("version of Rust", config.rust.iter(), is_version)
}

fn find<'n>(
    kind: &'static str,
    mut names: impl Iterator<Item = &'n String>,
    is_right: fn(&str) -> bool,
) -> Result<(), Refusal> {
    match names.find(|name| !is_right(name)) {
        Some(name) => Err(Refusal::Malformed {
            kind,
            name: name.clone(),
        }),
        None => Ok(()),
    }
}

fn is_image(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_part)
}

fn is_platform(name: &str) -> bool {
    (1..=2).contains(&name.matches('/').count()) && name.split('/').all(is_name)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "_-".contains(c))
}

fn is_version(name: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    name.split('.').all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken() {
        let digest = format!("host:5000/a/b:1.2_x@sha256:{}", "0".repeat(64));
        assert!(["scratch", "a/b", &digest].into_iter().all(is_image));
        assert!(!["", " ", "a b", "a\nRUN b", "-a"].into_iter().any(is_image));
        assert!(["linux/amd64", "linux/arm/v7"].into_iter().all(is_platform));
        assert!(
            !["", "amd64", "linux/", "a/b/c/d"]
                .into_iter()
                .any(is_platform)
        );
        assert!(is_name("release-lto") && !is_name("") && !is_name("a b"));
        assert!(is_version("1.95") && is_version("1.95.1"));
        assert!(!["", "stable", "1.", "1.95-x"].into_iter().any(is_version));
    }
}
