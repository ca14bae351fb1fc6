//! The engine's log of a build that failed: which step it was, the lines that matter, and why. Pure.

use super::causes::{Causes, Known};
use super::engine::Trouble;
use super::report::{Check, What};
use crate::catalog::Stage;

/// How many lines of a log are shown.
const LINES: usize = 24;

/// The report of a failed build.
///
/// # Errors
/// What is the engine's fault or the network's, and not the project's.
pub(super) fn failed(log: &str, causes: &Causes<'_>) -> Result<Check, Trouble> {
    let (step, lines) = failing_step(log);
    // What other steps said before may have been a warning.
    let of_step = lines.join("\n");
    let says_error = |line: &&str| line.starts_with("ERROR: ") || line.starts_with("Error: ");
    let errors = log
        .lines()
        .filter(says_error)
        .collect::<Vec<_>>()
        .join("\n");
    if let Some(trouble) = causes.no_answer(&format!("{of_step}\n{errors}")) {
        return Err(trouble);
    }
    // Nothing of the file was looked at.
    if step.is_none() && !log.contains("failed to solve") {
        return Err(causes.trouble(log, "build"));
    }
    let says = match &step {
        Some(step) => format!("fails at: {step}"),
        None => "fails".to_owned(),
    };
    let mut check = Check::failed(What::Build, says);
    check.log = lines_that_matter(&lines);
    let known = causes.find(Stage::Build, &of_step);
    if let Some(Known { says, fix }) = known.or_else(|| causes.find(Stage::Build, log)) {
        check.says = format!("{}\n{says}", check.says);
        check.fix = Some(fix);
    }
    Ok(check)
}

/// The step that failed, and what it printed.
fn failing_step(log: &str) -> (Option<String>, Vec<String>) {
    of_buildkit(log)
        .or_else(|| of_podman(log))
        .unwrap_or_else(|| {
            let lines = log.lines().filter(|line| !line.trim().is_empty());
            (None, lines.map(str::to_owned).collect())
        })
}

/// `#7 [deps 2/3] RUN …`, then `#7 0.123 …`, then `#7 ERROR: …`.
fn of_buildkit(log: &str) -> Option<(Option<String>, Vec<String>)> {
    let is_error = |line: &&str| line.starts_with('#') && line.contains(" ERROR: ");
    let error = log
        .lines()
        .filter(is_error)
        .find(|line| !line.contains("context canceled"))?;
    let number = error.split(' ').next()?;
    let own = log
        .lines()
        .filter_map(|line| line.strip_prefix(number)?.strip_prefix(' '));
    let mut step = None;
    let mut lines = Vec::new();
    for line in own {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if line.starts_with('[') {
            step = Some(shortened(line));
        } else if first.parse::<f64>().is_ok() && first.contains('.') {
            lines.push(rest.to_owned());
        } else if let Some(says) = line.strip_prefix("ERROR: ")
            && lines.is_empty()
        {
            lines.push(says.to_owned());
        }
    }
    Some((step, lines))
}

/// `[1/3] STEP 4/7: RUN …`, what it printed, and `Error: building at STEP "RUN …": …`.
fn of_podman(log: &str) -> Option<(Option<String>, Vec<String>)> {
    let error = log.lines().rfind(|line| line.starts_with("Error: "))?;
    let is_step = |line: &str| {
        line.split_once("STEP ")
            .is_some_and(|(before, _)| before.is_empty() || before.starts_with('['))
    };
    let all: Vec<&str> = log.lines().collect();
    let last = all.iter().rposition(|line| is_step(line))?;
    let lines = all[last + 1..].iter().filter(|line| **line != error);
    let mut lines: Vec<String> = lines.map(ToString::to_string).collect();
    if lines.is_empty() {
        lines.push(error.to_owned());
    }
    Some((Some(shortened(all[last])), lines))
}

/// A step on one line, without what is mounted.
fn shortened(step: &str) -> String {
    const LONGEST: usize = 120;
    let words = step
        .split_whitespace()
        .filter(|word| *word != "\\" && !word.starts_with("--mount="));
    let line = words.collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST).chain(['…']).collect()
}

