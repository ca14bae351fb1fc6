//! The text of the final stages, and of the steps that install packages.

use std::collections::BTreeMap;

use askama::Template;

use super::{env, json, paths, quoted, word};
use crate::catalog::{Installer, User};
use crate::config::Test;
use crate::path::below;
use crate::plan::{Asset, Health, Image, Needed};
use crate::why::Why;

/// A final stage.
pub(super) struct Stage<'p> {
    pub(super) name: &'p str,
    pub(super) base: &'p str,
    /// What there is to say of the base, as the rest of a sentence.
    pub(super) why: String,
    pub(super) labels: String,
    pub(super) install: String,
    /// Instructions that bring what the base lacks.
    pub(super) copies: Vec<String>,
    pub(super) copy: String,
    pub(super) user: &'p str,
    pub(super) workdir: String,
    /// Instructions that depend on nothing before them.
    pub(super) lines: Vec<String>,
    pub(super) entrypoint: String,
    pub(super) args: Option<String>,
}

/// The steps that install packages from Debian, and add the user.
#[derive(Template)]
#[template(path = "apt", escape = "none")]
struct Apt<'p> {
    /// Packages with a common reason: `a, b: reason`.
    groups: Vec<String>,
    names: Vec<&'p str>,
    user: Option<&'p User>,
}

/// The same from Alpine.
#[derive(Template)]
#[template(path = "apk", escape = "none")]
struct Apk<'p> {
    groups: Vec<String>,
    names: Vec<&'p str>,
    user: Option<&'p User>,
}

impl<'p> Stage<'p> {
    pub(super) fn of(image: &'p Image) -> Self {
        let installed = format!("/usr/local/bin/{}", image.bin.value);
        let built = format!("/out/{}", image.bin.value);
        let labels = image.labels.iter();
        let labels = labels.map(|(key, value)| format!("{key}={}", quoted(value)));
        Self {
            name: &image.stage,
            base: &image.base.value,
            why: match &image.base.why {
                why @ (Why::Flag(_) | Why::Config(_)) => format!("is {why}"),
                why => why.to_string(),
            },
            labels: labels.collect::<Vec<_>>().join(" \\\n      "),
            install: install(&image.packages, image.adds_user.as_ref(), image.installer),
            copies: copies(image),
            copy: paths(&built, &installed),
            user: &image.user.value,
            workdir: word(&image.workdir.value),
            lines: lines(image),
            entrypoint: json(&[installed]),
            args: (!image.args.is_empty()).then(|| json(&image.args)),
        }
    }
}

/// The commands of the stage that makes what bases lack.
pub(super) fn files(images: &[Image]) -> Vec<String> {
    let lacking = images.iter().filter(|image| !image.makes.is_empty());
    let commands = lacking.flat_map(|image| {
        let to = folder(image);
        let commands = image.makes.iter().map(|make| make.replace("{to}", &to));
        std::iter::once(format!("mkdir -p {to}"))
            .chain(commands)
            .collect::<Vec<_>>()
    });
    commands.collect()
}

/// Where that stage has what one image is given.
fn folder(image: &Image) -> String {
    format!("/files/{}", image.stage)
}

fn copies(image: &Image) -> Vec<String> {
    let copies = image.copies.iter().flat_map(|copy| {
        let path = &copy.value;
        [
            format!("# {}", copy.why),
            format!("COPY --from=toolchain {path} {path}"),
        ]
    });
    let made = (!image.makes.is_empty()).then(|| format!("COPY --from=files {} /", folder(image)));
    copies.chain(made).collect()
}

fn lines(image: &Image) -> Vec<String> {
    let env = image.env.iter().map(env);
    let mut lines: Vec<String> = env
        .flat_map(|env| [format!("# {}", env.why), format!("ENV {}", env.line)])
        .collect();
    for asset in &image.assets {
        let Asset { from, to } = &asset.value;
        let copy = paths(from.as_str(), below(".", to).as_str());
        lines.extend([format!("# {}", asset.why), format!("COPY {copy}")]);
    }
    lines.extend(image.expose.iter().map(|port| format!("EXPOSE {port}/tcp")));
    if !image.volumes.is_empty() {
        lines.push(format!("VOLUME {}", json(&image.volumes)));
    }
    lines.extend(
        image
            .stop_signal
            .as_ref()
            .map(|signal| format!("STOPSIGNAL {signal}")),
    );
    lines.extend(image.health.as_ref().map(healthcheck));
    lines
}

fn healthcheck(health: &Health) -> String {
    let options = health.options.iter();
    let options: Vec<String> = options
        .map(|(name, value)| format!("--{name}={value} "))
        .collect();
    let test = match &health.test {
        Test::Exec(words) => json(words),
        Test::Shell(line) => json(&["/bin/sh", "-c", line]),
    };
    format!("HEALTHCHECK {}CMD {test}", options.concat())
}

/// The steps that install packages and add a user; none where there is nothing that could.
pub(super) fn install(
    packages: &[Needed],
    user: Option<&User>,
    installer: Option<Installer>,
) -> String {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut order = Vec::new();
    for needed in packages {
        let why = reasons(needed);
        if !groups.contains_key(&why) {
            order.push(why.clone());
        }
        groups.entry(why).or_default().push(&needed.package);
    }
    let line = |why: String| format!("{}: {why}", groups[&why].join(", "));
    let groups = order.into_iter().map(line).collect();
    let names = packages
        .iter()
        .map(|needed| needed.package.as_str())
        .collect();
    let text = match installer {
        None => return String::new(),
        Some(Installer::Apt) => Apt {
            groups,
            names,
            user,
        }
        .render(),
        Some(Installer::Apk) => Apk {
            groups,
            names,
            user,
        }
        .render(),
    };
    text.expect("writing to a string cannot fail")
}

/// The first reason, and how many more there are.
fn reasons(needed: &Needed) -> String {
    match &needed.why[..] {
        [] => String::new(),
        [one] => one.to_string(),
        [first, _] => format!("{first}; and one other reason"),
        [first, rest @ ..] => format!("{first}; and {} other reasons", rest.len()),
    }
}
