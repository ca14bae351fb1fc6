//! What podman leaves behind when its build is ended from outside: it does not remove the containers that it
//! builds in, as it does after a failure.
#![expect(
    clippy::disallowed_methods,
    reason = "the kernel's table of processes is read"
)]

use std::collections::BTreeSet;

use anyhow::Result;
use camino::Utf8Path;
use serde::Deserialize;

use super::engine::Engine;

/// The containers of builds that were there before ours.
pub(super) struct Before(BTreeSet<String>);

/// A container, as podman lists it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    state: String,
}

/// The state of a container that is none of podman's own, but its builder's.
const OF_A_BUILD: &str = "storage";

impl Before {
    pub(super) fn new(engine: &Engine) -> Result<Self> {
        working(engine).map(Self)
    }

    /// Removes those that our build has left. Where somebody else builds as well, it is not known whose they are,
    /// and they stay.
    pub(super) fn remove_others(&self, engine: &Engine) {
        if another_build() {
            return;
        }
        let left = working(engine).unwrap_or_default();
        let ours: Vec<&str> = left.difference(&self.0).map(String::as_str).collect();
        if !ours.is_empty() {
            engine.remove(&[&["rm", "--force"], &ours[..]].concat());
        }
    }
}

/// The containers that builds work in.
fn working(engine: &Engine) -> Result<BTreeSet<String>> {
    let text = engine.listed(&["ps", "--all", "--external", "--format", "json"])?;
    let all: Option<Vec<Listed>> = serde_json::from_str(&text)?;
    let of_builds = all
        .into_iter()
        .flatten()
        .filter(|one| one.state == OF_A_BUILD);
    Ok(of_builds.map(|one| one.id).collect())
}

/// Whether another process of this machine may be building.
fn another_build() -> bool {
    let processes = Utf8Path::new("/proc")
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .flatten();
    let mut commands = processes.filter_map(|process| {
        let path = process.path().join("cmdline");
        String::from_utf8(fs_err::read(path).ok()?).ok()
    });
    commands.any(|command| is_build(&command))
}

/// Whether a command, its words parted by NUL, is one of podman's or buildah's that may build.
fn is_build(command: &str) -> bool {
    let mut words = command.split('\0');
    let program = words.next().and_then(|path| path.rsplit('/').next());
    matches!(program, Some("podman" | "buildah"))
        && words.any(|word| ["build", "bud", "from", "service"].contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_build() {
        assert!(is_build("/usr/bin/podman\0build\0.\0"));
        assert!(is_build("buildah\0bud\0"));
        assert!(is_build("podman\0system\0service\0"));
        assert!(!is_build("podman\0ps\0"));
        assert!(!is_build("vim\0build\0"));
    }
}
