//! What the build has to be let in with: credentials that are handed to single steps, and are in no layer, no
//! argument and no output.

use super::Note;
use crate::catalog::Catalog;
use crate::facts::Facts;
use crate::why::{Choice, Why};

/// Something that `docker build` hands to the steps that call cargo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Cargo's tokens for registries.
    Credentials,
    /// The agent that holds keys for ssh.
    SshAgent,
    /// The keys by which hosts are known.
    KnownHosts,
    /// A secret of the configuration, as a file in `/run/secrets`.
    Secret(String),
}

/// Where whoever builds has what is handed over, in the words of whatever hands it over.
#[derive(Clone, Copy, Debug)]
pub struct Homes<'h> {
    /// The user's.
    pub user: &'h str,
    /// Cargo's.
    pub cargo: &'h str,
}

impl Homes<'static> {
    /// As a shell finds them.
    pub const SHELL: Self = Self {
        user: "$HOME",
        cargo: "$HOME/.cargo",
    };
}

impl Access {
    /// The option of `RUN`; `home` is cargo's.
    pub fn mount(&self, home: &str) -> String {
        match self {
            Self::Credentials => {
                format!("--mount=type=secret,id={CREDENTIALS_ID},target={home}/{CREDENTIALS}")
            }
            Self::SshAgent => "--mount=type=ssh".to_owned(),
            Self::KnownHosts => {
                format!("--mount=type=secret,id={HOSTS_ID},target={KNOWN_HOSTS_OF_ALL}")
            }
            Self::Secret(id) => format!("--mount=type=secret,id={id}"),
        }
    }

    /// What cargo has to be told besides, as a variable and its value. Without a provider of credentials, it has no
    /// tokens for registries that want one for every download; and to whoever builds, that setting may be one of
    /// their home's. Source: cargo's book, registry authentication.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::Credentials => Some("CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS=cargo:token"),
            Self::SshAgent | Self::KnownHosts | Self::Secret(_) => None,
        }
    }

    /// The option of `docker build`, as its name and its value.
    pub fn option(&self, homes: Homes<'_>) -> [String; 2] {
        let secret = |value: String| ["--secret".to_owned(), value];
        match self {
            Self::Credentials => secret(format!(
                "id={CREDENTIALS_ID},src={}/{CREDENTIALS}",
                homes.cargo
            )),
            Self::SshAgent => ["--ssh".to_owned(), "default".to_owned()],
            Self::KnownHosts => secret(format!("id={HOSTS_ID},src={}/{KNOWN_HOSTS}", homes.user)),
            Self::Secret(id) => secret(format!("id={id}")),
        }
    }
}

const CREDENTIALS_ID: &str = "cargo-credentials";

/// Where cargo keeps its tokens, in its home.
const CREDENTIALS: &str = "credentials.toml";

const HOSTS_ID: &str = "known-hosts";

/// Where ssh keeps the keys of hosts, in the user's home.
const KNOWN_HOSTS: &str = ".ssh/known_hosts";

/// The same for all users: the builder's may have any home.
const KNOWN_HOSTS_OF_ALL: &str = "/etc/ssh/ssh_known_hosts";

/// What the sources of the dependencies call for, then the configuration.
pub(super) fn access(facts: &Facts, catalog: &Catalog) -> Vec<Choice<Access>> {
    let mut access = Vec::new();
    // Vendored crates are not downloaded.
    if facts.cargo_config.vendored.is_empty() {
        let registry = facts.registries().next();
        access.extend(
            registry.map(|url| Choice::new(Access::Credentials, Why::Registry(url.to_owned()))),
        );
        let mut over_ssh = facts.over_ssh();
        let first = over_ssh.clone().next().map(str::to_owned);
        access.extend(first.map(|url| Choice::new(Access::SshAgent, Why::GitOverSsh(url))));
        let config = &facts.cargo_config;
        let built_in = |url: &str| {
            let known = &catalog.helpers.known_hosts;
            !config.fetches_with_git() && known.iter().any(|known| known == host(url))
        };
        let unknown = over_ssh.find(|url| !config.knows_hosts && !built_in(url));
        access.extend(
            unknown.map(|url| Choice::new(Access::KnownHosts, Why::UnknownHost(url.to_owned()))),
        );
    }
    let secrets = facts.config.secrets.iter();
    access
        .extend(secrets.map(|id| Choice::new(Access::Secret(id.clone()), Why::Config("secrets"))));
    access
}

/// The host in `ssh://USER@HOST:PORT/PATH`.
fn host(url: &str) -> &str {
    let authority = url.trim_start_matches("ssh://");
    let authority = authority.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_repositories() {
        assert_eq!(
            host("ssh://git@git.acme.example:2222/a/b.git"),
            "git.acme.example"
        );
        assert_eq!(host("ssh://git.acme.example/a"), "git.acme.example");
    }
}
