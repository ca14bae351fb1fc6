//! How cargo is called, and in what environment.

use camino::Utf8PathBuf;

use super::access::{self, Access};
use super::binaries::Selection;
use super::needs::{EnvVar, Needed, Needs};
use super::{Note, Refusal, Request, configured};
use crate::catalog::Catalog;
use crate::facts::{Facts, Features, Libc, Lock, LockState, Membership, Package};
use crate::path::below;
use crate::why::{Choice, Why};

/// How the binaries are built.
#[derive(Clone, Debug)]
pub struct BuildPlan {
    /// The packages of the build stages.
    pub packages: Vec<Needed>,
    /// Their environment.
    pub env: Vec<Choice<EnvVar>>,
    /// What the steps that call cargo are let in with.
    pub access: Vec<Choice<Access>>,
    /// What cargo is to do.
    pub command: Command,
}

/// A call of `cargo build`.
#[derive(Clone, Debug)]
pub struct Command {
    /// Packages to select, where the choice of cargo's own is not the right one.
    pub packages: Vec<String>,
    /// Binaries.
    pub bins: Vec<String>,
    /// The packages of the binaries, in the order of `bins`.
    pub bin_packages: Vec<String>,
    /// Features.
    pub features: Features,
    /// The profile.
    pub profile: Choice<String>,
    /// Whether the lock file is to be kept to.
    pub locked: Choice<bool>,
    /// The target, as the shell of the builder completes it, where it has to be named.
    pub target: Option<String>,
}

/// The builder's own target, which has to be named where cargo's configuration names another one.
const OWN_TARGET: &str = "$(rustc -vV > /tmp/rustc && sed -n 's/^host: //p' /tmp/rustc)";

/// Refuses a project that cargo builds for another system only.
pub(super) fn for_linux(facts: &Facts) -> Result<(), Refusal> {
    let Some(target) = &facts.cargo_config.target else {
        return Ok(());
    };
    // Paths to target specifications and `host-tuple` may be anything.
    let elsewhere = |target: &String| {
        target.contains('-') && !target.contains("-linux-") && target != "host-tuple"
    };
    if target.value.iter().all(elsewhere) {
        let (file, targets) = (target.file.to_string(), target.value.join(", "));
        return Err(Refusal::NotForLinux { file, targets });
    }
    Ok(())
}

/// Order of precedence: `--platform`, the configuration, the platform of whoever builds.
pub(super) fn platforms(facts: &Facts, request: &Request) -> Option<Choice<Vec<String>>> {
    let flag = (!request.platforms.is_empty()).then(|| {
        let why = Why::Flag(format!("--platform {}", request.platforms.join(",")));
        Choice::new(request.platforms.clone(), why)
    });
    flag.or_else(|| configured(facts.config.platforms.as_ref(), "platforms"))
}

/// The features of the command line, else those of the configuration.
pub(super) fn features(facts: &Facts, request: &Request) -> Features {
    if request.features == Features::default() {
        Features {
            all: facts.config.all_features,
            no_default: facts.config.no_default_features,
            named: facts.config.features.clone(),
        }
    } else {
        request.features.clone()
    }
}

