//! Writes configuration into a manifest: below `metadata.dockerize`, with everything else as it is.

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use similar::TextDiff;
use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value};

use super::{disk, mark};
use crate::config::{self, Config, Table};

/// A key below `metadata.dockerize`, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The key, with the tables that it stands in: `["packages", "build"]`.
    pub key: Vec<&'static str>,
    /// Its value.
    pub value: Set,
}

/// A new value.
#[derive(Clone, Debug)]
pub enum Set {
    /// In place of the old one.
    To(Value),
    /// Names for a list that keeps what it has.
    Add(Vec<String>),
    /// None: the key is removed.
    Nothing,
}

impl Setting {
    /// A value in place of the old one.
    pub fn to(key: &[&'static str], value: impl Into<Value>) -> Self {
        Self {
            key: key.to_vec(),
            value: Set::To(value.into()),
        }
    }

    /// The key removed.
    pub fn nothing(key: &[&'static str]) -> Self {
        Self {
            key: key.to_vec(),
            value: Set::Nothing,
        }
    }

    /// Names in a list, beside those that are there.
    pub fn add(key: &[&'static str], names: impl IntoIterator<Item = String>) -> Self {
        Self {
            key: key.to_vec(),
            value: Set::Add(names.into_iter().collect()),
        }
    }
}

/// A manifest with settings made, not written yet.
#[derive(Clone, Debug)]
pub struct Edited {
    path: Utf8PathBuf,
    old: String,
    text: String,
}

/// Makes settings in the manifest at `path`, the root of the workspace.
///
/// They go to the table that the configuration of the whole workspace is read from: the one of `[package]` in a
/// project of one package that has no `[workspace]` or already writes them there, else the one of `[workspace]`.
///
/// # Errors
/// The manifest cannot be read, or holds something else where a table should be.
pub fn edit(path: &Utf8Path, settings: &[Setting]) -> Result<Edited> {
    let old = fs_err::read_to_string(path)?;
    let text = edited(&old, settings).with_context(|| format!("failed to change `{path}`"))?;
    Ok(Edited {
        path: path.to_owned(),
        old,
        text,
    })
}

impl Edited {
    /// The configuration of the workspace as it is now.
    ///
    /// # Errors
    /// A setting that is not what its key takes.
    pub fn config(&self) -> Result<Config> {
        let manifest: DocumentMut = self.text.replace("\r\n", "\n").parse()?;
        let name = table(&manifest);
        let manifest: toml::Table = toml::from_str(&self.text)?;
        let metadata = manifest
            .get(name.name())
            .and_then(|table| table.get("metadata"));
        let metadata = serde_json::to_value(metadata)?;
        Ok(config::read(&metadata, name, &self.path, || {
            Some(self.text.clone())
        })?)
    }

    /// Writes it, and says whether that was needed.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self) -> Result<bool> {
        let changed = self.text != self.old;
        if changed {
            let root = self.path.parent().context("a manifest has a folder")?;
            let path = disk::behind_links(&self.path, root)?;
            disk::write(&path, &self.text, Some(&self.old))?;
        }
        Ok(changed)
    }
}

/// The text with the settings made.
fn edited(text: &str, settings: &[Setting]) -> Result<String> {
    let mut manifest: DocumentMut = text.replace("\r\n", "\n").parse()?;
    for setting in settings {
        let mut path = vec![table(&manifest).name(), "metadata", "dockerize"];
        path.extend(&setting.key);
        set(manifest.as_table_mut(), &path, &setting.value)?;
    }
    Ok(with_old_lines(text, &manifest.to_string()))
}

/// The new text, where each line of the old one that is still there is what it was to the byte: with its own end, and
/// the mark that the file begins with.
fn with_old_lines(old: &str, new: &str) -> String {
    let newline = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let unmarked = old.trim_start_matches(mark::BYTE_ORDER);
    let old_lines: Vec<&str> = unmarked.split_inclusive('\n').collect();
    let [before, after] = [unmarked, new].map(|text| text.lines().collect::<Vec<_>>());
    let mut text = old[..old.len() - unmarked.len()].to_owned();
    let mut is_open = false;
    for change in TextDiff::from_slices(&before, &after).iter_all_changes() {
        let line = match (change.new_index(), change.old_index()) {
            (None, _) => continue,
            (Some(_), Some(at)) => old_lines[at].to_owned(),
            (Some(at), None) => format!("{}{newline}", after[at]),
        };
        if is_open {
            text += newline;
        }
        is_open = !line.ends_with('\n');
        text += &line;
    }
    text
}

/// The table whose metadata holds the configuration of the workspace.
fn table(manifest: &DocumentMut) -> Table {
    let has = |table: &str| {
        let metadata = manifest.get(table).and_then(|table| table.get("metadata"));
        metadata
            .and_then(|metadata| metadata.get("dockerize"))
            .is_some()
    };
    let whole = manifest.get("workspace").is_none() || !has("workspace") && has("package");
    if whole {
        Table::Package
    } else {
        Table::Workspace
    }
}

fn set(table: &mut dyn TableLike, path: &[&str], value: &Set) -> Result<()> {
    let (key, below) = path.split_first().expect("a setting has a key");
    if matches!(value, Set::Nothing) && !table.contains_key(key) {
        return Ok(());
    }
    if !below.is_empty() {
        let inner = table.entry(key).or_insert_with(|| new_table(path));
        let Some(inner) = inner.as_table_like_mut() else {
            bail!("`{key}` is not a table");
        };
        return set(inner, below, value);
    }
    match value {
        Set::Nothing => {
            table.remove(key);
        }
        Set::To(value) => match table.get_mut(key).and_then(Item::as_value_mut) {
            // What stands around the value, a comment perhaps, stays.
            Some(old) if same(old, value) => {}
            Some(old) => {
                let decor = old.decor().clone();
                *old = value.clone();
                *old.decor_mut() = decor;
            }
            None => {
                table.insert(key, Item::Value(value.clone()));
            }
        },
        Set::Add(names) => {
            let list = table
                .entry(key)
                .or_insert_with(|| Item::Value(Array::new().into()));
            let Some(list) = list.as_array_mut() else {
                bail!("`{key}` is not a list");
            };
            for name in names {
                if !list.iter().any(|old| old.as_str() == Some(name)) {
                    list.push(name);
                }
            }
        }
    }
    Ok(())
}

/// A table for a key that is not there: with a heading of its own where it holds the configuration, dotted or
/// inline below that.
fn new_table(path: &[&str]) -> Item {
    let mut table = toml_edit::Table::new();
    match path[0] {
        // No heading for those that hold nothing but the next one.
        "package" | "workspace" | "metadata" => table.set_implicit(true),
        "dockerize" => {}
        _ => {
            let mut inline = InlineTable::new();
            inline.set_dotted(true);
            return Item::Value(inline.into());
        }
    }
    Item::Table(table)
}

/// Whether two values mean the same, however they are written.
fn same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new))
        }
        (Value::String(old), Value::String(new)) => old.value() == new.value(),
        (Value::Boolean(old), Value::Boolean(new)) => old.value() == new.value(),
        (Value::Integer(old), Value::Integer(new)) => old.value() == new.value(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;

    fn settings() -> [Setting; 3] {
        let bins: Array = ["api", "worker"].into_iter().collect();
        [
            Setting::to(&["profile"], "dist"),
            Setting::to(&["bins"], bins),
            Setting::add(&["packages", "runtime"], ["libfoo1".to_owned()]),
        ]
    }

    fn edited(text: &str) -> String {
        let new = super::edited(text, &settings()).expect("valid");
        let again = super::edited(&new, &settings()).expect("valid");
        assert_eq!(new, again, "a second time changes something");
        new
    }

    #[test]
    fn a_table_is_added() {
        assert_data_eq!(
            edited("[package]\nname = 'a' # mine\n\n[dependencies]\n"),
            str![[r#"
[package]
name = 'a' # mine

[package.metadata.dockerize]
profile = "dist"
bins = ["api", "worker"]
packages.runtime = ["libfoo1"]

[dependencies]

"#]]
        );
    }

    #[test]
    fn a_table_of_the_workspace_is_kept_with_its_comments() {
        assert_data_eq!(
            edited(
                "[workspace]\nmembers = [\n  'a', # first\n]\n\n[workspace.metadata.dockerize]\n# why\nprofile = 'x' # so\n\
                 packages = { runtime = ['libbar'] }\nbins = [\n  'api',\n  'worker',\n]\n\n[profile.x]\n"
            ),
            str![[r#"
[workspace]
members = [
  'a', # first
]

[workspace.metadata.dockerize]
# why
profile = "dist" # so
packages = { runtime = ['libbar', "libfoo1"] }
bins = [
  'api',
  'worker',
]

[profile.x]

"#]]
        );
    }

    #[test]
    fn the_table_that_is_read_is_written() {
        let both =
            "[workspace]\n[package]\nname = 'a'\n[package.metadata]\ndockerize.expose = [1]\n";
        assert!(edited(both).contains("dockerize.profile = \"dist\""));
        let inline = "[workspace]\nmetadata = { dockerize = { profile = 'x' } }\n";
        assert!(
            edited(inline)
                .starts_with("[workspace]\nmetadata = { dockerize = { profile = \"dist\"")
        );
        assert!(edited("[workspace]\r\nmembers = []\r\n").contains("dist\"\r\nbins"));
    }

    #[test]
    fn all_other_bytes_stay() {
        let text = "\u{feff}[package]\r\nname = 'a'\n\r\n[dependencies]\n# last";
        let new = edited(text);
        let added = "[package.metadata.dockerize]\r\nprofile = \"dist\"\r\nbins = [\"api\", \"worker\"]\r\n\
                     packages.runtime = [\"libfoo1\"]\r\n";
        assert_eq!(
            new.replace(added, ""),
            text.replace("\r\n[dep", "\r\n\r\n[dep")
        );
    }

    #[test]
    fn a_key_is_removed() {
        let unset = [
            Setting::nothing(&["profile"]),
            Setting::nothing(&["packages", "build"]),
        ];
        let text = "[package.metadata.dockerize]\nprofile = 'x'\nrust = '1.95'\n";
        let new = super::edited(text, &unset).expect("valid");
        assert_eq!(new, "[package.metadata.dockerize]\nrust = '1.95'\n");
        assert_eq!(
            super::edited("[package]\n", &unset).expect("valid"),
            "[package]\n"
        );
    }

    #[test]
    fn what_is_no_table_is_left_alone() {
        assert!(super::edited("package = 1", &settings()).is_err());
        assert!(
            super::edited(
                "[package.metadata.dockerize]\nprofile = 'x'\npackages = 1",
                &settings()
            )
            .is_err()
        );
    }
}
