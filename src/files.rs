//! The text of the files, and the disk that they go to. Nothing else in the program writes, and nothing that
//! somebody wrote is lost: a file without our mark, or one that was edited since, stays as it is.
#![expect(
    clippy::disallowed_methods,
    reason = "the files are read and written here"
)]

pub mod manifest;
pub mod mark;

use std::io::Write;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use similar::TextDiff;

/// A rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Absolute.
    pub path: Utf8PathBuf,
    /// With its mark.
    pub text: String,
    /// Whether somebody's own file of this name is left alone, where it would else be an error.
    pub optional: bool,
}

/// What to do with the rendered files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write what differs.
    Write,
    /// Write over somebody's own file as well, and keep that as a backup.
    Force,
    /// Write nothing, and tell what differs.
    Check,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was as it should be.
    Unchanged,
    /// It was written.
    Written {
        /// Where the file that was there before is now, if it was somebody's own.
        backup: Option<Utf8PathBuf>,
        /// The text that was there before, if it was ours.
        replaced: Option<String>,
    },
    /// It differs and was not written.
    Stale {
        /// A unified diff.
        diff: String,
        /// Whose file it is now; ours where there is none.
        owner: mark::Owner,
        /// The text that is there, if there is a file.
        found: Option<String>,
    },
    /// It is somebody's own, and may be.
    LeftAlone,
}

/// Brings the disk to the rendered files, or compares it with them. Every file is looked at before the first
/// one is written.
///
/// # Errors
/// A file in the way that is somebody's own, and every failure to read or write, with the path.
pub fn apply(files: &[File], mode: Mode) -> Result<Vec<Change>> {
    let found: Vec<Option<String>> = files
        .iter()
        .map(|file| read(&file.path))
        .collect::<Result<_>>()?;
    let decided: Vec<Change> = files
        .iter()
        .zip(&found)
        .map(|(file, found)| compare(file, found.as_deref(), mode))
        .collect::<Result<_>>()?;
    let mut changes = Vec::new();
    for (file, change) in files.iter().zip(decided) {
        changes.push(match change {
            Change::Written { backup, replaced } => {
                if let Some(backup) = &backup {
                    fs_err::copy(&file.path, backup)?;
                }
                write(&file.path, &file.text)?;
                Change::Written { backup, replaced }
            }
            other => other,
        });
    }
    Ok(changes)
}

fn compare(file: &File, found: Option<&str>, mode: Mode) -> Result<Change> {
    let Some(found) = found else {
        return Ok(match mode {
            Mode::Check => Change::Stale {
                diff: diff(&file.path, "", &file.text),
                owner: mark::Owner::Tool,
                found: None,
            },
            _ => Change::Written {
                backup: None,
                replaced: None,
            },
        });
    };
    if found.replace("\r\n", "\n") == file.text {
        return Ok(Change::Unchanged);
    }
    let own = match mark::owner(found) {
        mark::Owner::Tool => false,
        mark::Owner::User if file.optional => return Ok(Change::LeftAlone),
        mark::Owner::User | mark::Owner::Edited => true,
    };
    match mode {
        Mode::Check => Ok(Change::Stale {
            diff: diff(&file.path, found, &file.text),
            owner: mark::owner(found),
            found: Some(found.to_owned()),
        }),
        Mode::Force if own => Ok(Change::Written {
            backup: Some(backup(&file.path)),
            replaced: None,
        }),
        Mode::Write if own => bail!(Occupied {
            path: file.path.clone(),
            edited: mark::is_ours(found),
            diff: diff(&file.path, found, &file.text),
            found: found.to_owned(),
            wanted: file.text.clone(),
        }),
        _ => Ok(Change::Written {
            backup: None,
            replaced: Some(found.to_owned()),
        }),
    }
}

/// A file that is somebody's own stands where one should be written.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` {}", if *.edited { "was edited by hand" } else { "was not written by cargo-dockerize" })]
pub struct Occupied {
    /// The file.
    pub path: Utf8PathBuf,
    /// Whether it once was ours.
    pub edited: bool,
    /// What would have changed.
    pub diff: String,
    /// Its text.
    pub found: String,
    /// The text that would have been written.
    pub wanted: String,
}

