//! `expect.toml`: what the images of a project must be seen to do.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use camino::Utf8Path;
use serde::Deserialize;

use crate::docker::Image;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    run: Vec<Proof>,
}

/// One run of an image. A program runs to its end; a server, one with a port, is asked for a page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    /// The binary, after which the stage is named.
    bin: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    stdin: String,
    /// What standard output, or the page, contains.
    expect: String,
    port: Option<u16>,
    /// The path of the page.
    http: Option<String>,
}

/// Reads the file, and sorts the proofs by binary.
pub(crate) fn read(file: &Utf8Path) -> Result<BTreeMap<String, Vec<Proof>>> {
    let expected: Expected =
        toml::from_str(&fs_err::read_to_string(file)?).with_context(|| format!("`{file}`"))?;
    let mut proofs = BTreeMap::<_, Vec<_>>::new();
    for proof in expected.run {
        proofs.entry(proof.bin.clone()).or_default().push(proof);
    }
    Ok(proofs)
}

impl Proof {
    /// Runs the image. A program finds nothing writable: it was not asked to keep anything.
    pub(crate) fn holds(&self, image: &Image) -> Result<()> {
        let env: Vec<String> = self
            .env
            .iter()
            .map(|(name, value)| format!("--env={name}={value}"))
            .collect();
        let mut options: Vec<&str> = env.iter().map(String::as_str).collect();
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let answer = match (self.port, &self.http) {
            (Some(port), Some(path)) => image.start(&options, &args)?.get(port, path)?,
            (None, None) => {
                options.push("--read-only");
                image.run(&options, &args, &self.stdin)?
            }
            _ => bail!("`port` and `http` go together"),
        };
        ensure!(
            answer.contains(&self.expect),
            "expected {:?}, got {answer:?}",
            self.expect
        );
        Ok(())
    }
}
