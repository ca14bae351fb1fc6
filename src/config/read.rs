//! Reads the configuration, and says of what is wrong in it where that is and what was probably meant.

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use toml_edit::TableLike;

use super::{Config, Table};

/// A key of the configuration that is not right.
#[derive(Debug, thiserror::Error)]
#[error("`{manifest}`{}: {}: {what}", .line.map(|line| format!(" line {line}")).unwrap_or_default(), shown(.path))]
pub struct Invalid {
    /// The manifest.
    pub manifest: Utf8PathBuf,
    /// The line of the key, where it can be told.
    pub line: Option<usize>,
    /// The key, from the root of the manifest.
    pub path: Vec<String>,
    /// What is wrong with it.
    pub what: String,
    /// The key that was probably meant, or those that there are.
    pub hint: Option<String>,
}

/// Reads the configuration in the metadata of a table. The text of the manifest is looked at only to say where
/// an error is: `text` returns it.
///
/// # Errors
/// An [`Invalid`] for an unknown key or a value of another type.
pub fn read<T: DeserializeOwned + Default>(
    metadata: &serde_json::Value,
    table: Table,
    manifest: &Utf8Path,
    text: impl FnOnce() -> Option<String>,
) -> Result<T, Invalid> {
    let Some(value) = metadata.get("dockerize") else {
        return Ok(T::default());
    };
    let mut path = vec![table.name().into(), "metadata".into(), "dockerize".into()];
    if breaks_lines(value, &mut path) {
        let what = "no line breaks or other control characters can be part of it".to_owned();
        return Err(Invalid {
            manifest: manifest.to_owned(),
            line: text().and_then(|text| line(&text, &path)),
            path,
            what,
            hint: None,
        });
    }
    serde_path_to_error::deserialize(value.clone()).map_err(|error| {
        let (keys, mut what) = (
            error.path().clone(),
            plainly(&error.into_inner().to_string()),
        );
        path.extend(keys.iter().filter_map(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown => None,
        }));
        let mut hint = None;
        if let Some((unknown, known)) = unknown_key(&what) {
            path.pop_if(|last| *last == unknown);
            hint = nearest_key(&path, &unknown, &known, table);
            path.push(unknown);
            what = "there is no such key".into();
        }
        let line = text().and_then(|text| line(&text, &path));
        let manifest = manifest.to_owned();
        Invalid {
            manifest,
            line,
            path,
            what,
            hint,
        }
    })
}

/// Keys whose values may have several lines: they are quoted for the files, or go into them as they are.
const OF_LINES: [&str; 5] = ["after", "args", "before", "healthcheck", "verify"];

/// Whether a string in the value would break a line of the files. Then `path` leads to it.
fn breaks_lines(value: &serde_json::Value, path: &mut Vec<String>) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains(breaks_line),
        serde_json::Value::Array(values) => values.iter().any(|value| breaks_lines(value, path)),
        serde_json::Value::Object(table) => table.iter().any(|(key, value)| {
            if OF_LINES.contains(&key.as_str()) {
                return false;
            }
            path.push(key.clone());
            let breaks = key.contains(breaks_line) || breaks_lines(value, path);
            if !breaks {
                path.pop();
            }
            breaks
        }),
        _ => false,
    }
}

fn breaks_line(c: char) -> bool {
    c.is_control() && c != '\t'
}

/// Serde's message in the words of TOML.
fn plainly(message: &str) -> String {
    let words = [
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected a table"),
        ("expected u16", "expected a number up to 65535"),
        ("expected u32", "expected a number"),
        ("expected u64", "expected a number"),
    ];
    let found = words.iter().find(|(rust, _)| message.ends_with(rust));
    found.map_or_else(
        || message.to_owned(),
        |(rust, plain)| message.replace(rust, plain),
    )
}

/// The unknown key in serde's message, and the known ones.
fn unknown_key(message: &str) -> Option<(String, Vec<String>)> {
    let names = message.strip_prefix("unknown field ")?;
    let mut names = names.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((names.next()?, names.collect()))
}

/// What was probably meant by an unknown key below `path`.
fn nearest_key(path: &[String], unknown: &str, known: &[String], table: Table) -> Option<String> {
    /// Less similar names than this are of no help.
    const SIMILAR: f64 = 0.8;
    let similarity = |key: &String| strsim::jaro_winkler(unknown, key);
    let nearest = known
        .iter()
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    match nearest.filter(|key| similarity(key) >= SIMILAR) {
        Some(nearest) => Some(format!("there is `{nearest}`")),
        // At the top, where the message would be long, the other table may have it.
        None if table == Table::Package && path.len() == 3 && is_key_of_workspace(unknown) => Some(
            format!("`{unknown}` is a key of [workspace.metadata.dockerize]"),
        ),
        None if known.is_empty() => None,
        None => Some(format!("there is `{}`", known.join("`, `"))),
    }
}

fn is_key_of_workspace(key: &str) -> bool {
    let probe = serde_json::json!({ key: null });
    let error = serde_json::from_value::<Config>(probe)
        .err()
        .map(|error| error.to_string());
    error.is_none_or(|error| unknown_key(&error).is_none())
}

