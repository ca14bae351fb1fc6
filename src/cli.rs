//! The command line. The help texts are the reference manual; nothing is decided here.

use camino::Utf8PathBuf;
use clap::{ArgAction, Args as ClapArgs, CommandFactory, Parser, ValueEnum};
use clap_complete::Shell;

use crate::config::Cache;
use crate::facts::CargoFlags;
use crate::verify::Kind;

/// Cargo calls `cargo-dockerize dockerize …` for `cargo dockerize …`.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", styles = clap_cargo::style::CLAP_STYLING)]
pub enum Cargo {
    /// The subcommand.
    Dockerize(Args),
}

/// Write the Dockerfile that fits this project
///
/// Reads the workspace's metadata and writes `Dockerfile` and `.dockerignore` at its root. Commit both; run
/// `cargo dockerize --check` in CI to learn when they no longer fit.
///
/// Exit codes: 0 done, current, or sound; 1 `--check` found a file out of date, or `--verify` an image that is
/// not sound; 2 wrong usage; 101 no answer could be given, or the tool refuses; 130 interrupted.
#[derive(Clone, Debug, ClapArgs)]
#[command(version, verbatim_doc_comment)]
pub struct Args {
    #[command(flatten)]
    pub(crate) mode: ModeArgs,

    #[command(flatten, next_help_heading = "Verification")]
    pub(crate) verify: VerifyArgs,

    /// With --explain and --verify: how to print
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        requires = "reports",
        default_value = "text"
    )]
    pub(crate) format: Format,

    /// Where to write the Dockerfile, in place of the workspace root
    ///
    /// The ignore file is then FILE.dockerignore.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<Utf8PathBuf>,

    /// Write over files that are not the tool's own, and keep each as a backup (FILE.bak)
    #[arg(long, conflicts_with_all = ["check", "stdout", "explain"])]
    pub(crate) force: bool,

    /// Write the options of this run into Cargo.toml, so that the next one needs none
    ///
    /// The selection and all that decides what is written go to the dockerize table of the workspace's manifest,
    /// where everything else stays as it is. Packages are written as the binaries that they stand for.
    #[arg(long, conflicts_with_all = ["check", "stdout", "explain"])]
    pub(crate) save: bool,

    #[command(flatten, next_help_heading = "Selection")]
    pub(crate) selection: SelectionArgs,

    #[command(flatten, next_help_heading = "Dockerfile")]
    pub(crate) dockerfile: DockerfileArgs,

    #[command(flatten, next_help_heading = "Cargo")]
    pub(crate) cargo: CargoArgs,

    #[command(flatten)]
    pub(crate) manual: ManualArgs,

    /// Print only errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Print every decision with its reason
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// When to use colors
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// What explains the options elsewhere.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ManualArgs {
    /// Print what the shell needs to complete the options
    #[arg(long, value_enum, value_name = "SHELL")]
    pub(crate) completions: Option<Shell>,

    /// Print the manual page, for packages
    #[arg(long, hide = true)]
    pub(crate) man: bool,
}

/// What to do in place of writing.
#[derive(Clone, Debug, ClapArgs)]
#[group(multiple = false)]
pub(crate) struct ModeArgs {
    /// Write nothing; exit 1 and print a diff if a file is out of date
    #[arg(long)]
    pub(crate) check: bool,

    /// Print the Dockerfile and write nothing
    #[arg(long)]
    pub(crate) stdout: bool,

    /// Print every decision, its reason and how to change it, and write nothing
    #[arg(long, group = "reports")]
    pub(crate) explain: bool,
}

/// The proof that the images run.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct VerifyArgs {
    /// Build, inspect and run the images, and report; exit 1 if one is not sound
    ///
    /// With --check only if the files are current. Nothing stays behind but the engine's build cache.
    #[arg(long, group = "reports", conflicts_with_all = ["stdout", "explain"])]
    pub(crate) verify: bool,

    /// Which engine to use, in place of the first one that is installed
    #[arg(long, value_enum, value_name = "NAME", requires = "verify")]
    pub(crate) engine: Option<Kind>,

    /// Write into Cargo.toml what the images lack, and verify once more
    #[arg(long, requires = "verify", conflicts_with = "check")]
    pub(crate) fix: bool,

    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", requires = "verify")]
    pub(crate) timeout: Option<u64>,
}

