//! Runs an image as production would: with a read-only root, no capabilities, and no way to get any. What may
//! never happen is that the loader or the engine cannot start it, that a signal kills it, or that it lacks a
//! permission. A server may stay up, and any program may end for want of configuration.

use std::time::Duration;

use anyhow::Result;

use super::ask::{self, Answer};
use super::causes::Causes;
use super::ended::{Ended, command, first_line, printing, verdict, wants_configuration, with_log};
use super::engine::{Container, Engine, Image};
use super::process::Deadline;
use super::report::{Check, Fix, Verdict, What};
use crate::catalog::Stage;
use crate::config::Proof;

/// Who is started and how.
pub(super) struct Start<'a> {
    pub(super) engine: &'a Engine,
    pub(super) image: &'a Image,
    pub(super) causes: &'a Causes<'a>,
    pub(super) proof: &'a Proof,
    /// The ports that the plan exposes.
    pub(super) ports: &'a [u16],
    /// Whether nothing in the program tells it from one that does nothing.
    pub(super) may_be_stub: bool,
}

/// Whether the root can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    ReadOnly,
    Writable,
}

/// How long a program that stays up is watched, unless the configuration says it.
const WATCHED: Duration = Duration::from_secs(4);

/// How long a program may take to answer, unless the configuration says it.
const ANSWERS: Duration = Duration::from_secs(15);

