//! The text of the files: the third stage. Pure, like the plan. The templates read as what they produce; this
//! module only puts values into the words of Dockerfiles.

mod bake;
mod stage;
mod verbatim;

use askama::Template;
use camino::{Utf8Path, Utf8PathBuf};

use self::bake::Bake;
use self::stage::Stage;
use crate::config::Cache;
use crate::files::{File, mark};
use crate::path::{below, slashed};
use crate::plan::{APP, Access, CachePlan, EnvVar, Plan, Refusal};
use crate::why::{Choice, Why};

/// The folder of the context where cargo builds in a tree that a mount keeps.
const SOURCES: &str = "/src";

/// Cargo's home in the images of Rust.
const CARGO_HOME: &str = "/usr/local/cargo";

/// Cargo's home while mounts keep it.
const DOWNLOADS: &str = "/var/cache/cargo";

#[derive(Template)]
#[template(path = "Dockerfile", escape = "none")]
struct Dockerfile<'p> {
    /// The reason for Rust's version, where it is one that stays: a bot may bump the others.
    rust_why: Option<&'p Why>,
    builder: &'p str,
    workdir: String,
    env: Vec<Env>,
    install: String,
    /// Calls that complete the toolchain.
    setup: Vec<Env>,
    /// Patterns for `find`, quoted for the shell.
    kept: Vec<String>,
    whole: Vec<String>,
    /// Whether the dependencies have a layer of their own.
    layer: Option<&'p CachePlan>,
    /// The options of `RUN` that keep what cargo downloads, and all that the build keeps.
    downloads: Vec<String>,
    mounts: Vec<String>,
    app: &'static str,
    sources: &'static str,
    sources_workdir: String,
    /// Whether the build finds the tree and what it made of it last time.
    keeps_tree: bool,
    /// Cargo's output, relative to the context.
    target: Quoted,
    locked: bool,
    with_history: bool,
    build_from: &'p str,
    cargo: String,
    output: Utf8PathBuf,
    bins: Vec<String>,
    /// The commands that make what bases lack.
    files: Vec<String>,
    images: Vec<Stage<'p>>,
}

/// A path as the shell reads it, and as the pattern of `find` that nothing else matches.
struct Quoted {
    path: String,
    pattern: String,
}

/// A variable and the comment above it.
struct Env {
    why: String,
    line: String,
}

#[derive(Template)]
#[template(path = "dockerignore", escape = "none")]
struct Dockerignore<'p> {
    shown: &'p [Choice<Utf8PathBuf>],
    hidden: &'p [String],
    /// The image's own files.
    own: &'p [String],
    kept: &'p [Choice<String>],
}

/// The Dockerfile and the ignore file of a plan.
///
/// `dockerfile` is the absolute path of the first. The other lies at the root of the context, or beside the
/// Dockerfile where that has another name or place, or where somebody's own file hides what the build needs: the
/// engine reads `NAME.dockerignore` first.
///
/// # Errors
/// Instructions of the project's own that have no place.
pub fn render(plan: &Plan, dockerfile: &Utf8Path) -> Result<Vec<File>, Refusal> {
    let usual = plan.context.dir.value.join("Dockerfile") == dockerfile;
    let ignore = if usual && !plan.context.ignore_is_beside {
        dockerfile.with_file_name(".dockerignore")
    } else {
        Utf8PathBuf::from(format!("{dockerfile}.dockerignore"))
    };
    let text = |template: Result<String, askama::Error>| {
        template.expect("writing to a string cannot fail") + "\n"
    };
    let bake = plan
        .bake
        .then(|| dockerfile.with_file_name("docker-bake.hcl"));
    let own = [Some(dockerfile), Some(&ignore), bake.as_deref()]
        .into_iter()
        .flatten();
    let own = own
        .filter_map(|path| path.strip_prefix(&plan.context.dir.value).ok())
        .filter(|_| !plan.context.with_history);
    let own: Vec<String> = own.map(|path| slashed(path).into_string()).collect();
    let body = verbatim::insert(&text(self::dockerfile(plan).render()), &plan.verbatim)?;
    let mut files = vec![
        File {
            path: dockerfile.to_owned(),
            text: mark::sealed(&body),
            optional: false,
        },
        File {
            path: ignore,
            text: mark::sealed(&text(dockerignore(plan, &own).render())),
            optional: true,
        },
    ];
    files.extend(bake.map(|path| File {
        path,
        text: mark::sealed(&text(Bake::of(plan, dockerfile).render())),
        optional: true,
    }));
    Ok(files)
}

