//! Symbolic links among what the build reads. The engine takes a link along as it is, so that what it leads to has
//! to be in the context, too.

use camino::{Utf8Path, Utf8PathBuf};

use super::{clean, relative};

/// A link that the build goes through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Relative to the context.
    pub path: Utf8PathBuf,
    /// What it leads to. Relative to the context, if that has it, and the link does not begin at the root of the
    /// disk: the image has the context at another place.
    pub target: Utf8PathBuf,
}

impl Link {
    /// The link at a path; both absolute.
    pub(super) fn at(path: &Utf8Path) -> Option<Self> {
        let target = path.read_link_utf8().ok()?;
        Some(Self {
            path: path.to_owned(),
            target: if target.is_absolute() {
                target
            } else {
                clean(&path.parent()?.join(target))
            },
        })
    }

    /// The links below `root` on the way to a path.
    pub(super) fn on_the_way(root: &Utf8Path, path: &Utf8Path) -> Vec<Self> {
        let below = path
            .ancestors()
            .take_while(|up| up.starts_with(root) && *up != root);
        below.filter_map(Self::at).collect()
    }

    /// Whether it leads to the same place wherever the project is.
    pub(super) fn is_relative(&self) -> bool {
        self.path
            .read_link_utf8()
            .is_ok_and(|target| target.is_relative())
    }

    /// The link as seen from the context.
    pub(super) fn below(self, context: &Utf8Path) -> Self {
        Self {
            target: if self.is_relative() {
                relative(&self.target, context)
            } else {
                self.target
            },
            path: relative(&self.path, context),
        }
    }
}
