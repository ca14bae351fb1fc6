//! The engine, by way of `docker`: builds images, and runs them. Knows nothing of the tool.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use camino::Utf8Path;

/// What `docker build --check` said.
pub(crate) enum Checked {
    /// Nothing.
    Clean,
    /// Its warnings.
    Warned(String),
    /// It could not tell, for want of this base image.
    NoImage(String),
}

/// Whether there is an engine. It is asked once.
pub(crate) fn answers() -> bool {
    static ANSWERS: LazyLock<bool> = LazyLock::new(|| docker(&["version"]).is_ok());
    *ANSWERS
}

/// Asks the engine what it thinks of a Dockerfile, without building it.
pub(crate) fn check(dockerfile: &Utf8Path) -> Result<Checked> {
    let context = dockerfile.parent().context("it is in a folder")?;
    let args = [
        "build",
        "--check",
        "--file",
        dockerfile.as_str(),
        context.as_str(),
    ];
    let (status, stdout, stderr) = finish("", &args)?;
    let missing = stderr.lines().find_map(|line| {
        let (image, _) = line
            .strip_prefix("ERROR: ")?
            .split_once(": failed to resolve source metadata")?;
        Some(image.to_owned())
    });
    Ok(match missing {
        Some(image) => Checked::NoImage(image),
        None if status.success() => Checked::Clean,
        None => Checked::Warned(stdout + &stderr),
    })
}

/// Runs an image that is there, and returns what it printed.
pub(crate) fn run(image: &str, options: &[&str], args: &[&str]) -> Result<String> {
    docker(&[&["run", "--rm"], options, &[image], args].concat())
}

/// Builds a stage. Builds wait for each other: one alone keeps all processors busy.
pub(crate) fn build(context: &Utf8Path, stage: &str) -> Result<Image> {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(build_beside(context, stage)?.image)
}

/// Builds a stage of a Dockerfile that may lie anywhere, with options of `docker build`.
pub(crate) fn build_from(
    context: &Utf8Path,
    dockerfile: &Utf8Path,
    stage: &str,
    options: &[&str],
) -> Result<Built> {
    build_file(context, dockerfile, stage, options)
}

/// Builds a stage whatever else is being built.
pub(crate) fn build_beside(context: &Utf8Path, stage: &str) -> Result<Built> {
    build_file(context, &context.join("Dockerfile"), stage, &[])
}

fn build_file(
    context: &Utf8Path,
    dockerfile: &Utf8Path,
    stage: &str,
    options: &[&str],
) -> Result<Built> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("cargo-dockerize-test:{}-{count}", std::process::id());
    let args = [
        "build",
        "--progress=plain",
        "--target",
        stage,
        "--tag",
        &name,
        "--file",
        dockerfile.as_str(),
        context.as_str(),
    ];
    let log = docker_saying("", &[&args, options].concat())?.1;
    let image = Image { name };
    Ok(Built { image, log })
}

/// An image and what the engine said while it was built.
pub(crate) struct Built {
    pub(crate) image: Image,
    pub(crate) log: String,
}

/// An image, removed when dropped. What its build left in the cache stays.
pub(crate) struct Image {
    name: String,
}

impl Image {
    /// An image that is there, to be removed.
    pub(crate) fn named(name: String) -> Self {
        Self { name }
    }

    /// The commands that its layers were made by.
    pub(crate) fn history(&self) -> Result<String> {
        docker(&[
            "history",
            "--no-trunc",
            "--format={{.CreatedBy}}",
            &self.name,
        ])
    }

    /// A field of its description, as a Go template.
    pub(crate) fn inspect(&self, field: &str) -> Result<String> {
        let value = docker(&["image", "inspect", "--format", field, &self.name])?;
        Ok(value.trim_end().to_owned())
    }

    /// Runs its program to the end, and returns what it printed.
    pub(crate) fn run(&self, options: &[&str], args: &[&str], stdin: &str) -> Result<String> {
        let run: &[&str] = &["run", "--rm", "--interactive"];
        docker_reading(stdin, &[run, options, &[&self.name], args].concat())
    }

