//! Real clusters. One is shared by the stories, kept apart by namespaces and API users of their own; a story that
//! changes what is one for the whole cluster has another.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{ChildStdout, Command, Stdio},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use agent_engine_operator::clock::Clock;
use k8s_openapi::{
    api::{
        coordination::v1::{Lease, LeaseSpec},
        core::v1::Namespace,
        rbac::v1::{ClusterRoleBinding, RoleRef, Subject},
    },
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client, Config, ResourceExt,
    api::{ObjectMeta, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    sync::{Mutex, MutexGuard},
};

use super::{Audit, cluster_program, ready::Ready, scratch_file};

/// The cluster that stories share, started when first asked for. Whoever changes definitions, or starts an operator that
/// watches all namespaces, takes another.
pub fn cluster() -> &'static Arc<Cluster> {
    static CLUSTER: LazyLock<Arc<Cluster>> = LazyLock::new(|| Arc::new(Cluster::start(&[])));
    &CLUSTER
}

/// Taken by whoever starts a cluster for one story, so that a machine with many cores does not start many.
pub async fn one_more_cluster() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    ONE_AT_A_TIME.lock().await
}

/// Ends when it is dropped, at the latest with this process.
pub struct Cluster {
    ready: Ready,
    next_user: AtomicUsize,
    /// Its standard input closes when this process ends in whatever way, and then it ends the cluster. None: the cluster is
    /// somebody else's.
    holder: Option<std::sync::Mutex<(std::process::Child, BufReader<ChildStdout>)>>,
    _turn: Option<MutexGuard<'static, ()>>,
}

/// A user of the API, so that the audit log tells its requests from all others.
#[derive(Clone, Debug)]
pub struct ApiUser {
    pub name: String,
    pub kubeconfig: PathBuf,
}

/// What a command-line program said.
#[derive(Debug)]
pub struct Said {
    pub succeeded: bool,
    pub out: String,
    pub err: String,
}

impl Cluster {
    /// One for a single story.
    pub async fn alone() -> Arc<Self> {
        let turn = one_more_cluster().await;
        let mut cluster = Self::start(&[]);
        cluster._turn = Some(turn);
        Arc::new(cluster)
    }

    /// `flags` are those of `cluster up`.
    pub fn start(flags: &[&str]) -> Self {
        let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
        Self::bare(["--crds", crds].into_iter().chain(flags.iter().copied()))
    }

    /// The same without our definitions, as before an installation.
    pub fn bare(flags: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let mut up = Command::new(cluster_program());
        up.args(["up", "--json"])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut holder = up.spawn().expect("the cluster program starts");
        let mut line = String::new();
        let mut said = BufReader::new(holder.stdout.take().expect("its standard output"));
        said.read_line(&mut line).expect("a line of the cluster program");
        let ready = serde_json::from_str(&line).expect("a cluster; what went wrong is said above");
        Self {
            ready,
            next_user: AtomicUsize::new(0),
            holder: Some(std::sync::Mutex::new((holder, said))),
            _turn: None,
        }
    }

    /// A cluster that runs already, for an administrator with this kubeconfig. It has no users for tests and no audit log.
    #[allow(dead_code, reason = "stories on an API server have clusters of their own")]
    pub fn given(kubeconfig: &Path) -> Self {
        let tools = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/build"))
            .args(["kubectl", "helm"])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .expect("tools/build runs");
        let tools = String::from_utf8(tools.stdout).expect("text");
        let tool = |name: &str| {
            let mut lines = tools.lines().filter_map(|line| line.split_once(' '));
            let line = lines.find(|(tool, _)| *tool == name);
            PathBuf::from(line.expect("tools/build names it").1)
        };
        let dir = scratch_file("home").with_file_name("");
        Self {
            ready: Ready {
                kubeconfig: kubeconfig.to_owned(),
                api_url: String::new(),
                ca_file: PathBuf::new(),
                audit_log: PathBuf::new(),
                users_dir: PathBuf::new(),
                users: 0,
                kubectl: tool("kubectl"),
                helm: tool("helm"),
                dir,
            },
            next_user: AtomicUsize::new(0),
            holder: None,
            _turn: None,
        }
    }

    /// As an administrator. One for each test: a client belongs to the runtime that made it.
    pub async fn client(&self) -> Client {
        client(&self.ready.kubeconfig).await
    }

    /// Copies the cluster's storage, as a backup would.
    pub fn save(&self) {
        self.order("save");
    }

    /// Puts the saved storage in the place of the present one, and starts the API server again.
    pub fn restore(&self) {
        self.order("restore");
    }

    /// Stops the API server where it is: its connections stay open, and none is answered.
    pub fn freeze(&self) {
        self.order("freeze");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.order("thaw");
    }

    fn order(&self, word: &str) {
        let holder = self.holder.as_ref().expect("a cluster of our own");
        let (holder, said) = &mut *holder.lock().expect("no test panicked with it");
        let stdin = holder.stdin.as_mut().expect("its standard input");
        writeln!(stdin, "{word}").expect("the cluster program listens");
        let mut line = String::new();
        said.read_line(&mut line).expect("a line of the cluster program");
        assert_eq!(line.trim(), word);
    }

    pub fn kubeconfig(&self) -> &Path {
        &self.ready.kubeconfig
    }

    pub fn kubectl_program(&self) -> &Path {
        &self.ready.kubectl
    }

    pub fn api_url(&self) -> &str {
        &self.ready.api_url
    }

