//! What an earlier run wrote: the images in the `FROM` lines of a Dockerfile that is ours. A regenerated
//! file keeps what still fits of them, so that it is its own lock.

use camino::{Utf8Path, Utf8PathBuf};

use super::{relative, text_of};
use crate::files::mark;

/// The images that the committed Dockerfile names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// One for each stage that is built from an image.
    pub images: Vec<FromLine>,
    /// Whether a file for `docker buildx bake` of ours lies beside it.
    pub bake: bool,
}

/// `FROM image AS stage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromLine {
    /// Name, tag and digest.
    pub image: String,
    /// The name of the stage.
    pub stage: String,
}

impl Committed {
    /// The image of a stage.
    pub fn image(&self, stage: &str) -> Option<&str> {
        self.images
            .iter()
            .find(|from| from.stage == stage)
            .map(|from| from.image.as_str())
    }
}

/// Reads the Dockerfile at `path`. A file that is not there, cannot be read or is not ours says nothing.
pub(super) fn read(path: &Utf8Path) -> Committed {
    let ours = |path: &Utf8Path| text_of(path).filter(|text| mark::is_ours(text));
    let images = ours(path).map_or_else(Vec::new, |text| from_lines(&text).collect());
    Committed {
        images,
        bake: path.is_file() && ours(&path.with_file_name("docker-bake.hcl")).is_some(),
    }
}

/// The file that a path leads to by links, relative to the context.
pub(super) fn behind_links(path: &Utf8Path, context: &Utf8Path) -> Option<Utf8PathBuf> {
    let real = |path: &Utf8Path| path.canonicalize_utf8().ok();
    let target = relative(&real(path)?, &real(context)?);
    (target != relative(path, context)).then_some(target)
}

/// The `FROM` lines of a Dockerfile that name their stage.
pub fn from_lines(text: &str) -> impl Iterator<Item = FromLine> {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let from = words
            .next()
            .filter(|word| word.eq_ignore_ascii_case("FROM"));
        let image = from.and_then(|_| words.find(|word| !word.starts_with("--")))?;
        words
            .next()
            .filter(|word| word.eq_ignore_ascii_case("AS"))?;
        Some(FromLine {
            image: image.to_owned(),
            stage: words.next()?.to_owned(),
        })
    })
}
