//! The configuration in Cargo.toml: `[workspace.metadata.dockerize]`, and per package
//! `[package.metadata.dockerize]`. Only the shape; what a key means is decided in [`crate::plan`].

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::catalog::Row;

/// Keys for the whole workspace. A package that is a workspace of its own may write them under
/// `[package.metadata.dockerize]` as well.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// The Rust version of the builder image: `1.95` or `1.95.0`.
    pub rust: Option<String>,
    /// The binaries to ship, in place of those that the tool would pick.
    pub bins: Option<Vec<String>>,
    /// Features to turn on, as cargo's `--features` takes them.
    pub features: Vec<String>,
    /// Leave the default features off.
    pub no_default_features: bool,
    /// The profile to build with.
    pub profile: Option<String>,
    /// Packages beyond those that the catalog asks for.
    pub packages: ExtraPackages,
    /// Rows for crates that the catalog does not know, or knows too little of.
    pub links: BTreeMap<String, OneOrMany<Row>>,
    /// Ports that the program listens on.
    pub expose: Vec<u16>,
    /// Environment of the running program.
    pub env: BTreeMap<String, String>,
    /// Default arguments of the program.
    pub args: Vec<String>,
    /// Files and folders, relative to the package (or the workspace), that the program reads where it runs;
    /// in place of those that the crates of the program are known to read.
    pub assets: Option<Vec<String>>,
}

/// Keys for one package, which replace those of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PackageConfig {
    /// As [`Config::expose`].
    pub expose: Option<Vec<u16>>,
    /// As [`Config::env`]; added to it.
    pub env: BTreeMap<String, String>,
    /// As [`Config::args`].
    pub args: Option<Vec<String>>,
    /// As [`Config::assets`].
    pub assets: Option<Vec<String>>,
}

/// Plain lists of packages, by their names in the builder's and the runtime image's distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExtraPackages {
    /// For the build.
    pub build: Vec<String>,
    /// For the running program.
    pub runtime: Vec<String>,
}

/// One value, or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// The values.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Reads the `dockerize` table of a manifest's metadata; `table` is what errors call it.
pub fn read<T: DeserializeOwned + Default>(metadata: &serde_json::Value, table: &str) -> Result<T> {
    match metadata.get("dockerize") {
        None => Ok(T::default()),
        Some(value) => serde_json::from_value(value.clone()).with_context(|| format!("in {table}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named() {
        let metadata = serde_json::json!({ "dockerize": { "expoze": [80] } });
        let error =
            read::<Config>(&metadata, "[workspace.metadata.dockerize]").expect_err("a typo");
        assert!(
            format!("{error:#}").contains("unknown field `expoze`"),
            "{error:#}"
        );
    }

    #[test]
    fn a_row_may_stand_alone_or_in_a_list() {
        let metadata = serde_json::json!({ "dockerize": { "links": {
            "a-sys": { "about": "links a" },
            "b-sys": [{ "about": "links b" }, { "about": "links c" }],
        } } });
        let config = read::<Config>(&metadata, "x").expect("valid");
        assert_eq!(config.links["a-sys"].as_slice().len(), 1);
        assert_eq!(config.links["b-sys"].as_slice().len(), 2);
    }
}
