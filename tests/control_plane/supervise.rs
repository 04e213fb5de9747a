//! Runs one command and makes sure that it does not outlive the caller.

use std::{
    ffi::OsString,
    fs::File,
    io::Write,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitCode, ExitStatus, Stdio},
};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

use crate::{
    bound,
    end::{Caller, Word},
};

#[derive(clap::Args)]
pub struct Options {
    /// Append the command's output to this file, instead of passing it on.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

pub async fn supervise(options: Options) -> anyhow::Result<ExitCode> {
    let mut caller = Caller::listen()?;
    let mut child = start(&options)?;
    let pid = child.id().context("the command has no process id")?;
    // A caller that is gone already shows as the end of standard input.
    writeln!(std::io::stdout(), "{pid}").ok();
    loop {
        tokio::select! {
            status = child.wait() => return Ok(exit_code(status?)),
            word = caller.next() => match word {
                Word::Line(line) => send(&child, &line)?,
                Word::End(_) => child.start_kill()?,
            },
        }
    }
}

fn start(options: &Options) -> anyhow::Result<Child> {
    let (program, arguments) = options.command.split_first().context("no command given")?;
    let mut command = bound::command(Path::new(program))?;
    command.args(arguments).stdin(Stdio::null());
    if let Some(log) = &options.log {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        command.stdout(file.try_clone()?).stderr(file);
    }
    command
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
}

/// The child is not waited for yet, so its id cannot be another's.
fn send(child: &Child, word: &str) -> anyhow::Result<()> {
    let signal = match word.trim() {
        "TERM" => Signal::TERM,
        "KILL" => Signal::KILL,
        other => anyhow::bail!("standard input takes TERM and KILL, not {other:?}"),
    };
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        kill_process(pid, signal)?;
    }
    Ok(())
}

/// As a shell tells it: a command ended by signal n ends with 128 + n.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