fn dockerignore<'p>(plan: &'p Plan, own: &'p [String]) -> Dockerignore<'p> {
    let context = &plan.context;
    Dockerignore {
        shown: &context.shown,
        hidden: &context.hidden,
        own,
        kept: &context.kept,
    }
}

fn dockerfile(plan: &Plan) -> Dockerfile<'_> {
    let context = &plan.context;
    let below_app = |path: &Utf8PathBuf| below(APP, path);
    let target = below(&context.root, "target");
    let pattern =
        |path: &Utf8PathBuf, below: &str| shell(&format!("{}{below}", glob_free(&below_app(path))));
    let folders = context.whole.iter().map(|dir| pattern(dir, "/*"));
    let read = context.read_by_whole.iter();
    let read = read.flat_map(|path| [pattern(path, ""), pattern(path, "/*")]);
    let whole: Vec<String> = folders.chain(read).collect();
    let roots = context
        .unusual_roots
        .iter()
        .map(|root| shell(&glob_free(&below_app(root))));
    let command = &plan.build.command;
    let words = command.words();
    let mut cargo: Vec<String> = std::iter::once("cargo")
        .chain(words.iter().map(String::as_str))
        .map(shell)
        .collect();
    if let Some(target) = &command.target {
        cargo.push(format!("--target \"{target}\""));
    }
    let access = || plan.build.access.iter().map(|access| &access.value);
    let settings = access().filter_map(Access::setting).map(str::to_owned);
    let cargo: Vec<String> = settings.chain(cargo).collect();
    let workdir = folder(below_app(&context.root));
    let cache = plan.cache.strategy.value;
    let layer = (cache != Cache::Mounts).then_some(&plan.cache);
    let build_from = if layer.is_some() { "deps" } else { "toolchain" };
    let downloads =
        (cache != Cache::Layers).then(|| format!("--mount=type=cache,target={DOWNLOADS}"));
    let home = if downloads.is_some() {
        DOWNLOADS
    } else {
        CARGO_HOME
    };
    let mounts = access().map(|access| access.mount(home));
    let downloads: Vec<String> = downloads.into_iter().chain(mounts).collect();
    Dockerfile {
        rust_why: Some(&plan.toolchain.rust.why)
            .filter(|why| matches!(why, Why::ToolchainFile(..) | Why::Config(_))),
        builder: &plan.toolchain.builder.value,
        workdir: workdir.clone(),
        env: own_env(plan)
            .chain(plan.build.env.iter().map(env))
            .collect(),
        install: stage::install(&plan.build.packages, None, Some(plan.toolchain.installer)),
        setup: setup(plan),
        kept: whole.iter().cloned().chain(roots).collect(),
        whole,
        layer,
        mounts: downloads.iter().cloned().chain(tree_mount(plan)).collect(),
        downloads,
        app: APP,
        sources: SOURCES,
        sources_workdir: folder(below(SOURCES, &context.root)),
        keeps_tree: cache != Cache::Layers,
        target: Quoted {
            path: shell(&format!("./{target}")),
            pattern: shell(&format!("./{}", glob_free(&target))),
        },
        locked: command.locked.value,
        with_history: context.with_history,
        build_from,
        cargo: cargo.join(" "),
        output: command.output(),
        bins: command.bins.iter().map(|bin| shell(bin)).collect(),
        files: stage::files(&plan.images),
        images: plan.images.iter().map(Stage::of).collect(),
    }
}

/// What the stages need from the environment for themselves.
fn own_env(plan: &Plan) -> impl Iterator<Item = Env> {
    let downloads = (plan.cache.strategy.value != Cache::Layers).then(|| Env {
        why: "All that cargo downloads goes to one folder, so that one cache mount holds it together with its locks".into(),
        line: format!("CARGO_HOME={DOWNLOADS}"),
    });
    let chosen = plan.toolchain.chosen.as_ref().map(|toolchain| Env {
        why: toolchain.why.to_string(),
        line: format!("RUSTUP_TOOLCHAIN={}", toolchain.value),
    });
    downloads.into_iter().chain(chosen)
}

