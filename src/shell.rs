//! The terminal. Everything that is printed goes through here: what people read to stderr, in cargo's style;
//! what could be piped to stdout.
#![expect(
    clippy::disallowed_methods,
    reason = "the terminal and its environment are here"
)]

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use camino::Utf8PathBuf;

/// How much is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// What was done.
    Normal,
    /// Every decision as well.
    Verbose,
}

/// The terminal of a run.
#[derive(Clone, Copy, Debug)]
pub struct Shell {
    verbosity: Verbosity,
}

const GREEN: Style = AnsiColor::Green.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();

impl Shell {
    /// A terminal that prints this much.
    pub fn new(verbosity: Verbosity) -> Self {
        Self { verbosity }
    }

    /// `color`: whether to use colors; None leaves it to the terminal and the environment (`NO_COLOR`,
    /// `CARGO_TERM_COLOR`).
    pub fn set_color(color: Option<bool>) {
        let of_cargo = match std::env::var("CARGO_TERM_COLOR").as_deref() {
            Ok("always") => Some(true),
            Ok("never") => Some(false),
            _ => None,
        };
        match color.or(of_cargo) {
            Some(true) => anstream::ColorChoice::Always.write_global(),
            Some(false) => anstream::ColorChoice::Never.write_global(),
            None => {}
        }
    }

    /// Whether only errors are printed.
    pub fn is_quiet(self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Whether decisions are printed.
    pub fn is_verbose(self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// A step that was done: a right-aligned verb, and what it was done to.
    pub fn status(self, verb: &str, message: impl Display) {
        self.line(GREEN, verb, message);
    }

    /// Something to know.
    pub fn note(self, verb: &str, message: impl Display) {
        self.line(CYAN, verb, message);
    }

    fn line(self, style: Style, verb: &str, message: impl Display) {
        if self.verbosity > Verbosity::Quiet {
            Self::say(format_args!("{style}{verb:>12}{style:#} {message}"));
        }
    }

    /// An error and, below it, the way out.
    pub fn error(message: impl Display, hint: Option<&str>) {
        Self::say(format_args!("{RED}error{RED:#}: {message}"));
        if let Some(hint) = hint {
            Self::say(format_args!("\n{CYAN}hint{CYAN:#}: {hint}"));
        }
    }

    fn say(message: impl Display) {
        // Nobody is left to be told when it cannot be written.
        let _ = writeln!(anstream::stderr(), "{message}");
    }

    /// What the command was asked for, as it is.
    ///
    /// # Errors
    /// It cannot be written. A reader that has seen enough, as `head` has, is none.
    pub fn out(text: impl Display) -> Result<()> {
        let mut stdout = anstream::stdout();
        match write!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written.context("failed to print the answer"),
        }
    }

    /// What another program prints of its progress, as it is.
    pub fn pass_on(bytes: &[u8]) {
        let _ = std::io::stderr().write_all(bytes);
    }

    /// Whether a person watches the progress.
    pub fn is_terminal() -> bool {
        std::io::stderr().is_terminal()
    }

    /// The current folder, for paths that are shown relative to it.
    pub fn current_dir() -> Option<Utf8PathBuf> {
        Utf8PathBuf::from_path_buf(std::env::current_dir().ok()?).ok()
    }
}
