//! What the story plays on: a node, the emulator in a Pod, the chart installed by Helm, fifty Workspaces, a workload.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use agent_engine_operator::{clock::Clock, crd::Workspace, leadership::NOBODY};
use http::Request;
use jiff::Timestamp;
use k8s_openapi::api::{coordination::v1::Lease, core::v1::Pod};
use kube::{Api, Client, api::ListParams};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    container_images::{FORMER_TAG, REGISTRY, REPOSITORY, TAGS},
    ground::Ground,
    ledger::{Ledger, seconds},
    logs::{self, Kubectl},
    manifests::{self, EMULATOR_PORT, ENGINE, TENANT},
    support::{Cluster, LONG, Said, eventually, is_ready},
    table::Row,
    workload::{self, Round},
};

pub const RELEASE: &str = "agent-engine-operator";
/// Of the operator's Pods, as the API server names it.
pub const ACCOUNT: &str = "system:serviceaccount:agent-engine-operator:agent-engine-operator";
pub const HOME: &str = "agent-engine-operator";
const NAMESPACES: [&str; 3] = [HOME, TENANT, ENGINE];
/// Of a checkout.
const CHART: &str = "charts/agent-engine-operator";

/// A token is renewed after so much of its life, at the earliest.
const EARLIEST_RENEWAL: f64 = 2.0 / 3.0 - 0.1;
/// What a clock and a watch may be apart.
const TOLERANCE_S: f64 = 2.0;
const WORKSPACES: usize = 50;

/// What Helm installs.
pub struct Edition {
    pub chart: PathBuf,
    /// Of the image.
    pub tag: &'static str,
    pub pods: usize,
}

impl Edition {
    /// As this checkout has it.
    pub fn ours() -> Self {
        Self {
            chart: Path::new(env!("CARGO_MANIFEST_DIR")).join(CHART),
            tag: TAGS[0],
            pods: 2,
        }
    }

    /// As another checkout has it. Before there was a Lease, its chart had one Pod.
    pub fn of(checkout: &Path) -> Self {
        let chart = checkout.join(CHART);
        let values = fs::read_to_string(chart.join("values.yaml")).expect("the values of the chart");
        let has_several = values.lines().any(|line| line.starts_with("replicas: 2"));
        Self {
            chart,
            tag: FORMER_TAG,
            pods: 1 + usize::from(has_several),
        }
    }
}

pub struct Stage {
    pub ground: Ground,
    pub edition: Edition,
    pub cluster: Cluster,
    pub client: Client,
    pub ledger: Ledger,
    pub rows: Vec<Row>,
    /// When the workload had its first token.
    pub begun: Timestamp,
    clock: Clock,
    served: usize,
    _logs: JoinSet<()>,
}

