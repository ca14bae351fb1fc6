//! The system of builder and runtime, and the builder image.

use super::asked::{Asked, Asking};
use super::libc::{Built, Host, Musl, Program};
use super::needs::Needs;
use super::rust::Rust;
use super::{Note, Refusal, Request, configured, kept};
use crate::catalog::{Alpine, Catalog, Installer, Names, Suite};
use crate::facts::{Facts, ToolchainFile};
use crate::why::{Choice, Why};

/// The builder.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// Rust's version or channel: `1.95`, `1.95.0` or `nightly`.
    pub rust: Choice<String>,
    /// Debian's suite or Alpine's release, of builder and runtime alike.
    pub suite: Choice<String>,
    /// The builder image, with a digest where the committed file has one.
    pub builder: Choice<String>,
    /// Why the committed builder could not stay, where its Rust is too old.
    pub dropped: Option<Why>,
    /// The toolchain that rustup is to take, where a file would make it take another one.
    pub chosen: Option<Choice<String>>,
    /// What installs packages in it.
    pub installer: Installer,
    /// Calls of rustup that complete the image.
    pub setup: Vec<Choice<String>>,
}

impl Toolchain {
    /// The name of its stage, which the committed file is searched for.
    pub const STAGE: &str = "toolchain";

    /// Where the packages of the build have their names.
    pub fn names(&self) -> Names<'_> {
        match self.installer {
            Installer::Apt => Names::Suite(&self.suite.value),
            Installer::Apk => Names::Alpine,
        }
    }
}

/// The systems that builder and bases may have.
pub(super) struct Systems<'c> {
    pub(super) suite: Choice<&'c Suite>,
    pub(super) alpine: Option<&'c Alpine>,
}

/// Decides on Debian's suite and Alpine's release. Order of precedence: what the tag of the builder that is
/// asked for tells, what those of the bases do, the newest that has an image of this Rust.
pub(super) fn systems<'c>(
    facts: &'c Facts,
    request: &Request,
    rust: &Rust,
    asked: &[Asking<'_>],
    catalog: &'c Catalog,
) -> Result<Systems<'c>, Refusal> {
    let age = |suite: &Suite| {
        let mut suites = catalog.images.suites.iter();
        suites.position(|s| s.name == suite.name)
    };
    let images = asked.iter().filter_map(|asking| match &asking.base.value {
        Asked::Image(image) => Some(image),
        _ => None,
    });
    let of_base = images
        .clone()
        .filter_map(|image| Some((image, catalog.suite_in(image)?)))
        .max_by_key(|(_, suite)| age(suite));
    let builder = builder_asked(facts, request);
    let of_builder = builder
        .as_ref()
        .and_then(|builder| Some((&builder.value, catalog.suite_in(&builder.value)?)));
    if let (Some((builder, newer)), Some((base, older))) = (of_builder, of_base)
        && age(newer) < age(older)
    {
        return Err(Refusal::NewerBuilder {
            builder: builder.clone(),
            base: base.clone(),
        });
    }
    let published = match &rust.version {
        Some(version) => catalog.suites_of(version),
        None => catalog.images.suites.iter().collect(),
    };
    let is_published = |suite: &Suite| published.iter().any(|s| s.name == suite.name);
    let committed = kept::builder(facts, catalog).filter(|_| rust.tag.is_some());
    let suite = match of_builder.or(of_base) {
        Some((image, suite)) if builder.is_some() || is_published(suite) => {
            Choice::new(suite, Why::Follows(image.clone()))
        }
        Some((image, suite)) => {
            return Err(Refusal::NoBuilder {
                rust: rust.value.value.clone(),
                suite: suite.name.clone(),
                base: image.clone(),
            });
        }
        None => {
            let no_suite = || Refusal::NoSuite {
                rust: rust.value.value.clone(),
            };
            // Nightly images exist for the newest suite only.
            let newest = *published.first().ok_or_else(no_suite)?;
            let kept = committed.and_then(|builder| builder.suite);
            match kept.filter(|kept| is_published(kept)) {
                Some(kept) if kept.name != newest.name => Choice::new(kept, Why::Committed),
                _ => Choice::new(newest, Why::NewestSuite(rust.value.value.clone())),
            }
        }
    };
    let releases = match &rust.version {
        Some(version) => catalog.alpines_of(version),
        None => catalog.images.alpines.iter().collect(),
    };
    let named = |image: &String| {
        let named = catalog.alpine_in(image)?;
        releases
            .iter()
            .find(|alpine| alpine.release == named.release)
    };
    let mut named = builder
        .iter()
        .map(|b| &b.value)
        .chain(images)
        .filter_map(named);
    let kept = committed.and_then(|builder| builder.alpine);
    let kept = kept.and_then(|kept| {
        releases
            .iter()
            .find(|alpine| alpine.release == kept.release)
    });
    let alpine = named.next().or(kept).or(releases.first()).copied();
    Ok(Systems { suite, alpine })
}

