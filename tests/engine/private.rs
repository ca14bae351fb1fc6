//! Sources that ask for credentials: a registry that wants a token for every download, and repositories over ssh and
//! http. All serve the crate in `ledger`, to which `docker build` is let in by the options that the tool prints.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use snapbox::dir::{DirRoot, Walk};
use tempfile::TempDir;

use crate::ROOT;
use crate::docker::{self, Built, Container};

const TOKEN: &str = "a-token-that-nobody-may-see";

/// What signs the user `ci` in with that for a password.
const PASSWORD_HEADER: &str = "Basic Y2k6YS10b2tlbi10aGF0LW5vYm9keS1tYXktc2Vl";

/// With the token the image builds; on a builder that has built it, also without.
pub(crate) fn a_registry_with_a_token() -> Result<()> {
    let crate_file = packaged()?;
    let index = registry(crate_file)?;
    let project = Project::new(
        "ledger = { version = \"0.1\", registry = \"acme\" }",
        "[registry]\nglobal-credential-providers = [\"cargo:token\"]\n",
    )?;
    let registry = format!("[registries.acme]\nindex = \"{index}\"\n");
    project.write("app/.cargo/config.toml", &registry)?;
    let token = format!("[registries.acme]\ntoken = \"{TOKEN}\"\n");
    project.write("cargo/credentials.toml", &token)?;

    let said = project.dockerize()?;
    let option = "--secret id=cargo-credentials,src=";
    ensure!(said.contains(&format!("{option}$HOME/.cargo/")), "{said}");
    let file = project.path("cargo/credentials.toml");
    let secret = format!("--secret=id=cargo-credentials,src={file}");
    let let_in = ["--network=host", &secret];
    ensure!(project.build(&let_in[..1]).is_err(), "no token was needed");
    for options in [&let_in[..], &let_in[..1], &let_in[..]] {
        let built = project.build(options)?;
        let history = built.image.history()?;
        for text in [&built.log, &history] {
            ensure!(!text.contains(TOKEN), "the token is in {text}");
        }
        let main = project.read("app/src/main.rs")?;
        project.write("app/src/main.rs", &(main + "\n"))?;
    }
    Ok(())
}

