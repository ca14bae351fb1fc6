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
    /// The names and passwords that git signs in with over https.
    Netrc,
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
            Self::Netrc => format!("--mount=type=secret,id={NETRC_ID},target=/root/{NETRC}"),
            Self::Secret(id) => format!("--mount=type=secret,id={id}"),
        }
    }

    /// What cargo has to be told besides, as a variable and its value. Without a provider of credentials, it has no
    /// tokens for registries that want one for every download; and to whoever builds, that setting may be one of
    /// their home's. By itself it knows no passwords, and git does. Source: cargo's book, registry and git
    /// authentication.
    pub fn setting(&self) -> Option<&'static str> {
        match self {
            Self::Credentials => Some("CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS=cargo:token"),
            Self::Netrc => Some("CARGO_NET_GIT_FETCH_WITH_CLI=true"),
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
            Self::Netrc => secret(format!("id={NETRC_ID},src={}/{NETRC}", homes.user)),
            Self::Secret(id) => secret(format!("id={id}")),
        }
    }

    /// The file in the user's home that it is.
    pub fn file_of_home(&self) -> Option<&'static str> {
        match self {
            Self::KnownHosts => Some(KNOWN_HOSTS),
            Self::Netrc => Some(NETRC),
            Self::Credentials | Self::SshAgent | Self::Secret(_) => None,
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

/// The secret by this name is where git looks for passwords.
const NETRC_ID: &str = "netrc";

/// In the home of the user, there and here. Source: curl's manual, netrc.
const NETRC: &str = ".netrc";

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
        access.extend(first.map(|url| Choice::new(Access::SshAgent, Why::Git(url))));
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
    access.extend(signs_in(facts).map(|why| Choice::new(Access::Netrc, why)));
    let secrets = facts.config.secrets.iter().filter(|id| *id != NETRC_ID);
    access
        .extend(secrets.map(|id| Choice::new(Access::Secret(id.clone()), Why::Config("secrets"))));
    access
}

/// Why git has to sign in over https, if it has to: a name without a password is plain.
pub(super) fn signs_in(facts: &Facts) -> Option<Why> {
    if facts.config.secrets.iter().any(|id| id == NETRC_ID) {
        return Some(Why::Config("secrets"));
    }
    let vendored = !facts.cargo_config.vendored.is_empty();
    let asks = |url: &&str| user(url).is_some_and(|user| !user.contains(':'));
    let url = facts.over_https().find(asks).filter(|_| !vendored)?;
    Some(Why::Git(url.to_owned()))
}

/// The user in `https://USER@HOST/PATH`.
fn user(url: &str) -> Option<&str> {
    Some(authority(url).rsplit_once('@')?.0)
}

/// The host in `ssh://USER@HOST:PORT/PATH`.
fn host(url: &str) -> &str {
    let host = authority(url).rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

fn authority(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    rest.split('/').next().unwrap_or_default()
}

/// What the build may have to be let in to, which only whoever builds knows.
pub(super) fn notes(facts: &Facts, catalog: &Catalog) -> Vec<Note> {
    let public = |url: &&str| {
        let mut hosts = catalog.helpers.public_hosts.iter();
        hosts.any(|known| known == host(url)) || user(url).is_some()
    };
    let open = facts.cargo_config.vendored.is_empty() && signs_in(facts).is_none();
    let repositories = facts.over_https().filter(|url| open && !public(url));
    let repositories = repositories.map(|url| Note::UnknownRepository(url.to_owned()));
    unknown_registries(facts).chain(repositories).collect()
}

/// Registries that cargo knows only from the configuration of the user's home, which is not in the image.
fn unknown_registries(facts: &Facts) -> impl Iterator<Item = Note> {
    let known = move |url: &str| {
        facts
            .cargo_config
            .registries
            .iter()
            .any(|known| known == url)
    };
    let unknown = facts.registries().filter(move |url| !known(url));
    unknown.map(|url| Note::UnknownRegistry(url.to_owned()))
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
        assert_eq!(user("https://ci@git.acme.example/a"), Some("ci"));
        assert_eq!(user("https://git.acme.example/a@b"), None);
    }
}
