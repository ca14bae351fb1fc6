//! Writes the Dockerfile that fits a Rust project, and says why. The library exists for the binary and its
//! tests; it makes no promise of stability.
//!
//! # How it hangs together
//!
//! ```text
//! cli::Args ─► facts::gather ─► Facts ─► plan::decide ─► Plan ─► render ─► File… ─► files::apply ─► Outcome
//!              runs cargo,               pure            pure              the disk │
//!              reads the project         ▲ catalog       ▲ templates/               └─► verify (optional)
//! ```
//!
//! * [`facts`] runs cargo and reads the project, and nothing else does. [`files`] writes, and nothing else
//!   does. [`verify`] alone talks to an engine, and what it finds decides nothing but the exit code. [`shell`]
//!   prints. `.clippy.toml` enforces it.
//! * [`plan`] and [`render`] are pure: no clock, environment, network or host platform. The same project
//!   gives the same bytes on every machine.
//! * A decision is a value with its reason: [`why::Choice`]. [`why::Why`] holds evidence, and its `Display`
//!   is the one wording that the Dockerfile, `--explain` and its JSON share.
//! * Templates see the plan, never the facts. If one needs an `if` about the project, a decision is missing.
//! * What is known of crates, images and distributions is data: [`catalog`]. No crate, package, tag or suite
//!   is named in Rust code.
//! * The generated files hold no date and no version of the tool, so that they change only when a decision
//!   does.

pub mod catalog;
mod cli;
pub mod config;
pub mod dockerfile;
pub mod drift;
pub mod explain;
pub mod facts;
pub mod files;
mod ignore;
mod path;
pub mod plan;
pub mod render;
mod run;
pub mod shell;
pub mod verify;
pub mod why;

pub use cli::{Args, Cargo};
pub use run::{Outcome, run};