pub(super) fn command(
    facts: &Facts,
    request: &Request,
    selection: &Selection<'_>,
    mut features: Features,
    catalog: &Catalog,
) -> Command {
    let several_members = facts.members().nth(1).is_some();
    let candidates = || selection.picked.iter().map(|picked| picked.value);
    for c in candidates() {
        let required = c.bin.required_features.iter().map(String::as_str);
        for feature in required.chain(of_metadata(c.package, catalog)) {
            let name = if several_members {
                format!("{}/{feature}", c.package.name)
            } else {
                feature.to_owned()
            };
            let given = features.all || features.named.iter().any(|f| *f == name || f == feature);
            if !given && !is_default_feature(facts, &c.package.name, feature, &features) {
                features.named.push(name);
            }
        }
    }
    // Built together, as `cargo build` does it, the default members share their features. Packages are named
    // only where that would not build these binaries, or more than these.
    let by_default = |name: &str| {
        let same = facts
            .members()
            .filter(|p| p.membership == Membership::Default);
        same.filter(|p| p.bins.iter().any(|bin| bin.name == name))
            .count()
            == 1
    };
    let cargo_finds = candidates()
        .all(|c| c.package.membership == Membership::Default && by_default(&c.bin.name));
    let named =
        several_members && (selection.by_package || !cargo_finds || !features.named.is_empty());
    let mut packages: Vec<String> = candidates().map(|c| c.package.name.clone()).collect();
    packages.sort();
    packages.dedup();
    let mut bins: Vec<(String, String)> = candidates()
        .map(|c| (c.bin.name.clone(), c.package.name.clone()))
        .collect();
    bins.sort();
    let (bins, bin_packages) = bins.into_iter().unzip();
    Command {
        packages: if named { packages } else { Vec::new() },
        bins,
        bin_packages,
        features,
        profile: profile(facts, request),
        locked: match &facts.lock {
            Lock::Present(lock) => match lock.state {
                LockState::Current => Choice::new(true, Why::Locked(lock.version)),
                LockState::Stale => Choice::new(false, Why::LockStale),
                LockState::Ignored => Choice::new(false, Why::LockIgnored),
            },
            Lock::Missing => Choice::new(false, Why::NoLock),
        },
        target: facts
            .cargo_config
            .target
            .as_ref()
            .map(|_| OWN_TARGET.to_owned()),
    }
}

/// The features that a package's manifest has another program than cargo call it with.
fn of_metadata<'p>(package: &'p Package, catalog: &'p Catalog) -> impl Iterator<Item = &'p str> {
    let places = catalog.helpers.features.iter();
    let lists = places.filter_map(|place| package.metadata.pointer(place)?.as_array());
    lists.flatten().filter_map(serde_json::Value::as_str)
}

fn is_default_feature(facts: &Facts, package: &str, feature: &str, features: &Features) -> bool {
    let build = facts.graph.build(&[package], features, Libc::Gnu);
    build.is_ok_and(|build| {
        build
            .crates(&[package])
            .named(package)
            .any(|k| k.local && k.features.contains(feature))
    })
}

/// Order of precedence: `--profile`, the configuration, `release`.
fn profile(facts: &Facts, request: &Request) -> Choice<String> {
    let flag = request.profile.as_ref();
    flag.map(|p| Choice::new(p.clone(), Why::Flag(format!("--profile {p}"))))
        .or_else(|| configured(facts.config.profile.as_ref(), "profile"))
        .unwrap_or_else(|| Choice::new("release".into(), Why::CargoBuilds))
}

impl Command {
    /// The packages that cargo builds together.
    pub(super) fn unified<'f>(&'f self, facts: &'f Facts) -> Vec<&'f str> {
        if !self.packages.is_empty() {
            return self.packages.iter().map(String::as_str).collect();
        }
        let default = facts
            .members()
            .filter(|p| p.membership == Membership::Default);
        default.map(|p| p.name.as_str()).collect()
    }

    /// The packages of the binaries.
    pub(super) fn built(&self) -> Vec<&str> {
        self.bin_packages.iter().map(String::as_str).collect()
    }

