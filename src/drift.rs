//! What is different between two Dockerfiles, in terms of what they mean: the summary of `--check`, and where
//! an edit by hand belongs in the configuration.

use std::collections::BTreeSet;

use crate::dockerfile::{Dockerfile, Instruction, Reference, Stage, exec_form};
use crate::plan::{Needed, Plan, Toolchain};
use crate::why::Why;

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A stage is in one of the files only.
    Stage(Side, String),
    /// A stage builds on another image.
    Image {
        /// The stage.
        stage: String,
        /// The image in the old file.
        old: String,
        /// The image in the new file.
        new: String,
    },
    /// A package is installed by one of the files only.
    Package(Side, String, String),
    /// An option, with its value, of `cargo build`.
    Cargo(Side, String),
    /// An instruction that is in one of the files only, in this stage.
    Instruction(Side, String, Instruction),
}

/// The file that has something which the other one lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The old one.
    Old,
    /// The new one.
    New,
}

/// The differences, in the order of the files.
pub fn differences(old: &Dockerfile, new: &Dockerfile) -> Vec<Difference> {
    let find = |file: &Dockerfile, name: &str| {
        let stages = file.stages.iter();
        stages.clone().find(|stage| stage.name == name).cloned()
    };
    let mut all = Vec::new();
    for stage in &new.stages {
        match find(old, &stage.name) {
            None => all.push(Difference::Stage(Side::New, stage.name.clone())),
            Some(old) => all.extend(within(&old, stage)),
        }
    }
    let gone = old
        .stages
        .iter()
        .filter(|stage| find(new, &stage.name).is_none());
    all.extend(gone.map(|stage| Difference::Stage(Side::Old, stage.name.clone())));
    // The same option stands in the commands of several stages.
    let mut seen: Vec<Difference> = Vec::new();
    all.retain(|difference| {
        let again = matches!(difference, Difference::Cargo(..)) && seen.contains(difference);
        seen.push(difference.clone());
        !again
    });
    all
}

/// The differences between two stages of one name.
fn within(old: &Stage, new: &Stage) -> Vec<Difference> {
    let mut all = Vec::new();
    if old.image != new.image {
        all.push(Difference::Image {
            stage: new.name.clone(),
            old: old.image.clone(),
            new: new.image.clone(),
        });
    }
    let [old, new] = [old, new].map(|stage| (Parts::of(stage), &stage.name));
    for (side, (has, stage), (lacks, _)) in [(Side::New, &new, &old), (Side::Old, &old, &new)] {
        let packages = has.packages.difference(&lacks.packages);
        all.extend(packages.map(|name| Difference::Package(side, (*stage).clone(), name.clone())));
        let cargo = has.cargo.difference(&lacks.cargo);
        all.extend(cargo.map(|option| Difference::Cargo(side, option.clone())));
        let mut others = lacks.others.clone();
        for instruction in &has.others {
            match others.iter().position(|other| other == instruction) {
                Some(same) => drop(others.swap_remove(same)),
                None => all.push(Difference::Instruction(
                    side,
                    (*stage).clone(),
                    instruction.clone(),
                )),
            }
        }
    }
    all
}

/// What a stage consists of.
#[derive(Default)]
struct Parts {
    packages: BTreeSet<String>,
    cargo: BTreeSet<String>,
    /// The instructions without the above.
    others: Vec<Instruction>,
}

impl Parts {
    fn of(stage: &Stage) -> Self {
        let mut parts = Self::default();
        for instruction in &stage.instructions {
            let mut instruction = instruction.clone();
            if instruction.keyword == "RUN" {
                let commands = instruction
                    .rest
                    .split(" && ")
                    .map(|command| parts.take(command));
                instruction.rest = commands.collect::<Vec<_>>().join(" && ");
            }
            parts.others.push(instruction);
        }
        parts
    }

    /// Takes the packages and options out of a command, and returns the rest of it.
    fn take(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        let at = |pair: [&str; 2]| words.windows(2).position(|words| words == pair);
        let installs = ["install", "add"]
            .iter()
            .find_map(|verb| words.iter().position(|word| word == verb))
            .filter(|verb| words[..*verb].iter().any(|word| word.starts_with("ap")));
        if let Some(verb) = installs {
            let (options, packages): (Vec<&str>, Vec<&str>) = words[verb + 1..]
                .iter()
                .partition(|word| word.starts_with('-'));
            self.packages
                .extend(packages.into_iter().map(str::to_owned));
            return [&words[..=verb], &options].concat().join(" ");
        }
        if let Some(build) = at(["cargo", "build"]) {
            let starts = |word: &&str| word.starts_with('-');
            let mut rest = &words[build + 2..];
            while let Some((option, values)) = rest.split_first() {
                let end = values.iter().position(starts).unwrap_or(values.len());
                self.cargo
                    .insert([&[*option], &values[..end]].concat().join(" "));
                rest = &values[end..];
            }
            return words[..build + 2].join(" ");
        }
        command.to_owned()
    }
}

/// More than this many differences are counted instead.
const SHOWN: usize = 3;

