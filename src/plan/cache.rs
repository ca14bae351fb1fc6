//! What a rebuild finds again of the last one.

use super::{Request, configured};
use crate::config::Cache;
use crate::facts::Facts;
use crate::why::{Choice, Why};

/// Order of precedence: `--cache`, the configuration, `auto`.
pub(super) fn cache(facts: &Facts, request: &Request) -> Choice<Cache> {
    let flag = request.cache;
    flag.map(|cache| Choice::new(cache, Why::Flag(format!("--cache {cache}"))))
        .or_else(|| configured(facts.config.cache.as_ref(), "cache"))
        .unwrap_or_else(|| Choice::new(Cache::Auto, Why::FastRebuilds))
}