/// With the password that git finds in the user's `.netrc`, the image builds.
pub(crate) fn a_repository_with_a_password() -> Result<()> {
    let crate_dir = Utf8Path::new(ROOT).join("tests/engine/ledger");
    let copy = DirRoot::mutable_temp()?.with_template(crate_dir.as_std_path())?;
    let dir = copy.path().and_then(Utf8Path::from_path);
    let dir = dir.context("no folder")?;
    let author = ["-c", "user.name=test", "-c", "user.email=test"];
    for args in [
        &["init", "--quiet"][..],
        &["add", "."],
        &[&author[..], &["commit", "--quiet", "-m", "test"]].concat(),
        // For servers that know nothing of git.
        &["update-server-info"],
    ] {
        output(Command::new("git").args(args).current_dir(dir))?;
    }
    let git_dir = dir.join(".git");
    let mut files = Vec::new();
    for path in Walk::new(git_dir.as_std_path()) {
        let path = path?;
        if path.is_file() {
            let name = path.strip_prefix(&git_dir)?.display().to_string();
            files.push((format!("/ledger/{name}"), fs_err::read(&path)?));
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let host = listener.local_addr()?;
    serve(listener, files, PASSWORD_HEADER);

    let project = Project::new(
        &format!("ledger = {{ git = \"http://ci@{host}/ledger\" }}"),
        "[net]\ngit-fetch-with-cli = true\n",
    )?;
    let with_password =
        format!("[url \"http://ci:{TOKEN}@{host}/\"]\ninsteadOf = http://ci@{host}/\n");
    project.write("gitconfig", &with_password)?;
    let netrc = format!("machine {} login ci password {TOKEN}\n", host.ip());
    project.write("netrc", &netrc)?;

    let gitconfig = project.path("gitconfig");
    let said = project.dockerize_with("GIT_CONFIG_GLOBAL", gitconfig.as_str())?;
    let option = "--secret id=netrc,src=$HOME/.netrc";
    ensure!(said.contains(option), "{said}");
    let secret = format!("--secret=id=netrc,src={}", project.path("netrc"));
    let let_in = ["--network=host", &secret];
    ensure!(
        project.build(&let_in[..1]).is_err(),
        "no password was needed"
    );
    let built = project.build(&let_in)?;
    for text in [&built.log, &built.image.history()?] {
        ensure!(!text.contains(TOKEN), "the password is in {text}");
    }
    Ok(())
}

/// With the agent, and the keys of a host that cargo does not know by itself, the image builds.
pub(crate) fn a_repository_over_ssh() -> Result<()> {
    let crate_dir = Utf8Path::new(ROOT).join("tests/engine/ledger");
    let server = docker::build(&crate_dir, "server")?;
    let keys = tempfile::tempdir()?;
    let agent = Agent::new(&keys)?;
    let server = server.start(&["--env", &format!("KEY={}", agent.key)], &[])?;
    let known_hosts = known_hosts(&server)?;
    let quoted = known_hosts.lines().map(|line| format!("\"{line}\","));
    let project = Project::new(
        &format!(
            "ledger = {{ git = \"ssh://git@{}:2222/home/git/ledger\" }}",
            server.address()?
        ),
        &format!(
            "[net.ssh]\nknown-hosts = [{}]\n",
            quoted.collect::<String>()
        ),
    )?;
    project.write("known_hosts", &known_hosts)?;

    let said = project.dockerize_with("SSH_AUTH_SOCK", agent.socket.as_str())?;
    let options = "--ssh default --secret id=known-hosts,src=$HOME/.ssh/known_hosts";
    ensure!(said.contains(options), "{said}");
    let hosts = format!(
        "--secret=id=known-hosts,src={}",
        project.path("known_hosts")
    );
    project.build(&[&format!("--ssh=default={}", agent.socket), &hosts])?;
    Ok(())
}

/// A program that prints what the private crate holds, and a home for cargo, which is not the user's.
struct Project {
    folder: TempDir,
}

impl Project {
    fn new(dependency: &str, cargo_config: &str) -> Result<Self> {
        let project = Self {
            folder: tempfile::tempdir()?,
        };
        let manifest = format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n{dependency}\n"
        );
        project.write("app/Cargo.toml", &manifest)?;
        let main = "fn main() {\n    println!(\"{}\", ledger::TEXT);\n}\n";
        project.write("app/src/main.rs", main)?;
        project.write("cargo/config.toml", cargo_config)?;
        Ok(project)
    }

    fn path(&self, file: &str) -> Utf8PathBuf {
        let folder = Utf8Path::from_path(self.folder.path());
        folder
            .expect("temporary folders have plain names")
            .join(file)
    }

    fn read(&self, file: &str) -> Result<String> {
        Ok(fs_err::read_to_string(self.path(file))?)
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.path(file);
        fs_err::create_dir_all(path.parent().context("a file is in a folder")?)?;
        Ok(fs_err::write(path, text)?)
    }

    fn dockerize(&self) -> Result<String> {
        self.dockerize_with("CARGO_TERM_COLOR", "never")
    }

    /// Locks the dependencies, writes the files, and returns what the tool says, with a variable set.
    fn dockerize_with(&self, name: &str, value: &str) -> Result<String> {
        let run = |program: &str, args: &[&str]| {
            let mut command = Command::new(program);
            command.args(args).current_dir(self.path("app"));
            command
                .env("CARGO_HOME", self.path("cargo"))
                .env(name, value);
            output(&mut command)
        };
        run("cargo", &["generate-lockfile"])?;
        run(env!("CARGO_BIN_EXE_cargo-dockerize"), &["dockerize"])
    }

    /// Builds the image, which prints what it should.
    fn build(&self, options: &[&str]) -> Result<Built> {
        let app = self.path("app");
        let built = docker::build_from(&app, &app.join("Dockerfile"), "app", options)?;
        let printed = built.image.run(&[], &[], "")?;
        ensure!(printed == "a private ledger\n", "it prints {printed:?}");
        Ok(built)
    }
}

/// The crate as registries have it.
fn packaged() -> Result<Vec<u8>> {
    let crate_dir = Utf8Path::new(ROOT).join("tests/engine/ledger");
    let copy = DirRoot::mutable_temp()?.with_template(crate_dir.as_std_path())?;
    let dir = copy.path().context("no folder")?;
    let mut package = Command::new("cargo");
    package.args(["package", "--no-verify", "--allow-dirty"]);
    output(package.current_dir(dir).env_remove("CARGO_TARGET_DIR"))?;
    Ok(fs_err::read(dir.join("target/package/ledger-0.1.0.crate"))?)
}

/// Serves a sparse registry with this one crate, for as long as the tests run, and returns its address.
fn registry(crate_file: Vec<u8>) -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let mut sum = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    sum.stdin
        .take()
        .context("it is piped")?
        .write_all(&crate_file)?;
    let sum = String::from_utf8(sum.wait_with_output()?.stdout)?;
    let sum = sum.split(' ').next().unwrap_or_default().to_owned();
    let config = format!("{{\"dl\":\"http://{address}/dl\",\"auth-required\":true}}");
    let version = format!(
        "{{\"name\":\"ledger\",\"vers\":\"0.1.0\",\"deps\":[],\"cksum\":\"{sum}\",\"features\":{{}},\"yanked\":false}}\n"
    );
    let files = vec![
        ("/config.json".to_owned(), config.into_bytes()),
        ("/le/dg/ledger".to_owned(), version.into_bytes()),
        ("/dl/ledger/0.1.0/download".to_owned(), crate_file),
    ];
    serve(listener, files, TOKEN);
    Ok(format!("sparse+http://{address}/"))
}

