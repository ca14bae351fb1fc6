//! What git thinks of the project's files. Git itself is not run: it may be missing, and nothing more than a
//! few lines of its own files is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};

use crate::ignore;

/// The nearest folder at or above `dir` with a repository in it.
pub(super) fn repository(dir: &Utf8Path) -> Option<&Utf8Path> {
    dir.ancestors().find(|dir| dir.join(".git").exists())
}

/// Git's own files, each of which is read once.
#[derive(Debug, Default)]
pub(super) struct Git {
    /// The lines of the ignore files from a repository down to a folder, as patterns from the root of the repository.
    ignore_lines: Once<Vec<String>>,
    /// The index of a repository.
    indexes: Once<Vec<u8>>,
}

/// What was made of a folder, by the folder.
type Once<T> = Mutex<HashMap<Utf8PathBuf, Arc<T>>>;

fn once<T>(all: &Once<T>, folder: &Utf8Path, read: impl FnOnce() -> T) -> Arc<T> {
    let locked = || all.lock().expect("no thread panics");
    let known = locked().get(folder).cloned();
    known.unwrap_or_else(|| {
        let made = Arc::new(read());
        locked().insert(folder.to_owned(), Arc::clone(&made));
        made
    })
}

impl Git {
    /// Whether a file or folder is left out of the commits of its repository: none has it, and an ignore file has its
    /// name, or the names of all that is in it.
    pub(super) fn ignores(&self, path: &Utf8Path) -> bool {
        let Some(repository) = path.parent().and_then(repository) else {
            return false;
        };
        let path_in_it = super::relative(path, repository);
        self.leaves_out(repository, path) && !tracks(&self.index(repository), &path_in_it)
    }

    /// Git knows no empty folders.
    fn leaves_out(&self, repository: &Utf8Path, path: &Utf8Path) -> bool {
        let folder = path.parent().unwrap_or(repository);
        let lines = self.ignore_lines(repository, folder);
        let is_ignored = ignore::hides(&lines, &super::relative(path, repository)).is_some();
        let holds_nothing = || {
            let entries = path.read_dir_utf8().ok().filter(|_| !path.is_symlink());
            let left_out = |entry: &Utf8Path| self.leaves_out(repository, entry);
            entries.is_some_and(|mut all| all.all(|entry| entry.is_ok_and(|e| left_out(e.path()))))
        };
        is_ignored || holds_nothing()
    }

    fn ignore_lines(&self, repository: &Utf8Path, folder: &Utf8Path) -> Arc<Vec<String>> {
        once(&self.ignore_lines, folder, || {
            let above = folder.parent().filter(|up| up.starts_with(repository));
            let above = above.map(|up| self.ignore_lines(repository, up));
            let mut lines = above.map_or_else(Vec::new, |lines| lines.to_vec());
            let text = super::text_of(&folder.join(".gitignore")).unwrap_or_default();
            let base = super::relative(folder, repository);
            lines.extend(text.lines().filter_map(|line| pattern(line.trim(), &base)));
            lines
        })
    }

    fn index(&self, repository: &Utf8Path) -> Arc<Vec<u8>> {
        once(&self.indexes, repository, || {
            let index = git_dir(repository).map(|dir| dir.join("index"));
            let index = index.and_then(|index| fs_err::read(index).ok());
            index.unwrap_or_default()
        })
    }
}

/// The folders of submodules that are not checked out and belong to the context, relative to that.
pub(super) fn missing_submodules(context: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Some(repository) = repository(context) else {
        return Vec::new();
    };
    let text = super::text_of(&repository.join(".gitmodules")).unwrap_or_default();
    let settings = text.lines().filter_map(|line| line.split_once('='));
    let paths = settings.filter(|(key, _)| key.trim() == "path");
    let folders = paths.map(|(_, path)| repository.join(path.trim()));
    let is_missing = |folder: &Utf8PathBuf| {
        let entries = folder.read_dir_utf8().ok();
        entries.is_none_or(|mut entries| entries.next().is_none())
    };
    let missing = folders.filter(is_missing);
    missing
        .filter_map(|folder| Some(folder.strip_prefix(context).ok()?.to_owned()))
        .collect()
}

/// Whether the index lists a path, or one below it. An entry holds the length of its path, up to a limit, in the two
/// bytes before that, and ends with a NUL. Source: gitformat-index.
fn tracks(index: &[u8], path: &Utf8Path) -> bool {
    let begins_entry = |at: usize| {
        let entry = &index[at..];
        let length = entry.iter().position(|byte| *byte == 0);
        let flags = at
            .checked_sub(2)
            .map(|flags| [index[flags], index[flags + 1]]);
        let [length, flags] = [length, flags.map(|flags| u16::from_be_bytes(flags).into())];
        // The upper four bits are other flags.
        length.is_some_and(|length| {
            flags.map(|flags: usize| flags & 0xfff) == Some(length.min(0xfff))
        })
    };
    let lists = |text: String| {
        let text = text.as_bytes();
        let mut places = index.windows(text.len()).enumerate();
        places.any(|(at, window)| window == text && begins_entry(at))
    };
    lists(format!("{path}\0")) || lists(format!("{path}/"))
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

/// A line of the ignore file in `base`. Without a slash before its end, it stands for names at any depth.
fn pattern(line: &str, base: &Utf8Path) -> Option<String> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (not, name) = match line.strip_prefix('!') {
        Some(name) => ("!", name),
        None => ("", line),
    };
    let any_depth = if name.trim_end_matches('/').contains('/') {
        ""
    } else {
        "**/"
    };
    Some(format!("{not}{base}/{any_depth}{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_git_as_patterns() {
        let ignored = |line: &str, path: &str| {
            let lines: Vec<String> = pattern(line, "a".into()).into_iter().collect();
            ignore::hides(&lines, path.into()).is_some()
        };
        assert!(ignored("data/", "a/b/data/x.db"));
        assert!(ignored("/data", "a/data"));
        assert!(!ignored("/data", "a/b/data"));
        assert!(ignored("static/*", "a/static/b"));
        assert!(!ignored("static/*", "a/static"));
        assert!(ignored("*.toml", "a/b/config.toml"));
        assert!(!ignored("data", "data") && !ignored("# data", "a/data"));
    }

    #[test]
    fn what_nobody_else_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let folders = [
            "data",
            "empty",
            "site/css/dark",
            "static",
            "uploads",
            "views",
        ];
        for name in folders.into_iter().chain([".git"]) {
            fs_err::create_dir_all(root.join(name)).expect("a folder");
        }
        let git = Git::default();
        for (name, text) in [
            (
                ".git/index",
                "\0\x12deploy/config.json\0\0\x0bconfig.toml\0\0\x10uploads/.gitkeep\0",
            ),
            (
                ".gitignore",
                "*.css\n*.toml\n/data/\n/uploads/\n/static/*\n/config.json\n",
            ),
            ("data/x.db", ""),
            ("site/css/dark/x.css", ""),
            ("static/x.css", ""),
            ("views/x.html", ""),
        ] {
            fs_err::write(root.join(name), text).expect("a file");
        }
        for name in [
            "config.json",
            "settings.toml",
            "data",
            "data/x.db",
            "static",
            "site",
            "empty",
        ] {
            assert!(git.ignores(&root.join(name)), "{name}");
        }
        for name in ["config.toml", "uploads", "views", "views/x.html"] {
            assert!(!git.ignores(&root.join(name)), "{name}");
        }
        fs_err::write(root.join("site/css/x.scss"), "").expect("a file");
        assert!(!git.ignores(&root.join("site")) && git.ignores(&root.join("site/css/dark")));
    }
}