impl Start<'_> {
    /// Runs what the configuration says, else what every program should take.
    pub(super) fn checks(&self) -> Result<Vec<Check>> {
        if self.proof.is_empty() {
            self.as_usual()
        } else {
            self.as_configured()
        }
    }

    /// Runs with `--version`, then `--help`, until one is answered. A server that exposes ports, and a program
    /// that answers neither, are run as they are deployed as well.
    fn as_usual(&self) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        let mut ended = Vec::new();
        let mut silent = 0;
        for args in ["--version", "--help", ""] {
            let is_known = !checks.is_empty();
            let deployed = args.is_empty();
            if is_known && (!deployed || self.ports.is_empty()) {
                continue;
            }
            let words: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
            let name = command(&words);
            let run = self.run(&words, Root::ReadOnly, WATCHED)?;
            if let Some(broken) = self.broken(&name, &run) {
                return Ok(vec![broken]);
            }
            let said = first_line(&run.stdout).or_else(|| first_line(&run.stderr));
            match (run.code, said) {
                (None, _) if deployed && !self.ports.is_empty() => {
                    checks.extend(self.ports_answer()?);
                }
                (None, _) => checks.push(Check::ok(What::Run, format!("{name}: stays up"))),
                (Some(0), Some(line)) => {
                    checks.push(Check::ok(What::Run, format!("{name}: prints `{line}`")));
                }
                (Some(0), None) => silent += 1,
                (Some(code), said) => ended.push((name, code, said)),
            }
        }
        match ended.last() {
            // A server that answers `--version` may still have wanted more to stay up.
            Some(last) if checks.is_empty() || last.0 == command(&[]) => {
                checks.push(wants_configuration(last));
            }
            None if checks.is_empty() => checks.push(self.does_nothing(silent)),
            _ => {}
        }
        Ok(checks)
    }

    /// It ended well however it was started, and never said a word.
    fn does_nothing(&self, runs: usize) -> Check {
        let says = format!("it ends at once and prints nothing, {runs} times out of {runs}");
        if self.may_be_stub {
            Check::failed(
                What::Run,
                format!("{says}, and holds no code of its own: it is a stub"),
            )
            .fix(
                "where this is right, say how to run it in `verify` of the configuration",
                None,
            )
        } else {
            Check::ok(What::Run, says)
        }
    }

    /// Runs with the configuration's arguments and environment, and compares.
    fn as_configured(&self) -> Result<Vec<Check>> {
        let read_only = self.proven(Root::ReadOnly)?;
        if read_only.verdict != Verdict::Failed {
            return Ok(vec![read_only]);
        }
        let writable = self.proven(Root::Writable)?;
        if writable.verdict == Verdict::Failed {
            return Ok(vec![read_only]);
        }
        let says = "it needs a writable root, and does not run with `--read-only`";
        Ok(vec![writable, Check::new(What::Run, Verdict::Note, says)])
    }

    fn proven(&self, root: Root) -> Result<Check> {
        let name = command(&self.proof.args);
        if let Some(port) = self.proof.port {
            return self.answers(&self.proof.args, port, root);
        }
        let run = self.run(&self.proof.args, root, self.limit(ANSWERS))?;
        if let Some(broken) = self.broken(&name, &run) {
            return Ok(broken);
        }
        let expected = self.proof.expect.as_deref().unwrap_or_default();
        let found = run.stdout.contains(expected) || run.stderr.contains(expected);
        Ok(match run.code {
            None if found => {
                Check::ok(What::Run, format!("{name}: stays up{}", printing(expected)))
            }
            Some(0) if found => Check::ok(
                What::Run,
                format!("{name}: ends well{}", printing(expected)),
            ),
            code => {
                let ended = code.map_or("stays up".to_owned(), |code| format!("ends with {code}"));
                let wanted = if found {
                    String::new()
                } else {
                    format!(", and does not print `{expected}`")
                };
                with_log(
                    Check::failed(What::Run, format!("{name}: {ended}{wanted}")),
                    &run,
                )
            }
        })
    }

    /// The exposed ports, of a server that is known to stay up.
    fn ports_answer(&self) -> Result<Vec<Check>> {
        let of_port = |port: &u16| self.answers(&[], *port, Root::ReadOnly);
        self.ports.iter().map(of_port).collect()
    }

    /// Starts a server, and asks it until it answers, ends, or the time is up.
    fn answers(&self, args: &[String], port: u16, root: Root) -> Result<Check> {
        let mut published = false;
        loop {
            let option = format!("--publish=127.0.0.1::{port}");
            let options: &[&str] = if published { &[&option] } else { &[] };
            let container = match self.start(options, args, root)? {
                Ok(container) => container,
                Err(ended) => return Ok(self.unstarted(&command(args), &ended)),
            };
            match self.wait_for_answer(&container, args, port, published)? {
                Some(check) => return Ok(check),
                // The addresses of its network lead nowhere from this machine.
                None => published = true,
            }
        }
    }

    fn wait_for_answer(
        &self,
        container: &Container,
        args: &[String],
        port: u16,
        published: bool,
    ) -> Result<Option<Check>> {
        let name = command(args);
        let deadline = Deadline::after(self.limit(ANSWERS));
        let page = self.proof.http.as_deref();
        let expected = self.proof.expect.as_deref();
        let mut last = Answer::Refused;
        while !deadline.is_over() {
            let (state, addresses) = self.engine.state(container)?;
            if state.status == "exited" {
                let run = self.ended(container, Some(state.exit_code), state.out_of_memory)?;
                let failed = || {
                    let says = format!(
                        "{name}: ends with {}, and answers nothing on port {port}",
                        state.exit_code
                    );
                    with_log(Check::failed(What::Run, says), &run)
                };
                return Ok(Some(self.broken(&name, &run).unwrap_or_else(failed)));
            }
            let address = if published {
                self.engine.published(container, port)?
            } else {
                addresses
                    .first()
                    .map(|address| ask::with_port(address, port))
            };
            last = address.map_or(Answer::Unreachable, |address| {
                ask::ask(&address, page, expected)
            });
            match last {
                Answer::Good(said) => {
                    return Ok(Some(Check::ok(
                        What::Run,
                        format!("{name}: answers on port {port}{said}"),
                    )));
                }
                Answer::Unreachable if !published => return Ok(None),
                Answer::Refused | Answer::Unreachable | Answer::Bad(_) => {
                    self.engine.patience().pause()?;
                }
            }
        }
        let run = self.ended(container, None, false)?;
        let (state, addresses) = self.engine.state(container)?;
        let why = match &last {
            Answer::Bad(says) => says.clone(),
            _ => ask::listening(state.pid, &addresses, port)
                .unwrap_or_else(|| "it does not answer".to_owned()),
        };
        let check = Check::failed(What::Run, format!("{name}: runs, but on port {port} {why}"));
        Ok(Some(with_log(check, &run).fix(
            format!("let it listen on 0.0.0.0:{port}; set `verify.port`, `verify.env` and `verify.timeout` where it needs more"),
            None,
        )))
    }

    fn limit(&self, usual: Duration) -> Duration {
        self.proof.timeout.map_or(usual, Duration::from_secs)
    }

    /// Starts it, and watches it for that long.
    fn run(&self, args: &[String], root: Root, limit: Duration) -> Result<Ended> {
        let container = match self.start(&[], args, root)? {
            Ok(container) => container,
            Err(ended) => return Ok(ended),
        };
        let deadline = Deadline::after(limit);
        loop {
            let (state, _) = self.engine.state(&container)?;
            let exited = matches!(state.status.as_str(), "exited" | "dead" | "stopped");
            if exited || deadline.is_over() {
                let code = exited.then_some(state.exit_code);
                return self.ended(&container, code, state.out_of_memory);
            }
            self.engine.patience().pause()?;
        }
    }

    fn start(
        &self,
        options: &[&str],
        args: &[String],
        root: Root,
    ) -> Result<Result<Container, Ended>> {
        let env = self
            .proof
            .env
            .iter()
            .map(|(name, value)| format!("--env={name}={value}"));
        let env: Vec<String> = env.collect();
        let mut all = vec!["--cap-drop=ALL", "--security-opt=no-new-privileges"];
        if root == Root::ReadOnly {
            // Production mounts it as well.
            all.extend(["--read-only", "--tmpfs=/tmp"]);
        }
        all.extend(env.iter().map(String::as_str));
        all.extend(options);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let started = self.engine.start(self.image, &all, &args)?;
        Ok(started.map_err(|finished| Ended {
            code: finished.status.code(),
            stderr: finished.stderr,
            ..Ended::default()
        }))
    }

    fn ended(
        &self,
        container: &Container,
        code: Option<i32>,
        out_of_memory: bool,
    ) -> Result<Ended> {
        let (stdout, stderr) = self.engine.logs(container)?;
        Ok(Ended {
            code,
            out_of_memory,
            stdout,
            stderr,
        })
    }

    fn unstarted(&self, name: &str, ended: &Ended) -> Check {
        self.broken(name, ended).unwrap_or_else(|| {
            with_log(
                Check::failed(What::Run, format!("{name}: the engine does not start it")),
                ended,
            )
        })
    }

    /// The fault that the run shows, if it is one that may never be.
    fn broken(&self, name: &str, run: &Ended) -> Option<Check> {
        let code = run.code?;
        let said = format!("{}{}", run.stdout, run.stderr);
        let known = self.causes.find(Stage::Run, &said);
        let how = if run.out_of_memory {
            "runs out of memory".to_owned()
        } else {
            verdict(code, &run.stderr, known.is_some())?
        };
        let check = Check::failed(What::Run, format!("{name}: {how}"));
        let mut check = with_log(check, run);
        if let Some(known) = known {
            let Fix { says, change } = known.fix;
            check.says = format!("{}: {}", check.says, known.says);
            check = check.fix(says, change);
        }
        Some(check)
    }
}