/// Serves files, by their paths, to those who send the credentials, for as long as the tests run.
fn serve(listener: TcpListener, files: Vec<(String, Vec<u8>)>, credentials: &'static str) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever asks and does not wait for the answer has no need of it.
            let _ = answer(stream, &files, credentials);
        }
    });
}

fn answer(mut stream: TcpStream, files: &[(String, Vec<u8>)], credentials: &str) -> Result<()> {
    let head: Vec<String> = BufReader::new(&stream)
        .lines()
        .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        .collect::<Result<_, _>>()?;
    let path = head
        .first()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap_or_default();
    let allowed = head.iter().any(|line| {
        let header = line.split_once(": ");
        header.is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("authorization") && value == credentials
        })
    });
    let path = path.split('?').next().unwrap_or_default();
    let found = files.iter().find(|(name, _)| name == path);
    let (status, body): (&str, &[u8]) = match found {
        _ if !allowed => ("401 Unauthorized", b""),
        None => ("404 Not Found", b""),
        Some((_, body)) => ("200 OK", body),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nWWW-Authenticate: Basic\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    Ok(stream.write_all(body)?)
}

/// An ssh agent with a key of its own.
struct Agent {
    process: Child,
    socket: Utf8PathBuf,
    /// The public half of the key.
    key: String,
}

impl Agent {
    fn new(folder: &TempDir) -> Result<Self> {
        let folder = Utf8Path::from_path(folder.path()).context("no folder")?;
        let (key, socket) = (folder.join("key"), folder.join("agent"));
        let options = ["-q", "-t", "ed25519", "-N", "", "-f", key.as_str()];
        output(Command::new("ssh-keygen").args(options))?;
        let mut start = Command::new("ssh-agent");
        start
            .args(["-D", "-a", socket.as_str()])
            .stdout(Stdio::null());
        let agent = Self {
            process: start.spawn().context("cannot run `ssh-agent`")?,
            key: fs_err::read_to_string(format!("{key}.pub"))?
                .trim_end()
                .to_owned(),
            socket,
        };
        until(|| {
            let mut add = Command::new("ssh-add");
            output(add.arg(&key).env("SSH_AUTH_SOCK", &agent.socket))
        })?;
        Ok(agent)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The keys of the server, once it is up.
fn known_hosts(server: &Container) -> Result<String> {
    let address = server.address()?.to_string();
    until(|| {
        let scan = ["-p", "2222", &address];
        let keys = Command::new("ssh-keyscan").args(scan).output()?.stdout;
        let keys = String::from_utf8(keys)?;
        ensure!(!keys.is_empty(), "the server has no keys");
        Ok(keys)
    })
}

/// Tries again, for 20 seconds.
fn until<T>(attempt: impl Fn() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match attempt() {
            Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(100)),
            result => return result,
        }
    }
}

/// What a program says, if it succeeds.
fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.success(),
        "{command:?}: {}\n{said}",
        output.status
    );
    Ok(said)
}