impl Stage {
    /// With these images, installed as `edition`.
    pub async fn set(ground: Ground, images: &[PathBuf], edition: Edition) -> Self {
        tell("starting a cluster");
        let cluster = ground.cluster(images);
        let client = cluster.client().await;
        for namespace in NAMESPACES {
            cluster
                .apply("", &manifests::restricted_namespace(namespace))
                .await
                .success();
        }
        let kubectl = Kubectl {
            program: cluster.kubectl_program().to_owned(),
            kubeconfig: cluster.kubeconfig().to_owned(),
        };
        let clock = Clock::system();
        let mut stage = Self {
            ground,
            edition,
            ledger: Ledger::begin(&client, HOME, RELEASE, TENANT),
            _logs: logs::follow(&client, &kubectl, &NAMESPACES),
            cluster,
            client,
            rows: Vec::new(),
            begun: clock.now(),
            clock,
            served: 0,
        };
        stage.apply(ENGINE, &manifests::emulator(ground)).await;
        stage.pod_is_ready(ENGINE, "emulator").await;
        tell("helm install --wait");
        stage.helm("install", stage.edition.tag).await;
        stage.whole().await;
        stage.apply(HOME, &manifests::organization()).await;
        let names: Vec<String> = (0..WORKSPACES)
            .map(|number| format!("agent-{number:02}"))
            .collect();
        let all: Vec<Value> = names.iter().map(|name| manifests::workspace(name)).collect();
        stage
            .apply(TENANT, &json!({"apiVersion": "v1", "kind": "List", "items": all}))
            .await;
        for name in &names {
            stage.workspace_is_ready(name).await;
        }
        tell("fifty Workspaces are Ready; starting the workload");
        stage.apply(TENANT, &manifests::workload(&names)).await;
        stage.pod_is_ready(TENANT, "workload").await;
        stage.begun = stage.clock.now();
        stage
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn apply(&self, namespace: &str, manifest: &Value) {
        self.cluster
            .apply(namespace, &manifest.to_string())
            .await
            .success();
    }

    /// `helm VERB` of the release with the chart and the image of this tag, which waits until the Pods are as they should be.
    pub async fn helm(&self, verb: &str, tag: &str) {
        self.try_helm(verb, tag).await.success();
    }

    pub async fn try_helm(&self, verb: &str, tag: &str) -> Said {
        let fixed = [
            verb,
            RELEASE,
            self.edition.chart.to_str().expect("text"),
            "--namespace",
            HOME,
            "--wait",
            "--timeout=120s",
            "--set=image.pullPolicy=Never",
        ];
        let image = [
            format!("--set=image.registry={REGISTRY}"),
            format!("--set=image.repository={REPOSITORY}"),
            format!("--set=image.tag={tag}"),
        ];
        let words = fixed.into_iter().chain(image.iter().map(String::as_str));
        self.cluster.helm(words).await
    }

    /// `helm VERB` of the release as it stands.
    pub async fn helm_release(&self, verb: &str) {
        let words = [verb, RELEASE, "--namespace", HOME, "--wait", "--timeout=120s"];
        self.cluster.helm(words).await.success();
    }

    pub fn home_pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), HOME)
    }

    /// How many Pods of the operator there are, also on their way out.
    pub async fn pods_left(&self) -> usize {
        let pods = self.home_pods().list(&ListParams::default()).await;
        pods.expect("Pods").items.len()
    }

    /// The operator's Pods that are not on their way out.
    pub async fn pods(&self) -> Vec<Pod> {
        let of_release = ListParams::default().labels(&format!("app.kubernetes.io/instance={RELEASE}"));
        let mut pods = self.home_pods().list(&of_release).await.expect("Pods").items;
        pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        pods
    }

    /// Waits until all Pods are Ready, and none goes.
    pub async fn whole(&self) {
        eventually("the Pods of the operator to be Ready", LONG * 2, || async {
            let of_release = ListParams::default().labels(&format!("app.kubernetes.io/instance={RELEASE}"));
            let pods = self.home_pods().list(&of_release).await.expect("Pods").items;
            let ready = pods.iter().filter(|pod| pod_is_ready(pod)).count();
            let seen: Vec<_> = pods.iter().map(|pod| format!("{:?}", pod.status)).collect();
            (ready == self.edition.pods && pods.len() == ready)
                .then_some(())
                .ok_or(seen.join("\n"))
        })
        .await;
    }

    /// Waits until this container of a Pod was started again, since it had been so `times` times.
    pub async fn restarted(&self, pod: &str, times: i32) {
        eventually("the container to be started again", LONG * 2, || async {
            let pod = self.home_pods().get(pod).await.expect("the Pod");
            let now = restarts(&pod);
            (now > times && pod_is_ready(&pod))
                .then_some(())
                .ok_or(format!("{:?}", pod.status))
        })
        .await;
    }

    /// Who leads, and since when.
    async fn lease(&self) -> Option<(String, Timestamp)> {
        let leases = Api::<Lease>::namespaced(self.client.clone(), HOME);
        let spec = leases.get_opt(RELEASE).await.expect("a lease or none")?.spec?;
        let held = |holder: &String| !holder.is_empty() && holder != NOBODY;
        let holder = spec.holder_identity.filter(held)?;
        Some((holder, spec.acquire_time?.0))
    }

    /// The Pod that leads, and since when.
    pub async fn leader(&self) -> (Pod, Timestamp) {
        let (name, since) = eventually("a leader", LONG, || async {
            self.lease().await.ok_or("nobody leads")
        })
        .await;
        let pod = self.home_pods().get(&name).await.expect("the leader's Pod");
        (pod, since)
    }

    /// Waits until another leads than the one who has led since then.
    pub async fn next_leads(&self, since: Timestamp) -> String {
        eventually("another to lead", LONG * 2, || async {
            match self.lease().await {
                Some((name, of)) if of != since => Ok(name),
                other => Err(format!("{other:?}")),
            }
        })
        .await
    }

    /// Makes one more Workspace, and waits until it is Ready.
    pub async fn serves(&mut self) {
        self.served += 1;
        let name = format!("later-{:02}", self.served);
        self.apply(TENANT, &manifests::workspace(&name)).await;
        self.workspace_is_ready(&name).await;
    }

    pub async fn workspaces(&self) -> Vec<Workspace> {
        let workspaces = Api::<Workspace>::namespaced(self.client.clone(), TENANT);
        workspaces
            .list(&ListParams::default())
            .await
            .expect("Workspaces")
            .items
    }

    async fn workspace_is_ready(&self, name: &str) {
        let workspaces = Api::<Workspace>::namespaced(self.client.clone(), TENANT);
        eventually(&format!("{name} to be Ready"), LONG * 2, || async {
            match workspaces.get(name).await {
                Ok(workspace) if is_ready(&workspace) => Ok(()),
                Ok(workspace) => Err(format!("{:#?}", workspace.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    async fn pod_is_ready(&self, namespace: &str, name: &str) {
        let pods = Api::<Pod>::namespaced(self.client.clone(), namespace);
        eventually(&format!("the Pod {name} to be Ready"), LONG, || async {
            match pods.get(name).await {
                Ok(pod) if pod_is_ready(&pod) => Ok(()),
                Ok(pod) => Err(format!("{:#?}", pod.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    /// What the workload said since it began.
    pub async fn rounds(&self) -> Vec<Round> {
        let pods = Api::<Pod>::namespaced(self.client.clone(), TENANT);
        let log = pods.logs("workload", &kube::api::LogParams::default()).await;
        workload::rounds(&log.expect("the workload's log"))
    }

    /// An answer of the emulator's control API.
    pub async fn emulator(&self, path: &str) -> Value {
        let path =
            format!("/api/v1/namespaces/{ENGINE}/pods/emulator:{EMULATOR_PORT}/proxy/_emulator/{path}");
        let request = Request::get(path).body(Vec::new()).expect("a request");
        self.client.request(request).await.expect("the emulator answers")
    }

    /// How long after its issue a token is due, at the earliest.
    pub fn due_s(&self) -> f64 {
        self.ground.token_life().as_secs_f64() * EARLIEST_RENEWAL - TOLERANCE_S
    }

    /// When tokens were issued sooner than due after the one before of the same workspace, and how many were issued at all.
    pub async fn issues_not_due(&self) -> (Vec<(Timestamp, String)>, usize) {
        let journal = self.emulator("journal?operation=T2").await;
        let entries = journal["entries"].as_array().expect("entries").clone();
        let mut last = HashMap::new();
        let mut found = Vec::new();
        for entry in &entries {
            let at: Timestamp = entry["at"].as_str().expect("a time").parse().expect("a time");
            let name = entry["body"]["workspace_name"]
                .as_str()
                .expect("a name")
                .to_owned();
            if let Some(before) = last.insert(name.clone(), at)
                && seconds(before, at) < self.due_s()
            {
                found.push((at, name));
            }
        }
        (found, entries.len())
    }
}

pub fn tell(what: &str) {
    println!("{} {what}", Clock::system().now().strftime("%H:%M:%S"));
}

pub fn restarts(pod: &Pod) -> i32 {
    let containers = pod
        .status
        .iter()
        .flat_map(|status| status.container_statuses.iter().flatten());
    containers.map(|container| container.restart_count).sum()
}

fn pod_is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    conditions
        .into_iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}
