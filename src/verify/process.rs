//! Programs that are run with patience: until they end, the time is up, or the user has had enough. Whatever
//! was started is ended before an error goes up.
#![expect(
    clippy::disallowed_methods,
    reason = "waiting needs a clock, which decides nothing else"
)]

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::shell::Shell;

/// Why a run of the tool was ended before its time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Ctrl-C, or the signal to end.
    #[error("interrupted")]
    Interrupted,
    /// The time limit of the command line.
    #[error("not done within {0} seconds, the limit given")]
    TimeLimit(u64),
}

/// How long to go on.
#[derive(Clone, Debug)]
pub struct Patience {
    interrupted: Arc<AtomicBool>,
    limit: Option<(Deadline, u64)>,
}

/// A moment in the future.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    pub(super) fn is_over(self) -> bool {
        Instant::now() >= self.0
    }
}

/// How often a running program is looked at.
const BEAT: Duration = Duration::from_millis(25);

/// How long a program may take to end by itself after it was asked to.
const FAREWELL: Duration = Duration::from_secs(10);

impl Patience {
    /// Until the limit in seconds, and until Ctrl-C: from here on signals do not end the program, but whatever
    /// it waits for.
    pub fn new(limit: Option<u64>) -> Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let signals = [
            signal_hook::consts::SIGINT,
            signal_hook::consts::SIGTERM,
            #[cfg(unix)]
            signal_hook::consts::SIGHUP,
        ];
        for signal in signals {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))
                .context("failed to listen for signals")?;
        }
        let limit = limit.map(|seconds| (Deadline::after(Duration::from_secs(seconds)), seconds));
        Ok(Self { interrupted, limit })
    }

    /// Without end, for cleaning up.
    fn endless() -> Self {
        Self {
            interrupted: Arc::default(),
            limit: None,
        }
    }

    /// Whether to go on.
    pub(super) fn check(&self) -> Result<(), Stopped> {
        match self.limit {
            _ if self.interrupted.load(Ordering::Relaxed) => Err(Stopped::Interrupted),
            Some((end, seconds)) if end.is_over() => Err(Stopped::TimeLimit(seconds)),
            _ => Ok(()),
        }
    }

    /// A moment.
    pub(super) fn pause(&self) -> Result<(), Stopped> {
        self.check()?;
        thread::sleep(BEAT);
        Ok(())
    }
}

/// What became of a program's errors and progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Kept only.
    Silent,
    /// Kept, and shown as it comes.
    Shown,
    /// Written to the terminal by the program itself; nothing is kept.
    Own,
}

/// A program that has ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// Both, in the order in which they came.
    pub(super) log: String,
}

/// Runs a program to its end, with something to read.
pub(super) fn run(
    mut command: Command,
    stdin: &str,
    progress: Progress,
    patience: &Patience,
) -> Result<Finished> {
    let mut child = start(&mut command, progress)?;
    feed(child.stdin.take(), stdin.to_owned());
    let log = Arc::default();
    let show = progress == Progress::Shown;
    let stdout = child.stdout.take();
    let stdout = stdout.map(|pipe| Reader::new(pipe, show, Arc::clone(&log)));
    let stderr = child.stderr.take();
    let stderr = stderr.map(|pipe| Reader::new(pipe, show, Arc::clone(&log)));
    let status = wait(&mut child, patience)?;
    let text = |reader: Option<Reader>| reader.map(Reader::text).unwrap_or_default();
    Ok(Finished {
        status,
        stdout: text(stdout),
        stderr: text(stderr),
        log: lossy(&log),
    })
}

/// Runs a program whose output is read while it comes, by `read`.
pub(super) fn run_reading<T: Send + 'static>(
    mut command: Command,
    stdin: &str,
    patience: &Patience,
    read: impl FnOnce(&mut dyn Read) -> Result<T> + Send + 'static,
) -> Result<(Finished, Result<T>)> {
    let mut child = start(&mut command, Progress::Silent)?;
    feed(child.stdin.take(), stdin.to_owned());
    let mut pipe = child.stdout.take().context("its output is piped")?;
    let reading = thread::spawn(move || {
        let value = read(&mut pipe);
        // What is left after the end of an archive; else the program could not end.
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        value
    });
    let stderr = child.stderr.take();
    let stderr = stderr.map(|pipe| Reader::new(pipe, false, Arc::default()));
    let status = wait(&mut child, patience)?;
    let stderr = stderr.map(Reader::text).unwrap_or_default();
    let finished = Finished {
        status,
        stdout: String::new(),
        log: stderr.clone(),
        stderr,
    };
    Ok((finished, reading.join().expect("reading does not panic")))
}