/// From the first error on, else the end. Cargo builds several crates at once: what fails first is the reason.
fn lines_that_matter(lines: &[String]) -> Vec<String> {
    let noise = |line: &&String| {
        let line = line.trim_start();
        line.is_empty()
            || ["cargo:", "Compiling ", "Downloaded ", "Downloading "]
                .iter()
                .any(|start| line.starts_with(start))
    };
    let lines: Vec<&String> = lines.iter().filter(|line| !noise(line)).collect();
    let is_error = |line: &&&String| {
        let line = line.trim_start();
        line.starts_with("error")
            || line.starts_with("E: ")
            || line.contains("fatal error")
            || line.contains(": not found")
    };
    let start = match lines.iter().position(|line| is_error(&line)) {
        Some(first) => first,
        None => lines.len().saturating_sub(LINES),
    };
    let rest = &lines[start..];
    if rest.len() <= LINES {
        return rest.iter().map(ToString::to_string).collect();
    }
    // The reason stands at the beginning, or, with a build script's output, at the end.
    let (first, last) = (&rest[..LINES / 2], &rest[rest.len() - LINES / 2..]);
    let gap = format!("… {} more lines …", rest.len() - LINES);
    let shown = first.iter().map(ToString::to_string).chain([gap]);
    shown.chain(last.iter().map(ToString::to_string)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{CATALOG, Names};

    #[test]
    fn a_step_of_buildkit() {
        let log = "\
#5 [toolchain 1/2] FROM rust:1.95
#5 CACHED

#8 [deps 2/2] RUN --mount=type=cache,target=/var/cache/cargo     cargo build  --locked
#8 0.312    Compiling pq-sys v0.7.5
#8 1.001 error: failed to run custom build command for `pq-sys v0.7.5`
#8 1.002   The system library `libpq` required by crate `pq-sys` was not found.
#8 ERROR: process \"/bin/sh -c cargo build\" did not complete successfully: exit code: 101
------
ERROR: failed to solve: process \"/bin/sh -c cargo build\" did not complete successfully: exit code: 101
";
        let check = failed(log, &Causes::new(&CATALOG, Names::Suite("trixie"))).expect("a fault");
        assert_eq!(
            check.says,
            "fails at: [deps 2/2] RUN cargo build --locked\n\
             pq-sys links the system's libpq, which is not in the builder"
        );
        assert_eq!(check.log.len(), 2);
        let fix = check.fix.expect("it is known").to_string();
        assert_eq!(
            fix,
            "name the package that has libpq.pc: `packages.build = [\"libpq-dev\", \"pkg-config\"]`"
        );
    }

    #[test]
    fn faults_of_the_engine() {
        let causes = Causes::new(&CATALOG, Names::Suite("trixie"));
        let log = "\
#7 [toolchain 2/2] RUN apt-get update
#7 1.2 Err:1 http://mirror.example/debian trixie InRelease
#7 1.2   Temporary failure resolving 'mirror.example'
#7 ERROR: process \"/bin/sh -c apt-get update\" did not complete successfully: exit code: 100
";
        let trouble = failed(log, &causes).expect_err("the network's");
        assert!(trouble.says.contains("cannot be downloaded"), "{trouble}");
        let trouble = failed("ERROR: no builder \"x\" found", &causes).expect_err("the engine's");
        assert_eq!(
            trouble.says,
            "the engine fails: ERROR: no builder \"x\" found"
        );
    }

    #[test]
    fn a_step_of_podman() {
        let log = "\
[2/3] STEP 5/6: RUN cargo build
error: cannot find macro `oops` in this scope
Error: building at STEP \"RUN cargo build\": while running runtime: exit status 101
";
        let (step, lines) = failing_step(log);
        assert_eq!(step.as_deref(), Some("[2/3] STEP 5/6: RUN cargo build"));
        assert_eq!(lines, ["error: cannot find macro `oops` in this scope"]);
    }

    #[test]
    fn long_logs_keep_both_ends() {
        let mut lines = vec!["warning: unused".to_owned(), "error: first".to_owned()];
        lines.extend((0..100).map(|n| format!("line {n}")));
        let shown = lines_that_matter(&lines);
        assert_eq!(shown.len(), LINES + 1);
        assert_eq!(
            (shown[0].as_str(), shown[LINES].as_str()),
            ("error: first", "line 99")
        );
    }
}