    /// A new namespace whose name begins with `prefix`.
    pub async fn namespace(&self, prefix: &str) -> String {
        let api = Api::<Namespace>::all(self.client().await);
        let metadata = ObjectMeta {
            generate_name: Some(format!("{prefix}-")),
            ..ObjectMeta::default()
        };
        let namespace = Namespace {
            metadata,
            ..Namespace::default()
        };
        api.create(&PostParams::default(), &namespace)
            .await
            .expect("a new namespace")
            .name_any()
    }

    /// Has the Lease of that name be a released one, unless it is there: the next operator leads at once, as after a clean stop. One
    /// that finds none waits for as long as the Lease of one before could last.
    pub async fn release_lease(&self, namespace: &str, name: &str) {
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                renew_time: Some(MicroTime(Clock::system().now())),
                ..LeaseSpec::default()
            }),
        };
        let leases = Api::<Lease>::namespaced(self.client().await, namespace);
        match leases.create(&PostParams::default(), &lease).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => panic!("no Lease could be made: {error}"),
        }
    }

    /// A user that no other test has, who may do nothing yet.
    pub fn api_user(&self) -> ApiUser {
        let number = self.next_user.fetch_add(1, Ordering::Relaxed);
        assert!(
            number < self.ready.users,
            "the stories on one cluster need more than {} users",
            self.ready.users
        );
        let name = format!("user-{number:03}");
        let kubeconfig = self.ready.users_dir.join(format!("{name}.kubeconfig"));
        ApiUser { name, kubeconfig }
    }

    /// A user that no other test has, who may do everything.
    pub async fn operator_user(&self) -> ApiUser {
        let user = self.api_user();
        let binding = ClusterRoleBinding {
            metadata: ObjectMeta {
                name: Some(user.name.clone()),
                ..ObjectMeta::default()
            },
            role_ref: RoleRef {
                api_group: "rbac.authorization.k8s.io".into(),
                kind: "ClusterRole".into(),
                name: "cluster-admin".into(),
            },
            subjects: Some(vec![Subject {
                kind: "User".into(),
                name: user.name.clone(),
                ..Subject::default()
            }]),
        };
        let api = Api::<ClusterRoleBinding>::all(self.client().await);
        api.create(&PostParams::default(), &binding)
            .await
            .expect("a new binding");
        user
    }

    /// A ServiceAccount, by a token as its Pod would get one.
    pub async fn service_account(&self, namespace: &str, name: &str) -> ApiUser {
        let token = self
            .kubectl(["create", "token", name, "--namespace", namespace, "--duration=1h"])
            .await
            .success();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "pod",
            "clusters": [{"name": "cluster", "cluster": {
                "server": self.ready.api_url, "certificate-authority": self.ready.ca_file,
            }}],
            "users": [{"name": "pod", "user": {"token": token.trim()}}],
            "contexts": [{"name": "pod", "context": {"cluster": "cluster", "user": "pod"}}],
        });
        let kubeconfig = scratch_file(&format!("{namespace}-{name}.kubeconfig"));
        std::fs::write(&kubeconfig, config.to_string()).expect("a kubeconfig is written");
        ApiUser {
            name: format!("system:serviceaccount:{namespace}:{name}"),
            kubeconfig,
        }
    }

    /// Counts what `user` asks of the API server from now on.
    pub async fn audit(&self, user: &ApiUser) -> Audit {
        Audit::from_now(
            self.ready.audit_log.clone(),
            user.name.clone(),
            self.client().await,
        )
        .await
    }

    /// As an administrator.
    pub async fn kubectl(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Said {
        self.run(&self.ready.kubectl, arguments, "").await
    }

    /// `kubectl apply` of these manifests, into `namespace` where they name none.
    pub async fn apply(&self, namespace: &str, manifests: &str) -> Said {
        self.run(
            &self.ready.kubectl,
            ["apply", "--namespace", namespace, "-f", "-"],
            manifests,
        )
        .await
    }

    /// As an administrator.
    pub async fn helm(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Said {
        self.run(&self.ready.helm, arguments, "").await
    }

    async fn run(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: &str,
    ) -> Said {
        let mut child = tokio::process::Command::new(program)
            .args(arguments)
            .env("KUBECONFIG", &self.ready.kubeconfig)
            // Caches and settings of the person who runs the tests stay out of it, and whole.
            .env("HOME", &self.ready.dir)
            // No cluster of a test is behind a proxy.
            .env("NO_PROXY", "*")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("its standard input");
        stdin
            .write_all(input.as_bytes())
            .await
            .expect("it reads its input");
        drop(stdin);
        let output = child.wait_with_output().await.expect("its output");
        Said {
            succeeded: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Drop for Cluster {
    /// Returns when its processes are gone.
    fn drop(&mut self) {
        if let Some(holder) = &mut self.holder {
            let (holder, _) = holder.get_mut().expect("no test panicked with it");
            drop(holder.stdin.take());
            holder.wait().expect("the cluster program's state");
        }
    }
}

impl ApiUser {
    pub async fn client(&self) -> Client {
        client(&self.kubeconfig).await
    }
}

impl Said {
    /// Its standard output, if it succeeded.
    #[track_caller]
    pub fn success(self) -> String {
        assert!(self.succeeded, "it failed:\n{}{}", self.out, self.err);
        self.out
    }

    /// Its standard error, if it failed.
    #[track_caller]
    pub fn refusal(self) -> String {
        assert!(!self.succeeded, "it was accepted:\n{}{}", self.out, self.err);
        self.err
    }
}

async fn client(kubeconfig: &Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.expect("a usable kubeconfig");
    // Loopback is reached without one.
    config.proxy_url = None;
    Client::try_from(config).expect("a client")
}
