//! The engine, by way of its command line: `docker` or `podman`. It is told what to do and asked what is; what
//! to make of the answers is decided elsewhere. Images and containers are removed when they are dropped.
#![expect(clippy::disallowed_methods, reason = "the engine's program is run")]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Read;
use std::process::Command;

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;
use clap::ValueEnum;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::causes::Causes;
use super::described::{Description, Inspected, State};
use super::leftovers::Before;
use super::process::{self, Finished, Patience, Progress};

/// The engines that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// With buildx.
    Docker,
    /// With buildah, of which it is a part.
    Podman,
}

impl Kind {
    fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// Why there is no answer, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{says}")]
pub struct Trouble {
    /// What is wrong.
    pub says: String,
    /// What to do about it.
    pub hint: String,
}

/// An engine that answers.
#[derive(Clone, Debug)]
pub struct Engine {
    kind: Kind,
    /// Name and version.
    pub name: String,
    patience: Patience,
}

/// What to build.
#[derive(Clone, Debug)]
pub struct Source {
    /// The folder.
    pub context: Utf8PathBuf,
    /// The file.
    pub dockerfile: Utf8PathBuf,
    /// Its ignore file, where it is not that of the folder.
    pub ignore: Option<Utf8PathBuf>,
    /// Further options of the engine, such as those that hand over a secret.
    pub options: Vec<String>,
}

impl Engine {
    /// The engine that was asked for, else the first one that is installed.
    ///
    /// # Errors
    /// [`Trouble`], where none is installed, or it does not answer.
    pub fn find(asked: Option<Kind>, patience: &Patience, causes: &Causes) -> Result<Self> {
        let kinds = asked.map_or(vec![Kind::Docker, Kind::Podman], |kind| vec![kind]);
        for kind in kinds {
            let mut engine = Self {
                kind,
                name: kind.program().to_owned(),
                patience: patience.clone(),
            };
            let format = match kind {
                Kind::Docker => "{{.Server.Version}}",
                Kind::Podman => "{{.Client.Version}}",
            };
            let args = ["version", "--format", format];
            let finished = match engine.ask(&args) {
                Err(error) if is_not_installed(&error) => continue,
                other => other?,
            };
            // Podman answers to the name of docker where a package makes it do so.
            if kind == Kind::Docker && finished.stderr.contains(Kind::Podman.program()) {
                return Self::find(Some(Kind::Podman), patience, causes);
            }
            if !finished.status.success() {
                return Err(causes.trouble(&finished.stderr, &args.join(" ")).into());
            }
            engine.name = format!("{} {}", kind.program(), finished.stdout.trim());
            return Ok(engine);
        }
        let name = asked.map_or("an engine", Kind::program);
        Err(Trouble {
            says: format!("{name} is not installed, and builds the images"),
            hint: "install Docker with buildx, or podman; `--engine` says which one to use"
                .to_owned(),
        }
        .into())
    }

    /// Builds a stage. The log is empty where the engine's own progress went to the terminal.
    pub(super) fn build(
        &self,
        source: &Source,
        stage: &str,
        image: &Image,
        progress: Progress,
    ) -> Result<Finished> {
        let mut command = self.build_command(source, stage);
        command.args(["--tag", &image.name]);
        match self.kind {
            Kind::Docker => {
                let progress = match progress {
                    Progress::Own => "--progress=auto",
                    Progress::Silent | Progress::Shown => "--progress=plain",
                };
                command.args(["--load", progress]);
            }
            // The other format has no place for a health check.
            Kind::Podman => {
                command.args(["--format", "docker"]);
            }
        }
        command.args([
            "--file",
            source.dockerfile.as_str(),
            source.context.as_str(),
        ]);
        // What podman prints of its progress is made for terminals and files alike.
        let progress = match (self.kind, progress) {
            (Kind::Podman, Progress::Own) => Progress::Shown,
            _ => progress,
        };
        let before = match self.kind {
            Kind::Docker => None,
            Kind::Podman => Some(Before::new(self)?),
        };
        let finished = process::run(command, "", progress, &self.patience);
        if let (Err(_), Some(before)) = (&finished, before) {
            before.remove_others(self);
        }
        finished
    }

    /// The log of the last failed build of a stage, where the engine keeps it.
    pub(super) fn last_log(&self, stage: &str) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Record {
            name: String,
            r#ref: String,
        }
        let failed = ["--filter", "status=error", "--format", "json"];
        let args = [&["buildx", "history", "ls"][..], &failed].concat();
        let listed = self.ask(&args)?;
        let mut records = listed
            .stdout
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let Some(Record { r#ref, .. }) =
            records.find(|record: &Record| record.name.ends_with(&format!("({stage})")))
        else {
            return Ok(None);
        };
        let id = r#ref.rsplit('/').next().unwrap_or_default();
        let finished = self.ask(&["buildx", "history", "logs", "--progress=plain", id])?;
        let log = finished.stdout + &finished.stderr;
        Ok((!log.trim().is_empty()).then_some(log))
    }

    /// The files that the last stage of a Dockerfile, given as text, holds.
    pub(super) fn build_files<T: Send + 'static>(
        &self,
        source: &Source,
        text: &str,
        stage: &str,
        read: impl FnOnce(&mut dyn Read) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut command = self.build_command(source, stage);
        if self.kind == Kind::Podman {
            // Its progress would go to the same place as the files.
            command.arg("--quiet");
        }
        command.args([
            "--output",
            "type=tar,dest=-",
            "--file",
            "-",
            source.context.as_str(),
        ]);
        let (finished, read) = process::run_reading(command, text, &self.patience, read)?;
        if !finished.status.success() {
            bail!("{}", finished.stderr.trim());
        }
        read
    }

