//! What was found, for a person to read at a glance, and for programs.

use std::fmt::{self, Write};

use serde::Serialize;

/// The report on all images. Its JSON is a stable interface: within one `schema` fields keep their names and
/// meanings, and new ones may be added.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The version of this interface.
    pub schema: u32,
    /// Name and version of the engine.
    pub engine: String,
    /// Whether every check of every image passed.
    pub sound: bool,
    /// The images, the default one last.
    pub images: Vec<ImageReport>,
}

/// The report on an image.
#[derive(Debug, Serialize)]
pub struct ImageReport {
    /// The binary.
    pub bin: String,
    /// The stage, for `docker build --target`.
    pub stage: String,
    /// The base image.
    pub runtime: String,
    /// What was built, where it could be built.
    pub built: Option<Built>,
    /// Whether every check passed.
    pub sound: bool,
    /// In the order in which they were made.
    pub checks: Vec<Check>,
}

/// What the engine says of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Built {
    /// As `linux/amd64`.
    pub platform: String,
    /// In bytes, as the engine's `image inspect` has it.
    pub size: u64,
    /// All files together, in bytes.
    pub unpacked: u64,
    /// How many layers it has.
    pub layers: usize,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name.
    pub what: What,
    /// How it ended.
    pub verdict: Verdict,
    /// What was seen.
    pub says: String,
    /// Lines of a log.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// What to do about it.
    pub fix: Option<Fix>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The engine builds the image.
    Build,
    /// The program is there, for this platform, and the real one.
    Program,
    /// All that it loads is there, and new enough.
    Libraries,
    /// Data that it needs beside them.
    Files,
    /// It runs as nobody special.
    User,
    /// Nothing is there that should not be.
    Contents,
    /// It starts, and does what it should.
    Run,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Worth knowing, and no fault.
    Note,
    /// The image is not sound.
    Failed,
}

/// What to do about a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// In words.
    pub says: String,
    /// In the configuration, where `--fix` can write it.
    pub change: Option<Change>,
}

/// An addition to a list of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The key, below `[workspace.metadata.dockerize]`.
    pub key: &'static str,
    /// What the list lacks.
    pub values: Vec<String>,
}

impl Change {
    pub(super) fn new(key: &'static str, values: &[String]) -> Self {
        Self {
            key,
            values: values.to_vec(),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {:?}", self.key, self.values)
    }
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)?;
        match &self.change {
            Some(change) => write!(f, ": `{change}`"),
            None => Ok(()),
        }
    }
}

impl Check {
    pub(super) fn new(what: What, verdict: Verdict, says: impl Into<String>) -> Self {
        Self {
            what,
            verdict,
            says: says.into(),
            log: Vec::new(),
            fix: None,
        }
    }

    pub(super) fn ok(what: What, says: impl Into<String>) -> Self {
        Self::new(what, Verdict::Ok, says)
    }

    pub(super) fn failed(what: What, says: impl Into<String>) -> Self {
        Self::new(what, Verdict::Failed, says)
    }

    pub(super) fn fix(mut self, says: impl Into<String>, change: Option<Change>) -> Self {
        let says = says.into();
        self.fix = Some(Fix { says, change });
        self
    }
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Program => "program",
            Self::Libraries => "libraries",
            Self::Files => "files",
            Self::User => "user",
            Self::Contents => "contents",
            Self::Run => "run",
        }
    }
}

impl ImageReport {
    pub(super) fn failed(&self) -> usize {
        let failed = |check: &&Check| check.verdict == Verdict::Failed;
        self.checks.iter().filter(failed).count()
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        write!(out, "{} on {}", self.stage, self.runtime)?;
        if let Some(built) = &self.built {
            let [size, unpacked] = [built.size, built.unpacked].map(megabytes);
            let layers = built.layers;
            write!(
                out,
                ", {}: {size}, {unpacked} unpacked, {layers} layers",
                built.platform
            )?;
        }
        writeln!(out)?;
        for check in &self.checks {
            let verdict = match check.verdict {
                Verdict::Ok => "ok",
                Verdict::Note => "note",
                Verdict::Failed => "FAILED",
            };
            let mut lines = check.says.lines();
            let first = lines.next().unwrap_or_default();
            writeln!(out, "  {verdict:<6}  {:<9}  {first}", check.what.name())?;
            for line in lines.chain(check.log.iter().map(String::as_str)) {
                writeln!(out, "{:21}{line}", "")?;
            }
            if let Some(fix) = &check.fix {
                writeln!(out, "{:10}fix        {fix}", "")?;
            }
        }
        match self.failed() {
            0 => writeln!(out, "{} is sound", self.stage),
            1 => writeln!(out, "{} is not sound: 1 check failed", self.stage),
            n => writeln!(out, "{} is not sound: {n} checks failed", self.stage),
        }
    }
}

impl Report {
    /// For programs, on several lines.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every field becomes JSON") + "\n"
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (n, image) in self.images.iter().enumerate() {
            if n > 0 {
                text.push('\n');
            }
            image.write(&mut text).expect("a string takes everything");
        }
        text
    }

    /// What the configuration lacks, as far as it is known.
    pub fn changes(&self) -> Vec<Change> {
        let checks = self.images.iter().flat_map(|image| &image.checks);
        let changes = checks.filter_map(|check| check.fix.as_ref()?.change.clone());
        let mut all: Vec<Change> = Vec::new();
        for change in changes {
            match all.iter_mut().find(|same| same.key == change.key) {
                None => all.push(change),
                Some(same) => {
                    for value in change.values {
                        if !same.values.contains(&value) {
                            same.values.push(value);
                        }
                    }
                }
            }
        }
        all
    }
}

/// As engines print sizes: in powers of ten.
pub(super) fn megabytes(bytes: u64) -> String {
    let tenths = (bytes + 50_000) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(checks: Vec<Check>) -> Report {
        let image = ImageReport {
            bin: "api".into(),
            stage: "api".into(),
            runtime: "base:1".into(),
            built: Some(Built {
                platform: "linux/amd64".into(),
                size: 9_849_999,
                unpacked: 37_500_000,
                layers: 4,
            }),
            sound: false,
            checks,
        };
        Report {
            schema: 1,
            engine: "docker 28.5.2".into(),
            sound: false,
            images: vec![image],
        }
    }

    fn missing(library: &str, package: &str) -> Check {
        let change = Change::new("packages.runtime", &[package.into()]);
        Check::failed(What::Libraries, format!("{library} is missing"))
            .fix("name the package", Some(change))
    }

    #[test]
    fn at_a_glance() {
        let mut build = Check::ok(What::Build, "built in 3 s");
        build.log = vec!["a line".into()];
        let text = report(vec![build, missing("liba.so.1", "liba1")]).text();
        let expected = "\
api on base:1, linux/amd64: 9.8 MB, 37.5 MB unpacked, 4 layers
  ok      build      built in 3 s
                     a line
  FAILED  libraries  liba.so.1 is missing
          fix        name the package: `packages.runtime = [\"liba1\"]`
api is not sound: 1 check failed
";
        assert_eq!(text, expected);
    }

    #[test]
    fn changes_of_a_key_are_one() {
        let checks = vec![
            missing("liba.so.1", "liba1"),
            missing("libb.so.1", "libb1"),
            missing("liba.so.1", "liba1"),
        ];
        let changes = report(checks).changes();
        assert_eq!(
            changes,
            [Change::new(
                "packages.runtime",
                &["liba1".into(), "libb1".into()]
            )]
        );
    }
}
