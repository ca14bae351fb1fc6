//! Parts that run in browsers, which cargo alone does not make: whole packages, and what programs have inside.

use camino::Utf8Path;

use super::Note;
use super::binaries::Selection;
use crate::catalog::Catalog;
use crate::facts::{Bin, Facts, PAGE, Package};

/// The file by which another program than cargo compiles the binary for browsers.
pub(super) fn file_of<'c>(package: &Package, bin: &Bin, catalog: &'c Catalog) -> Option<&'c str> {
    let helpers = &catalog.helpers;
    let file = helpers
        .browser
        .iter()
        .find_map(|name| beside(package, name))?;
    let page = package.page.as_deref().unwrap_or_default();
    let named = format!("{}=\"{}\"", helpers.browser_bin, bin.name);
    (!page.contains(&helpers.browser_bin) || page.contains(&named)).then_some(file)
}

/// The file of the package that has this name, or is its page and has this attribute.
fn beside<'n>(package: &Package, name: &'n str) -> Option<&'n str> {
    let of_page = |page: &String| name.starts_with("data-") && page.contains(name);
    if package.entries.contains(name) {
        return Some(name);
    }
    let page = package.page.as_ref().filter(|page| of_page(page));
    page.map(|_| PAGE)
}

/// What the chosen packages plainly lack.
pub(super) fn notes(facts: &Facts, selection: &Selection<'_>, catalog: &Catalog) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    for picked in &selection.picked {
        let package = picked.value.package;
        let embedding = &catalog.helpers.embedding;
        let embeds = package.mentions.iter().filter(|mention| {
            let by = mention.by.as_ref();
            by.is_some_and(|by| embedding.contains(by))
        });
        let missing = embeds.filter(|m| !m.found || facts.left_out.contains(&m.path));
        let made = facts.config.before.contains_key("build");
        let missing = missing.filter(|_| !made).map(|m| {
            let way = configuration(facts, &m.path, catalog);
            Note::NothingToEmbed(m.source.clone(), m.path.clone(), way)
        });
        for note in missing.chain(other_part(facts, package, catalog)) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

/// What has the image make an embedded folder, where a front end makes it. Its folder is copied before the sources, so
/// that an edit of these does not make it again.
fn configuration(facts: &Facts, embedded: &Utf8Path, catalog: &Catalog) -> Option<String> {
    let mut above = embedded.ancestors();
    let (folder, names) = above.find_map(|dir| facts.front_ends.get_key_value(dir))?;
    let front_ends = &catalog.helpers.front_ends;
    let mut by_lock = front_ends.by_lock.iter();
    let (_, makes) = by_lock.find(|(lock, _)| names.contains(lock))?;
    let packages = &front_ends.packages;
    // What is copied is named from the context, and where to from the workspace.
    let [from, to] = [folder.as_path(), folder.strip_prefix(&facts.root).ok()?];
    let [from, to] = [from, to].map(|path| match path.as_str() {
        "" => ".",
        path => path,
    });
    let plain = shlex::try_quote(from).is_ok_and(|quoted| quoted == from);
    plain.then(|| {
        let makes = makes.replace("{dir}", to);
        format!(
            "`packages.build = {packages:?}` and `before.build = [\"COPY {from} {to}\", \
             \"RUN {makes} && rm -rf {to}/node_modules\"]`"
        )
    })
}

/// What another program than cargo makes of a package.
fn other_part(facts: &Facts, package: &Package, catalog: &Catalog) -> Option<Note> {
    let shows = |name: &String| {
        let in_table = package
            .metadata
            .get(name)
            .or(facts.metadata.get(name))
            .is_some();
        let file = beside(package, name).map(str::to_owned);
        file.or_else(|| in_table.then(|| format!("`metadata.{name}`")))
    };
    let mut packagers = catalog.helpers.packagers.iter();
    packagers.find_map(|(name, packager)| {
        let package = package.name.clone();
        Some(Note::OtherPart(package, shows(name)?, packager.clone()))
    })
}
