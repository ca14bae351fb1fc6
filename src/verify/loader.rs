//! What the loader would do: finds every library that a program needs, as glibc and musl search for them, inside
//! of an image. Pure.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::elf;
use super::tree::Tree;

/// What a program would be loaded with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Loaded {
    /// Libraries and where they are.
    pub(super) found: BTreeMap<String, Utf8PathBuf>,
    /// Libraries that are nowhere, and what needs each.
    pub(super) missing: BTreeMap<String, String>,
    /// Versions of symbols that a library lacks.
    pub(super) too_old: Vec<TooOld>,
}

/// A library is older than what needs it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooOld {
    pub(super) library: String,
    pub(super) needed_by: String,
    pub(super) wants: String,
    /// The newest version of the same kind that it has.
    pub(super) has: Option<String>,
}

/// Where a library's users look for it.
struct Search<'t> {
    tree: &'t Tree,
    environment: Vec<String>,
    cached: BTreeSet<&'t Utf8Path>,
    usual: Vec<String>,
    musl: bool,
}

/// Loads a program; `environment` is the image's `LD_LIBRARY_PATH`.
pub(super) fn load(tree: &Tree, program: &Utf8Path, environment: Option<&str>) -> Loaded {
    let mut loaded = Loaded::default();
    let Some(facts) = tree.elf(program) else {
        return loaded;
    };
    let interpreter = facts.interpreter.as_deref().unwrap_or_default();
    let search = Search::new(tree, facts, interpreter, environment);
    let itself = Utf8Path::new(interpreter).file_name().unwrap_or_default();
    // Each with the folders that those before it on the way hand down.
    let mut queue = vec![(program.to_owned(), facts, Vec::<String>::new())];
    while let Some((path, facts, inherited)) = queue.pop() {
        let own = path.parent().unwrap_or(Utf8Path::new(""));
        let folders = |list: &[String]| -> Vec<String> {
            list.iter()
                .map(|f| {
                    f.replace("${ORIGIN}", own.as_str())
                        .replace("$ORIGIN", own.as_str())
                })
                .collect()
        };
        let mut rpath = folders(&facts.rpath);
        rpath.extend(inherited);
        for library in &facts.needed {
            let is_loader = library == itself || (search.musl && is_part_of_musl(library));
            if is_loader && tree.elf(interpreter.into()).is_some() {
                continue;
            }
            if loaded.found.contains_key(library) || loaded.missing.contains_key(library) {
                continue;
            }
            let before = if facts.runpath.is_empty() || search.musl {
                &rpath[..]
            } else {
                &[]
            };
            let runpath = folders(&facts.runpath);
            if let Some((found, of_library)) = search.find(library, facts, before, &runpath) {
                loaded.found.insert(library.clone(), found.clone());
                queue.push((found, of_library, rpath.clone()));
            } else {
                let by = path.file_name().unwrap_or_default().to_owned();
                loaded.missing.insert(library.clone(), by);
            }
        }
    }
    loaded.too_old = too_old(tree, program, &loaded);
    loaded
}

impl<'t> Search<'t> {
    fn new(tree: &'t Tree, program: &elf::Facts, loader: &str, environment: Option<&str>) -> Self {
        let musl = loader.contains("ld-musl-");
        let of_glibc = || {
            let multiarch = program.multiarch();
            let folders = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(str::to_owned);
            [format!("/lib/{multiarch}"), format!("/usr/lib/{multiarch}")]
                .into_iter()
                .chain(folders)
                .collect()
        };
        let of_musl = || {
            let usual = || {
                ["/lib", "/usr/local/lib", "/usr/lib"]
                    .map(str::to_owned)
                    .to_vec()
            };
            tree.musl_folders().unwrap_or_else(usual)
        };
        Self {
            tree,
            environment: environment
                .unwrap_or_default()
                .split(':')
                .map(str::to_owned)
                .collect(),
            cached: tree.cached_libraries(),
            usual: if musl { of_musl() } else { of_glibc() },
            musl,
        }
    }

    fn find(
        &self,
        library: &str,
        user: &elf::Facts,
        rpath: &[String],
        runpath: &[String],
    ) -> Option<(Utf8PathBuf, &'t elf::Facts)> {
        let fitting = |path: Utf8PathBuf| {
            let facts = self.tree.elf(&path)?;
            facts.fits(user).then_some((path, facts))
        };
        if library.contains('/') {
            return fitting(library.into());
        }
        let below = |folder: &String| fitting(Utf8Path::new(folder).join(library));
        let before = rpath.iter().chain(&self.environment).chain(runpath);
        let named = || {
            let mut paths = self
                .cached
                .iter()
                .filter(|path| path.file_name() == Some(library));
            paths.find_map(|path| fitting((*path).to_owned()))
        };
        before
            .filter(|folder| !folder.is_empty())
            .find_map(below)
            .or_else(|| if self.musl { None } else { named() })
            .or_else(|| self.usual.iter().find_map(below))
    }
}

/// Libraries whose contents musl has in its loader, and never searches for.
fn is_part_of_musl(library: &str) -> bool {
    let stem = library.split('.').next().unwrap_or_default();
    library.starts_with("libc.musl-")
        || [
            "libc",
            "libpthread",
            "librt",
            "libm",
            "libdl",
            "libutil",
            "libxnet",
        ]
        .contains(&stem)
}

