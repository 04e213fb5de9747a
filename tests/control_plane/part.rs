//! One process of a cluster, with its log.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, anyhow};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

use crate::bound;

/// How much of the log is shown when a process ends by itself.
const SHOWN_LINES: usize = 25;

pub struct Part {
    name: &'static str,
    process: Child,
    log: PathBuf,
}

impl Part {
    /// Starts `program`; its output goes to `<name>.log` in `logs`.
    pub fn start(
        name: &'static str,
        program: &Path,
        arguments: impl IntoIterator<Item = OsString>,
        logs: &Path,
    ) -> anyhow::Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let process = bound::command(program)?
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { name, process, log })
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// None: it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Waits for what should not happen: the process ending by itself.
    pub async fn ended(&mut self) -> anyhow::Error {
        let how = match self.process.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
        anyhow!(
            "{} ended by itself ({how}); the end of its log:\n{last}",
            self.name
        )
    }

    /// The child is not waited for yet, so its id cannot be another's.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = self.process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        kill_process(pid.context("it has ended")?, signal)?;
        Ok(())
    }

    /// Kills it and waits until it is gone. There is nothing in a cluster worth a slower goodbye.
    pub async fn kill(mut self) {
        if let Err(error) = self.process.kill().await {
            eprintln!("cluster: cannot end {}: {error}", self.name);
        }
    }
}
