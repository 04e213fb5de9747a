//! What the demo plays on: a control plane, the emulator, the operator's binary, and looks at all three.

use std::fmt::Write;

use agent_engine_operator::crd::{Organization, Workspace};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::Value;

use crate::support::{Cluster, Emulator, LONG, Launch, Operator, eventually, is_ready, text};

/// The operator's own namespace: Organizations, and the Secrets with their credentials.
pub const HOME: &str = "agent-engine-operator";
/// A tenant's namespace.
pub const TENANT: &str = "team-a";
/// Life of scoped tokens; 20 minutes at the real API, which is longer than anybody watches a demo.
const TOKEN_LIFE_S: &str = "60";
const LAST_LINES: usize = 20;

pub struct Stage {
    pub cluster: Cluster,
    pub client: kube::Client,
    pub emulator: Emulator,
    pub http: reqwest::Client,
    launch: Launch,
    /// Absent after it was killed.
    operator: Option<Operator>,
}

/// A token Secret's content. Not `Debug`: the token is shown to nobody.
pub struct Token {
    pub token: String,
    pub workspace_id: String,
    pub expires_at: jiff::Timestamp,
}

impl Stage {
    pub async fn set() -> Self {
        let cluster = Cluster::start(&["--lean"]);
        let client = cluster.client().await;
        let emulator = Emulator::start(&["--scoped-token-ttl", TOKEN_LIFE_S]).await;
        for namespace in [HOME, TENANT] {
            cluster
                .kubectl(["create", "namespace", namespace])
                .await
                .success();
        }
        let launch = Launch::new(&cluster.operator_user().await, HOME);
        if let Some(lease) = launch.lease() {
            cluster.release_lease(HOME, lease).await;
        }
        assert!(
            launch.program.is_file(),
            "{} is missing: run `cargo build --bins --all-features`, or `make demo`, which does",
            launch.program.display()
        );
        let mut stage = Self {
            cluster,
            client,
            emulator,
            http: crate::support::http_client(),
            launch,
            operator: None,
        };
        stage.start_operator().await;
        stage
    }

    pub async fn introduction(&self) -> String {
        let version = self
            .client
            .apiserver_version()
            .await
            .expect("the API server's version");
        format!(
            "  Kubernetes API server   {} ({})\n  Agent Engine, emulated  {} (tokens live {TOKEN_LIFE_S} s instead of 20 min)\n  operator                {}",
            self.cluster.api_url(),
            version.git_version,
            self.emulator.url(),
            self.launch.program.display(),
        )
    }

    /// Returns when it is ready.
    pub async fn start_operator(&mut self) {
        let operator = Operator::start(&self.launch).await;
        operator.ready().await;
        self.operator = Some(operator);
    }

    /// SIGKILL; returns its process id when it is gone.
    pub async fn kill_operator(&mut self) -> u32 {
        let operator = self.operator.take().expect("a running operator");
        let pid = operator.pid();
        operator.kill().await;
        pid
    }

    /// The end of the operator's log, in a form for people.
    pub fn last_words(&self) -> String {
        let Some(operator) = &self.operator else {
            return "The operator is not running at this moment of the story.".to_owned();
        };
        let logs = operator.logs();
        let lines: Vec<_> = logs.lines().collect();
        let mut words = "The operator's last words:".to_owned();
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            write!(words, "\n  {line}").expect("a string takes all");
        }
        words
    }

    pub fn how_to_reach(&self) -> String {
        let kubectl = self.cluster.kubectl_program();
        format!(
            "All of it goes on running. In another terminal:\n\n  export KUBECONFIG={}\n  export PATH={}:$PATH\n  \
             kubectl get workspaces,organizations --all-namespaces\n  curl -s {}/_emulator/state   # docs/emulator.md has more\n\n\
             Press Ctrl-C here to end everything and clean up.",
            self.cluster.kubeconfig().display(),
            kubectl.parent().expect("its folder").display(),
            self.emulator.url(),
        )
    }

    pub async fn end(self) {
        if let Some(operator) = self.operator {
            operator.terminate().await;
        }
        self.emulator.terminate().await;
        // Returns when its processes are gone.
        drop(self.cluster);
    }

    pub async fn workspace(&self, name: &str) -> Workspace {
        let api = Api::<Workspace>::namespaced(self.client.clone(), TENANT);
        api.get(name).await.expect("the Workspace")
    }

    /// Waits until the API server shows it Ready as it is declared now.
    pub async fn ready(&self, name: &str) -> Workspace {
        eventually(&format!("Workspace {name} to be Ready"), LONG, || async {
            let workspace = self.workspace(name).await;
            if is_ready(&workspace) {
                Ok(workspace)
            } else {
                Err(format!("{:#?}", workspace.status))
            }
        })
        .await
    }

    pub fn organizations(&self) -> Api<Organization> {
        Api::namespaced(self.client.clone(), HOME)
    }

    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), TENANT)
    }

    pub async fn token(&self, workspace: &str) -> Token {
        let secret = self
            .secrets()
            .get(&format!("{workspace}-token"))
            .await
            .expect("the token Secret");
        Token {
            token: text(&secret, "token"),
            workspace_id: text(&secret, "workspace_id"),
            expires_at: text(&secret, "expires_at").parse().expect("a time"),
        }
    }

    /// Everything that Agent Engine has, deleted workspaces too.
    pub async fn all_remote(&self) -> Vec<Value> {
        let mut state = self.emulator.state().await;
        let rows = state["organizations"][0]["workspaces"].take();
        serde_json::from_value(rows).expect("workspaces")
    }

    /// The living workspaces at Agent Engine that have this name.
    pub async fn remote_named(&self, name: &str) -> Vec<Value> {
        let mut all = self.all_remote().await;
        all.retain(|row| row["name"] == name && row["tombstone"] == false);
        all
    }

    pub async fn remote(&self, id: &str) -> Value {
        let all = self.all_remote().await;
        all.into_iter()
            .find(|row| row["id"] == id)
            .expect("a workspace of that id at Agent Engine")
    }
}
