//! What an earlier run wrote: the images in the `FROM` lines of a Dockerfile that is ours. A regenerated
//! file keeps what still fits of them, so that it is its own lock.

use camino::Utf8Path;

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
    // Reading a pipe would wait for its writer.
    if !path.is_file() {
        return Committed::default();
    }
    let bake = fs_err::read_to_string(path.with_file_name("docker-bake.hcl"));
    let bake = bake.is_ok_and(|text| mark::is_ours(&text));
    match fs_err::read_to_string(path) {
        Ok(text) if mark::is_ours(&text) => Committed {
            bake,
            images: from_lines(&text).collect(),
        },
        _ => Committed {
            bake,
            ..Committed::default()
        },
    }
}

/// The lines of the ignore file at the root of the context, if it is somebody's own.
pub(super) fn own_ignore(context: &Utf8Path) -> Option<Vec<String>> {
    let text = fs_err::read_to_string(context.join(".dockerignore")).ok()?;
    (!mark::is_ours(&text)).then(|| text.lines().map(str::to_owned).collect())
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