/// The line of the innermost key of the path that the manifest spells out.
fn line(text: &str, path: &[String]) -> Option<usize> {
    let manifest = toml_edit::Document::parse(text).ok()?;
    let mut table: &dyn TableLike = manifest.as_table();
    let mut at = None;
    for key in path {
        let Some((key, item)) = table.get_key_value(key) else {
            break;
        };
        at = key.span().or(at);
        let Some(inner) = item.as_table_like() else {
            break;
        };
        table = inner;
    }
    Some(text[..at?.start].matches('\n').count() + 1)
}

/// A key with its path, as TOML writes it.
fn shown(path: &[String]) -> String {
    let keys: Vec<String> = path
        .iter()
        .map(|key| toml_edit::Key::new(key).to_string())
        .collect();
    format!("`{}`", keys.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PackageConfig;

    const MANIFEST: &str = "[package]\nname = \"a\"\n\n[package.metadata.dockerize]\n# ports\n";

    /// The error of a configuration, and its hint.
    fn error(table: Table, config: &str) -> (String, Option<String>) {
        let text = MANIFEST.replace("package", table.name()) + config;
        let manifest: toml::Table = toml::from_str(&text).expect("TOML");
        let metadata = serde_json::to_value(&manifest[table.name()]["metadata"]).expect("JSON");
        let found = |table, text: String| match table {
            Table::Workspace => {
                read::<Config>(&metadata, table, "Cargo.toml".into(), || Some(text)).err()
            }
            Table::Package => {
                read::<PackageConfig>(&metadata, table, "Cargo.toml".into(), || Some(text)).err()
            }
        };
        let invalid = found(table, text).expect("invalid");
        (invalid.to_string(), invalid.hint)
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place() {
        let (message, hint) = error(Table::Workspace, "expoze = [80]\n");
        assert_eq!(
            message,
            "`Cargo.toml` line 6: `workspace.metadata.dockerize.expoze`: there is no such key"
        );
        assert_eq!(hint.as_deref(), Some("there is `expose`"));
        let (message, hint) = error(Table::Workspace, "rust = '1'\npackages.bild = []\n");
        assert_eq!(
            message,
            "`Cargo.toml` line 7: `workspace.metadata.dockerize.packages.bild`: there is no such key"
        );
        assert_eq!(hint.as_deref(), Some("there is `build`"));
    }

    #[test]
    fn a_value_that_would_break_a_line_is_named() {
        for config in [
            "workdir = '/a'\nenv.A = \"b\\nRUN c\"\n",
            "base='x'\nvolumes = ['/a', \"/b\\r\"]\n",
        ] {
            let (message, _) = error(Table::Package, config);
            assert!(
                message.starts_with("`Cargo.toml` line 7: `package"),
                "{message}"
            );
            assert!(message.contains("no line breaks"), "{message}");
        }
        let lines = serde_json::json!({ "dockerize": { "before": { "a": ["RUN b &&\\\n c"] }, "args": ["\n"] } });
        assert!(read::<Config>(&lines, Table::Workspace, "Cargo.toml".into(), || None).is_ok());
    }

    #[test]
    fn types_are_named_in_the_words_of_the_manifest() {
        let said = |config: &str| error(Table::Package, config).0;
        assert!(said("expose = '80'\n").ends_with("string \"80\", expected a list"));
        assert!(said("expose = [70000]\n").ends_with("`70000`, expected a number up to 65535"));
        assert!(said("verify = 1\n").ends_with("expected a table"));
    }

    #[test]
    fn a_key_below_a_key_of_several_forms_is_named() {
        for table in [Table::Workspace, Table::Package] {
            let (message, hint) = error(table, "healthcheck = { test = 'x', intervall = '1s' }\n");
            let key = format!(
                "line 6: `{}.metadata.dockerize.healthcheck.intervall`",
                table.name()
            );
            assert!(message.contains(&key), "{message}");
            assert_eq!(hint.as_deref(), Some("there is `interval`"));
        }
        let (message, _) = error(Table::Package, "healthcheck = 1\n");
        assert!(
            message.contains("expected a list of words, a line"),
            "{message}"
        );
        let (message, _) = error(Table::Package, "healthcheck.retries = 1\n");
        assert!(message.ends_with("missing field `test`"), "{message}");
    }

    #[test]
    fn a_key_of_the_workspace_is_told_from_a_typo() {
        let (_, hint) = error(Table::Package, "bins = ['a']\n");
        assert_eq!(
            hint.as_deref(),
            Some("`bins` is a key of [workspace.metadata.dockerize]")
        );
        let (_, hint) = error(Table::Package, "zzz = 1\n");
        assert!(hint.expect("the keys").contains("`expose`"));
    }

    #[test]
    fn a_wrong_type_is_named_with_its_place() {
        let (message, _) = error(
            Table::Workspace,
            "[workspace.metadata.dockerize.links.a-sys]\nabout = 1\n",
        );
        assert_eq!(
            message,
            "`Cargo.toml` line 7: `workspace.metadata.dockerize.links.a-sys.about`: invalid type: integer `1`, \
             expected a string"
        );
        let (message, hint) = error(
            Table::Workspace,
            "[[workspace.metadata.dockerize.links.a-sys]]\nabuot = ''\n",
        );
        assert!(
            message.contains("`workspace.metadata.dockerize.links.a-sys.abuot`"),
            "{message}"
        );
        assert_eq!(hint.as_deref(), Some("there is `about`"));
        let (message, _) = error(Table::Workspace, "links.a-sys = 'x'\n");
        assert!(
            message.contains("expected a table, or a list of tables"),
            "{message}"
        );
    }
}