/// In one line: what the old file lacks or has too much, and why. `plan` is what the new one was written from.
pub fn summary(differences: &[Difference], plan: &Plan) -> String {
    let mut said: Vec<String> = Vec::new();
    // What the others follow from comes first.
    let mut differences: Vec<_> = differences.to_vec();
    differences.sort_by_key(|difference| match difference {
        Difference::Stage(..) => 0,
        Difference::Image { .. } => 1,
        Difference::Package(..) => 2,
        Difference::Cargo(..) => 3,
        Difference::Instruction(..) => 4,
    });
    for difference in &differences {
        let sentence = sentence(difference, &differences, plan);
        said.extend(sentence.filter(|sentence| !said.contains(sentence)));
    }
    counted(&said)
}

fn counted(said: &[String]) -> String {
    match said.len() {
        0 => "the tool writes it in another way now".to_owned(),
        n if n > SHOWN + 1 => format!("{}; and {} more", said[..SHOWN].join("; "), n - SHOWN),
        _ => said.join("; "),
    }
}

/// What a difference means. None for what follows from the others, or from the way in which the tool writes.
fn sentence(difference: &Difference, all: &[Difference], plan: &Plan) -> Option<String> {
    Some(match difference {
        Difference::Stage(side, stage) => {
            let image = plan.images.iter().find(|image| image.stage == *stage);
            match (side, image) {
                (Side::New, Some(image)) => {
                    format!(
                        "binary {} has no image ({})",
                        image.bin.value, image.bin.why
                    )
                }
                (Side::Old, None) if is_final(stage) => {
                    format!("there is no binary for image {stage}")
                }
                _ => return None,
            }
        }
        Difference::Image { stage, old, new } => {
            format!(
                "{stage} builds on {old}, not on {new}: {}",
                why_image(stage, old, new, plan)
            )
        }
        Difference::Package(Side::New, stage, package) => {
            let why = why_package(package, plan);
            // Those with the same reason are said at once.
            let alike = all.iter().filter_map(|other| match other {
                Difference::Package(Side::New, same, other) if same == stage => {
                    Some(other.as_str())
                }
                _ => None,
            });
            let alike: Vec<&str> = alike
                .filter(|other| why_package(other, plan) == why)
                .collect();
            match why {
                Some(why) => format!("{stage} lacks {}: {why:#}", alike.join(" and ")),
                None => format!("{stage} lacks {}", alike.join(" and ")),
            }
        }
        Difference::Package(Side::Old, stage, package) => {
            format!("{stage} has {package}, which nothing needs")
        }
        Difference::Cargo(_, option) if other_binaries(option, all) => return None,
        Difference::Cargo(Side::New, option) => {
            format!("`cargo build` is called without `{option}`")
        }
        Difference::Cargo(Side::Old, option) => format!("cargo build has `{option}`"),
        Difference::Instruction(_, stage, instruction)
            if instruction.keyword == "RUN" || instruction.keyword != "ENV" && !is_final(stage) =>
        {
            return None;
        }
        Difference::Instruction(Side::New, stage, instruction) => {
            format!("{stage} lacks `{instruction}`")
        }
        Difference::Instruction(Side::Old, stage, instruction) => {
            // Its new value is said already.
            let replaced = |other: &Difference| {
                matches!(other, Difference::Instruction(Side::New, same, new)
                    if same == stage && key(new) == key(instruction))
            };
            if all.iter().any(replaced) {
                return None;
            }
            format!("{stage} has `{instruction}`")
        }
    })
}

/// Whether the option only selects the binaries, where these are other ones.
fn other_binaries(option: &str, all: &[Difference]) -> bool {
    let selects = option.starts_with("--bin ") || option.starts_with("-p ");
    selects && matches!(all, [Difference::Stage(..), ..])
}

/// What an instruction says something about: a variable, a label, or whatever there is one of.
fn key(instruction: &Instruction) -> (&str, &str) {
    let name = match instruction.keyword.as_str() {
        "ENV" => instruction.rest.split('=').next().unwrap_or_default(),
        "COPY" => &instruction.rest,
        _ => "",
    };
    (&instruction.keyword, name)
}

/// Whether it may be a stage of ours that a binary had, and not one of those before.
fn is_final(stage: &str) -> bool {
    !crate::plan::TAKEN.contains(&stage)
}

fn why_image(stage: &str, old: &str, new: &str, plan: &Plan) -> String {
    let toolchain = &plan.toolchain;
    let [old, new] = [old, new].map(Reference::of);
    if let Some(image) = plan.images.iter().find(|image| image.stage == stage) {
        return if old.name == new.name {
            format!("it must fit the build, on {}", toolchain.suite.value)
        } else {
            image.base.why.to_string()
        };
    }
    match &toolchain.dropped {
        // It goes on from another stage, as the cache has it.
        _ if stage != Toolchain::STAGE => plan.cache.strategy.why.to_string(),
        Some(why) => why.to_string(),
        None if old.tag.contains(&toolchain.rust.value) => toolchain.suite.why.to_string(),
        None => toolchain.rust.why.to_string(),
    }
}