/// Which binaries, and with which features.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct SelectionArgs {
    /// Package whose binaries to ship (repeatable)
    #[arg(short, long, value_name = "SPEC")]
    pub(crate) package: Vec<String>,

    /// Binary to ship; the first one is the default image (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) bin: Vec<String>,

    #[command(flatten)]
    pub(crate) features: clap_cargo::Features,

    /// Build with this profile
    #[arg(long, value_name = "PROFILE-NAME")]
    pub(crate) profile: Option<String>,
}

/// What the Dockerfile is like.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct DockerfileArgs {
    /// What to run on: auto, distroless, debian, alpine, scratch, or an image
    ///
    /// `auto`, the default, is the smallest that is right for the program. `--explain` tells of the others.
    #[arg(long, value_name = "BASE")]
    pub(crate) base: Option<String>,

    /// What to build on, in place of the official image of Rust
    #[arg(long, value_name = "IMAGE")]
    pub(crate) builder: Option<String>,

    /// What a rebuild finds again of the last one
    #[arg(long, value_enum, value_name = "STRATEGY")]
    pub(crate) cache: Option<Cache>,

    /// Platforms to build for, as `docker build --platform` takes them (comma separated or repeated)
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    pub(crate) platform: Vec<String>,

    /// Write docker-bake.hcl as well: every image by one `docker buildx bake`
    #[arg(long)]
    pub(crate) bake: bool,
}

/// Options that are handed on to cargo.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct CargoArgs {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<Utf8PathBuf>,

    /// Require that Cargo.lock is up to date
    #[arg(long)]
    pub(crate) locked: bool,

    /// Run without accessing the network
    #[arg(long)]
    pub(crate) offline: bool,

    /// Both --locked and --offline
    #[arg(long)]
    pub(crate) frozen: bool,
}

impl CargoArgs {
    pub(crate) fn flags(&self) -> CargoFlags {
        CargoFlags {
            locked: self.locked,
            offline: self.offline,
            frozen: self.frozen,
        }
    }
}

/// How `--explain` and `--verify` print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: a stable interface, see README.
    Json,
}

/// When to use colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The script that has `shell` complete the options. Zsh and fish know how to go on after `cargo`, where one of
/// the others would take the place of cargo's own script: these complete `cargo-dockerize`.
pub(crate) fn completions(shell: Shell) -> String {
    let (mut command, name) = match shell {
        Shell::Fish => (Cargo::command(), "cargo"),
        Shell::Zsh => (dockerize(), PROGRAM),
        _ => (clap::Command::new(PROGRAM).subcommand(dockerize()), PROGRAM),
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8(script).expect("help texts are UTF-8")
}

/// The manual page, which `man cargo-dockerize` shows, and `cargo help dockerize`.
pub(crate) fn man() -> String {
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(dockerize().name(PROGRAM).bin_name("cargo dockerize"));
    man.render(&mut page).expect("a vector takes everything");
    String::from_utf8(page).expect("help texts are UTF-8")
}

/// The name of the executable.
const PROGRAM: &str = "cargo-dockerize";

fn dockerize() -> clap::Command {
    let cargo = Cargo::command();
    let dockerize = cargo.find_subcommand("dockerize");
    dockerize.expect("it is the only one").clone()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, ValueEnum};
    use clap_complete::Shell;

    #[test]
    fn shells_and_the_manual_know_the_options() {
        for shell in Shell::value_variants() {
            let script = super::completions(*shell);
            assert!(script.contains("manifest-path"), "{shell}: {script}");
        }
        let page = super::man();
        assert!(
            page.contains("cargo dockerize") && page.contains("\\-\\-manifest\\-path"),
            "{page}"
        );
    }

    #[test]
    fn the_definition_holds_together() {
        super::Cargo::command().debug_assert();
    }
}
