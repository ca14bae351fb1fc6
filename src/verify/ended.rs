//! What the end of a run tells, and how it is said. Pure.

use super::report::{Check, Verdict, What};

/// How a run of the image ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    /// None while it still runs.
    pub(super) code: Option<i32>,
    pub(super) out_of_memory: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// How a program ended that is broken, and not only short of configuration; `is_known` tells that what it said
/// is a known fault.
pub(super) fn verdict(code: i32, stderr: &str, is_known: bool) -> Option<String> {
    match code {
        0 => None,
        125 => Some("the engine cannot create its container".to_owned()),
        126 | 127 => Some(format!("does not start (exit code {code})")),
        // A panic that ends the program at once, as some profiles have it, is one nevertheless.
        134 if stderr.contains("panicked at") => None,
        129..=159 => Some(format!(
            "is killed by signal {}{}",
            code - 128,
            signal(code - 128)
        )),
        _ if is_known => Some(format!("ends with {code}")),
        _ => None,
    }
}

fn signal(number: i32) -> &'static str {
    match number {
        4 => " (an instruction that this processor lacks)",
        6 => " (abort)",
        7 => " (bus error)",
        9 => " (killed)",
        11 => " (segmentation fault)",
        31 => " (a system call that is not allowed)",
        _ => "",
    }
}

/// A program that neither stays up nor ends well in any way that was tried.
pub(super) fn wants_configuration((name, code, said): &(String, i32, Option<String>)) -> Check {
    let said = said
        .as_ref()
        .map_or(String::new(), |line| format!(": {line}"));
    let says = format!(
        "it starts, and ends for want of arguments or configuration; {name} with {code}{said}"
    );
    Check::new(What::Run, Verdict::Note, says).fix(
        "say how to run it in `verify` of the configuration: args, env, expect, port",
        None,
    )
}

/// The program and its arguments, as the report has them.
pub(super) fn command(args: &[String]) -> String {
    match args {
        [] => "without arguments".to_owned(),
        args => format!("`{}`", args.join(" ")),
    }
}

pub(super) fn printing(expected: &str) -> String {
    if expected.is_empty() {
        String::new()
    } else {
        format!(" and prints `{expected}`")
    }
}

pub(super) fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(if line.chars().count() > 100 {
        line.chars().take(100).collect::<String>() + "…"
    } else {
        line.to_owned()
    })
}

/// How many lines of what it printed are shown.
const LINES: usize = 12;

pub(super) fn with_log(mut check: Check, run: &Ended) -> Check {
    let text = format!("{}{}", run.stdout, run.stderr);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    check.log = lines[lines.len().saturating_sub(LINES)..]
        .iter()
        .map(ToString::to_string)
        .collect();
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_that_are_faults() {
        for (code, stderr, fault) in [
            (1, "DATABASE_URL is not set", false),
            (101, "thread 'main' panicked at src/main.rs", false),
            (134, "thread 'main' panicked at src/main.rs", false),
            (134, "", true),
            (139, "", true),
            (127, "", true),
            (126, "", true),
            (255, "", false),
        ] {
            assert_eq!(
                verdict(code, stderr, false).is_some(),
                fault,
                "{code} {stderr}"
            );
        }
        assert!(verdict(1, "Permission denied (os error 13)", true).is_some());
        assert!(verdict(0, "permission denied", true).is_none());
    }

    #[test]
    fn a_program_without_configuration_is_no_fault() {
        let check = wants_configuration(&("`--version`".into(), 2, Some("usage".into())));
        assert_eq!(check.verdict, Verdict::Note);
        assert!(
            check.says.ends_with("`--version` with 2: usage"),
            "{}",
            check.says
        );
    }
}
