//! What a rebuild costs, beside what cargo on the host, cargo-chef and a plain `COPY . .` cost:
//! `cargo bench --bench rebuild [-- --project DIR] [--columns NAME,…] [--rows NAME,…] [--registry HOST]`. It needs
//! an engine and crates.io. The row `empty builder` is what a CI runner pays that finds its cache in a registry: it
//! runs where a registry is named, and removes all that the engine's builder has kept.
//!
//! Each column goes through the rows in turn, on a copy of the project of its own: a cell is the time that the whole
//! build takes after that edit, with all that the builder has kept. All columns of a row are measured one
//! after the other, so that a busy machine slows them alike; read the ratios.
//!
//! The default project is a workspace of 12 members on crates from crates.io. Any other has its edits in the
//! `main.rs` of the first image's package and in the library that most members depend on.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark runs programs, looks at the clock, and prints"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use snapbox::dir::{DirRoot, Walk};
use toml_edit::Item;

const ROWS: [&str; 8] = [
    "cold",
    "nothing changed",
    "top binary",
    "base library",
    "fresh clone",
    "version bump",
    "added dependency",
    EMPTY,
];

/// The row that begins with nothing but what a registry has.
const EMPTY: &str = "empty builder";
const COLUMNS: [&str; 6] = ["native", "auto", "layers", "mounts", "chef", "copy"];

const MEMBERS: usize = 12;

/// What the members of the default project depend on.
const CRATES: [&str; 13] = [
    "axum = { version = \"0.8\", features = [\"macros\"] }",
    "chrono = { version = \"0.4\", features = [\"serde\"] }",
    "clap = { version = \"4\", features = [\"derive\", \"env\"] }",
    "handlebars = \"6\"",
    "image = { version = \"0.25\", default-features = false, features = [\"png\", \"jpeg\"] }",
    "regex = \"1\"",
    "reqwest = { version = \"0.12\", default-features = false, features = [\"gzip\", \"json\", \"rustls-tls\"] }",
    "serde = { version = \"1\", features = [\"derive\"] }",
    "serde_json = \"1\"",
    "tera = \"1\"",
    "tokio = { version = \"1\", features = [\"full\"] }",
    "tower-http = { version = \"0.6\", features = [\"full\"] }",
    "tracing-subscriber = { version = \"0.3\", features = [\"env-filter\", \"json\"] }",
];

/// How many routes the binary of the default project has, and four times what each library has: generic code that its
/// crate compiles, as in services.
const ROUTES: usize = 60;

fn main() -> Result<()> {
    // `cargo test --benches` only wants to know whether it compiles.
    let args: Vec<String> = std::env::args().collect();
    if !args.iter().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let option = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).map(String::as_str)
    };
    let chosen = |name: &str, all: &[&'static str]| -> Vec<&'static str> {
        let names = option(name).map(|names| names.split(',').collect::<Vec<_>>());
        let all = all.iter().copied();
        all.filter(|one| names.as_ref().is_none_or(|names| names.contains(one)))
            .collect()
    };
    let (rows, columns) = (chosen("--rows", &ROWS), chosen("--columns", &COLUMNS));
    let generated = tempfile::tempdir()?;
    let project = if let Some(dir) = option("--project") {
        PathBuf::from(dir).canonicalize()?
    } else {
        generate(generated.path())?;
        generated.path().to_owned()
    };
    let registry = option("--registry");
    let mut builds = Vec::new();
    for column in &columns {
        builds.push(Build::new(&project, column, registry)?);
    }
    let head: Vec<String> = columns.iter().map(|c| format!("{c:>16}")).collect();
    println!("{:<20}{}", "seconds (ratio)", head.concat());
    for row in rows {
        let mut line = format!("{row:<20}");
        let mut first = None;
        if row == EMPTY && registry.is_none() {
            continue;
        }
        for build in &mut builds {
            if row == EMPTY && build.column == "native" {
                write!(line, "{:>16}", "")?;
                continue;
            }
            if row == EMPTY {
                build.empty_builder()?;
            }
            build.edit(row)?;
            let seconds = build
                .time()
                .with_context(|| format!("{row} of {}", build.column))?;
            let ratio = seconds / *first.get_or_insert(seconds);
            let cell = format!("{seconds:.1} ({ratio:.2})");
            write!(line, "{cell:>16}")?;
        }
        println!("{line}");
    }
    Ok(())
}

