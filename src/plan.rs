//! What the image is to be: the second stage. [`decide`] turns facts into a plan, by one small function for
//! each decision, in the order in which the Dockerfile shows them. It is pure: no I/O, clock, environment or
//! host platform, so that the same project gives the same bytes everywhere.

mod binaries;
mod build;
mod cache;
mod context;
mod kept;
mod needs;
mod note;
mod refusal;
mod runtime;
mod toolchain;

pub use self::build::{BuildPlan, Command};
pub use self::context::ContextPlan;
pub use self::needs::{EnvVar, Needed};
pub use self::note::Note;
pub use self::refusal::Refusal;
pub(crate) use self::runtime::TAKEN;
pub use self::runtime::{Asset, Image};
pub use self::toolchain::Toolchain;
use crate::catalog::Catalog;
use crate::config::Cache;
use crate::facts::{Facts, Features, Lock};
use crate::why::{Choice, Why};

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
    pub cache: Choice<Cache>,
    /// The final stages, the default one last.
    pub images: Vec<Image>,
    /// Binaries that get no image, as `package/binary`.
    pub left_out: Vec<Choice<String>>,
    /// What the user should know beside the decisions.
    pub notes: Vec<Note>,
}

/// Decides everything.
///
/// # Errors
/// A [`Refusal`] where there is no sensible image, or the request names something that is not there.
pub fn decide(facts: &Facts, request: &Request, catalog: &Catalog) -> anyhow::Result<Plan> {
    build::for_linux(facts)?;
    let features = build::features(facts, request);
    let selection = binaries::select(facts, request, &features, catalog)?;
    let command = build::command(facts, request, &selection, features);
    let graph = facts
        .graph
        .build(&command.unified(facts), &command.features)?;
    let resolution = graph.crates(&command.built());
    let (toolchain, mut notes) = toolchain::toolchain(facts, &resolution, catalog)?;
    let needs = needs::Needs::new(facts, &resolution, catalog);
    let build = build::build(facts, command, &needs, &toolchain);
    let images = runtime::images(facts, &selection, &graph, &toolchain, &needs, catalog)?;
    notes.extend(needs.notes());
    notes.extend(build::notes(facts));
    if facts.lock == Lock::Missing {
        notes.push(Note::NoLock);
    }
    if !facts.lock_fits {
        notes.push(Note::LockOutdated);
    }
    Ok(Plan {
        context: context::context(facts, &needs),
        toolchain,
        build,
        cache: cache::cache(facts, request),
        images,
        left_out: selection.left_out,
        notes,
    })
}

/// The value of the configuration's key, if it is set.
fn configured<T: Clone>(value: Option<&T>, key: &'static str) -> Option<Choice<T>> {
    value.map(|value| Choice::new(value.clone(), Why::Config(key)))
}
