//! A process that cannot outlive its test: `cluster supervise` holds it and watches a pipe that the kernel
//! closes with the test.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use super::{canary, cluster_program};

/// A signalled process is gone by then or it hangs.
const END_DEADLINE: Duration = Duration::from_secs(60);

pub struct Supervised {
    name: &'static str,
    supervisor: Child,
    /// Dropped with this value, which kills the process.
    words: ChildStdin,
    pid: u32,
    log: PathBuf,
    /// The log of an operator is searched for secrets when all is over.
    _searched: Option<canary::Log>,
}

impl Supervised {
    /// Runs `program`, with standard output and standard error appended to `log`.
    pub async fn start(
        name: &'static str,
        program: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        environment: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
        log: PathBuf,
    ) -> Self {
        let mut supervisor = Command::new(cluster_program())
            .args(["supervise", "--log"])
            .arg(&log)
            .arg("--")
            .arg(program)
            .args(arguments)
            // Whoever runs the tests may sit behind a proxy; loopback does not.
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("no_proxy", "127.0.0.1,localhost")
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the supervisor starts");
        let words = supervisor.stdin.take().expect("its standard input");
        let mut first_line = String::new();
        BufReader::new(supervisor.stdout.take().expect("its standard output"))
            .read_line(&mut first_line)
            .await
            .expect("the process id");
        let pid = first_line
            .trim()
            .parse()
            .unwrap_or_else(|_| panic!("{name} did not start"));
        Self {
            name,
            supervisor,
            words,
            pid,
            log,
            _searched: None,
        }
    }

    /// May show no secret.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self._searched = Some(canary::Log(self.log.clone()));
        self
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Everything that it has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Stays when the process has ended.
    pub fn log_file(&self) -> PathBuf {
        self.log.clone()
    }

    /// The exit code if it has ended: 128 + n after signal n.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.supervisor
            .try_wait()
            .expect("the supervisor's state")
            .map(|status| status.code().unwrap_or(-1))
    }

    /// SIGKILL; returns when the process is gone.
    pub async fn kill(self) {
        self.end_by("KILL").await;
    }

    /// SIGTERM; returns the exit code when the process has ended.
    pub async fn terminate(self) -> i32 {
        self.end_by("TERM").await
    }

    /// The exit code of a process that ends by itself.
    pub async fn wait(mut self) -> i32 {
        let status = timeout(END_DEADLINE, self.supervisor.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("{} runs on; its log:\n{}", self.name, self.log()));
        status.expect("the supervisor's state").code().unwrap_or(-1)
    }

    async fn end_by(mut self, word: &str) -> i32 {
        // A process that has ended already cannot be told, and need not be.
        self.words.write_all(format!("{word}\n").as_bytes()).await.ok();
        self.wait().await
    }
}