/// The first free name for a backup beside the file.
fn backup(path: &Utf8Path) -> Utf8PathBuf {
    let names =
        std::iter::once(format!("{path}.bak")).chain((1..).map(|n| format!("{path}.bak.{n}")));
    names
        .map(Utf8PathBuf::from)
        .find(|name| !name.exists())
        .expect("some number is free")
}

/// The text of a regular file, or None if there is nothing.
fn read(path: &Utf8Path) -> Result<Option<String>> {
    match fs_err::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
        Ok(metadata) if !metadata.is_file() => bail!("`{path}` is not a regular file"),
        Ok(_) => {
            let bytes = fs_err::read(path)?;
            Ok(Some(
                String::from_utf8(bytes).with_context(|| format!("`{path}` is not UTF-8"))?,
            ))
        }
    }
}

/// Replaces the file as a whole, through a temporary one beside it; a link is followed, permissions are kept.
fn write(path: &Utf8Path, text: &str) -> Result<()> {
    let context = || format!("failed to write `{path}`");
    let target = path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().with_context(context)?;
    let mut temporary = tempfile::Builder::new()
        .prefix(".dockerize-")
        .tempfile_in(folder)
        // Its own message would name the temporary file.
        .map_err(|error| std::io::Error::from(error.kind()))
        .with_context(context)?;
    temporary.write_all(text.as_bytes()).with_context(context)?;
    let permissions = fs_err::metadata(&target).map(|metadata| metadata.permissions());
    // A new file gets the permissions that any program's files get, not those of a temporary one.
    match permissions {
        Ok(permissions) => temporary
            .as_file()
            .set_permissions(permissions)
            .with_context(context)?,
        Err(_) => set_usual_permissions(temporary.as_file()).with_context(context)?,
    }
    temporary.as_file().sync_all().with_context(context)?;
    temporary
        .persist(&target)
        .map_err(|error| error.error)
        .with_context(context)?;
    Ok(())
}

#[cfg(unix)]
fn set_usual_permissions(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_usual_permissions(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

fn diff(path: &Utf8Path, old: &str, new: &str) -> String {
    let name = path.file_name().unwrap_or_default();
    TextDiff::from_lines(old, new)
        .unified_diff()
        .header(
            &format!("{name} (on disk)"),
            &format!("{name} (for this project)"),
        )
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dir: &Utf8Path, body: &str) -> File {
        File {
            path: dir.join("Dockerfile"),
            text: mark::sealed(body),
            optional: false,
        }
    }

    fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).expect("UTF-8");
        (dir, path)
    }

    #[test]
    fn a_second_write_changes_nothing() {
        let (_guard, dir) = temporary();
        let files = [file(&dir, "FROM a:1 AS x\n")];
        assert_eq!(
            apply(&files, Mode::Write).expect("writes"),
            [Change::Written {
                backup: None,
                replaced: None
            }]
        );
        assert_eq!(
            apply(&files, Mode::Write).expect("reads"),
            [Change::Unchanged]
        );
        assert_eq!(
            apply(&files, Mode::Check).expect("reads"),
            [Change::Unchanged]
        );
    }

    #[test]
    fn somebodys_own_file_is_never_lost() {
        let (_guard, dir) = temporary();
        let files = [file(&dir, "FROM a:1 AS x\n")];
        fs_err::write(&files[0].path, "FROM mine\n").expect("writes");
        assert!(apply(&files, Mode::Write).is_err());
        let backup = dir.join("Dockerfile.bak");
        let written = Change::Written {
            backup: Some(backup.clone()),
            replaced: None,
        };
        assert_eq!(apply(&files, Mode::Force).expect("writes"), [written]);
        assert_eq!(
            fs_err::read_to_string(backup).expect("reads"),
            "FROM mine\n"
        );
    }

    #[test]
    fn an_edited_file_is_not_written_over() {
        let (_guard, dir) = temporary();
        let edited = mark::sealed("FROM a:1 AS x\n") + "RUN mine\n";
        fs_err::write(dir.join("Dockerfile"), edited).expect("writes");
        let error = apply(&[file(&dir, "FROM a:2 AS x\n")], Mode::Write).expect_err("edited");
        assert!(error.to_string().contains("was edited by hand"), "{error}");
    }
}
