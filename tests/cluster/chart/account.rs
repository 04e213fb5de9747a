//! A release of the chart in a cluster without nodes: an operator process stands in for its Pod, with the Pod's flags,
//! environment and account.

use serde_json::{Value, json};

use super::cluster;
use super::render::{CHART, container, documents, texts};
use crate::support::{ApiUser, Launch, Stage, scratch_file};

/// An installed release.
pub struct Installed {
    pub name: String,
    pub namespace: String,
    pub manifests: Vec<Value>,
}

impl Installed {
    /// Installs the chart, without definitions: the cluster has them, and they are shared by all tests.
    pub async fn into(namespace: &str, values: &Value) -> Self {
        Self::named(namespace, namespace, values).await
    }

    /// The same under a name that a release of another namespace may have too.
    pub async fn named(name: &str, namespace: &str, values: &Value) -> Self {
        let mut values = values.clone();
        values["crds"] = json!({"enabled": false});
        let file = scratch_file("values.json");
        std::fs::write(&file, values.to_string()).unwrap();
        let file = file.display().to_string();
        cluster()
            .helm([
                "install",
                name,
                CHART,
                "--namespace",
                namespace,
                "--values",
                &file,
            ])
            .await
            .success();
        let manifests = documents(&got("manifest", name, namespace).await);
        Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            manifests,
        }
    }

    /// What was printed to whoever installed it.
    pub async fn notes(&self) -> String {
        got("notes", &self.name, &self.namespace).await
    }

    pub async fn uninstall(&self) {
        cluster()
            .helm(["uninstall", &self.name, "--namespace", &self.namespace])
            .await
            .success();
    }

    /// The account that the Pod would run under.
    pub async fn account(&self) -> ApiUser {
        let account = self.pod()["serviceAccountName"].as_str().unwrap();
        cluster().service_account(&self.namespace, account).await
    }

    /// How the Pod would start the operator. Only the port is another, one that is free, and the log is finer.
    pub async fn launch(&self) -> Launch {
        let container = container(&self.manifests);
        let arguments = texts(&container["args"])
            .into_iter()
            .map(|argument| match argument.strip_prefix("--listen=") {
                Some(_) => "--listen=127.0.0.1:0".to_owned(),
                // The finest log is searched for secrets.
                None if argument.starts_with("--log-level=") => "--log-level=trace".to_owned(),
                None => argument,
            })
            .collect();
        let environment = container["env"].as_array().unwrap().iter().map(|variable| {
            let value = match &variable["valueFrom"]["fieldRef"]["fieldPath"] {
                Value::String(path) if path == "metadata.namespace" => self.namespace.clone(),
                Value::String(path) if path == "metadata.name" => format!("{}-pod", self.name),
                Value::Null => variable["value"].as_str().unwrap().to_owned(),
                other => panic!("no Pod here to ask for {other}"),
            };
            (variable["name"].as_str().unwrap().to_owned(), value)
        });
        Launch::new(&self.account().await, "")
            .saying(arguments)
            .with_environment(environment)
    }

    fn pod(&self) -> &Value {
        &super::render::deployment(&self.manifests)["spec"]["template"]["spec"]
    }
}

async fn got(what: &str, release: &str, namespace: &str) -> String {
    cluster()
        .helm(["get", what, release, "--namespace", namespace])
        .await
        .success()
}

/// A stage whose operators run as an installed release says.
pub async fn stage(values: impl FnOnce(&Stage) -> Value) -> (Stage, Installed) {
    let mut stage = Stage::on(cluster(), &[]).await;
    let installed = Installed::into(&stage.home, &values(&stage)).await;
    stage.launching(installed.launch().await);
    (stage, installed)
}
