//! `rust-toolchain` and `rust-toolchain.toml`.

use std::fmt;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use semver::Version;
use serde::Deserialize;

/// A toolchain file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolchainFile {
    /// Relative to the context.
    pub path: Utf8PathBuf,
    /// The channel as it is written.
    pub text: String,
    /// What the channel means.
    pub channel: Channel,
    /// Targets beside the machine's own.
    pub targets: Vec<String>,
    /// Components beyond those of rustup's minimal profile.
    pub components: Vec<String>,
}

/// The channels of rustup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// `1.95.0`
    Exact(Version),
    /// `1.95`
    Minor(u64, u64),
    /// `stable`
    Stable,
    /// `beta`, or one of a day.
    Beta,
    /// `nightly`, or one of a day.
    Nightly(Option<String>),
    /// The name of a toolchain that only its machine knows, or a `path`.
    Custom(String),
}

impl Channel {
    /// Reads a channel, with or without a host triple behind it.
    pub fn parse(text: &str) -> Self {
        let (head, rest) = text
            .split_once('-')
            .map_or((text, ""), |(head, rest)| (head, rest));
        let numbers: Vec<u64> = head.split('.').map_while(|n| n.parse().ok()).collect();
        let date = |rest: &str| {
            rest.get(..10)
                .filter(|d| d.split('-').all(|n| n.parse::<u32>().is_ok()))
                .map(str::to_owned)
        };
        match (head, &numbers[..]) {
            ("stable", _) => Self::Stable,
            ("beta", _) => Self::Beta,
            ("nightly", _) => Self::Nightly(date(rest)),
            (_, &[major, minor]) if head.split('.').count() == 2 => Self::Minor(major, minor),
            (_, &[major, minor, patch]) if head.split('.').count() == 3 => {
                Self::Exact(Version::new(major, minor, patch))
            }
            _ => Self::Custom(text.to_owned()),
        }
    }
}

impl fmt::Display for ToolchainFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.path, self.text)
    }
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    toolchain: Table,
}

#[derive(Default, Deserialize)]
struct Table {
    channel: Option<String>,
    path: Option<String>,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    components: Vec<String>,
}

/// The toolchain file in `dir`, an absolute path, or in the nearest folder above it up to `context`.
/// `rust-toolchain` wins over `rust-toolchain.toml`, as in rustup.
pub(super) fn find(dir: &Utf8Path, context: &Utf8Path) -> Result<Option<ToolchainFile>> {
    for dir in dir.ancestors().take_while(|dir| dir.starts_with(context)) {
        for name in ["rust-toolchain", "rust-toolchain.toml"] {
            let path = dir.join(name);
            if !path.is_file() {
                continue;
            }
            let text = fs_err::read_to_string(&path)?;
            let table = match toml::from_str::<Manifest>(&text) {
                Ok(Manifest { toolchain }) => toolchain,
                // The old form: the bare name of a channel.
                Err(_) if name == "rust-toolchain" => Table {
                    channel: Some(text.trim().to_owned()),
                    ..Table::default()
                },
                Err(error) => {
                    return Err(error).with_context(|| format!("failed to read `{path}`"));
                }
            };
            // A file that names components alone leaves the channel as it is.
            let channel = table.channel.or(table.path);
            let channel = channel.unwrap_or_else(|| "stable".to_owned());
            return Ok(Some(ToolchainFile {
                path: super::relative(&path, context),
                channel: Channel::parse(&channel),
                text: channel,
                targets: table.targets,
                components: table.components,
            }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels() {
        assert_eq!(Channel::parse("1.95"), Channel::Minor(1, 95));
        assert_eq!(
            Channel::parse("1.95.0"),
            Channel::Exact(Version::new(1, 95, 0))
        );
        assert_eq!(
            Channel::parse("stable-x86_64-unknown-linux-gnu"),
            Channel::Stable
        );
        assert_eq!(Channel::parse("nightly"), Channel::Nightly(None));
        assert_eq!(
            Channel::parse("nightly-2026-01-31"),
            Channel::Nightly(Some("2026-01-31".into()))
        );
        assert_eq!(Channel::parse("my-fork"), Channel::Custom("my-fork".into()));
        assert_eq!(Channel::parse("1.9x"), Channel::Custom("1.9x".into()));
    }
}