    /// The words after `cargo`.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["build".to_owned()];
        if self.locked.value {
            words.push("--locked".into());
        }
        match self.profile.value.as_str() {
            "release" => words.push("--release".into()),
            profile => words.extend(["--profile".into(), profile.to_owned()]),
        }
        for package in &self.packages {
            words.extend(["-p".into(), package.clone()]);
        }
        for bin in &self.bins {
            words.extend(["--bin".into(), bin.clone()]);
        }
        let Features {
            all,
            no_default,
            named,
        } = &self.features;
        words.extend(all.then(|| "--all-features".into()));
        words.extend(no_default.then(|| "--no-default-features".into()));
        if !named.is_empty() {
            words.extend(["--features".into(), named.join(",")]);
        }
        words
    }

    /// The folder below `target` that cargo puts the binaries in. Source: cargo's book, build cache.
    pub fn output(&self) -> Utf8PathBuf {
        let folder = match self.profile.value.as_str() {
            "dev" | "test" => "debug",
            "bench" => "release",
            profile => profile,
        };
        // The triple depends on the builder's processor.
        let place = self.target.as_ref().map_or("target", |_| "target/*");
        below(place, folder)
    }
}

pub(super) fn build(
    facts: &Facts,
    command: Command,
    needs: &Needs<'_>,
    packages: Vec<Needed>,
    of_libc: Vec<Choice<EnvVar>>,
    catalog: &Catalog,
) -> BuildPlan {
    let config = &facts.cargo_config;
    let mut env = needs.build_env();
    env.extend(of_libc);
    let mut set = |name: &str, value: &str, why: Why| {
        let var = EnvVar {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        env.push(Choice::new(var, why));
    };
    // What the configuration calls is not in the image, and compiles nothing by itself.
    for (name, key, wrapper) in [
        ("RUSTC_WRAPPER", "rustc-wrapper", &config.rustc_wrapper),
        (
            "RUSTC_WORKSPACE_WRAPPER",
            "rustc-workspace-wrapper",
            &config.rustc_workspace_wrapper,
        ),
    ] {
        if let Some(wrapper) = wrapper {
            let setting = format!("`{key}` to {}, which is not in the image", wrapper.value);
            set(name, "", Why::CargoConfig(wrapper.file.clone(), setting));
        }
    }
    // The stages find cargo's output in its usual place.
    for (name, key, folder) in [
        ("CARGO_TARGET_DIR", "target-dir", &config.target_dir),
        ("CARGO_BUILD_BUILD_DIR", "build-dir", &config.build_dir),
    ] {
        if let Some(folder) = folder {
            set(
                name,
                "target",
                Why::CargoConfig(folder.file.clone(), format!("`{key}`")),
            );
        }
    }
    BuildPlan {
        packages,
        env,
        access: access::access(facts, catalog),
        command,
    }
}

pub(super) fn notes(facts: &Facts) -> Vec<Note> {
    let config = &facts.cargo_config;
    let mut flags = config.flags(Libc::Gnu).iter();
    let native = flags.find(|flag| flag.value.ends_with("target-cpu=native"));
    let native = native.map(|flag| Note::NativeCpu(flag.file.clone()));
    let target = config
        .target
        .as_ref()
        .map(|target| Note::OtherTarget(target.file.clone(), target.value.join(", ")));
    let linkers = config.linkers(Libc::Gnu).iter();
    let linkers = linkers.map(|set| ("the linker", set));
    let env = config.env.iter().map(|(name, set)| (name.as_str(), set));
    let env = env.chain(linkers).filter(|(_, set)| is_foreign(&set.value));
    let env = env.map(|(name, set)| {
        let (file, value) = (set.file.clone(), set.value.clone());
        Note::HostPath(file, name.to_owned(), value)
    });
    native.into_iter().chain(target).chain(env).collect()
}

/// Whether a value is a path that only somebody's own machine has.
fn is_foreign(value: &str) -> bool {
    let of_the_image = ["/bin/", "/dev/", "/etc/", "/lib", "/proc/", "/tmp", "/usr/"];
    let local = value.starts_with("/usr/local/");
    let of_windows = value
        .get(1..3)
        .is_some_and(|rest| rest == ":\\" || rest == ":/");
    let elsewhere = local || !of_the_image.iter().any(|start| value.starts_with(start));
    of_windows || (value.starts_with('/') && value.len() > 1 && elsewhere)
}