/// The option of `RUN` that keeps the tree and what cargo made of it. The engine keeps such a mount for each state of
/// what it starts from, so that two platforms, toolchains or sets of dependencies never share one; projects
/// that start from the same are told apart by the `id`.
fn tree_mount(plan: &Plan) -> Option<String> {
    let (id, from) = match plan.cache.strategy.value {
        Cache::Layers => return None,
        Cache::Auto => (String::new(), "deps"),
        Cache::Mounts => {
            let image = plan.images.last().expect("a binary is chosen");
            (format!("id={},", image.package), "toolchain")
        }
    };
    Some(format!(
        "--mount=type=cache,{id}target={APP},from={from},source={APP},sharing=locked"
    ))
}

/// The calls that complete the toolchain.
fn setup(plan: &Plan) -> Vec<Env> {
    let calls = plan.toolchain.setup.iter();
    calls
        .map(|call| Env {
            why: call.why.to_string(),
            line: call.value.clone(),
        })
        .collect()
}

fn env(var: &Choice<EnvVar>) -> Env {
    let EnvVar { name, value } = &var.value;
    Env {
        why: var.why.to_string(),
        line: format!("{name}={}", quoted(value)),
    }
}

/// A value in double quotes, as `ENV` and `LABEL` read it.
fn quoted(value: &str) -> String {
    let escaped = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "\\$");
    format!("\"{escaped}\"")
}

/// A word of a shell command.
fn shell(word: &str) -> String {
    shlex::try_quote(word)
        .expect("cargo's names and paths hold no NUL")
        .into_owned()
}

/// A path in which `find` sees no wildcard.
fn glob_free(path: &Utf8Path) -> String {
    path.as_str()
        .chars()
        .flat_map(|c| "*?[\\".contains(c).then_some('\\').into_iter().chain([c]))
        .collect()
}

/// Source and destination of a `COPY`, in the form that allows blanks where there are some.
fn paths(from: &str, to: &str) -> String {
    // The source is a pattern.
    let (from, to) = (word(from).replace('[', "[[]"), word(to));
    if from.contains(char::is_whitespace) || to.contains(char::is_whitespace) {
        json(&[from, to])
    } else {
        format!("{from} {to}")
    }
}

/// A folder to work in, as `WORKDIR` has it, which goes on to the end of the line, and the shell.
fn folder(path: impl AsRef<str>) -> String {
    word(path).replace(' ', "\\ ")
}

/// A path as instructions have it in which variables are replaced, and quotes removed; the shell takes it as well.
fn word(path: impl AsRef<str>) -> String {
    let path = path.as_ref().chars();
    let is_special = |c: char| "\\'\"$`&;()<>|#".contains(c);
    path.flat_map(|c| is_special(c).then_some('\\').into_iter().chain([c]))
        .collect()
}

/// The exec form of an instruction.
fn json<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| serde_json::to_string(word.as_ref()).expect("a string becomes JSON"))
        .collect();
    format!("[{}]", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_quotes_and_dollars() {
        assert_eq!(quoted(r#"a "b" $c \d"#), r#""a \"b\" \$c \\d""#);
    }

    #[test]
    fn blanks_need_the_json_form() {
        assert_eq!(paths("/out/a", "/b"), "/out/a /b");
        assert_eq!(paths("/out/a b", "/b"), r#"["/out/a b", "/b"]"#);
    }

    #[test]
    fn paths_keep_what_engines_replace() {
        assert_eq!(paths("it's[1]", "$a"), r"it\'s[[]1] \$a");
        assert_eq!(folder("/app/it's (b)"), r"/app/it\'s\ \(b\)");
        assert_eq!(paths("a $b", "/b"), r#"["a \\$b", "/b"]"#);
    }

    #[test]
    fn wildcards_in_paths_are_literal() {
        assert_eq!(glob_free("/app/[a]*".into()), r"/app/\[a]\*");
    }
}
