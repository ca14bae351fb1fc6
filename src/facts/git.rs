//! What git thinks of the project's files. Git itself is not run: it may be missing, and nothing more than a
//! few lines of its own files is asked for.

use camino::{Utf8Path, Utf8PathBuf};

/// The nearest folder at or above `dir` with a repository in it.
pub(super) fn repository(dir: &Utf8Path) -> Option<&Utf8Path> {
    dir.ancestors().find(|dir| dir.join(".git").exists())
}

/// Whether a file is left out of the commits of its repository: it is not there, and an ignore file has its
/// name.
pub(super) fn ignores(file: &Utf8Path) -> bool {
    let (Some(dir), Some(name)) = (file.parent(), file.file_name()) else {
        return false;
    };
    let Some(repository) = repository(dir) else {
        return false;
    };
    let path = super::relative(file, repository);
    !tracks(repository, &path) && is_ignored(repository, dir, name)
}

/// Whether the index lists a path. An entry ends with its path and a NUL.
fn tracks(repository: &Utf8Path, path: &Utf8Path) -> bool {
    let index = git_dir(repository).map(|dir| dir.join("index"));
    let Some(index) = index.and_then(|index| fs_err::read(index).ok()) else {
        return false;
    };
    let entry = format!("{path}\0").into_bytes();
    index.windows(entry.len()).any(|window| window == entry)
}

/// The folder with git's files: `.git`, or where that file points to, as in work trees.
fn git_dir(repository: &Utf8Path) -> Option<Utf8PathBuf> {
    let git = repository.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs_err::read_to_string(&git).ok()?;
    let dir = text.strip_prefix("gitdir:")?.trim();
    Some(repository.join(dir))
}

/// Whether the ignore files between the repository and `dir` name the file. The last line that does decides.
fn is_ignored(repository: &Utf8Path, dir: &Utf8Path, name: &str) -> bool {
    let mut folders: Vec<&Utf8Path> = dir
        .ancestors()
        .take_while(|dir| dir.starts_with(repository))
        .collect();
    folders.reverse();
    let mut ignored = false;
    for folder in folders {
        let text = fs_err::read_to_string(folder.join(".gitignore")).unwrap_or_default();
        let here = super::relative(dir, folder).join(name);
        for line in text.lines().map(str::trim) {
            let (pattern, verdict) = match line.strip_prefix('!') {
                Some(pattern) => (pattern, false),
                None => (line, true),
            };
            let anywhere = pattern.strip_prefix("**/").unwrap_or(pattern);
            let matches = anywhere == name
                || pattern.trim_start_matches('/') == here
                || anywhere
                    .strip_prefix('*')
                    .is_some_and(|end| end.starts_with('.') && name.ends_with(end));
            if matches {
                ignored = verdict;
            }
        }
    }
    ignored
}
