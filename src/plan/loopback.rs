//! Addresses that nothing outside of the container reaches, as the sources name them.

use super::Note;
use crate::facts::{Facts, Package, Resolution};

/// What the packages of a program listen on, unless the configuration has it listen on all addresses.
pub(super) fn notes<'f>(
    facts: &'f Facts,
    package: &'f Package,
    linked: &'f Resolution,
) -> impl Iterator<Item = Note> + 'f {
    let config = &package.config;
    let args = config.args.as_ref().unwrap_or(&facts.config.args).iter();
    let env = facts.config.env.values().chain(config.env.values());
    let all = ["0.0.0.0", "::"];
    let told = args
        .chain(env)
        .any(|value| all.iter().any(|address| value.contains(address)));
    let found = facts.packages_of(linked).filter_map(|p| p.loopback.clone());
    found
        .filter(move |loopback| loopback.option.is_none() || !told)
        .map(|loopback| Note::Loopback(loopback.source, loopback.option))
}
