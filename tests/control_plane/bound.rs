//! Becomes a command that dies with its parent, also when the parent is killed without a word (Linux only;
//! elsewhere a killed supervisor leaves its children behind).

use std::{ffi::OsString, os::unix::process::CommandExt, path::Path, process::ExitCode};

use anyhow::Context;

#[derive(clap::Args)]
pub struct Options {
    /// The parent's process id, to notice that it went before we asked the kernel.
    #[arg(long)]
    parent: u32,
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// A command that runs `program` bound to this process.
pub fn command(program: &Path) -> anyhow::Result<tokio::process::Command> {
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    command
        .args(["bound", "--parent", &std::process::id().to_string(), "--"])
        .arg(program)
        .kill_on_drop(true);
    Ok(command)
}

/// Never returns but to say why not.
pub fn become_command(options: &Options) -> anyhow::Result<ExitCode> {
    let (program, arguments) = options.command.split_first().context("no command given")?;
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    anyhow::ensure!(
        std::os::unix::process::parent_id() == options.parent,
        "the parent is gone already"
    );
    let error = std::process::Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}
