//! Instructions of the project's own, `before.STAGE` and `after.STAGE`, which go into the file as they are.

use std::collections::BTreeMap;

use crate::dockerfile;
use crate::plan::{Refusal, Verbatim};

/// The text with the instructions: at the beginning and at the end of their stages.
///
/// # Errors
/// There is no such stage, or no engine could read the file any more.
pub(super) fn insert(text: &str, verbatim: &Verbatim) -> Result<String, Refusal> {
    let lines: Vec<&str> = text.lines().collect();
    let froms: Vec<usize> = (0..lines.len())
        .filter(|&at| lines[at].starts_with("FROM "))
        .collect();
    let stages: Vec<&str> = froms
        .iter()
        .filter_map(|&at| lines[at].rsplit(' ').next())
        .collect();
    let mut inserted: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (place, of_stages) in [("before", &verbatim.before), ("after", &verbatim.after)] {
        for (stage, instructions) in of_stages {
            let key = format!("{place}.{stage}");
            let Some(number) = stages.iter().position(|known| known == stage) else {
                let stages = stages.iter().map(ToString::to_string).collect();
                return Err(Refusal::NoStage { key, stages });
            };
            let at = match place {
                "before" => start(&lines, froms[number]),
                _ => end(&lines, froms.get(number + 1).copied()),
            };
            let why = format!("# Set by `{key}` in the manifest's dockerize metadata");
            let instructions = instructions.iter().flat_map(|text| text.lines());
            inserted
                .entry(at)
                .or_default()
                .extend(std::iter::once(why).chain(instructions.map(str::to_owned)));
        }
    }
    let mut all = Vec::new();
    for at in 0..=lines.len() {
        all.extend(inserted.remove(&at).unwrap_or_default());
        all.extend(lines.get(at).map(ToString::to_string));
    }
    let text = all.join("\n") + "\n";
    match dockerfile::read(&text) {
        Ok(_) => Ok(text),
        Err(malformed) => Err(Refusal::Verbatim {
            what: malformed.what,
        }),
    }
}

/// Where a stage begins: below its `FROM` and the folder that it works in.
fn start(lines: &[&str], from: usize) -> usize {
    let workdir = lines
        .get(from + 1)
        .is_some_and(|line| line.starts_with("WORKDIR "));
    from + 1 + usize::from(workdir)
}

/// Where a stage ends: before the blank line and the comment that open the next one.
fn end(lines: &[&str], next: Option<usize>) -> usize {
    let mut end = next.unwrap_or(lines.len());
    while end > 0
        && (lines[end - 1].is_empty() || next.is_some() && lines[end - 1].starts_with('#'))
    {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\n# one\nFROM a AS one\nRUN x\n\n# two\nFROM one AS two\nUSER 1\n";

    fn verbatim(before: &[(&str, &str)], after: &[(&str, &str)]) -> Verbatim {
        let map = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|(stage, text)| ((*stage).to_owned(), vec![(*text).to_owned()]))
                .collect()
        };
        Verbatim {
            before: map(before),
            after: map(after),
        }
    }

    #[test]
    fn instructions_stand_at_both_ends_of_a_stage() {
        let both = [("one", "RUN i && \\\n  j"), ("two", "VOLUME /v")];
        let text = insert(TEXT, &verbatim(&both, &both)).expect("there are such stages");
        assert_eq!(
            text,
            "\n# one\nFROM a AS one\n# Set by `before.one` in the manifest's dockerize metadata\nRUN i && \\\n  j\nRUN x\n\
             # Set by `after.one` in the manifest's dockerize metadata\nRUN i && \\\n  j\n\n# two\nFROM one AS two\n\
             # Set by `before.two` in the manifest's dockerize metadata\nVOLUME /v\nUSER 1\n\
             # Set by `after.two` in the manifest's dockerize metadata\nVOLUME /v\n"
        );
    }

    #[test]
    fn nothing_asked_for_changes_nothing() {
        assert_eq!(insert(TEXT, &Verbatim::default()).as_deref(), Ok(TEXT));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let stages = vec!["one".to_owned(), "two".to_owned()];
        let key = "after.three".to_owned();
        let error = insert(TEXT, &verbatim(&[], &[("three", "RUN x")]));
        assert_eq!(error, Err(Refusal::NoStage { key, stages }));
        let error = insert(TEXT, &verbatim(&[("one", "RUNN x")], &[]));
        assert!(matches!(error, Err(Refusal::Verbatim { .. })), "{error:?}");
    }
}
