//! `cargo dockerize`: see [`cargo_dockerize`].

use std::process::ExitCode;

use cargo_dockerize::Cargo;
use clap::Parser;

fn main() -> ExitCode {
    let Cargo::Dockerize(args) = Cargo::parse();
    cargo_dockerize::run(&args).exit_code()
}
