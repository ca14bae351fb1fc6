//! What the lines of a `.dockerignore` hide. The rules are the engine's: patterns with `*`, `?` and `**` from the root of
//! the context, a folder hides what is below it, and the last line that matches decides.

use camino::Utf8Path;

/// The line that hides a path, if one does.
pub(crate) fn hides<'l>(lines: &'l [String], path: &Utf8Path) -> Option<&'l str> {
    let mut verdict = None;
    for line in lines {
        let line = line.trim();
        let (pattern, hides) = match line.strip_prefix('!') {
            Some(pattern) => (pattern.trim(), false),
            None => (line, true),
        };
        if !pattern.is_empty() && !pattern.starts_with('#') && is_match(pattern, path) {
            verdict = hides.then_some(line);
        }
    }
    verdict
}

/// Whether a pattern stands for a path or for a folder above it.
fn is_match(pattern: &str, path: &Utf8Path) -> bool {
    let parts = |text: &str| -> Vec<String> {
        let parts = text
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".");
        parts.map(str::to_owned).collect()
    };
    let (pattern, path) = (parts(pattern), parts(path.as_str()));
    (1..=path.len()).any(|length| all_match(&pattern, &path[..length]))
}

fn all_match(pattern: &[String], path: &[String]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        ([any, rest @ ..], _) if any == "**" => {
            (0..=path.len()).any(|skipped| all_match(rest, &path[skipped..]))
        }
        ([first, pattern @ ..], [name, path @ ..]) => {
            name_matches(first, name) && all_match(pattern, path)
        }
        _ => false,
    }
}

fn name_matches(pattern: &str, name: &str) -> bool {
    let mut pattern_rest = pattern.chars();
    let mut name_rest = name.chars();
    match pattern_rest.next() {
        None => name.is_empty(),
        Some('*') => name
            .char_indices()
            .map(|(at, _)| at)
            .chain([name.len()])
            .any(|at| name_matches(pattern_rest.as_str(), &name[at..])),
        Some(c) => {
            let next = name_rest.next();
            next.is_some_and(|n| c == '?' || c == n)
                && name_matches(pattern_rest.as_str(), name_rest.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(lines: &[&str], path: &str) -> bool {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        hides(&lines, path.into()).is_some()
    }

    #[test]
    fn the_last_line_that_matches_decides() {
        let only = ["*", "!src", "!Cargo.*", "src/secret"];
        assert!(hidden(&only, "migrations/1.sql"));
        assert!(!hidden(&only, "src/main.rs"));
        assert!(!hidden(&only, "Cargo.lock"));
        assert!(hidden(&only, "src/secret/key"));
    }

    #[test]
    fn stars_and_folders() {
        assert!(hidden(&["target/"], "target/release/app"));
        assert!(hidden(&["/a/b"], "a/b/c"));
        assert!(!hidden(&["b"], "a/b"));
        assert!(hidden(&["**/b"], "a/b/c"));
        assert!(hidden(&["**/b"], "b"));
        assert!(hidden(&["docker-compose*.y*ml"], "docker-compose.dev.yaml"));
        assert!(hidden(&["**/*.md"], "a/b/README.md"));
        assert!(!hidden(&["# src", "", "sr?x"], "src"));
    }
}
