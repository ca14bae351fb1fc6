//! Reads Dockerfiles: stages, and instructions as the engine sees them. Pure. What a shell does with a `RUN` is
//! not looked into.

use std::fmt;

use crate::files::mark;

/// A Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    /// In the order of the file.
    pub stages: Vec<Stage>,
}

/// What one `FROM` begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The image, with tag and digest, or the stage before that it builds on.
    pub image: String,
    /// Its name; where it has none, its number.
    pub name: String,
    /// All but the `FROM`.
    pub instructions: Vec<Instruction>,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// In capitals.
    pub keyword: String,
    /// What follows it: without line breaks and comments, and with one blank where there are several.
    pub rest: String,
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.keyword, self.rest)
    }
}

/// The name of an image in its parts: `name:tag@digest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// With the registry.
    pub name: &'a str,
    /// Empty where there is none.
    pub tag: &'a str,
    /// Empty where there is none.
    pub digest: &'a str,
}

impl<'a> Reference<'a> {
    /// Takes the name apart.
    pub fn of(image: &'a str) -> Self {
        let (image, digest) = image.split_once('@').unwrap_or((image, ""));
        match image.rsplit_once(':') {
            // A colon before the last slash belongs to the port of a registry.
            Some((name, tag)) if !tag.contains('/') => Self { name, tag, digest },
            _ => Self {
                name: image,
                tag: "",
                digest,
            },
        }
    }
}

/// The file cannot be read by any engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Malformed {
    /// Where.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// Source: the engine's reference of the format.
const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Reads a file, as strictly as an engine does.
///
/// # Errors
/// The first thing that no engine takes.
pub fn read(text: &str) -> Result<Dockerfile, Malformed> {
    let mut file = Dockerfile::default();
    for (line, logical) in logical_lines(text)? {
        let malformed = |what: String| Malformed { line, what };
        let (keyword, rest) = logical.split_once(' ').unwrap_or((&logical, ""));
        let instruction = Instruction {
            keyword: keyword.to_ascii_uppercase(),
            rest: rest.to_owned(),
        };
        if !KEYWORDS.contains(&instruction.keyword.as_str()) {
            return Err(malformed(format!("there is no instruction `{keyword}`")));
        }
        check(&instruction, &file).map_err(malformed)?;
        match (instruction.keyword.as_str(), file.stages.last_mut()) {
            ("FROM", _) => {
                let stage = stage(rest, &file).map_err(malformed)?;
                file.stages.push(stage);
            }
            (_, Some(stage)) => stage.instructions.push(instruction),
            ("ARG", None) => {}
            (_, None) => return Err(malformed(format!("`{keyword}` stands before any FROM"))),
        }
    }
    if file.stages.is_empty() {
        let what = "there is no FROM".to_owned();
        return Err(Malformed { line: 1, what });
    }
    Ok(file)
}

/// Lines with their continuations, each with the number of its first one.
fn logical_lines(text: &str) -> Result<Vec<(usize, String)>, Malformed> {
    let mut logical = Vec::new();
    let text = text.trim_start_matches(mark::BYTE_ORDER);
    let mut lines = text.lines().enumerate();
    while let Some((number, first)) = lines.next() {
        let mut words = Vec::new();
        let mut line = first.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        while let Some(part) = line.strip_suffix('\\') {
            words.extend(part.split_whitespace());
            // Comments, and blank lines, do not end what is continued.
            let next = lines.by_ref().map(|(_, line)| line.trim());
            let mut next = next.skip_while(|line| line.is_empty() || line.starts_with('#'));
            line = next.next().ok_or_else(|| Malformed {
                line: number + 1,
                what: "the file ends where a line is continued".into(),
            })?;
        }
        words.extend(line.split_whitespace());
        for end in here_documents(&words) {
            let mut body = lines
                .by_ref()
                .map(|(_, line)| line.trim_start_matches('\t'));
            if !body.any(|line| line == end) {
                let what = format!("nothing ends the document `{end}`");
                return Err(Malformed {
                    line: number + 1,
                    what,
                });
            }
        }
        logical.push((number + 1, words.join(" ")));
    }
    Ok(logical)
}

/// The words that end the documents which an instruction brings with it.
fn here_documents(words: &[&str]) -> Vec<String> {
    let takes_some = ["RUN", "COPY", "ADD"]
        .iter()
        .any(|keyword| words[0].eq_ignore_ascii_case(keyword));
    let ends = words.iter().filter_map(|word| {
        let end = word.strip_prefix("<<")?.trim_start_matches('-');
        let end = end.trim_matches(['"', '\'']);
        let is_name = end.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && end.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_name.then(|| end.to_owned())
    });
    if takes_some {
        ends.collect()
    } else {
        Vec::new()
    }
}

