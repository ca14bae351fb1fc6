//! `--save`: the options of the command line as settings of the manifest.

use toml_edit::Array;

use crate::facts::{Facts, Features, Package};
use crate::files::manifest::Setting;
use crate::plan::{Plan, Refusal, Request};

/// The settings that say what `request` says, and what is left of it. `plan` is what it led to: packages are
/// saved as the binaries that they stand for.
///
/// # Errors
/// A package's own configuration would win over what is saved for the workspace.
pub(super) fn settings(
    request: &Request,
    facts: &Facts,
    plan: &Plan,
) -> Result<(Vec<Setting>, Request), Refusal> {
    if let Some(package) = with_other_base(request, facts, plan) {
        let package = package.name.clone();
        return Err(Refusal::OwnBase { package });
    }
    let mut settings = Vec::new();
    if !request.packages.is_empty() || !request.bins.is_empty() {
        // The default image is the last one in the plan, and the first one in the configuration.
        let bins: Array = plan
            .images
            .iter()
            .rev()
            .map(|image| image.bin.value.as_str())
            .collect();
        settings.push(Setting::to(&["bins"], bins));
    }
    let Features {
        all,
        no_default,
        named,
    } = &request.features;
    if request.features != Features::default() {
        let flag = |key, on| {
            if on {
                Setting::to(&[key], true)
            } else {
                Setting::nothing(&[key])
            }
        };
        settings.push(flag("all-features", *all));
        settings.push(flag("no-default-features", *no_default));
        settings.push(match &named[..] {
            [] => Setting::nothing(&["features"]),
            named => Setting::to(&["features"], named.iter().collect::<Array>()),
        });
    }
    settings.extend(
        request
            .profile
            .as_ref()
            .map(|profile| Setting::to(&["profile"], profile.as_str())),
    );
    settings.extend(
        request
            .cache
            .map(|cache| Setting::to(&["cache"], cache.to_string())),
    );
    for (key, value) in [("base", &request.base), ("builder", &request.builder)] {
        settings.extend(
            value
                .as_ref()
                .map(|value| Setting::to(&[key], value.as_str())),
        );
    }
    settings.extend(request.bake.then(|| Setting::to(&["bake"], true)));
    if !request.platforms.is_empty() {
        let platforms = request.platforms.iter().collect::<Array>();
        settings.push(Setting::to(&["platforms"], platforms));
    }
    let rest = Request {
        packages: Vec::new(),
        bins: Vec::new(),
        features: Features::default(),
        profile: None,
        cache: None,
        base: None,
        builder: None,
        bake: false,
        platforms: Vec::new(),
        output: request.output.clone(),
        alternatives: request.alternatives,
    };
    Ok((settings, rest))
}

/// A package that ships, with a base of its own.
fn with_other_base<'f>(request: &Request, facts: &'f Facts, plan: &Plan) -> Option<&'f Package> {
    let asked = request.base.as_ref()?;
    facts.packages.iter().find(|package| {
        let own = package.config.base.as_ref();
        let ships = plan
            .images
            .iter()
            .any(|image| image.package == package.name);
        ships && own.is_some_and(|own| own != asked)
    })
}
