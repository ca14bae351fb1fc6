//! How the engine asks whether a program is well.

use super::Refusal;
use super::base::Fit;
use super::needs::Needed;
use crate::catalog::{Catalog, Installer, Names};
use crate::config::{Healthcheck, Test};
use crate::facts::{Facts, Package};
use crate::why::Why;

/// A health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Options of the instruction.
    pub options: Vec<(&'static str, String)>,
    /// What is run: a program with arguments, or a line for the shell.
    pub test: Test,
}

/// The check that is configured, and the packages of the program that it calls. A base without a shell has no
/// other program than the image's own.
pub(super) fn health(
    facts: &Facts,
    package: &Package,
    bin: &str,
    fit: &Fit<'_>,
    catalog: &Catalog,
) -> Result<(Option<Health>, Vec<Needed>), Refusal> {
    let set = package.config.healthcheck.as_ref();
    let Some(set) = set.or(facts.config.healthcheck.as_ref()) else {
        return Ok((None, Vec::new()));
    };
    let Healthcheck {
        test,
        interval,
        timeout,
        start_period,
        retries,
    } = set.clone().into();
    let installed = format!("/usr/local/bin/{bin}");
    let (program, test) = match test {
        Test::Exec(words) => {
            let mut words = words;
            if words.first().is_some_and(|first| first == bin) {
                words[0].clone_from(&installed);
            }
            (words.first().cloned(), Test::Exec(words))
        }
        Test::Shell(line) => (
            line.split_whitespace().next().map(str::to_owned),
            Test::Shell(line),
        ),
    };
    let program = program.ok_or(Refusal::EmptyHealthcheck)?;
    let own = program == installed && matches!(test, Test::Exec(_));
    let mut packages = Vec::new();
    if let (Some(base), false) = (fit.base, own) {
        let names = match base.installer {
            None => {
                return Err(Refusal::Healthcheck {
                    program,
                    base: base.image.clone(),
                    bin: bin.to_owned(),
                });
            }
            Some(Installer::Apt) => Names::Suite(""),
            Some(Installer::Apk) => Names::Alpine,
        };
        let known = catalog.programs.get(&program);
        let lacking = known.iter().flat_map(|known| known.build.names(names));
        packages.extend(
            lacking
                .filter(|package| !base.holds.contains(package))
                .map(|package| Needed {
                    package: package.clone(),
                    why: vec![Why::Config("healthcheck")],
                }),
        );
    }
    let options = [
        ("interval", interval),
        ("timeout", timeout),
        ("start-period", start_period),
        ("retries", retries.map(|retries| retries.to_string())),
    ];
    let options = options
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    Ok((Some(Health { options, test }), packages))
}
