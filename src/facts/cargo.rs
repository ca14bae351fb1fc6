//! Runs cargo. Nothing else in the program starts it.

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::MetadataCommand;
use semver::Version;

/// Options that are handed on to cargo.
#[derive(Clone, Copy, Debug, Default)]
pub struct CargoFlags {
    /// `--locked`
    pub locked: bool,
    /// `--offline`
    pub offline: bool,
    /// `--frozen`
    pub frozen: bool,
}

/// The platforms whose dependencies are asked for: those that images are built for, one for each libc.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"];

/// The cargo that called us, or the one on the path.
fn program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// The folder of cargo's own on this machine, if it holds tokens for registries.
pub fn home_with_tokens() -> Option<String> {
    let own = std::env::var("CARGO_HOME");
    let home = own.or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    home.ok()
        .filter(|home| Utf8Path::new(home).join("credentials.toml").exists())
}

/// The user's home on this machine, if it holds a file.
pub fn user_home(file: &str) -> Option<String> {
    let home = std::env::var("HOME").ok();
    home.filter(|home| Utf8Path::new(home).join(file).exists())
}

/// The manifest at the root of the workspace that `manifest` belongs to, or the one that cargo finds from
/// the current folder. Absolute.
///
/// # Errors
/// Cargo's own reason, where there is no manifest or it cannot be read.
pub(super) fn workspace_manifest(manifest: Option<&Utf8Path>) -> Result<Utf8PathBuf> {
    locate(manifest, &["--workspace"])
}

/// The nearest manifest, or `manifest` itself. Absolute.
pub(super) fn manifest(manifest: Option<&Utf8Path>) -> Result<Utf8PathBuf> {
    locate(manifest, &[])
}

fn locate(manifest: Option<&Utf8Path>, options: &[&str]) -> Result<Utf8PathBuf> {
    let mut command = std::process::Command::new(program());
    command
        .args(["locate-project", "--message-format", "plain"])
        .args(options);
    if let Some(manifest) = manifest {
        command.arg("--manifest-path").arg(manifest);
    }
    Ok(run(command, "cargo locate-project")?.trim().into())
}

/// The version of cargo.
pub(super) fn version() -> Result<Version> {
    let mut command = std::process::Command::new(program());
    command.arg("--version");
    let text = run(command, "cargo --version")?;
    let version = text.split_whitespace().nth(1).unwrap_or_default();
    Version::parse(version)
        .with_context(|| format!("failed to read cargo's version in `{}`", text.trim()))
}

/// The JSON of `cargo metadata` for a workspace. With the first resolver, a dependency on any platform turns
/// features on for all of them, so that those of other platforms are asked for as well; where these cannot be
/// had, the answer is without them.
///
/// # Errors
/// Cargo's own reason: an invalid manifest, a dependency that is not there or cannot be fetched, a lock file
/// that is out of date under `--locked`.
///
/// `lock`: the lock file, where it is not to be the project's own. Older versions of cargo cannot do that.
pub(super) fn metadata(
    manifest: &Utf8Path,
    resolver: &str,
    flags: CargoFlags,
    lock: Option<&Utf8Path>,
) -> Result<String, CargoFailed> {
    let all = || metadata_for(manifest, &[], flags, lock).ok();
    let unified = if resolver == "1" { all() } else { None };
    unified.map_or_else(|| metadata_for(manifest, &PLATFORMS, flags, lock), Ok)
}

fn metadata_for(
    manifest: &Utf8Path,
    platforms: &[&str],
    flags: CargoFlags,
    lock: Option<&Utf8Path>,
) -> Result<String, CargoFailed> {
    let mut options: Vec<String> = vec!["--all-features".into(), "--color=never".into()];
    for &platform in platforms {
        options.extend(["--filter-platform".into(), platform.into()]);
    }
    if lock.is_some() {
        options.push("-Zlockfile-path".into());
    }
    for (on, flag) in [
        (flags.locked, "--locked"),
        (flags.offline, "--offline"),
        (flags.frozen, "--frozen"),
    ] {
        options.extend(on.then(|| flag.into()));
    }
    let mut command = MetadataCommand::new()
        .cargo_path(program())
        .manifest_path(manifest)
        .other_options(options)
        .cargo_command();
    // Where cargo keeps its output is nothing that an image may depend on, and a wrapper of the compiler that
    // is not installed here must not keep cargo from answering.
    command
        .env("RUSTC_WRAPPER", "")
        .env("RUSTC_WORKSPACE_WRAPPER", "")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET_DIR");
    if let Some(lock) = lock {
        // The setting is not stable in all versions that have it. Nothing is compiled, so that this unlocks no more.
        command
            .env("CARGO_RESOLVER_LOCKFILE_PATH", lock)
            .env("RUSTC_BOOTSTRAP", "1");
    }
    run(command, "cargo metadata")
}

/// Cargo gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("`{command}` failed: {reason}")]
pub struct CargoFailed {
    command: &'static str,
    /// In cargo's own words.
    reason: String,
}

/// What cargo says where the lock file would have to change.
const STALE_LOCK: &str = "--locked was passed";

/// Words of cargo's that tell why a source did not answer, and the ways out. The first match counts.
const WAYS_OUT: [(&[&str], &str); 5] = [
    (
        &[STALE_LOCK],
        "bring it up to date with `cargo update --workspace`, or leave `--locked` out",
    ),
    (
        &["--offline"],
        "download the dependencies first, with `cargo fetch`, or leave `--offline` out",
    ),
    (
        &["authenticat", "no token found", "credential", "401", "403"],
        "let cargo reach the source first: `cargo login --registry NAME` for a registry, an ssh agent or git's \
         credential helper for a repository",
    ),
    (
        &[
            "download",
            "network",
            "resolve host",
            "timed out",
            "spurious",
            "unable to update",
            "failed to fetch",
        ],
        "see that this machine reaches the source, or run this with `--offline` where `cargo fetch` has run before",
    ),
    (
        &["No such file or directory", "os error 2"],
        "check the path; a submodule is there after `git submodule update --init --recursive`",
    ),
];

impl CargoFailed {
    /// What to do about it, where cargo does not say so itself.
    pub fn hint(&self) -> Option<String> {
        let says = |word: &&str| self.reason.contains(*word);
        let known = WAYS_OUT.iter().find(|(words, _)| words.iter().any(says));
        known.map(|(_, hint)| (*hint).to_owned())
    }

    /// Whether it failed only because it was not to change the lock file.
    pub(super) fn is_stale_lock(&self) -> bool {
        self.reason.contains(STALE_LOCK)
    }
}

/// Runs cargo and returns what it printed; where it fails, its own reason becomes the error.
fn run(mut command: std::process::Command, name: &'static str) -> Result<String, CargoFailed> {
    let failed = |reason: String| CargoFailed {
        command: name,
        reason,
    };
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| failed(format!("`{program}` cannot be run: {error}")))?;
    if !output.status.success() {
        return Err(failed(reason(&String::from_utf8_lossy(&output.stderr))));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("it printed invalid UTF-8".to_owned()))
}

/// Cargo's error without what it said of its progress before.
fn reason(stderr: &str) -> String {
    // Proxies of cargo add one when the environment asks for it.
    let stderr = stderr
        .split("\nStack backtrace:")
        .next()
        .unwrap_or_default()
        .trim();
    let start = stderr
        .find("error: ")
        .map_or(0, |start| start + "error: ".len());
    stderr[start..].to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn progress_is_left_out_of_the_reason() {
        assert_eq!(
            super::reason("    Updating crates.io index\nerror: no such package\n"),
            "no such package"
        );
    }
}
