//! Every secret of a story carries a mark, and nothing but Secrets may show one (I8). Where an operator ends, its log and its
//! metrics are searched; where a stage ends, its objects and events.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::Arc,
    thread::panicking,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kube::Client;

use super::{
    Cluster,
    eventually::{SHORT, eventually},
};

/// In every token that an emulator issues.
pub const TOKEN: &str = "canary-token-3b7f";
/// Begins every secret of a credential.
pub const CREDENTIAL: &str = "canary-secret-";

/// The mark that `text` shows, as it is or in base64, with the words before it.
pub fn shown_in(text: &str) -> Option<String> {
    let marks = [TOKEN, CREDENTIAL];
    let plain = marks.into_iter().map(str::to_owned);
    let needles = plain.chain(marks.into_iter().flat_map(encoded));
    needles.into_iter().find_map(|needle| {
        let at = text.find(&needle)?;
        let before: String = text[..at].chars().rev().take(300).collect();
        let before: String = before.chars().rev().collect();
        Some(format!("{needle} after: {before}"))
    })
}

/// What base64 makes of a mark at each of the three places where it may begin.
fn encoded(mark: &str) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let bytes = [&vec![0; before], mark.as_bytes()].concat();
        // Characters that bits of a neighbour are in differ from text to text.
        let (first, last) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        STANDARD.encode(&bytes)[first..last].to_owned()
    })
}

#[track_caller]
fn assert_silent(place: &str, text: &str) {
    if let Some(shown) = shown_in(text) {
        panic!("a secret is in {place}: {shown}");
    }
}

/// Searches the log of an operator when it is dropped.
pub(super) struct Log(pub(super) PathBuf);

impl Drop for Log {
    fn drop(&mut self) {
        if !panicking() {
            let log = std::fs::read(&self.0).expect("the operator's log");
            assert_silent("the log of an operator", &String::from_utf8_lossy(&log));
        }
    }
}

/// Searches the metrics of an operator, where it still answers.
pub(super) struct Metrics(pub(super) SocketAddr);

impl Metrics {
    pub(super) fn search(&self) {
        if let Ok(metrics) = self.read() {
            assert_silent("the metrics of an operator", &metrics);
        }
    }

    fn read(&self) -> std::io::Result<String> {
        const PATIENCE: Duration = Duration::from_secs(5);
        let mut stream = TcpStream::connect_timeout(&self.0, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        if !panicking() {
            self.search();
        }
    }
}

/// Searches the objects and events of the namespaces of a stage when it is dropped.
pub(super) struct Objects {
    pub(super) cluster: Arc<Cluster>,
    pub(super) namespaces: Vec<String>,
}

impl Drop for Objects {
    fn drop(&mut self) {
        if panicking() {
            return;
        }
        let (cluster, namespaces) = (&self.cluster, &self.namespaces);
        // The story's own runtime is busy with this very drop.
        let searched = std::thread::scope(|scope| {
            let search = || {
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = runtime.enable_all().build().expect("a runtime");
                runtime.block_on(search(cluster, namespaces));
            };
            scope.spawn(search).join()
        });
        if let Err(panic) = searched {
            std::panic::resume_unwind(panic);
        }
    }
}

async fn search(cluster: &Cluster, namespaces: &[String]) {
    let client = cluster.client().await;
    for namespace in namespaces {
        for plural in ["workspaces", "organizations", "events"] {
            let objects = eventually("the objects of a story", SHORT, || {
                stored(client.clone(), namespace, plural)
            })
            .await;
            assert_silent(&format!("the {plural} of {namespace}"), &objects);
        }
    }
}

/// All objects of a kind, as the API server tells them: some are there to be undecodable. Nothing where the kind is not served.
async fn stored(client: Client, namespace: &str, plural: &str) -> kube::Result<String> {
    let group = match plural {
        "events" => "events.k8s.io/v1",
        _ => "agentengine.airbyte.com/v1alpha1",
    };
    let path = format!("/apis/{group}/namespaces/{namespace}/{plural}");
    let request = http::Request::get(path).body(Vec::new()).expect("a request");
    match client.request_text(request).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(String::new()),
        answer => answer,
    }
}