/// Runs a program that cleans up: no signal of the terminal reaches it, and no patience ends.
pub(super) fn clean_up(mut command: Command) -> Result<Finished> {
    set_apart(&mut command);
    run(command, "", Progress::Silent, &Patience::endless())
}

/// Has the program run in a group of its own, which signals of the terminal do not reach.
#[cfg(unix)]
fn set_apart(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(windows)]
fn set_apart(command: &mut Command) {
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    std::os::windows::process::CommandExt::creation_flags(command, CREATE_NEW_PROCESS_GROUP);
}

fn start(command: &mut Command, progress: Progress) -> Result<Child> {
    let stderr = match progress {
        Progress::Own => Stdio::inherit(),
        Progress::Silent | Progress::Shown => Stdio::piped(),
    };
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .with_context(|| {
            format!(
                "failed to run `{}`",
                command.get_program().to_string_lossy()
            )
        })
}

/// A program may end without having read it all.
fn feed(pipe: Option<ChildStdin>, text: String) {
    if let Some(mut pipe) = pipe {
        thread::spawn(move || {
            let _ = pipe.write_all(text.as_bytes());
        });
    }
}

fn wait(child: &mut Child, patience: &Patience) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            // The terminal sends Ctrl-C to the program as well, which may be the first to end of it.
            patience.check()?;
            return Ok(status);
        }
        if let Err(stopped) = patience.pause() {
            end(child);
            return Err(stopped.into());
        }
    }
}

/// Asks the program to end, as Ctrl-C does, and then makes it.
fn end(child: &mut Child) {
    ask_to_end(child);
    let deadline = Deadline::after(FAREWELL);
    while !deadline.is_over() {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(BEAT);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(unix)]
fn ask_to_end(child: &Child) {
    let id = i32::try_from(child.id()).ok();
    if let Some(id) = id.and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::INT);
    }
}

/// Windows has no such signal for one program; Ctrl-C itself reaches all of a console.
#[cfg(windows)]
fn ask_to_end(_: &Child) {}

/// Collects what a program prints.
struct Reader {
    text: Text,
    thread: JoinHandle<()>,
}

/// Bytes that come from several threads.
type Text = Arc<Mutex<Vec<u8>>>;

fn lossy(text: &Text) -> String {
    let text = text.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&text).into_owned()
}

impl Reader {
    fn new(mut pipe: impl Read + Send + 'static, show: bool, log: Text) -> Self {
        let text = Text::default();
        let into = [Arc::clone(&text), log];
        let thread = thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                if show {
                    Shell::pass_on(&buffer[..read]);
                }
                for text in &into {
                    let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
                    text.extend_from_slice(&buffer[..read]);
                }
            }
        });
        Self { text, thread }
    }

    fn text(self) -> String {
        let _ = self.thread.join();
        lossy(&self.text)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn what_is_printed_is_kept() {
        let patience = Patience::endless();
        let script = "cat; echo bad >&2; exit 3";
        let finished = run(shell(script), "in", Progress::Silent, &patience).expect("it runs");
        assert_eq!(finished.status.code(), Some(3));
        assert_eq!(
            (finished.stdout.as_str(), finished.stderr.as_str()),
            ("in", "bad\n")
        );
    }

    #[test]
    fn a_program_ends_when_the_time_is_up() {
        let limit = Some((Deadline::after(Duration::from_millis(50)), 1));
        let patience = Patience {
            limit,
            ..Patience::endless()
        };
        let error = run(shell("exec sleep 60"), "", Progress::Silent, &patience).expect_err("slow");
        assert_eq!(
            error.downcast_ref::<Stopped>(),
            Some(&Stopped::TimeLimit(1))
        );
    }
}
