//! What the image is to be: the second stage. [`decide`] turns facts into a plan, by one small function for
//! each decision, in the order in which the Dockerfile shows them. It is pure: no I/O, clock, environment or
//! host platform, so that the same project gives the same bytes everywhere.

mod access;
mod alternative;
mod asked;
mod assets;
mod base;
mod binaries;
mod build;
mod cache;
mod context;
mod front_end;
mod health;
mod image;
mod kept;
mod libc;
mod loopback;
mod needs;
mod note;
mod opened;
mod refusal;
mod rust;
mod scripts;
mod started;
mod toolchain;
mod tools;
mod wellformed;

pub use self::access::{Access, Homes};
pub use self::alternative::{Alternative, Price, Would};
pub use self::assets::Asset;
use self::base::Grounds;
pub use self::build::{BuildPlan, Command};
pub use self::cache::CachePlan;
pub use self::context::ContextPlan;
pub use self::health::Health;
pub use self::image::Image;
pub(crate) use self::image::TAKEN;
use self::libc::Built;
pub use self::needs::{EnvVar, Needed};
pub use self::note::Note;
pub use self::refusal::Refusal;
pub use self::toolchain::Toolchain;
use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use crate::catalog::Catalog;
use crate::config::Cache;
use crate::facts::{Facts, Features, Libc, Lock, LockState};
use crate::why::{Choice, Why};

/// The folder that cargo builds the context in.
pub const APP: &str = "/app";

/// What the command line asks for. An empty list or `None` leaves the decision to the configuration and the
/// project.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `--package`
    pub packages: Vec<String>,
    /// `--bin`
    pub bins: Vec<String>,
    /// `--features` and its like.
    pub features: Features,
    /// `--profile`
    pub profile: Option<String>,
    /// `--cache`
    pub cache: Option<Cache>,
    /// `--base`
    pub base: Option<String>,
    /// `--builder`
    pub builder: Option<String>,
    /// `--bake`
    pub bake: bool,
    /// `--platform`
    pub platforms: Vec<String>,
    /// `--output`, absolute.
    pub output: Option<Utf8PathBuf>,
    /// Whether the bases that are not chosen are of interest.
    pub alternatives: bool,
}

/// What was decided, in the order of the Dockerfile.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The folder that the image is built from.
    pub context: ContextPlan,
    /// Rust's version, the Debian suite and the builder image.
    pub toolchain: Toolchain,
    /// How the binaries are built.
    pub build: BuildPlan,
    /// What a rebuild reuses.
    pub cache: CachePlan,
    /// The final stages, the default one last.
    pub images: Vec<Image>,
    /// Platforms to build for, where it is not the builder's own.
    pub platforms: Option<Choice<Vec<String>>>,
    /// Whether the images are listed in a file for `docker buildx bake`.
    pub bake: bool,
    /// Instructions of the project's own.
    pub verbatim: Verbatim,
    /// Binaries that get no image, as `package/binary`.
    pub left_out: Vec<Choice<String>>,
    /// What the user should know beside the decisions.
    pub notes: Vec<Note>,
    /// The bases that were not chosen, if they are of interest.
    pub alternatives: Vec<Alternative>,
}

/// Instructions that go into the Dockerfile as they are, by stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verbatim {
    /// At its beginning.
    pub before: BTreeMap<String, Vec<String>>,
    /// At its end.
    pub after: BTreeMap<String, Vec<String>>,
}

/// Decides everything.
///
/// # Errors
/// A [`Refusal`] where there is no sensible image, or the request names something that is not there.
pub fn decide(facts: &Facts, request: &Request, catalog: &Catalog) -> anyhow::Result<Plan> {
    build::for_linux(facts)?;
    context::may_hold_a_dockerfile(facts, request)?;
    wellformed::check(facts, request)?;
    let features = build::features(facts, request);
    let selection = binaries::select(facts, request, &features, catalog)?;
    let mut command = build::command(facts, request, &selection, features, catalog);
    let asked = asked::asked(facts, request, &selection);
    let gnu = Built::new(facts, &command, Libc::Gnu, catalog)?;
    let on_alpine = toolchain::builder_asked(facts, request)
        .is_some_and(|builder| catalog.alpine_in(&builder.value).is_some());
    let for_musl = on_alpine || request.alternatives || base::may_want_musl(facts, &asked, catalog);
    let musl = for_musl.then(|| Built::new(facts, &command, Libc::Musl, catalog));
    let musl = musl.transpose()?;

    let (rust, mut notes) = rust::rust(facts, request, &gnu, catalog);
    let systems = toolchain::systems(facts, request, &rust, &asked, catalog)?;
    let grounds = Grounds {
        catalog,
        suite: systems.suite.value,
        alpine: systems.alpine,
        gnu: &gnu,
        musl: musl.as_ref(),
        on_alpine,
    };
    let (program, allocator) = base::program(facts, &grounds, &asked)?;
    let built = grounds.built(program);
    let host = toolchain::host(facts, request, program, built, catalog);
    let fits = base::fits(&grounds, &asked, program, allocator.as_ref())?;

    let alternatives = if request.alternatives {
        alternative::alternatives(&grounds, &asked, &fits)
    } else {
        Vec::new()
    };
    let packages = libc::packages(&grounds, program, &host, &rust, &fits);
    let env = libc::env(facts, program, &host, &packages, catalog);
    libc::name_target(&mut command, program, catalog);
    let (mut toolchain, of_builder) = toolchain::toolchain(
        facts,
        request,
        rust,
        &systems,
        (program, built),
        &host,
        catalog,
    );
    toolchain.setup.extend(toolchain::components(&built.needs));
    let suite = &systems.suite.value.name;
    let (images, of_images) = image::images(facts, &selection, fits, built, suite, catalog)?;
    notes.extend(of_builder);
    notes.extend(built.needs.notes());
    notes.extend(build::notes(facts));
    notes.extend(access::notes(facts, catalog));
    notes.extend(front_end::notes(facts, &selection, catalog));
    notes.extend(libc::notes(program, built, catalog));
    notes.extend(of_images);
    notes.extend(facts.absent.iter().cloned().map(Note::NoAsset));
    notes.extend(match &facts.lock {
        Lock::Missing => Some(Note::NoLock),
        Lock::Present(lock) => match lock.state {
            LockState::Current => None,
            LockState::Stale => Some(Note::LockStale),
            LockState::Ignored => Some(Note::LockIgnored),
        },
    });
    let context = context::context(facts, &built.needs);
    notes.extend(context::notes(facts, request, &context, &images));
    Ok(Plan {
        context,
        toolchain,
        build: build::build(facts, command, &built.needs, packages, env, catalog),
        platforms: build::platforms(facts, request),
        bake: request.bake || facts.config.bake || facts.committed.bake,
        cache: cache::cache(facts, request),
        images,
        left_out: selection.left_out,
        verbatim: Verbatim {
            before: facts.config.before.clone(),
            after: facts.config.after.clone(),
        },
        notes,
        alternatives,
    })
}

/// The value of the configuration's key, if it is set.
fn configured<T: Clone>(value: Option<&T>, key: &'static str) -> Option<Choice<T>> {
    value.map(|value| Choice::new(value.clone(), Why::Config(key)))
}
