//! Reads and replaces whole files. Whatever happens meanwhile, a file is either the old or the new one.

use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};

/// What the names of temporary files begin and end with. Nobody else calls a file so.
const TEMPORARY: [&str; 2] = [".cargo-dockerize-", ".tmp"];

/// The text of a regular file, or None if there is nothing.
pub(super) fn read(path: &Utf8Path) -> Result<Option<String>> {
    match fs_err::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
        // Reading a pipe would wait for its writer.
        Ok(metadata) if !metadata.is_file() => bail!("`{path}` is not a regular file"),
        Ok(_) => {
            let bytes = fs_err::read(path)?;
            let text = String::from_utf8(bytes);
            Ok(Some(
                text.ok()
                    .with_context(|| format!("`{path}` is not UTF-8"))?,
            ))
        }
    }
}

/// The file that a path stands for: behind a link, one in the project or beside the link.
pub(super) fn behind_links(path: &Utf8Path, root: &Utf8Path) -> Result<Utf8PathBuf> {
    let is_link = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_symlink());
    if !is_link {
        return Ok(path.to_owned());
    }
    let Ok(target) = path.canonicalize_utf8() else {
        bail!("`{path}` is a link to nothing");
    };
    let folders = path.parent().into_iter().chain([root]);
    let inside = folders
        .filter_map(|folder| folder.canonicalize_utf8().ok())
        .any(|folder| target.starts_with(folder));
    ensure!(
        inside,
        "`{path}` is a link to `{target}`, outside of the project"
    );
    Ok(target)
}

/// Replaces the file as a whole, through a temporary one beside it. Permissions and line ends stay; `old` is what
/// the file was when it was decided to replace it.
pub(super) fn write(path: &Utf8Path, text: &str, old: Option<&str>) -> Result<()> {
    let text = match old {
        Some(old) if old.contains("\r\n") && !text.contains('\r') => text.replace('\n', "\r\n"),
        _ => text.to_owned(),
    };
    let folder = path.parent().context("a file is in a folder")?;
    ensure!(
        folder.is_dir(),
        "failed to write `{path}`: there is no folder `{folder}`"
    );
    tidy_up(folder);
    let failed = |error: io::Error| {
        // Its own message would name the temporary file.
        let error = io::Error::from(error.kind());
        anyhow::Error::new(error).context(format!("failed to write `{path}`"))
    };
    let [start, end] = TEMPORARY;
    let mut temporary = usual(&mut tempfile::Builder::new())
        .prefix(start)
        .suffix(end)
        .tempfile_in(folder)
        .map_err(failed)?;
    temporary.write_all(text.as_bytes()).map_err(failed)?;
    if let Ok(metadata) = path.metadata() {
        give(temporary.as_file(), &metadata);
        let permissions = metadata.permissions();
        temporary
            .as_file()
            .set_permissions(permissions)
            .map_err(failed)?;
    }
    temporary.as_file().sync_all().map_err(failed)?;
    let now = read(path)?;
    if now.as_ref() == Some(&text) {
        // Somebody else has written the same meanwhile.
        return Ok(());
    }
    ensure!(
        now.as_deref() == old,
        "`{path}` was changed by somebody else just now: run the command again"
    );
    temporary
        .persist(path)
        .map_err(|error| failed(error.error))?;
    sync(folder).map_err(failed)
}

/// Copies a text that is about to be replaced to a file of its own, and returns its path: `FILE.bak`, or with
/// a number where that is taken.
pub(super) fn back_up(path: &Utf8Path, text: &str) -> Result<Utf8PathBuf> {
    let numbered = (1..).map(|number| format!("{path}.bak.{number}"));
    for name in std::iter::once(format!("{path}.bak")).chain(numbered) {
        let name = Utf8PathBuf::from(name);
        let failed = || format!("failed to write `{name}`");
        let mut file = match std::fs::File::create_new(&name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            file => file.with_context(failed)?,
        };
        let written = file.write_all(text.as_bytes()).and_then(|()| {
            file.set_permissions(path.metadata()?.permissions())?;
            file.sync_all()
        });
        if written.is_err() {
            // Half a copy is of no use, and the file itself is still there.
            let _ = fs_err::remove_file(&name);
        }
        written.with_context(failed)?;
        return Ok(name);
    }
    unreachable!("some number is free")
}

/// Removes what a run left behind that was killed while it wrote. One that is still at it is not that slow.
fn tidy_up(folder: &Utf8Path) {
    const LONG: Duration = Duration::from_hours(1);
    let [start, end] = TEMPORARY;
    let is_ours = |name: &str| name.starts_with(start) && name.ends_with(end);
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_ours(entry.file_name())) {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        if modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > LONG)) {
            let _ = fs_err::remove_file(entry.path());
        }
    }
}

/// With the permissions that any program's files get, in place of those of a temporary one.
#[cfg(unix)]
fn usual<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b mut tempfile::Builder<'p, 's> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(std::fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn usual<'b, 'p, 's>(
    builder: &'b mut tempfile::Builder<'p, 's>,
) -> &'b mut tempfile::Builder<'p, 's> {
    builder
}

/// Gives a file to the owner of another one, as far as the user may: root, in a container, works on the files of
/// somebody else.
#[cfg(unix)]
fn give(file: &std::fs::File, like: &std::fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(file, Some(like.uid()), Some(like.gid()));
}

#[cfg(not(unix))]
fn give(_: &std::fs::File, _: &std::fs::Metadata) {}

/// Makes a new name in a folder last.
#[cfg(unix)]
fn sync(folder: &Utf8Path) -> io::Result<()> {
    match std::fs::File::open(folder)?.sync_all() {
        // Some file systems cannot.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        done => done,
    }
}

/// A folder cannot be opened there, and its names last without that.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
fn sync(_: &Utf8Path) -> io::Result<()> {
    Ok(())
}
