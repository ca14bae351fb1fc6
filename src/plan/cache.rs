//! What a rebuild finds again of the last one.

use super::{Request, configured};
use crate::config::Cache;
use crate::facts::Facts;
use crate::why::{Choice, Why};

/// What is kept, and what it depends on.
#[derive(Clone, Debug)]
pub struct CachePlan {
    /// The strategy.
    pub strategy: Choice<Cache>,
    /// Whether the layer of the dependencies knows nothing of benchmarks, examples and tests.
    pub trims_targets: bool,
    /// Whether it knows nothing of the versions of the workspace's own packages either, so that a release that
    /// changes nothing else finds it again.
    pub trims_versions: Choice<bool>,
}

/// Order of precedence: `--cache`, the configuration, `auto`.
pub(super) fn cache(facts: &Facts, request: &Request) -> CachePlan {
    let flag = request.cache;
    let strategy = flag
        .map(|cache| Choice::new(cache, Why::Flag(format!("--cache {cache}"))))
        .or_else(|| configured(facts.config.cache.as_ref(), "cache"))
        .unwrap_or_else(|| Choice::new(Cache::Auto, Why::FastRebuilds));
    CachePlan {
        strategy,
        trims_targets: facts.trimmable.targets.is_ok(),
        trims_versions: match &facts.trimmable.versions {
            Ok(()) => Choice::new(true, Why::OwnVersions),
            Err(file) => Choice::new(false, Why::NeedsVersions(file.clone())),
        },
    }
}
