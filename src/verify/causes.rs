//! Why something failed, from what its log says: the rows of the catalog, applied. Pure.

use regex_lite::{Captures, Regex};

use super::engine::Trouble;
use super::report::{Change, Fix};
use crate::catalog::{Catalog, Cause, Names, Stage};

/// The patterns of the catalog, ready to match.
#[derive(Debug)]
pub struct Causes<'c> {
    rows: Vec<(Regex, &'c Cause)>,
    catalog: &'c Catalog,
    /// Where the packages are installed.
    place: Names<'c>,
}

/// A cause that the log shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) says: String,
    pub(super) fix: Fix,
}

impl<'c> Causes<'c> {
    /// The causes of a catalog, with the packages of a distribution.
    ///
    /// # Panics
    /// If a pattern is not valid, which a test would show.
    pub fn new(catalog: &'c Catalog, place: Names<'c>) -> Self {
        let compile = |cause: &'c Cause| {
            let regex = Regex::new(&format!("(?m){}", cause.pattern));
            (regex.expect("a test compiles every pattern"), cause)
        };
        Self {
            rows: catalog.causes.cause.iter().map(compile).collect(),
            catalog,
            place,
        }
    }

    /// The first cause of a stage that the log shows.
    pub(super) fn find(&self, at: Stage, log: &str) -> Option<Known> {
        let mut rows = self.rows.iter().filter(|(_, cause)| cause.at == at);
        rows.find_map(|(regex, cause)| {
            let captures = regex.captures(log)?;
            Some(self.known(cause, &captures))
        })
    }

    fn known(&self, cause: &Cause, captures: &Captures<'_>) -> Known {
        let filled = |template: &str| {
            let mut text = String::new();
            captures.expand(template, &mut text);
            text
        };
        let missing = cause.missing.as_deref().map(filled);
        let packages = missing.map_or(Vec::new(), |missing| self.packages(&missing));
        let key = match cause.at {
            Stage::Build | Stage::Engine => "packages.build",
            Stage::Run => "packages.runtime",
        };
        Known {
            says: filled(&cause.says),
            fix: Fix {
                says: filled(&cause.fix),
                change: (!packages.is_empty()).then(|| Change::new(key, &packages)),
            },
        }
    }

    /// The packages that hold what is missing.
    fn packages(&self, missing: &str) -> Vec<String> {
        let provided = self.catalog.causes.provides.get(missing);
        let program = || Some(&self.catalog.programs.get(missing)?.build);
        let packages = provided.or_else(program);
        packages.map_or(Vec::new(), |packages| {
            packages.names(self.place).cloned().collect()
        })
    }

    /// The engine's failure: what it means where that is known, else its own words.
    pub(super) fn trouble(&self, log: &str, command: &str) -> Trouble {
        self.no_answer(log).unwrap_or_else(|| Trouble {
            says: format!("the engine fails: {}", log.trim()),
            hint: format!("see what `{command}` says"),
        })
    }

    /// Why there is no answer, where the log says that it is not the project's fault.
    pub(super) fn no_answer(&self, log: &str) -> Option<Trouble> {
        let Known { says, fix } = self.find(Stage::Engine, log)?;
        Some(Trouble {
            says,
            hint: fix.says,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::CATALOG;

    fn find(at: Stage, log: &str) -> Known {
        Causes::new(&CATALOG, Names::Suite("trixie"))
            .find(at, log)
            .expect("a known cause")
    }

    fn packages(at: Stage, log: &str) -> Vec<String> {
        find(at, log).fix.change.expect("packages are known").values
    }

    #[test]
    fn a_missing_library_has_a_package() {
        let log = "The system library `libpq` required by crate `pq-sys` was not found.\nThe file `libpq.pc` needs";
        assert_eq!(packages(Stage::Build, log), ["libpq-dev", "pkg-config"]);
        let log = "/usr/bin/ld: cannot find -lsqlite3: No such file or directory";
        assert_eq!(packages(Stage::Build, log), ["libsqlite3-dev"]);
        let log = "wrapper.h:1:10: fatal error: 'zlib.h' file not found";
        assert_eq!(packages(Stage::Build, log), ["zlib1g-dev"]);
        let log = "foo.c:3:10: fatal error: openssl/ssl.h: No such file or directory";
        assert_eq!(packages(Stage::Build, log), ["libssl-dev"]);
    }

    #[test]
    fn a_missing_program_has_a_package() {
        let log = "error: linker `clang` not found";
        assert_eq!(packages(Stage::Build, log), ["clang"]);
        let log = "  Could not find `protoc`. If `protoc` is installed, try setting the `PROTOC`";
        assert!(packages(Stage::Build, log).contains(&"protobuf-compiler".to_owned()));
        let log = "cargo:warning=failed to find tool \"c++\": No such file or directory";
        assert_eq!(packages(Stage::Build, log), ["g++"]);
    }

    #[test]
    fn causes_of_builds() {
        for (log, says) in [
            (
                "error: the lock file /app/Cargo.lock needs to be updated but --locked was passed to prevent this",
                "Cargo.lock is not up to date",
            ),
            (
                "error: cannot update the lock file /app/Cargo.lock because --locked was passed to prevent this",
                "Cargo.lock is not up to date",
            ),
            (
                "error: package `home v0.5.12` cannot be built because it requires rustc 1.88 or newer",
                "home v0.5.12 needs Rust 1.88",
            ),
            (
                "error: rustc 1.70.0 is not supported by the following packages:\n  time@0.3.41 requires rustc 1.81.0",
                "time@0.3.41 needs Rust 1.81.0",
            ),
            (
                "error: set `DATABASE_URL` to use query macros online, or run `cargo sqlx prepare`",
                "sqlx checks",
            ),
            (
                "process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)",
                "ran out of memory",
            ),
            (
                "error: couldn't read `src/../schema.sql`: No such file or directory (os error 2)",
                "does not find src/../schema.sql",
            ),
            (
                "E: Unable to locate package libfoo-dev",
                "no package libfoo-dev",
            ),
        ] {
            let found = find(Stage::Build, log).says;
            assert!(found.contains(says), "{log}: {found}");
        }
    }

    #[test]
    fn what_is_no_fault_of_the_project() {
        for (log, says) in [
            (
                "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
                "may not talk to it",
            ),
            (
                "Cannot connect to the Docker daemon at tcp://127.0.0.1:1. Is the docker daemon running?",
                "not running",
            ),
            (
                "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct",
                "not running",
            ),
            (
                "ERROR: rust:9.9: failed to resolve source metadata for registry.example/library/rust:9.9: registry.example/library/rust:9.9: not found",
                "no base image rust:9.9",
            ),
            (
                "ERROR: rust:1: failed to resolve source metadata for registry.example/library/rust:1: failed to do request: Head: dial tcp: lookup registry.example: no such host",
                "cannot be reached",
            ),
            (
                "error: failed to download from `https://index`\n\nCaused by:\n  [6] Could not resolve host: index (Could not resolve host)",
                "cargo cannot reach",
            ),
            (
                "write /var/lib/docker/tmp: no space left on device",
                "disk of the engine is full",
            ),
        ] {
            let found = find(Stage::Engine, log).says;
            assert!(found.contains(says), "{log}: {found}");
        }
    }

    #[test]
    fn causes_of_programs() {
        let log =
            "app: error while loading shared libraries: libpq.so.5: cannot open shared object file";
        assert!(find(Stage::Run, log).says.contains("libpq.so.5"));
        let log = "app: /lib/libc.so.6: version `GLIBC_2.39' not found (required by app)";
        assert!(find(Stage::Run, log).says.contains("GLIBC_2.39"));
    }
}