/// Every version that something wants of a library, which is there and does not have it.
fn too_old(tree: &Tree, program: &Utf8Path, loaded: &Loaded) -> Vec<TooOld> {
    let mut all = Vec::new();
    let users = std::iter::once(program).chain(loaded.found.values().map(Utf8PathBuf::as_path));
    for user in users {
        let wants = tree.elf(user).map(|facts| &facts.wants);
        for (library, versions) in wants.into_iter().flatten() {
            let Some(facts) = loaded.found.get(library).and_then(|path| tree.elf(path)) else {
                continue;
            };
            // A library without any is taken as it is.
            let lacking = versions
                .difference(&facts.has)
                .filter(|_| !facts.has.is_empty());
            let Some(newest) = lacking.max_by_key(|version| elf::by_number(version)) else {
                continue;
            };
            let kind = newest.split('_').next().unwrap_or_default();
            let same = facts.has.iter().filter(|has| {
                has.strip_prefix(kind).is_some_and(|rest| {
                    rest.starts_with('_') && rest[1..].starts_with(|c: char| c.is_ascii_digit())
                })
            });
            all.push(TooOld {
                library: library.clone(),
                needed_by: user.file_name().unwrap_or_default().to_owned(),
                wants: newest.clone(),
                has: same.max_by_key(|version| elf::by_number(version)).cloned(),
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::tree::Content;
    use crate::verify::tree::tests::tree;

    const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

    fn elf(needed: &[&str]) -> elf::Facts {
        elf::Facts {
            machine: goblin::elf::header::EM_X86_64,
            is_64: true,
            interpreter: Some(LOADER.into()),
            needed: needed.iter().map(ToString::to_string).collect(),
            ..elf::Facts::default()
        }
    }

    fn file(facts: elf::Facts) -> Content {
        Content::Elf(Box::new(facts))
    }

    #[test]
    fn libraries_of_libraries_are_found() {
        let tree = tree(
            &[
                ("app", file(elf(&["liba.so.1"]))),
                (
                    "usr/lib/x86_64-linux-gnu/liba.so.1",
                    file(elf(&["libb.so.2", "libc.so.6"])),
                ),
                (
                    "usr/lib/x86_64-linux-gnu/libc.so.6",
                    file(elf(&["ld-linux-x86-64.so.2"])),
                ),
                ("lib64/ld-linux-x86-64.so.2", file(elf(&[]))),
            ],
            &[],
        );
        let loaded = load(&tree, "/app".into(), None);
        assert_eq!(loaded.found.len(), 2);
        assert_eq!(
            loaded.missing,
            [("libb.so.2".into(), "liba.so.1".into())].into()
        );
    }

    #[test]
    fn a_library_of_another_machine_does_not_count() {
        let other = elf::Facts {
            machine: goblin::elf::header::EM_AARCH64,
            ..elf(&[])
        };
        let tree = tree(
            &[
                ("app", file(elf(&["liba.so"]))),
                ("lib/liba.so", file(other)),
            ],
            &[],
        );
        assert!(
            load(&tree, "/app".into(), None)
                .missing
                .contains_key("liba.so")
        );
    }

    #[test]
    fn folders_named_by_the_program() {
        let program = elf::Facts {
            runpath: vec!["$ORIGIN/../lib".into()],
            ..elf(&["liba.so"])
        };
        let tree = tree(
            &[
                ("opt/bin/app", file(program)),
                ("opt/lib/liba.so", file(elf(&["libb.so"]))),
                ("opt/lib/libb.so", file(elf(&[]))),
            ],
            &[],
        );
        let loaded = load(&tree, "/opt/bin/app".into(), None);
        assert!(loaded.found.contains_key("liba.so"));
        // A run path is not handed down.
        assert!(loaded.missing.contains_key("libb.so"));
        let loaded = load(&tree, "/opt/bin/app".into(), Some("/opt/lib"));
        assert!(loaded.missing.is_empty());
    }

    #[test]
    fn a_libc_that_is_too_old() {
        let versions = |all: &[&str]| all.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let program = elf::Facts {
            wants: [(
                "libc.so.6".to_owned(),
                versions(&["GLIBC_2.34", "GLIBC_2.39"]),
            )]
            .into(),
            ..elf(&["libc.so.6"])
        };
        let libc = elf::Facts {
            has: versions(&["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.4", "GLIBC_PRIVATE"]),
            ..elf(&[])
        };
        let tree = tree(
            &[("app", file(program)), ("lib/libc.so.6", file(libc))],
            &[],
        );
        let [too_old] = &load(&tree, "/app".into(), None).too_old[..] else {
            panic!("it is too old");
        };
        assert_eq!(too_old.wants, "GLIBC_2.39");
        assert_eq!(too_old.has.as_deref(), Some("GLIBC_2.34"));
    }

    #[test]
    fn musl_is_its_own_loader() {
        let program = elf::Facts {
            interpreter: Some("/lib/ld-musl-x86_64.so.1".into()),
            ..elf(&["libgcc_s.so.1", "libc.musl-x86_64.so.1"])
        };
        let tree = tree(
            &[
                ("app", file(program)),
                ("lib/ld-musl-x86_64.so.1", file(elf(&[]))),
                ("usr/lib/libgcc_s.so.1", file(elf(&["libc.so"]))),
            ],
            &[],
        );
        let loaded = load(&tree, "/app".into(), None);
        assert_eq!(loaded.missing, BTreeMap::new());
    }
}