/// The image that is asked for in place of the official one. Order of precedence: `--builder`, the
/// configuration.
pub(super) fn builder_asked(facts: &Facts, request: &Request) -> Option<Choice<String>> {
    let flag = request.builder.as_ref();
    flag.map(|image| Choice::new(image.clone(), Why::Flag(format!("--builder {image}"))))
        .or_else(|| configured(facts.config.builder.as_ref(), "builder"))
}

/// Where programs are built: on Alpine, or on Debian.
pub(super) fn host(
    facts: &Facts,
    request: &Request,
    program: Program,
    built: &Built<'_>,
    catalog: &Catalog,
) -> Host {
    let debian = || Host::Debian(None);
    let host = match program {
        Program::Gnu => debian(),
        Program::Musl => Host::Alpine,
        Program::Static => match built.musl(catalog) {
            Musl::Static(host) => host,
            Musl::Dynamic(_) | Musl::Never(_) => Host::Alpine,
        },
    };
    match builder_asked(facts, request) {
        Some(builder) if catalog.alpine_in(&builder.value).is_some() => Host::Alpine,
        Some(_) => debian(),
        None => host,
    }
}

pub(super) fn toolchain(
    facts: &Facts,
    request: &Request,
    rust: Rust,
    systems: &Systems<'_>,
    (program, built): (Program, &Built<'_>),
    host: &Host,
    catalog: &Catalog,
) -> (Toolchain, Vec<Note>) {
    let suite = systems.suite.value;
    let mut notes = Vec::new();
    let version = &rust.value.value;
    let asked = builder_asked(facts, request);
    let own = asked.is_some();
    // There is no image of a channel for Alpine: rustup brings it.
    let mut install = rust.install.clone();
    let stable = || format!("{}.{}", facts.cargo.major, facts.cargo.minor);
    let (system, builder) = match (host, systems.alpine, &rust.tag) {
        (Host::Alpine, Some(alpine), tag) => {
            if tag.is_none() {
                install = Some(version.clone());
            }
            let tag = tag.clone().unwrap_or_else(stable);
            let why = Why::NewestAlpine(version.clone());
            let name = format!("Alpine {}", alpine.release);
            (
                Choice::new(name, why),
                alpine.builder.replace("{rust}", &tag),
            )
        }
        (_, _, Some(tag)) => {
            let builder = suite.builder.replace("{rust}", tag);
            (
                Choice::new(suite.name.clone(), systems.suite.why.clone()),
                builder,
            )
        }
        (_, _, None) => (
            Choice::new(suite.name.clone(), systems.suite.why.clone()),
            suite.nightly.clone(),
        ),
    };
    if let Some(asked) = &asked
        && catalog.suite_in(&asked.value).is_none()
        && catalog.alpine_in(&asked.value).is_none()
    {
        notes.push(Note::OtherBuilder {
            image: asked.value.clone(),
            suite: suite.name.clone(),
        });
    }
    let builder = match asked {
        // A bot may bump it like any other image.
        Some(asked) => Choice::new(kept::newer(facts, Toolchain::STAGE, asked.value), asked.why),
        None => Choice::new(kept::digest(facts, Toolchain::STAGE, builder), Why::HasBoth),
    };
    let file = facts.toolchain.as_ref().filter(|_| !own);
    let chosen = |file: &ToolchainFile| {
        let toolchain = match (&install, &rust.tag) {
            (Some(channel), _) => channel.clone(),
            // The images of stable releases tell their version, those of channels do not.
            (None, Some(_)) => "$RUST_VERSION".to_owned(),
            (None, None) => version.clone(),
        };
        Choice::new(toolchain, Why::OwnToolchain(file.path.clone()))
    };
    let install = install.as_deref().filter(|_| !own);
    let mut setup = setup(facts, file, install, built, catalog);
    if let (Program::Static, Host::Debian(_)) = (program, host) {
        let line = format!("rustup target add \"{}\"", catalog.images.musl.triple);
        setup.push(Choice::new(line, Why::LinksStatically));
    }
    let toolchain = Toolchain {
        chosen: file.map(chosen),
        builder,
        rust: rust.value,
        dropped: rust.dropped,
        suite: system,
        installer: match host {
            Host::Alpine => Installer::Apk,
            Host::Debian(_) => Installer::Apt,
        },
        setup,
    };
    (toolchain, notes)
}

/// Calls of rustup that bring what the image lacks: a channel that has no image, and what the toolchain file asks for
/// as far as builds use it: its other components and targets are for people and for other builds. It is one step.
fn setup(
    facts: &Facts,
    file: Option<&ToolchainFile>,
    install: Option<&str>,
    built: &Built<'_>,
    catalog: &Catalog,
) -> Vec<Choice<String>> {
    let Some(file) = file else {
        return install
            .map(|channel| installed(channel, &[], &[]))
            .into_iter()
            .collect();
    };
    let components = file.components.iter();
    let components: Vec<&str> = components
        .filter(|component| catalog.images.rustup.components.contains(component))
        .map(String::as_str)
        .collect();
    let targets = file.targets.iter().map(String::as_str);
    let targets: Vec<&str> = targets
        .filter(|target| is_named(target, facts, built))
        .collect();
    if let Some(channel) = install {
        return vec![installed(channel, &components, &targets)];
    }
    let components = (!components.is_empty()).then(|| component(&components));
    let targets = (!targets.is_empty()).then(|| format!("rustup target add {}", targets.join(" ")));
    let calls: Vec<String> = components.into_iter().chain(targets).collect();
    match calls.join(" && ") {
        calls if calls.is_empty() => Vec::new(),
        calls => vec![Choice::new(calls, Why::AskedByFile(file.path.clone()))],
    }
}

/// A channel in one call, since each of them looks for news.
fn installed(channel: &str, components: &[&str], targets: &[&str]) -> Choice<String> {
    let mut line = format!("rustup toolchain install {channel} --profile minimal");
    for (option, names) in [(" --component ", components), (" --target ", targets)] {
        for name in names {
            line.extend([option, name]);
        }
    }
    Choice::new(line, Why::NoChannelImage(channel.to_owned()))
}

/// Whether a build script of the project names a target, which it then hardly names for nothing.
fn is_named(target: &str, facts: &Facts, built: &Built<'_>) -> bool {
    let mut packages = facts.packages.iter().filter(|package| {
        let mut same = built.resolution.named(&package.name);
        same.any(|krate| krate.local)
    });
    packages.any(|package| {
        let script = package.build_script.as_ref();
        script.is_some_and(|script| script.code.contains(target))
    })
}

/// The calls that add what crates and build scripts need of a toolchain, and the image's own has not.
pub(super) fn components(needs: &Needs<'_>) -> impl Iterator<Item = Choice<String>> {
    let components = needs.components().into_iter();
    components.map(|component| Choice::new(self::component(&[&component.value]), component.why))
}

/// The call that adds components. Not every nightly has them all, and what cannot be built without one says so.
fn component(names: &[&str]) -> String {
    format!("rustup component add {} || true", names.join(" "))
}