    /// An image like this one, in which a text file is changed. The program has no part in it.
    pub(crate) fn with_file(&self, path: &str, change: impl Fn(String) -> String) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("file");
        let file = Utf8Path::from_path(&file).context("no folder")?;
        let id = docker(&["create", &self.name])?;
        let container = Container {
            id: id.trim_end().to_owned(),
        };
        let inside = format!("{}:{path}", container.id);
        docker(&["cp", "--follow-link", &inside, file.as_str()])?;
        fs_err::write(file, change(fs_err::read_to_string(file)?))?;
        docker(&["cp", "--follow-link", file.as_str(), &inside])?;
        let name = format!("{}-changed", self.name);
        docker(&["commit", &container.id, &name])?;
        Ok(Self { name })
    }

    /// Starts its program in the background.
    pub(crate) fn start(&self, options: &[&str], args: &[&str]) -> Result<Container> {
        let run: &[&str] = &["run", "--detach"];
        let id = docker(&[run, options, &[&self.name], args].concat())?;
        let id = id.trim_end().to_owned();
        Ok(Container { id })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = docker(&["image", "rm", "--force", &self.name]);
    }
}

/// A program in the background, ended when dropped.
pub(crate) struct Container {
    id: String,
}

impl Container {
    /// The body that a server answers with. It has 20 seconds to come up.
    pub(crate) fn get(&self, port: u16, path: &str) -> Result<String> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match self.ask(port, path) {
                Ok(response) => return body(&response).map(str::to_owned),
                Err(error) if Instant::now() > deadline => {
                    let (_, stdout, stderr) = finish("", &["logs", &self.id])?;
                    let said = format!("port {port} does not answer:\n{stdout}{stderr}");
                    return Err(error.context(said));
                }
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// Waits until the program has printed this.
    pub(crate) fn has_said(&self, text: &str) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let (_, stdout, stderr) = finish("", &["logs", &self.id])?;
            if stdout.contains(text) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "no {text:?} in {stdout}{stderr}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks the program to end, and returns its exit code: 137 if that took longer than a second.
    pub(crate) fn stop(&self) -> Result<String> {
        docker(&["stop", "--time=1", &self.id])?;
        let code = docker(&["inspect", "--format={{.State.ExitCode}}", &self.id])?;
        Ok(code.trim_end().to_owned())
    }

    /// Its address in the engine's own network.
    pub(crate) fn address(&self) -> Result<Ipv4Addr> {
        let networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address = docker(&["inspect", "--format", networks, &self.id])?;
        Ok(address.trim_end().parse()?)
    }

    fn ask(&self, port: u16, path: &str) -> Result<String> {
        let address = self.address()?;
        let second = Duration::from_secs(1);
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((address, port)), second)?;
        stream.set_read_timeout(Some(second))?;
        // In version 1.0 the end of the connection is the end of the body.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        Ok(response)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", "--volumes", &self.id]);
    }
}

/// The body of an HTTP response that reports success.
fn body(response: &str) -> Result<&str> {
    let (head, body) = response.split_once("\r\n\r\n").context("no HTTP")?;
    let status = head.lines().next().unwrap_or_default();
    ensure!(status.contains(" 200 "), "the server says `{status}`");
    Ok(body)
}

/// Runs `docker` and returns what it printed.
pub(crate) fn docker(args: &[&str]) -> Result<String> {
    docker_reading("", args)
}

fn docker_reading(stdin: &str, args: &[&str]) -> Result<String> {
    Ok(docker_saying(stdin, args)?.0)
}

/// What `docker` printed and said. An error holds the end of it.
fn docker_saying(stdin: &str, args: &[&str]) -> Result<(String, String)> {
    let (status, stdout, stderr) = finish(stdin, args)?;
    if status.success() {
        return Ok((stdout, stderr));
    }
    let log = stdout + &stderr;
    let lines: Vec<&str> = log.lines().collect();
    let end = lines[lines.len().saturating_sub(40)..].join("\n");
    bail!("`docker {}`: {status}\n{end}", args.join(" "))
}

fn finish(stdin: &str, args: &[&str]) -> Result<(ExitStatus, String, String)> {
    let mut child = Command::new("docker")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run `docker`")?;
    // A program may end without having read its input.
    let mut pipe = child.stdin.take().context("its input is piped")?;
    let _ = pipe.write_all(stdin.as_bytes());
    drop(pipe);
    let output = child.wait_with_output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status, text(&output.stdout), text(&output.stderr)))
}
