//! What the tool takes beyond the `cargo metadata` that it cannot do without: `cargo bench --bench overhead`.
//!
//! Both are measured in turns on one project, whose dependencies are generated: absolute times differ between
//! machines and hours, their difference hardly does.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark runs programs, looks at the clock, and prints"
)]

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Packages in the graph, the members of the workspace among them.
const PACKAGES: usize = 500;
const MEMBERS: usize = 5;
const ROUNDS: usize = 21;

/// The tool's own share that is acceptable, in milliseconds and megabytes.
const MOST_TIME: f64 = 50.0;
const MOST_MEMORY: u64 = 100;

fn main() -> Result<ExitCode> {
    // `cargo test --benches` only wants to know whether it compiles.
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(ExitCode::SUCCESS);
    }
    let project = tempfile::tempdir()?;
    generate(project.path())?;
    let (mut metadata, mut tool, mut own) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms the caches of the file system.
    for round in 0..=ROUNDS {
        let cargo = time(&mut cargo_metadata(project.path()))?;
        let whole = time(&mut dockerize(project.path()))?;
        if round > 0 {
            metadata.push(cargo);
            tool.push(whole);
            // Of the same moment, so that what else the machine does counts for both.
            own.push(whole - cargo);
        }
    }
    let own = median(own);
    let memory = peak_memory(&mut dockerize(project.path()))?;

    println!("{PACKAGES} packages, median of {ROUNDS} rounds");
    println!("cargo metadata   {:>7.1} ms", median(metadata));
    println!("cargo dockerize  {:>7.1} ms", median(tool));
    println!("own time         {own:>7.1} ms   limit {MOST_TIME} ms");
    println!("own peak memory  {memory:>7} MB   limit {MOST_MEMORY} MB");
    Ok(if own <= MOST_TIME && memory <= MOST_MEMORY {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// As `facts::cargo` calls it.
fn cargo_metadata(project: &Path) -> Command {
    let mut command = command(project, env!("CARGO"));
    command.args([
        "metadata",
        "--format-version=1",
        "--all-features",
        "--color=never",
    ]);
    for libc in ["gnu", "musl"] {
        command.args(["--filter-platform", &format!("x86_64-unknown-linux-{libc}")]);
    }
    command
}

fn dockerize(project: &Path) -> Command {
    let mut command = command(project, env!("CARGO_BIN_EXE_cargo-dockerize"));
    command.args(["dockerize", "--stdout"]);
    command
}

fn command(project: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(project.join("project"))
        .env("CARGO", env!("CARGO"))
        .env("CARGO_HOME", project.join("cargo-home"))
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null());
    command
}

/// The milliseconds that a command takes.
fn time(command: &mut Command) -> Result<f64> {
    let start = Instant::now();
    let output = command.output()?;
    let time = start.elapsed();
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(time.as_secs_f64() * 1e3)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The megabytes that the process itself held at most. What `wait4` tells would include cargo, its child.
fn peak_memory(command: &mut Command) -> Result<u64> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut kilobytes = 0;
    while child.try_wait()?.is_none() {
        let status = fs_err::read_to_string(&status).unwrap_or_default();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
        kilobytes = peak.map_or(Ok(kilobytes), str::parse)?;
        std::thread::sleep(Duration::from_micros(50));
    }
    ensure!(kilobytes > 0, "`/proc` tells nothing of the process");
    Ok(kilobytes / 1024)
}

/// Writes a project whose graph has the size and about the shape of a web service's: each crate is used by an
/// earlier one and a few others, some have features and build scripts, some link libraries, some are macros.
fn generate(root: &Path) -> Result<()> {
    let crates = PACKAGES - MEMBERS;
    for i in 0..crates {
        let name = name(i);
        let dir = root.join("registry").join(&name);
        let mut manifest = package(&name);
        if i % 25 == 7 {
            writeln!(manifest, "links = \"native-{i}\"")?;
        }
        if i % 10 == 3 {
            writeln!(manifest, "\n[lib]\nproc-macro = true")?;
        }
        let optional: Vec<usize> = used_by(i).skip(2).collect();
        writeln!(manifest, "\n[features]\ndefault = [\"std\"]\nstd = []")?;
        let enabled: Vec<String> = optional
            .iter()
            .map(|i| format!("\"dep:{}\"", self::name(*i)))
            .collect();
        writeln!(
            manifest,
            "full = [{}]\n\n[dependencies]",
            enabled.join(", ")
        )?;
        for (nth, used) in used_by(i).enumerate() {
            let optional = nth >= 2;
            writeln!(
                manifest,
                "{} = {{ version = \"1\", optional = {optional} }}",
                self::name(used)
            )?;
        }
        if i % 7 == 0 && i + 1 < crates {
            writeln!(
                manifest,
                "\n[build-dependencies]\n{} = \"1\"",
                self::name(crates - 1)
            )?;
        }
        if i % 25 == 7 || i % 7 == 0 {
            write(&dir.join("build.rs"), "fn main() {}\n")?;
        }
        write(&dir.join("Cargo.toml"), &manifest)?;
        write(&dir.join("src/lib.rs"), "")?;
        write(&dir.join(".cargo-checksum.json"), "{\"files\":{}}")?;
    }
    let members: Vec<String> = (0..MEMBERS).map(|i| format!("member-{i}")).collect();
    for (i, member) in members.iter().enumerate() {
        let dir = root.join("project").join(member);
        let mut manifest = package(member);
        writeln!(manifest, "\n[dependencies]")?;
        for used in (i..40).step_by(MEMBERS) {
            writeln!(
                manifest,
                "{} = {{ version = \"1\", features = [\"full\"] }}",
                name(used)
            )?;
        }
        write(&dir.join("Cargo.toml"), &manifest)?;
        write(&dir.join("src/main.rs"), "fn main() {}\n")?;
    }
    write(
        &root.join("project/Cargo.toml"),
        &format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n"),
    )?;
    let config = "[source.crates-io]\nreplace-with = \"generated\"\n\n[source.generated]\ndirectory = \"registry\"\n";
    write(&root.join("cargo-home/config.toml"), config)?;
    time(command(root, env!("CARGO")).arg("generate-lockfile")).map(drop)
}

/// The crates that a crate depends on: three that nothing before it does, and two farther ones.
fn used_by(i: usize) -> impl Iterator<Item = usize> {
    let next = 40 + 3 * i;
    let far = [next + 17 + i % 5, next + 61 + i % 11];
    (next..next + 3)
        .chain(far)
        .filter(|used| *used < PACKAGES - MEMBERS)
}

fn name(i: usize) -> String {
    format!("crate-{i:03}")
}

fn package(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n")
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs_err::create_dir_all(path.parent().context("a file lies in a folder")?)?;
    Ok(fs_err::write(path, text)?)
}
