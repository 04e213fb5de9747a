//! The operator as users run it: its own binary, a process of its own.

use std::{net::SocketAddr, path::PathBuf};

use super::{
    ApiUser, Supervised, built, canary,
    eventually::{LONG, eventually},
    http_client, scratch_file,
};

/// How to start an operator; starting the same again is a restart.
#[derive(Clone, Debug)]
pub struct Launch {
    pub program: PathBuf,
    pub user: ApiUser,
    pub operator_namespace: String,
    /// Empty: all.
    pub watch_namespaces: Vec<String>,
    pub more_arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
    log_format: &'static str,
    /// In the Lease: of a restart it is the same, as that of a container in its Pod.
    identity: String,
    /// Takes the place of all flags above.
    verbatim: Option<Vec<String>>,
}

impl Launch {
    pub fn new(user: &ApiUser, operator_namespace: &str) -> Self {
        Self {
            program: built("agent-engine-operator"),
            user: user.clone(),
            operator_namespace: operator_namespace.to_owned(),
            watch_namespaces: Vec::new(),
            more_arguments: Vec::new(),
            environment: Vec::new(),
            log_format: "json",
            identity: "operator".to_owned(),
            verbatim: None,
        }
    }

    #[must_use]
    pub fn watching<'a>(mut self, namespaces: impl IntoIterator<Item = &'a str>) -> Self {
        self.watch_namespaces
            .extend(namespaces.into_iter().map(str::to_owned));
        self
    }

    #[must_use]
    pub fn with<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.more_arguments
            .extend(arguments.into_iter().map(str::to_owned));
        self
    }

    #[must_use]
    pub fn logging(mut self, format: &'static str) -> Self {
        self.log_format = format;
        self
    }

    /// As another Pod beside those of other names.
    #[must_use]
    pub fn named(mut self, identity: &str) -> Self {
        identity.clone_into(&mut self.identity);
        self
    }

    /// With these flags and no others, such as a manifest says.
    #[must_use]
    pub fn saying(mut self, arguments: Vec<String>) -> Self {
        self.verbatim = Some(arguments);
        self
    }

    #[must_use]
    pub fn with_environment(mut self, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(environment);
        self
    }

    /// The Lease that it leads by; none where all flags are given.
    pub fn lease(&self) -> Option<&str> {
        let mut arguments = self.more_arguments.iter();
        let named = arguments.find(|argument| *argument == "--lease-name");
        let name = named.and_then(|_| arguments.next());
        let default = name.map_or("agent-engine-operator", String::as_str);
        self.verbatim.is_none().then_some(default)
    }

    /// The one place that knows the operator's flags.
    fn arguments(&self) -> Vec<String> {
        if let Some(arguments) = &self.verbatim {
            return arguments.clone();
        }
        let mut arguments = [
            "run",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            self.log_format,
            "--lease-identity",
            &self.identity,
            "--operator-namespace",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(self.operator_namespace.clone());
        // The finest log is searched for secrets.
        if !self
            .more_arguments
            .iter()
            .any(|argument| argument == "--log-level")
        {
            arguments.extend(["--log-level", "trace"].map(str::to_owned));
        }
        if !self.watch_namespaces.is_empty() {
            arguments.extend(["--watch-namespaces".to_owned(), self.watch_namespaces.join(",")]);
        }
        arguments.extend(self.more_arguments.iter().cloned());
        arguments
    }
}

pub struct Operator {
    /// Dropped first, while the operator runs.
    canaries: canary::Metrics,
    process: Supervised,
    listener: SocketAddr,
    http: reqwest::Client,
}

impl Operator {
    /// Returns when its listener is open; it may not be ready yet.
    pub async fn start(launch: &Launch) -> Self {
        let mut process = Self::spawn(launch).await;
        let listener = eventually("the operator to say where it listens", LONG, || {
            let (ended, log) = (process.exit_code(), process.log());
            async move {
                if let Some(code) = ended {
                    panic!("the operator ended with {code}:\n{log}");
                }
                listener(&log).ok_or(log)
            }
        })
        .await;
        Self {
            canaries: canary::Metrics(listener),
            process,
            listener,
            http: http_client(),
        }
    }

    /// For an operator that should not get as far as listening.
    pub async fn spawn(launch: &Launch) -> Supervised {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let log = scratch_file(&format!("operator-{}.log", NEXT.fetch_add(1, Ordering::Relaxed)));
        let kubeconfig = launch.user.kubeconfig.display().to_string();
        let environment = launch
            .environment
            .iter()
            .cloned()
            .chain([("KUBECONFIG".to_owned(), kubeconfig)]);
        Supervised::start(
            "the operator",
            &launch.program,
            launch.arguments(),
            environment,
            log,
        )
        .await
        .silent()
    }

    /// SIGKILL to the operator itself; returns when it is gone.
    pub async fn kill(self) {
        self.canaries.search();
        self.process.kill().await;
    }

    /// SIGTERM; returns the exit code.
    pub async fn terminate(self) -> i32 {
        self.canaries.search();
        self.process.terminate().await
    }

    /// The exit code of one that ends by itself.
    pub async fn wait(self) -> i32 {
        self.process.wait().await
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Everything that it has written so far.
    pub fn logs(&self) -> String {
        self.process.log()
    }

    /// Where it writes to, for after its end.
    pub fn log_file(&self) -> PathBuf {
        self.process.log_file()
    }

    pub async fn metrics(&self) -> String {
        self.get("/metrics").await.expect("its metrics")
    }

    /// Waits until `/readyz` says so.
    pub async fn ready(&self) {
        eventually("the operator to be ready", LONG, || async {
            self.get("/readyz").await
        })
        .await;
    }

    /// What `/readyz?verbose` says of one that is ready.
    pub async fn tells(&self) -> String {
        self.get("/readyz?verbose").await.expect("its answer")
    }

    /// What `/readyz` says, ready or not.
    pub async fn waits_for(&self) -> String {
        let url = format!("http://{}/readyz", self.listener);
        let answer = self.http.get(url).send().await.expect("an answer");
        answer.text().await.expect("its text")
    }

    async fn get(&self, path: &str) -> Result<String, reqwest::Error> {
        let answer = self
            .http
            .get(format!("http://{}{path}", self.listener))
            .send()
            .await?
            .error_for_status()?;
        answer.text().await
    }
}

/// From the line that says `listening` with the field `listen`.
/// In a log of either format.
fn listener(log: &str) -> Option<SocketAddr> {
    log.lines().find_map(|line| {
        let said = match serde_json::from_str::<serde_json::Value>(line) {
            Ok(line) => line["fields"]["listen"].as_str().map(str::to_owned),
            Err(_) => line
                .split_whitespace()
                .find_map(|word| word.strip_prefix("listen="))
                .map(str::to_owned),
        };
        said?.parse().ok()
    })
}
