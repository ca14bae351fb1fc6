//! What the build has to be let in with: credentials that are handed to single steps, and are in no layer, no
//! argument and no output.

use super::Note;
use crate::facts::Facts;
use crate::why::{Choice, Why};

/// Something that `docker build` hands to the steps that call cargo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Cargo's tokens for registries.
    Credentials,
    /// The agent that holds keys for ssh.
    SshAgent,
    /// A secret of the configuration, as a file in `/run/secrets`.
    Secret(String),
}

impl Access {
    /// The option of `RUN`; `home` is cargo's.
    pub fn mount(&self, home: &str) -> String {
        match self {
            Self::Credentials => {
                format!(
                    "--mount=type=secret,id={},target={home}/{CREDENTIALS}",
                    Self::ID
                )
            }
            Self::SshAgent => "--mount=type=ssh".to_owned(),
            Self::Secret(id) => format!("--mount=type=secret,id={id}"),
        }
    }

    /// The option of `docker build`, as its name and its value; `home` is cargo's on this machine.
    pub fn option(&self, home: &str) -> [String; 2] {
        match self {
            Self::Credentials => [
                "--secret".to_owned(),
                format!("id={},src={home}/{CREDENTIALS}", Self::ID),
            ],
            Self::SshAgent => ["--ssh".to_owned(), "default".to_owned()],
            Self::Secret(id) => ["--secret".to_owned(), format!("id={id}")],
        }
    }

    const ID: &'static str = "cargo-credentials";
}

/// Where cargo keeps its tokens, in its home.
const CREDENTIALS: &str = "credentials.toml";

/// What the sources of the dependencies call for, then the configuration.
pub(super) fn access(facts: &Facts) -> Vec<Choice<Access>> {
    let mut access = Vec::new();
    // Vendored crates are not downloaded.
    if facts.cargo_config.vendored.is_empty() {
        let registry = facts.registries().next();
        access.extend(
            registry.map(|url| Choice::new(Access::Credentials, Why::Registry(url.to_owned()))),
        );
        let over_ssh = facts.sources.iter().find_map(|source| {
            let url = source
                .strip_prefix("git+")
                .filter(|url| url.starts_with("ssh:"))?;
            Some(url.split(['?', '#']).next().unwrap_or(url))
        });
        access.extend(
            over_ssh.map(|url| Choice::new(Access::SshAgent, Why::GitOverSsh(url.to_owned()))),
        );
    }
    let secrets = facts.config.secrets.iter();
    access
        .extend(secrets.map(|id| Choice::new(Access::Secret(id.clone()), Why::Config("secrets"))));
    access
}

/// Registries that cargo knows only from the configuration of the user's home, which is not in the image.
pub(super) fn notes(facts: &Facts) -> Vec<Note> {
    let known = |url: &str| {
        facts
            .cargo_config
            .registries
            .iter()
            .any(|known| known == url)
    };
    let unknown = facts.registries().filter(|url| !known(url));
    unknown
        .map(|url| Note::UnknownRegistry(url.to_owned()))
        .collect()
}
