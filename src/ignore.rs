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

/// A part of a pattern.
enum Part {
    /// Any text.
    Star,
    /// Any character.
    One,
    /// A character of these ranges, or of none of them.
    Set(Vec<(char, char)>, bool),
}

impl Part {
    fn all(pattern: &str) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            parts.push(match c {
                '*' => Self::Star,
                '?' => Self::One,
                '[' => match rest.as_str().split_once(']') {
                    Some((set, after)) => {
                        rest = after.chars();
                        Self::set(set)
                    }
                    None => Self::Set(vec![('[', '[')], true),
                },
                c => Self::Set(vec![(c, c)], true),
            });
        }
        parts
    }

    fn set(text: &str) -> Self {
        let others = text.strip_prefix(['!', '^']);
        let mut ranges = Vec::new();
        let mut rest = others.unwrap_or(text).chars();
        while let Some(first) = rest.next() {
            let mut after = rest.clone();
            let last = match (after.next(), after.next()) {
                (Some('-'), Some(last)) => {
                    rest = after;
                    last
                }
                _ => first,
            };
            ranges.push((first, last));
        }
        Self::Set(ranges, others.is_none())
    }

    fn is(&self, c: char) -> bool {
        match self {
            Self::Star => false,
            Self::One => true,
            Self::Set(ranges, among) => {
                ranges
                    .iter()
                    .any(|&(first, last)| (first..=last).contains(&c))
                    == *among
            }
        }
    }
}

/// Whether a pattern without slashes stands for a name. One star at a time takes more of that, the last one: an earlier
/// one never has to.
pub(crate) fn name_matches(pattern: &str, name: &str) -> bool {
    let (parts, name) = (Part::all(pattern), name.chars().collect::<Vec<_>>());
    let (mut part, mut at) = (0, 0);
    let mut star = None;
    while at < name.len() {
        match parts.get(part) {
            Some(Part::Star) => {
                star = Some((part, at));
                part += 1;
            }
            Some(one) if one.is(name[at]) => (part, at) = (part + 1, at + 1),
            _ => {
                let Some((starred, from)) = star else {
                    return false;
                };
                star = Some((starred, from + 1));
                (part, at) = (starred + 1, from + 1);
            }
        }
    }
    parts[part..].iter().all(|part| matches!(part, Part::Star))
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
        assert!(
            hidden(&["*a*b*"], "xaybz") && !hidden(&["*a*b"], "xayb.") && hidden(&["a**"], "a")
        );
        assert!(hidden(&["[Cc]onfig.[a-z]*"], "config.toml"));
        assert!(!hidden(&["[!Cc]onfig"], "config") && hidden(&["[^Cc]onfig"], "konfig"));
        let many = "a".repeat(60);
        assert!(!hidden(&["*a*a*a*a*a*a*a*a*a*a*a*a*b"], &many));
    }
}
