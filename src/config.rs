//! The configuration in Cargo.toml: `[workspace.metadata.dockerize]`, and per package
//! `[package.metadata.dockerize]`. Only the shape; what a key means is decided in [`crate::plan`].

mod read;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use clap::ValueEnum;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

pub use self::read::{Invalid, read};
use crate::catalog::Row;

/// Keys for the whole workspace. A package that is a workspace of its own may write them under
/// `[package.metadata.dockerize]` as well.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    expecting = "a table"
)]
pub struct Config {
    /// What the programs run on: `auto`, `distroless`, `debian`, `alpine`, `scratch` or an image.
    pub base: Option<String>,
    /// The builder image, in place of the official one.
    pub builder: Option<String>,
    /// The Rust version of the builder image: `1.95` or `1.95.0`.
    pub rust: Option<String>,
    /// The binaries to ship, in place of those that the tool would pick.
    pub bins: Option<Vec<String>>,
    /// Features to turn on, as cargo's `--features` takes them.
    pub features: Vec<String>,
    /// Turn all features on.
    pub all_features: bool,
    /// Leave the default features off.
    pub no_default_features: bool,
    /// The profile to build with.
    pub profile: Option<String>,
    /// What a rebuild reuses.
    pub cache: Option<Cache>,
    /// Platforms to build for, as `docker build --platform` takes them.
    pub platforms: Option<Vec<String>>,
    /// List the images in `docker-bake.hcl`.
    pub bake: bool,
    /// Secrets of `docker build` that the steps calling cargo find in `/run/secrets`, by their ids.
    pub secrets: Vec<String>,
    /// Packages beyond those that the catalog asks for.
    pub packages: ExtraPackages,
    /// Rows for crates that the catalog does not know, or knows too little of.
    pub links: BTreeMap<String, OneOrMany<Row>>,
    /// Ports that the program listens on.
    pub expose: Vec<u16>,
    /// Environment of the running program.
    pub env: BTreeMap<String, String>,
    /// The user and group that the program runs as, by number: `1000` or `1000:1000`.
    pub user: Option<String>,
    /// The working directory.
    pub workdir: Option<String>,
    /// Default arguments of the program.
    pub args: Vec<String>,
    /// How the engine asks whether the program is well.
    pub healthcheck: Option<Health>,
    /// The signal that ends the program.
    pub stop_signal: Option<String>,
    /// Folders that outlive the container; the user may write to them.
    pub volumes: Vec<String>,
    /// Labels of the images, over those that the manifest has values for.
    pub labels: BTreeMap<String, String>,
    /// Files and folders, relative to the package (or the workspace), that the program reads where it runs;
    /// in place of those that the crates of the program are known to read.
    pub assets: Option<Vec<String>>,
    /// Instructions at the beginning of stages, as they are.
    pub before: BTreeMap<String, Vec<String>>,
    /// Instructions at the end of stages, as they are.
    pub after: BTreeMap<String, Vec<String>>,
    /// How `--verify` runs the program, in place of `--version` and `--help`.
    pub verify: Proof,
}

/// A run of an image, and what it has to come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct Proof {
    /// Arguments.
    pub args: Vec<String>,
    /// Environment, on top of that of the image.
    pub env: BTreeMap<String, String>,
    /// What it prints, or its page holds.
    pub expect: Option<String>,
    /// The port that it has to answer on.
    pub port: Option<u16>,
    /// The path of the page that it is asked for.
    pub http: Option<String>,
    /// How many seconds it may take.
    pub timeout: Option<u64>,
}

impl Proof {
    /// Whether nothing is configured.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a rebuild finds again of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// A layer of the dependencies, and a mount that keeps what the workspace's own crates became
    Auto,
    /// A layer of the dependencies, and no mounts: for builders that have none, such as kaniko
    Layers,
    /// Mounts alone: the smallest build cache, which an empty builder starts without
    Mounts,
}