/// A copy of the project and the way in which a column builds it.
struct Build {
    column: &'static str,
    copy: DirRoot,
    top: PathBuf,
    base: PathBuf,
    bin: String,
    tag: String,
    /// Where the cache goes before the builder is emptied.
    cache: Option<String>,
    /// Further options of the build.
    options: Vec<String>,
    edits: usize,
}

impl Build {
    fn new(project: &Path, column: &&'static str, registry: Option<&str>) -> Result<Self> {
        let copy = DirRoot::mutable_temp()?.with_template(project)?;
        let dir = copy.path().context("no folder")?;
        let tool = |args: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-dockerize"));
            command.current_dir(dir).arg("dockerize").args(args);
            command
        };
        let strategy = match *column {
            "layers" | "mounts" => column,
            _ => "auto",
        };
        // Other runs, and other columns, share nothing with this one but what cargo downloads.
        let manifest = dir.join("Cargo.toml");
        let run = format!("# {} {column}\n", std::process::id());
        let marker = format!(
            "\n[workspace.metadata.run]\nid = \"{}-{column}\"\n",
            std::process::id()
        );
        let text = fs_err::read_to_string(&manifest)?;
        fs_err::write(&manifest, run + &text + &marker)?;
        output(&mut tool(&["--force", "--quiet", "--cache", strategy]))?;
        let explained: Value =
            serde_json::from_str(&output(&mut tool(&["--explain", "--format", "json"]))?)?;
        let image = explained["images"]
            .as_array()
            .and_then(|images| images.last());
        let image = image.context("no image")?;
        let text = |key: &str| image[key].as_str().unwrap_or_default().to_owned();
        let (bin, package) = (text("bin"), text("package"));
        let (top, base) = edited_files(dir, &package, &bin)?;
        if matches!(*column, "chef" | "copy") {
            let builder = explained["builder"].as_str().unwrap_or_default();
            let file = if *column == "chef" {
                chef(builder, &bin, &text("runtime"))
            } else {
                plain(builder, &bin, &text("runtime"))
            };
            fs_err::write(dir.join("Dockerfile"), file)?;
        }
        let tag = format!("cargo-dockerize-bench-{}-{column}", std::process::id());
        Ok(Self {
            column,
            cache: registry.map(|host| format!("type=registry,ref={host}/{tag}")),
            options: Vec::new(),
            top,
            base,
            bin,
            tag,
            edits: 0,
            copy,
        })
    }

    fn dir(&self) -> &Path {
        self.copy.path().expect("it was there")
    }

    /// Does to the project what the row says.
    fn edit(&mut self, row: &str) -> Result<()> {
        self.edits += 1;
        let function = format!(
            "\n#[doc(hidden)]\npub fn edit_{0}() -> usize {{ {0} }}\n",
            self.edits
        );
        let append = |file: &Path| -> Result<()> {
            let text = fs_err::read_to_string(file)?;
            Ok(fs_err::write(file, text + &function)?)
        };
        match row {
            "top binary" | EMPTY => append(&self.top),
            "base library" => append(&self.base),
            "fresh clone" => {
                append(&self.top)?;
                for path in Walk::new(self.dir()) {
                    let path = path?;
                    if path.is_file() && !path.starts_with(self.dir().join("target")) {
                        let file = fs_err::File::options().append(true).open(&path)?;
                        file.file().set_modified(SystemTime::now())?;
                    }
                }
                Ok(())
            }
            "version bump" => bump(self.dir()),
            "added dependency" => {
                let manifest = self.top.ancestors().map(|dir| dir.join("Cargo.toml"));
                let manifest = manifest
                    .into_iter()
                    .find(|path| path.exists())
                    .context("no manifest")?;
                let mut command = Command::new(env!("CARGO"));
                command
                    .current_dir(self.dir())
                    .args(["add", "--quiet", "fastrand"]);
                output(command.arg("--manifest-path").arg(manifest)).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Leaves what the last build made in the registry, and nowhere else.
    fn empty_builder(&mut self) -> Result<()> {
        let cache = self.cache.as_ref().context("no registry")?;
        self.options = vec!["--cache-to".into(), format!("{cache},mode=max")];
        self.time()?;
        output(Command::new("docker").args(["builder", "prune", "--all", "--force"]))?;
        self.options = vec!["--cache-from".into(), cache.clone()];
        Ok(())
    }

    /// The seconds that the build takes.
    fn time(&self) -> Result<f64> {
        let mut command = if self.column == "native" {
            let mut command = Command::new(env!("CARGO"));
            command.args(["build", "--release", "--bin", &self.bin]);
            command.env("CARGO_TARGET_DIR", self.dir().join("target"));
            command
        } else {
            let mut command = Command::new("docker");
            command.args(["build", "--quiet", "--tag", &self.tag, "."]);
            command.args(&self.options);
            command
        };
        let start = Instant::now();
        output(command.current_dir(self.dir()))?;
        Ok(start.elapsed().as_secs_f64())
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        let mut remove = Command::new("docker");
        let _ = remove.args(["image", "rm", "--force", &self.tag]).output();
    }
}

/// The `main.rs` of the binary, and the root of the library that most members depend on.
fn edited_files(dir: &Path, package: &str, bin: &str) -> Result<(PathBuf, PathBuf)> {
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(dir)
        .args(["metadata", "--no-deps", "--format-version=1"]);
    let metadata: Value = serde_json::from_str(&output(&mut command)?)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let root = |package: &Value, kind: &str, name: Option<&str>| {
        let targets = package["targets"].as_array()?;
        let target = targets.iter().find(|target| {
            target["kind"][0] == kind && name.is_none_or(|name| target["name"] == name)
        })?;
        target["src_path"].as_str().map(PathBuf::from)
    };
    let top = packages.iter().find(|p| p["name"] == package);
    let top = top
        .and_then(|p| root(p, "bin", Some(bin)))
        .context("no binary")?;
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    let dependencies = packages
        .iter()
        .filter_map(|p| p["dependencies"].as_array())
        .flatten();
    for dependency in dependencies.filter(|d| d["path"].is_string() && d["kind"].is_null()) {
        *uses
            .entry(dependency["name"].as_str().unwrap_or_default())
            .or_default() += 1;
    }
    let most = uses
        .iter()
        .max_by_key(|(_, uses)| **uses)
        .map(|(name, _)| *name);
    let base = packages
        .iter()
        .find(|p| Some(p["name"].as_str().unwrap_or_default()) == most);
    let base = base
        .and_then(|p| root(p, "lib", None))
        .unwrap_or_else(|| top.clone());
    Ok((top, base))
}

/// Gives the workspace's own packages another version, as a release does, in manifests and lock file.
fn bump(dir: &Path) -> Result<()> {
    for path in Walk::new(dir) {
        let path = path?;
        if path.file_name().is_none_or(|name| name != "Cargo.toml")
            || path.starts_with(dir.join("target"))
        {
            continue;
        }
        let mut manifest: toml_edit::DocumentMut = fs_err::read_to_string(&path)?.parse()?;
        raise(manifest.get_mut("package"))?;
        let workspace = manifest.get_mut("workspace");
        let workspace = workspace.and_then(Item::as_table_like_mut);
        raise(workspace.and_then(|workspace| workspace.get_mut("package")))?;
        fs_err::write(&path, manifest.to_string())?;
    }
    let mut command = Command::new(env!("CARGO"));
    output(
        command
            .current_dir(dir)
            .args(["update", "--workspace", "--offline", "--quiet"]),
    )
    .map(drop)
}

/// Raises the version in a table `package`, if it stands there.
fn raise(package: Option<&mut Item>) -> Result<()> {
    let version = package
        .and_then(Item::as_table_like_mut)
        .and_then(|package| package.get_mut("version"));
    if let Some(version) = version.filter(|version| version.is_str()) {
        let old: semver::Version = version.as_str().unwrap_or_default().parse()?;
        let new = semver::Version::new(old.major, old.minor, old.patch + 1);
        *version = toml_edit::value(new.to_string());
    }
    Ok(())
}

/// The Dockerfile of cargo-chef's README, with the tool installed from crates.io.
fn chef(builder: &str, bin: &str, runtime: &str) -> String {
    format!(
        "FROM {builder} AS chef\nRUN cargo install cargo-chef --locked\nWORKDIR /app\n\n\
         FROM chef AS planner\nCOPY . .\nRUN cargo chef prepare --recipe-path recipe.json\n\n\
         FROM chef AS builder\nCOPY --from=planner /app/recipe.json recipe.json\n\
         RUN cargo chef cook --release --recipe-path recipe.json\nCOPY . .\n\
         RUN cargo build --release --bin {bin}\n\n\
         FROM {runtime}\nCOPY --from=builder /app/target/release/{bin} /usr/local/bin/\n"
    )
}

fn plain(builder: &str, bin: &str, runtime: &str) -> String {
    format!(
        "FROM {builder} AS builder\nWORKDIR /app\nCOPY . .\nRUN cargo build --release --bin {bin}\n\n\
         FROM {runtime}\nCOPY --from=builder /app/target/release/{bin} /usr/local/bin/\n"
    )
}

/// A binary on ten libraries, which all are built on one.
fn generate(dir: &Path) -> Result<()> {
    let write = |file: &str, text: &str| -> Result<()> {
        let path = dir.join(file);
        fs_err::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        Ok(fs_err::write(path, text)?)
    };
    let member = |i: usize| match i {
        0 => "base".to_owned(),
        _ if i == MEMBERS - 1 => "top".to_owned(),
        _ => format!("part-{i}"),
    };
    for i in 0..MEMBERS {
        let name = member(i);
        let used = if i == MEMBERS - 1 { 0..i } else { 0..i.min(1) };
        let members = used
            .clone()
            .map(|i| format!("{0} = {{ path = \"../{0}\" }}\n", member(i)));
        let dependencies: String = members
            .chain(CRATES.iter().map(|c| format!("{c}\n")))
            .collect();
        write(
            &format!("{name}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n{dependencies}"
            ),
        )?;
        let (file, text) = if i == MEMBERS - 1 {
            let parts: Vec<String> = used.map(|i| member(i).replace('-', "_")).collect();
            ("main.rs", service(&parts))
        } else {
            ("lib.rs", routes(ROUTES / 4, &[]) + ANSWER)
        };
        write(&format!("{name}/src/{file}"), &text)?;
    }
    let members: Vec<String> = (0..MEMBERS).map(member).collect();
    write(
        "Cargo.toml",
        &format!("[workspace]\nresolver = \"2\"\nmembers = {members:?}\n"),
    )?;
    let mut command = Command::new(env!("CARGO"));
    output(command.current_dir(dir).arg("generate-lockfile")).map(drop)
}

/// What each library of the default project holds beside its routes.
const ANSWER: &str = r#"
#[derive(serde::Serialize)]
pub struct Answer<'a> { found: Vec<&'a str> }

pub fn answer(text: &str) -> String {
    let words = regex::Regex::new(r"\w+").unwrap();
    let found = words.find_iter(text).map(|word| word.as_str()).collect();
    serde_json::to_string(&Answer { found }).unwrap()
}
"#;

/// So many routes, each of which calls one of the libraries, or the crate itself.
fn routes(count: usize, parts: &[String]) -> String {
    let handlers = (0..count).map(|i| {
        let part = parts.get(i % parts.len().max(1)).map_or("crate", String::as_str);
        format!(
            "#[derive(serde::Serialize, serde::Deserialize)]\n\
             struct Query{i} {{ text: String, count: Option<u{bits}>, since: chrono::DateTime<chrono::Utc> }}\n\n\
             async fn route_{i}(axum::Json(query): axum::Json<Query{i}>) -> axum::Json<(Query{i}, String)> {{\n    \
             let answer = {part}::answer(&query.text);\n    axum::Json((query, answer))\n}}\n\n",
            bits = [8, 16, 32, 64][i % 4]
        )
    });
    let calls =
        (0..count).map(|i| format!("\n        .route(\"/{i}\", axum::routing::post(route_{i}))"));
    format!(
        "{}pub fn router() -> axum::Router {{\n    axum::Router::new(){}\n}}\n",
        handlers.collect::<String>(),
        calls.collect::<String>()
    )
}

/// A service with routes of its own and those of its libraries.
fn service(parts: &[String]) -> String {
    let nested = parts
        .iter()
        .map(|part| format!("\n        .nest(\"/{part}\", {part}::router())"));
    format!(
        "{}\n#[tokio::main]\nasync fn main() {{\n    let router = router(){};\n    \
         let listener = tokio::net::TcpListener::bind(\"0.0.0.0:8080\").await.unwrap();\n    \
         axum::serve(listener, router).await.unwrap();\n}}\n",
        routes(ROUTES, parts),
        nested.collect::<String>()
    )
}

/// What a command prints. An error holds the end of what it says.
fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let end: Vec<&str> = said.lines().rev().take(20).collect();
    let end: Vec<&str> = end.into_iter().rev().collect();
    ensure!(output.status.success(), "{command:?}: {}", end.join("\n"));
    Ok(String::from_utf8(output.stdout)?)
}
