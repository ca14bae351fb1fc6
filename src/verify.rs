//! Proof that the images run: the last stage, and an optional one. Builds each image with the engine, looks into
//! it, runs it, and reports. Only this module and those below it talk to an engine, by its command line; they
//! write nothing of the project, and leave no image, container or file behind, however they end.

mod ask;
mod build;
mod causes;
mod described;
mod elf;
mod ended;
mod engine;
mod inspect;
mod leftovers;
mod loader;
mod owner;
mod process;
mod report;
mod start;
mod tree;

use anyhow::Result;
use camino::Utf8PathBuf;

pub use self::causes::Causes;
pub use self::engine::{Engine, Kind, Source, Trouble};
use self::process::Progress;
pub use self::process::{Patience, Stopped};
pub use self::report::{Built, Change, Check, Fix, ImageReport, Report, Verdict, What};
use self::start::Start;
use self::tree::{Content, Tree};
use crate::catalog::Catalog;
use crate::config::Proof;
use crate::plan::Plan;
use crate::shell::Shell;

/// An image that is to be sound, and what the plan says of it.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The binary.
    pub bin: String,
    /// The stage.
    pub stage: String,
    /// The base image.
    pub base: String,
    /// Every package that the program needs.
    pub packages: Vec<String>,
    /// Whether it must load no library.
    pub is_static: bool,
    /// What is copied beside the program, relative to the working directory.
    pub assets: Vec<Utf8PathBuf>,
    /// Ports that it exposes.
    pub ports: Vec<u16>,
    /// How to run it.
    pub proof: Proof,
}

impl Subject {
    /// The images of a plan.
    pub fn of(plan: &Plan) -> Vec<Self> {
        let subject = |image: &crate::plan::Image| Self {
            bin: image.bin.value.clone(),
            stage: image.stage.clone(),
            base: image.base.value.clone(),
            packages: image.needs.clone(),
            is_static: image.is_static,
            assets: image
                .assets
                .iter()
                .map(|asset| asset.value.to.clone())
                .collect(),
            ports: image.expose.clone(),
            proof: image.proof.clone(),
        };
        plan.images.iter().map(subject).collect()
    }
}

/// What is the same for all images of a Dockerfile.
#[derive(Clone, Debug)]
pub struct Verification<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// What to build from.
    pub source: &'a Source,
    /// The text of the Dockerfile.
    pub dockerfile: &'a str,
    /// The stage that has the compiler, and the packages of the build.
    pub builder: &'a str,
    /// What is known of failures.
    pub causes: &'a Causes<'a>,
    /// What is known of images.
    pub catalog: &'a Catalog,
    /// The terminal.
    pub shell: Shell,
}

impl Verification<'_> {
    /// Verifies all images, one after the other.
    ///
    /// # Errors
    /// [`Trouble`] where the engine or the network gives no answer, [`Stopped`] where the user or the time limit
    /// ends it.
    pub fn report(&self, subjects: &[Subject]) -> Result<Report> {
        let mut images = Vec::new();
        for subject in subjects {
            images.push(self.verify(subject)?);
        }
        Ok(Report {
            schema: 1,
            engine: self.engine.name.clone(),
            sound: images.iter().all(|image| image.sound),
            images,
        })
    }

    fn verify(&self, subject: &Subject) -> Result<ImageReport> {
        let mut report = ImageReport {
            bin: subject.bin.clone(),
            stage: subject.stage.clone(),
            runtime: subject.base.clone(),
            built: None,
            sound: false,
            checks: Vec::new(),
        };
        let image = self.engine.image();
        match self.build(subject, &image)? {
            Some(failed) => report.checks.push(failed),
            None => self.examine(subject, &image, &mut report)?,
        }
        report.sound = report.failed() == 0;
        Ok(report)
    }

    /// Builds the image; a failure is the project's.
    fn build(&self, subject: &Subject, image: &engine::Image) -> Result<Option<Check>> {
        self.shell.status(
            "Building",
            format_args!("{} with {}", subject.stage, self.engine.name),
        );
        let progress = match self.shell {
            shell if shell.is_quiet() => Progress::Silent,
            _ if Shell::is_terminal() => Progress::Own,
            _ => Progress::Shown,
        };
        let built = self
            .engine
            .build(self.source, &subject.stage, image, progress)?;
        if built.status.success() {
            return Ok(None);
        }
        let log = match progress {
            Progress::Silent | Progress::Shown => built.log,
            // The terminal has it; what the engine does not keep, it has to say once more.
            Progress::Own => match self.engine.last_log(&subject.stage)? {
                Some(log) => log,
                None => {
                    self.engine
                        .build(self.source, &subject.stage, image, Progress::Silent)?
                        .log
                }
            },
        };
        Ok(Some(build::failed(&log, self.causes)?))
    }

    /// Looks into the image, and runs it.
    fn examine(
        &self,
        subject: &Subject,
        image: &engine::Image,
        report: &mut ImageReport,
    ) -> Result<()> {
        let description = self.engine.describe(image)?;
        let tree = self.engine.export(image, |archive| Tree::read(archive))?;
        report.built = Some(Built {
            platform: description.platform(),
            size: description.size,
            unpacked: tree.size,
            layers: description.layers(),
        });
        let (checks, missing) =
            inspect::inspect(&tree, &description, subject, &self.catalog.causes);
        report.checks.extend(checks);
        if !missing.is_empty() {
            self.name_packages(&missing, &mut report.checks)?;
        }
        let program = description.config.program().unwrap_or_default();
        let may_be_stub = matches!(
            tree.file(program.into()).map(|file| &file.content),
            Some(Content::Elf(facts)) if facts.may_be_empty
        );
        let start = Start {
            engine: self.engine,
            image,
            causes: self.causes,
            proof: &subject.proof,
            ports: &subject.ports,
            may_be_stub,
        };
        let mut runs = start.checks()?;
        // What the libraries lack has been said, and better.
        let is_known =
            |check: &Check| check.what == What::Libraries && check.verdict == Verdict::Failed;
        if report.checks.iter().any(is_known) {
            for check in &mut runs {
                check.fix = None;
            }
        }
        report.checks.extend(runs);
        Ok(())
    }

    /// Adds the packages to the checks of missing libraries.
    fn name_packages(&self, missing: &[String], checks: &mut [Check]) -> Result<()> {
        let owners = owner::owners(
            self.engine,
            self.source,
            self.dockerfile,
            self.builder,
            missing,
        );
        if let Err(error) = &owners {
            // The fault stands without it, but not when the user wants no more.
            self.engine.patience().check()?;
            self.shell.note("Note", format_args!("{error:#}"));
        }
        let owners = owners.unwrap_or_default();
        let lacking = checks
            .iter_mut()
            .filter(|check| check.what == What::Libraries && check.fix.is_none());
        for check in lacking {
            let Some(library) = missing
                .iter()
                .find(|library| check.says.starts_with(library.as_str()))
            else {
                continue;
            };
            check.fix = Some(match owners.get(library) {
                Some(package) => Fix {
                    says: format!("install {package}, which the builder has it from"),
                    change: Some(Change::new(
                        "packages.runtime",
                        std::slice::from_ref(package),
                    )),
                },
                None => Fix {
                    says: "name the package that has it in `packages.runtime`".to_owned(),
                    change: None,
                },
            });
        }
        Ok(())
    }
}
