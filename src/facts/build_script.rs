//! The code of build scripts: what they say, without what they only mention.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use guppy::graph::{BuildTargetId, PackageGraph, PackageMetadata};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use semver::Version;

use super::{Libc, tokens};

/// A build script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildScript {
    /// Relative to the context, or of a crate from elsewhere to its folder.
    pub path: Utf8PathBuf,
    /// Its code and that of its modules. There are no comments and no attributes in it, nothing that Linux does
    /// not compile, and blanks only between words.
    pub code: String,
}

/// Modules in modules are looked for this deep.
const DEEPEST: usize = 4;

/// The build script of a package.
pub(super) fn of_package(package: &PackageMetadata<'_>, base: &Utf8Path) -> Option<BuildScript> {
    root(package, &BuildTargetId::BuildScript).map(|path| read(path, base))
}

/// The library of a package, where a package of the project has it as a build-dependency.
pub(super) fn library(package: &PackageMetadata<'_>, base: &Utf8Path) -> Option<BuildScript> {
    let mut users = package.reverse_direct_links();
    let is_called = users.any(|link| link.build().is_present() && link.from().source().is_local());
    let path = root(package, &BuildTargetId::Library).filter(|_| is_called)?;
    Some(read(path, base))
}

/// The build scripts of crates from elsewhere.
pub(super) fn foreign(graph: &PackageGraph) -> BTreeMap<(String, Version), BuildScript> {
    let foreign = graph.packages().filter(|p| !p.source().is_local());
    let scripts = foreign.filter_map(|package| {
        let folder = package.manifest_path().parent()?;
        let key = (package.name().to_owned(), package.version().clone());
        Some((key, of_package(&package, folder)?))
    });
    scripts.collect()
}

/// The root file of a package's target.
pub(super) fn root<'g>(
    package: &PackageMetadata<'g>,
    id: &BuildTargetId<'_>,
) -> Option<&'g Utf8Path> {
    let mut targets = package.build_targets();
    targets
        .find(|target| target.id() == *id)
        .map(|target| target.path())
}

/// Reads the build script at `path`; what cannot be read is the compiler's to complain of.
fn read(path: &Utf8Path, base: &Utf8Path) -> BuildScript {
    let mut code = String::new();
    if let Some(folder) = path.parent() {
        add_file(path, folder, 0, &mut code);
    }
    BuildScript {
        path: super::relative(path, base),
        code,
    }
}

/// What a script has in it that calls for something, or a module that may.
const HINTS: [&str; 7] = [
    "Command",
    "cpp(",
    "find_library",
    "include!",
    "link-lib",
    "mod ",
    "probe",
];

/// Adds a file, whose modules are in `folder`.
fn add_file(path: &Utf8Path, folder: &Utf8Path, depth: usize, code: &mut String) {
    let text = fs_err::read_to_string(path).unwrap_or_default();
    // Most have nothing of it, and there are hundreds.
    if !HINTS.iter().any(|hint| text.contains(hint)) && depth == 0 {
        return;
    }
    let tokens = tokens::parse(&text);
    add(tokens.unwrap_or_default(), folder, depth, code);
}

fn add(tokens: TokenStream, folder: &Utf8Path, depth: usize, code: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    let mut file = None;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next_if(|next| next.to_string() == "!");
                let attribute = tokens.next().map(|group| group.to_string());
                let attribute = attribute.unwrap_or_default();
                let attribute = attribute.trim_matches(['[', ']', ' ']);
                if let Some(path) = attribute.strip_prefix("path = ") {
                    file = Some(folder.join(path.trim_matches('"')));
                } else if is_elsewhere(attribute) {
                    tokens::skip_item(&mut tokens);
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                code.push_str(open);
                add(group.stream(), folder, depth, code);
                code.push_str(close);
            }
            TokenTree::Punct(punct) => {
                if punct.as_char() == ';'
                    && let Some(name) = module(code)
                {
                    let found = file.take().or_else(|| find(folder, &name));
                    if let Some(path) = found.filter(|_| depth < DEEPEST) {
                        let below = match path.file_name() {
                            Some("mod.rs") => path.with_file_name(""),
                            _ => folder.join(&name),
                        };
                        code.push(';');
                        add_file(&path, &below, depth + 1, code);
                    }
                }
                code.push(punct.as_char());
            }
            word => {
                if code.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"') {
                    code.push(' ');
                }
                code.push_str(&word.to_string());
            }
        }
    }
}

/// The name of a module whose declaration the code ends with.
fn module(code: &str) -> Option<String> {
    let (before, name) = code.rsplit_once(' ')?;
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next()?;
    (word == "mod").then(|| name.to_owned())
}

fn find(folder: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    let places = [format!("{name}.rs"), format!("{name}/mod.rs")];
    let mut places = places.into_iter().map(|place| folder.join(place));
    places.find(|place| place.is_file())
}

/// Whether an attribute leaves out on Linux what follows it.
pub(super) fn is_elsewhere(attribute: &str) -> bool {
    attribute.starts_with("cfg")
        && target_spec::eval(&attribute.replace(' ', ""), Libc::Gnu.target())
            .is_ok_and(|applies| applies == Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let mut code = String::new();
        add(
            text.parse().expect("Rust"),
            Utf8Path::new("nowhere"),
            0,
            &mut code,
        );
        code
    }

    #[test]
    fn comments_are_not_code() {
        let text =
            "// a(\"x\")\n/* b() */ /// c()\nfn main() { cc :: Build::new( ) . cpp ( true ) }";
        assert_eq!(code(text), "fn main(){cc::Build::new().cpp(true)}");
    }

    #[test]
    fn what_linux_does_not_compile_is_left_out() {
        let text = "#[cfg(windows)] fn a() { x() } #[cfg(target_os = \"macos\")] use a::b; \
                    #[cfg(unix)] fn c() { y() }";
        assert_eq!(code(text), "fn c(){y()}");
    }

    #[test]
    fn modules_are_part_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = Utf8Path::from_path(folder.path()).expect("UTF-8");
        fs_err::create_dir_all(dir.join("deep")).expect("it is empty");
        fs_err::write(dir.join("build.rs"), "mod one; mod deep; fn main() {}").expect("written");
        fs_err::write(dir.join("one.rs"), "fn f() { one() }").expect("written");
        fs_err::write(dir.join("deep/mod.rs"), "mod two;").expect("written");
        fs_err::write(dir.join("deep/two.rs"), "fn f() { two() }").expect("written");
        let script = read(&dir.join("build.rs"), dir);
        assert_eq!(script.path, "build.rs");
        assert!(script.code.contains("one()"), "{}", script.code);
        assert!(script.code.contains("two()"), "{}", script.code);
    }
}