fn why_package<'p>(package: &str, plan: &'p Plan) -> Option<&'p Why> {
    let in_images = plan.images.iter().flat_map(|image| &image.packages);
    let mut all = plan.build.packages.iter().chain(in_images);
    all.find(|Needed { package: name, .. }| name == package)?
        .why
        .first()
}

/// In one line: the patterns that an ignore file lacks or has too much.
pub fn summary_of_ignore(old: &str, new: &str) -> String {
    let patterns = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect()
    };
    let [old, new] = [old, new].map(patterns);
    let lacking = new
        .iter()
        .filter(|line| !old.contains(line))
        .map(|line| format!("lacks `{line}`"));
    let surplus = old
        .iter()
        .filter(|line| !new.contains(line))
        .map(|line| format!("has `{line}`"));
    let said: Vec<String> = lacking.chain(surplus).collect();
    counted(&said)
}

/// The lines of configuration that express what was edited by hand in `edited`, where `ours` is what the tool
/// would write. What has no key of its own goes verbatim before or after the stage's own instructions.
pub fn settings(ours: &Dockerfile, edited: &Dockerfile) -> Vec<String> {
    let list = |words: &[String]| serde_json::to_string(words).expect("strings become JSON");
    let [mut build, mut runtime, mut lines] = [const { Vec::new() }; 3];
    let first_stages = |stage: &str| !is_final(stage);
    for difference in differences(ours, edited) {
        match difference {
            Difference::Package(Side::New, stage, package) if first_stages(&stage) => {
                build.push(package);
            }
            Difference::Package(Side::New, _, package) => runtime.push(package),
            Difference::Instruction(Side::New, stage, instruction) => {
                lines.push(setting(&stage, &instruction));
            }
            _ => {}
        }
    }
    let packages = [("build", build), ("runtime", runtime)];
    let packages = packages.iter().filter(|(_, names)| !names.is_empty());
    packages
        .map(|(key, names)| {
            format!(
                "packages.{key} = {}",
                list(names).replace("\",\"", "\", \"")
            )
        })
        .chain(lines)
        .collect()
}

/// The key for an added instruction.
fn setting(stage: &str, instruction: &Instruction) -> String {
    let Instruction { keyword, rest } = instruction;
    let known = match keyword.as_str() {
        _ if !is_final(stage) => None,
        "EXPOSE" => {
            let ports: Option<Vec<u16>> = rest
                .split(' ')
                .map(|port| port.trim_end_matches("/tcp").parse().ok())
                .collect();
            ports.map(|ports| format!("expose = {ports:?}"))
        }
        "ENV" => rest.split_once('=').map(|(name, value)| {
            let value = value.trim_matches('"');
            format!("env.{name} = {}", toml_edit::Value::from(value))
        }),
        "CMD" => exec_form(rest).map(|_| format!("args = {rest}")),
        _ => None,
    };
    known.unwrap_or_else(|| {
        let line = toml_edit::Value::from(instruction.to_string());
        // At the end of a final stage, the user has no rights any more.
        let place = if keyword == "RUN" && is_final(stage) {
            "before"
        } else {
            "after"
        };
        format!("{place}.{stage} = [{line}]")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::read;

    const OURS: &str = "FROM rust:1.95 AS toolchain\nRUN apt-get update && apt-get install -y a && rm x\n\
                        RUN cargo build --locked --bin app && cp x /\nFROM debian:x AS app\nUSER 1\n";

    fn edited(from: &str, to: &str) -> Vec<Difference> {
        let text = OURS.replace(from, to);
        assert_ne!(text, OURS);
        differences(&read(OURS).expect("ours"), &read(&text).expect("edited"))
    }

    #[test]
    fn packages_and_options_are_seen_in_their_commands() {
        let package = |name: &str| Difference::Package(Side::New, "toolchain".into(), name.into());
        assert_eq!(
            edited("-y a", "-y a \\\n b c"),
            [package("b"), package("c")]
        );
        let option = Difference::Cargo(Side::New, "--features x".into());
        assert_eq!(edited("--bin app", "--bin app --features x"), [option]);
        assert_eq!(edited("RUN apt", "# why\nRUN apt"), []);
    }

    #[test]
    fn edits_have_their_place_in_the_configuration() {
        let settings = |from: &str, to: &str| {
            let text = OURS.replace(from, to);
            settings(&read(OURS).expect("ours"), &read(&text).expect("edited"))
        };
        assert_eq!(settings("-y a", "-y a b"), ["packages.build = [\"b\"]"]);
        assert_eq!(settings("USER 1", "USER 1\nEXPOSE 80"), ["expose = [80]"]);
        assert_eq!(settings("USER 1", "USER 1\nENV A=\"b\""), ["env.A = \"b\""]);
        assert_eq!(
            settings("USER 1", "USER 1\nCMD [\"x\"]"),
            ["args = [\"x\"]"]
        );
        assert_eq!(
            settings("USER 1", "USER 1\nVOLUME /data"),
            ["after.app = [\"VOLUME /data\"]"]
        );
        assert_eq!(
            settings("RUN cargo", "RUN date\nRUN cargo"),
            ["after.toolchain = [\"RUN date\"]"]
        );
    }
}
