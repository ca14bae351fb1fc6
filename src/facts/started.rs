//! The programs that a source file starts, as far as it plainly names them: `Command::new("git")`.

use super::tokens::Event;

/// The program that an event starts. Where a file has commands of another kind, only what is told by the name of the
/// module is one.
pub(super) fn program(event: &Event<'_>, has_other_commands: bool) -> Option<String> {
    let Event::Text(place, text) = event else {
        return None;
    };
    let callee: Vec<&str> = place.callee.iter().map(String::as_str).collect();
    let starts = callee.ends_with(&["Command", "new"])
        && (!has_other_commands || callee.contains(&"process"));
    starts.then(|| text.clone())
}

#[cfg(test)]
mod tests {
    fn programs(source: &str) -> Vec<String> {
        let mut started = Vec::new();
        crate::facts::tokens::walk(source.parse().expect("Rust"), &mut |event| {
            started.extend(super::program(&event, source.contains("clap")));
        });
        started
    }

    #[test]
    fn what_is_plainly_started() {
        assert_eq!(
            programs(r#"fn f() { let c = Command::new("git").arg("x"); run(&c) }"#),
            ["git"]
        );
        assert_eq!(
            programs(r#"use clap::Command; fn f() { std::process::Command::new("git"); }"#),
            ["git"]
        );
    }

    #[test]
    fn neither_tests_nor_the_command_line() {
        let tests = r#"#[cfg(test)] mod tests { fn f() { Command::new("git"); } }"#;
        assert_eq!(programs(tests), [""; 0]);
        let clap = r#"use clap::Command; fn f() { Command::new("git").about("x") }"#;
        assert_eq!(programs(clap), [""; 0]);
    }
}
