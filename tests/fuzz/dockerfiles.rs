//! See Cargo.toml.
#![no_main]

#[allow(dead_code, reason = "each target has a part of it")]
mod reading;

libfuzzer_sys::fuzz_target!(|text: &str| reading::read_dockerfile(text));
