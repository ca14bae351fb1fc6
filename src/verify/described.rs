//! What the engine says of images and containers, as far as it matters. Docker and podman use the same names.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What an image says of itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Description {
    pub(super) architecture: String,
    pub(super) os: String,
    /// As the engine counts it, in bytes.
    pub(super) size: u64,
    #[serde(rename = "RootFS")]
    root_fs: RootFs,
    #[serde(default)]
    pub(super) config: Config,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RootFs {
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// What an image starts, and as whom.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Config {
    pub(super) user: String,
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    pub(super) working_dir: String,
}

impl Description {
    pub(super) fn platform(&self) -> String {
        format!("{}/{}", self.os, self.architecture)
    }

    pub(super) fn layers(&self) -> usize {
        self.root_fs.layers.as_ref().map_or(0, Vec::len)
    }
}

impl Config {
    /// The program that is started.
    pub(super) fn program(&self) -> Option<&str> {
        let words = [&self.entrypoint, &self.cmd];
        let mut words = words.into_iter().flatten().flatten();
        words.next().map(String::as_str)
    }

    /// A variable of the environment.
    pub(super) fn env(&self, name: &str) -> Option<&str> {
        let mut all = self.env.iter().flatten();
        all.find_map(|var| var.strip_prefix(name)?.strip_prefix('='))
    }
}

/// How a container is doing.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct State {
    pub(super) status: String,
    pub(super) exit_code: i32,
    #[serde(default, rename = "OOMKilled")]
    pub(super) out_of_memory: bool,
    #[serde(default)]
    pub(super) pid: u32,
}

/// A container.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspected {
    pub(super) state: State,
    #[serde(default)]
    network_settings: NetworkSettings,
}

impl Inspected {
    /// Its addresses, as far as this machine can know them.
    pub(super) fn addresses(&self) -> Vec<String> {
        let networks = self.network_settings.networks.iter().flatten();
        let addresses = networks.map(|(_, network)| network.address.clone());
        addresses.filter(|address| !address.is_empty()).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkSettings {
    networks: Option<BTreeMap<String, Network>>,
}

#[derive(Deserialize)]
struct Network {
    #[serde(default, rename = "IPAddress")]
    address: String,
}
