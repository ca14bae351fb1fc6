//! The text of the files, and the disk that they go to. Nothing else in the program writes, and nothing that
//! somebody wrote is lost: a file without our mark, or one that was edited since, stays as it is.
#![expect(
    clippy::disallowed_methods,
    reason = "the files are read and written here"
)]

mod disk;
pub mod manifest;
pub mod mark;

use anyhow::{Result, bail};
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
/// one is written. `root`: the folder that links may not lead out of.
///
/// # Errors
/// A file in the way that is somebody's own, and every failure to read or write, with the path.
pub fn apply(files: &[File], root: &Utf8Path, mode: Mode) -> Result<Vec<Change>> {
    let mut all = Vec::new();
    for file in files {
        let found = disk::read(&file.path)?;
        let change = compare(file, found.as_deref(), mode)?;
        let path = match change {
            Change::LeftAlone => file.path.clone(),
            _ => disk::behind_links(&file.path, root)?,
        };
        all.push((path, found, change));
    }
    let mut changes = Vec::new();
    for (file, (path, found, mut change)) in files.iter().zip(all) {
        if let Change::Written { backup, replaced } = &mut change {
            if replaced.is_none()
                && let Some(own) = &found
            {
                *backup = Some(disk::back_up(&file.path, own)?);
            }
            disk::write(&path, &file.text, found.as_deref())?;
        }
        changes.push(change);
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
        // The backup gets its name when it is made.
        Mode::Force if own => Ok(Change::Written {
            backup: None,
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

fn diff(path: &Utf8Path, old: &str, new: &str) -> String {
    let name = path.file_name().unwrap_or_default();
    // Other line ends are no difference.
    TextDiff::from_lines(&*old.replace("\r\n", "\n"), new)
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
            apply(&files, &dir, Mode::Write).expect("writes"),
            [Change::Written {
                backup: None,
                replaced: None
            }]
        );
        assert_eq!(
            apply(&files, &dir, Mode::Write).expect("reads"),
            [Change::Unchanged]
        );
        assert_eq!(
            apply(&files, &dir, Mode::Check).expect("reads"),
            [Change::Unchanged]
        );
    }

    #[test]
    fn somebodys_own_file_is_never_lost() {
        let (_guard, dir) = temporary();
        let files = [file(&dir, "FROM a:1 AS x\n")];
        fs_err::write(&files[0].path, "FROM mine\n").expect("writes");
        assert!(apply(&files, &dir, Mode::Write).is_err());
        let backup = dir.join("Dockerfile.bak");
        let written = Change::Written {
            backup: Some(backup.clone()),
            replaced: None,
        };
        assert_eq!(apply(&files, &dir, Mode::Force).expect("writes"), [written]);
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
        let error = apply(&[file(&dir, "FROM a:2 AS x\n")], &dir, Mode::Write).expect_err("edited");
        assert!(error.to_string().contains("was edited by hand"), "{error}");
    }
}