/// What a stage begins with: `[--platform=…] IMAGE [AS NAME]`.
fn stage(rest: &str, file: &Dockerfile) -> Result<Stage, String> {
    let words = rest.split(' ').filter(|word| !word.starts_with("--"));
    let (image, name) = match words.collect::<Vec<_>>()[..] {
        [image] if !image.is_empty() => (image, file.stages.len().to_string()),
        [image, r#as, name] if r#as.eq_ignore_ascii_case("as") => (image, name.to_owned()),
        _ => return Err(format!("`FROM {rest}` is not `FROM IMAGE AS NAME`")),
    };
    if !is_name(&name) {
        return Err(format!("no stage can be named `{name}`"));
    }
    if file.stages.iter().any(|stage| stage.name == name) {
        return Err(format!("there are two stages `{name}`"));
    }
    Ok(Stage {
        image: image.to_owned(),
        name,
        instructions: Vec::new(),
    })
}

/// Whether it can name a stage, which the engine takes for the name of an image as well: lower case, and letters or
/// digits around every separator.
fn is_name(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut separators = name.split(is_inner).filter(|between| !between.is_empty());
    let is_separator =
        |between: &str| ["_", "__", "."].contains(&between) || between.chars().all(|c| c == '-');
    name.starts_with(is_inner) && name.ends_with(is_inner) && separators.all(is_separator)
}

/// Whether the instruction has the words that it needs.
fn check(instruction: &Instruction, file: &Dockerfile) -> Result<(), String> {
    let Instruction { keyword, rest } = instruction;
    if rest.is_empty() {
        return Err(format!("`{keyword}` says nothing"));
    }
    let flags = rest.split(' ').take_while(|word| word.starts_with("--"));
    for from in flags.filter_map(|flag| flag.strip_prefix("--from=")) {
        // Anything else than a name is an image.
        let known = file.stages.iter().any(|stage| stage.name == from);
        if !known && !from.contains([':', '/']) {
            return Err(format!("there is no stage `{from}` yet"));
        }
    }
    let arguments = || rest.split(' ').filter(|word| !word.starts_with("--"));
    match keyword.as_str() {
        "COPY" | "ADD" if !rest.contains('[') && arguments().nth(1).is_none() => {
            Err(format!("`{instruction}` has no destination"))
        }
        "ENTRYPOINT" | "CMD" if rest.starts_with('[') && exec_form(rest).is_none() => {
            Err(format!("`{instruction}` is no list of strings"))
        }
        "ENV" | "LABEL" if !rest.contains(['=', ' ']) => {
            Err(format!("`{instruction}` has no value"))
        }
        _ => Ok(()),
    }
}

/// The words of an instruction in exec form.
pub fn exec_form(rest: &str) -> Option<Vec<String>> {
    serde_json::from_str(rest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_comments_left_out() {
        let text = "\u{feff}# escape\nARG X\nFROM a:1 AS x\n\nRUN one \\\n  # why\n\n   && two\nrun <<EOF\nnot an instruction\nEOF\nFROM x\n";
        let file = read(text).expect("it is well formed");
        let [x, last] = &file.stages[..] else {
            panic!("{file:?}")
        };
        assert_eq!((x.image.as_str(), x.name.as_str()), ("a:1", "x"));
        assert_eq!(x.instructions[0].to_string(), "RUN one && two");
        assert_eq!(x.instructions[1].to_string(), "RUN <<EOF");
        assert_eq!((last.image.as_str(), last.name.as_str()), ("x", "1"));
    }

    #[test]
    fn what_no_engine_takes_is_an_error() {
        let error = |text: &str| read(text).expect_err(text).to_string();
        assert_eq!(error("RUN x"), "line 1: `RUN` stands before any FROM");
        assert_eq!(
            error("FROM a\nRUN x \\\n"),
            "line 2: the file ends where a line is continued"
        );
        assert_eq!(
            error("FROM a\nRUNN x"),
            "line 2: there is no instruction `RUNN`"
        );
        assert_eq!(
            error("FROM a AS x\nFROM b AS x"),
            "line 2: there are two stages `x`"
        );
        for name in ["A", "a-", ".a", "a..b", "a-_b", "ä"] {
            let text = format!("FROM a AS {name}");
            assert!(error(&text).ends_with(&format!("no stage can be named `{name}`")));
        }
        assert_eq!(
            error("FROM a\nCOPY --from=b x y"),
            "line 2: there is no stage `b` yet"
        );
        assert_eq!(
            error("FROM a\nCMD [\"x]"),
            "line 2: `CMD [\"x]` is no list of strings"
        );
        assert_eq!(error("FROM a\nUSER"), "line 2: `USER` says nothing");
        assert_eq!(error(""), "line 1: there is no FROM");
    }
}