impl fmt::Display for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Layers => "layers",
            Self::Mounts => "mounts",
        })
    }
}

/// Keys for one package, which replace those of the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    deny_unknown_fields,
    default,
    expecting = "a table"
)]
pub struct PackageConfig {
    /// As [`Config::base`].
    pub base: Option<String>,
    /// As [`Config::expose`].
    pub expose: Option<Vec<u16>>,
    /// As [`Config::env`]; added to it.
    pub env: BTreeMap<String, String>,
    /// As [`Config::user`].
    pub user: Option<String>,
    /// As [`Config::workdir`].
    pub workdir: Option<String>,
    /// As [`Config::args`].
    pub args: Option<Vec<String>>,
    /// As [`Config::healthcheck`].
    pub healthcheck: Option<Health>,
    /// As [`Config::stop_signal`].
    pub stop_signal: Option<String>,
    /// As [`Config::volumes`].
    pub volumes: Option<Vec<String>>,
    /// As [`Config::labels`]; added to them.
    pub labels: BTreeMap<String, String>,
    /// As [`Config::assets`].
    pub assets: Option<Vec<String>>,
    /// As [`Config::verify`].
    pub verify: Option<Proof>,
}

/// A health check: what to run alone, or with times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// What to run.
    Test(Test),
    /// With times.
    Table(Healthcheck),
}

/// As for [`OneOrMany`].
impl<'de> Deserialize<'de> for Health {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Health;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of words, a line for the shell, or a table with `test`")
            }

            fn visit_str<E: de::Error>(self, line: &str) -> Result<Health, E> {
                Ok(Health::Test(Test::Shell(line.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Health, A::Error> {
                let words = Vec::deserialize(SeqAccessDeserializer::new(list));
                words.map(|words| Health::Test(Test::Exec(words)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Health, A::Error> {
                Healthcheck::deserialize(MapAccessDeserializer::new(map)).map(Health::Table)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// What a health check runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a list of words, or a line for the shell")]
pub enum Test {
    /// A program with its arguments.
    Exec(Vec<String>),
    /// A line for the shell.
    Shell(String),
}

/// A health check with its times, as `HEALTHCHECK` has them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Healthcheck {
    /// What to run.
    pub test: Test,
    /// The time between two checks, such as `30s`.
    pub interval: Option<String>,
    /// The time that a check may take.
    pub timeout: Option<String>,
    /// The time that the program may take to come up.
    pub start_period: Option<String>,
    /// The number of failures in a row that matter.
    pub retries: Option<u32>,
}

impl From<Health> for Healthcheck {
    fn from(health: Health) -> Self {
        match health {
            Health::Table(table) => table,
            Health::Test(test) => Self {
                test,
                interval: None,
                timeout: None,
                start_period: None,
                retries: None,
            },
        }
    }
}

/// Plain lists of packages, by their names in the builder's and the runtime image's distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub struct ExtraPackages {
    /// For the build.
    pub build: Vec<String>,
    /// For the running program.
    pub runtime: Vec<String>,
}

/// One value, or a list of them.
#[derive(Clone, Debug)]
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

/// Not derived as an untagged enum, whose errors would not tell what is wrong inside of it.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table, or a list of tables")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OneOrMany::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany::Many)
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// The table of a manifest that holds `metadata.dockerize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `[package]`
    Package,
    /// `[workspace]`
    Workspace,
}

impl Table {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Workspace => "workspace",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_may_stand_alone_or_in_a_list() {
        let metadata = serde_json::json!({ "dockerize": { "links": {
            "a-sys": { "about": "links a" },
            "b-sys": [{ "about": "links b" }, { "about": "links c" }],
        } } });
        let config = read::<Config>(&metadata, Table::Workspace, "Cargo.toml".into(), || None)
            .expect("valid");
        assert_eq!(config.links["a-sys"].as_slice().len(), 1);
        assert_eq!(config.links["b-sys"].as_slice().len(), 2);
    }
}