    fn build_command(&self, source: &Source, stage: &str) -> Command {
        let mut command = Command::new(self.kind.program());
        match self.kind {
            Kind::Docker => command.args(["buildx", "build"]),
            Kind::Podman => command.arg("build"),
        };
        if let (Kind::Podman, Some(file)) = (self.kind, &source.ignore) {
            command.args(["--ignorefile", file.as_str()]);
        }
        command.args(["--target", stage]).args(&source.options);
        command
    }

    /// What an image says of itself.
    pub(super) fn describe(&self, image: &Image) -> Result<Description> {
        self.inspect(&["image", "inspect", &image.name])
    }

    /// Reads the file system of an image: as a container of it would find it, before anything has run.
    pub(super) fn export<T: Send + 'static>(
        &self,
        image: &Image,
        read: impl FnOnce(&mut dyn Read) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        // The argument is for images that name no program, and is never run.
        let container = self.container();
        self.asked(&["create", "--name", &container.name, &image.name, "none"])?;
        let mut command = Command::new(self.kind.program());
        command.args(["export", &container.name]);
        let (finished, read) = process::run_reading(command, "", &self.patience, read)?;
        if !finished.status.success() {
            bail!("failed to export the image: {}", finished.stderr.trim());
        }
        read
    }

    /// Starts a container in the background. What the engine says where it cannot is in `Err`.
    pub(super) fn start(
        &self,
        image: &Image,
        options: &[&str],
        args: &[&str],
    ) -> Result<Result<Container, Finished>> {
        let container = self.container();
        let run = ["run", "--detach", "--name", &container.name];
        let finished = self.ask(&[&run, options, &[&image.name], args].concat())?;
        Ok(if finished.status.success() {
            Ok(container)
        } else {
            Err(finished)
        })
    }

    /// How a container is doing, and its addresses.
    pub(super) fn state(&self, container: &Container) -> Result<(State, Vec<String>)> {
        let inspected: Inspected = self.inspect(&["container", "inspect", &container.name])?;
        let addresses = inspected.addresses();
        Ok((inspected.state, addresses))
    }

    /// What its program printed: output and errors.
    pub(super) fn logs(&self, container: &Container) -> Result<(String, String)> {
        let finished = self.ask(&["logs", &container.name])?;
        Ok((finished.stdout, finished.stderr))
    }

    /// The address on this machine that a port was published at.
    pub(super) fn published(&self, container: &Container, port: u16) -> Result<Option<String>> {
        let finished = self.ask(&["port", &container.name, &format!("{port}/tcp")])?;
        Ok(finished.stdout.lines().next().map(str::to_owned))
    }

    /// A name for an image that is to be built.
    pub(super) fn image(&self) -> Image {
        let name = format!("localhost/cargo-dockerize-verify:{}", unique());
        Image {
            name,
            engine: self.clone(),
        }
    }

    fn container(&self) -> Container {
        let name = format!("cargo-dockerize-verify-{}", unique());
        Container {
            name,
            engine: self.clone(),
        }
    }

    fn inspect<T: DeserializeOwned>(&self, args: &[&str]) -> Result<T> {
        let text = self.asked(args)?;
        let mut all: Vec<T> = serde_json::from_str(&text)
            .with_context(|| format!("failed to read what `{}` says", args.join(" ")))?;
        all.pop().context("it says nothing")
    }

    /// Runs the engine's program, and returns what it printed where it succeeds.
    fn asked(&self, args: &[&str]) -> Result<String> {
        let finished = self.ask(args)?;
        if !finished.status.success() {
            let command = format!("{} {}", self.kind.program(), args[0]);
            bail!("`{command}` failed: {}", finished.stderr.trim());
        }
        Ok(finished.stdout)
    }

    fn ask(&self, args: &[&str]) -> Result<Finished> {
        let mut command = Command::new(self.kind.program());
        command.args(args);
        process::run(command, "", Progress::Silent, &self.patience)
    }

    /// What the engine lists, whatever goes on.
    pub(super) fn listed(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new(self.kind.program());
        command.args(args);
        Ok(process::clean_up(command)?.stdout)
    }

    /// Removes what may be there.
    pub(super) fn remove(&self, args: &[&str]) {
        let mut command = Command::new(self.kind.program());
        command.args(args);
        // There may be nothing to remove, and nobody is left to be told.
        let _ = process::clean_up(command);
    }

    /// Whether a signal or the time limit ends this run.
    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }
}

fn is_not_installed(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// A name that no other run uses: the number of the process, and one by chance, since machines and containers
/// with numbers of their own may share an engine.
fn unique() -> String {
    let chance = RandomState::new().build_hasher().finish();
    format!("{}-{chance:016x}", std::process::id())
}

/// An image of ours.
#[derive(Debug)]
pub(super) struct Image {
    name: String,
    engine: Engine,
}

impl Drop for Image {
    fn drop(&mut self) {
        self.engine.remove(&["image", "rm", "--force", &self.name]);
    }
}

/// A container of ours.
#[derive(Debug)]
pub(super) struct Container {
    name: String,
    engine: Engine,
}

impl Drop for Container {
    fn drop(&mut self) {
        self.engine
            .remove(&["rm", "--force", "--volumes", &self.name]);
    }
}
