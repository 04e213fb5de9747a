//! A case of a table, and what the API server says to it.

use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::support::cluster;

/// One line of a table.
#[derive(Clone)]
pub struct Case {
    /// What it shows.
    what: &'static str,
    object_name: String,
    /// The spec before, if the case is a change. YAML.
    from: Option<String>,
    /// Laid over the status before a change. YAML.
    status: Option<String>,
    /// The spec to judge. YAML.
    spec: String,
    pub answer: Answer,
}

#[derive(Clone)]
pub enum Answer {
    Taken,
    /// With a message that contains this.
    Refused(String),
}

pub fn takes(what: &'static str, spec: impl Into<String>) -> Case {
    Case {
        what,
        object_name: "probe".to_owned(),
        from: None,
        status: None,
        spec: spec.into(),
        answer: Answer::Taken,
    }
}

pub fn refuses(what: &'static str, spec: impl Into<String>, message: &str) -> Case {
    Case {
        answer: Answer::Refused(message.to_owned()),
        ..takes(what, spec)
    }
}

pub fn lets_change(what: &'static str, from: &str, to: &str) -> Case {
    Case {
        from: Some(from.to_owned()),
        ..takes(what, to)
    }
}

pub fn forbids_change(what: &'static str, from: &str, to: &str, message: &str) -> Case {
    Case {
        from: Some(from.to_owned()),
        ..refuses(what, to, message)
    }
}

impl Case {
    /// The object has this status when its spec is changed.
    pub fn in_status(self, status: &str) -> Self {
        Self {
            status: Some(status.to_owned()),
            ..self
        }
    }

    pub fn named(self, object_name: impl Into<String>) -> Self {
        Self {
            object_name: object_name.into(),
            ..self
        }
    }
}

/// Puts every case to the API server and shows all verdicts that differ from the table.
pub async fn judge(kind: &str, cases: Vec<Case>) {
    let namespace = cluster().namespace("validation").await;
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(
        "agentengine.airbyte.com",
        "v1alpha1",
        kind,
    ));
    let api = Api::<DynamicObject>::namespaced_with(cluster().client().await, &namespace, &resource);
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        if let Err(difference) = verdict(&api, kind, number, case).await {
            wrong.push(format!("{}: {}\n    {difference}", case.what, case.spec));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

async fn verdict(api: &Api<DynamicObject>, kind: &str, number: usize, case: &Case) -> Result<(), String> {
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let result = match &case.from {
        None => {
            api.create(&dry_run, &object(kind, &case.object_name, &case.spec))
                .await
        }
        Some(from) => {
            let name = format!("{}-{number}", case.object_name);
            let before = object(kind, &name, from);
            let before = api.create(&PostParams::default(), &before).await;
            let mut before = before.map_err(|error| format!("the state before was refused: {error}"))?;
            if let Some(status) = &case.status {
                let status: Value = serde_saphyr::from_str(status).unwrap();
                let patch = Patch::Merge(json!({"status": status}));
                let stored = api.patch_status(&name, &PatchParams::default(), &patch).await;
                before = stored.map_err(|error| format!("the status before was refused: {error}"))?;
            }
            let mut after = object(kind, &name, &case.spec);
            after.metadata.resource_version = before.metadata.resource_version;
            api.replace(&name, &dry_run, &after).await
        }
    };
    match (&case.answer, result) {
        (Answer::Taken, Ok(_)) => Ok(()),
        (Answer::Taken, Err(error)) => Err(format!("refused: {error}")),
        (Answer::Refused(message), Ok(_)) => Err(format!("taken, where it should say: {message}")),
        (Answer::Refused(message), Err(kube::Error::Api(status)))
            if status.code == 422 && status.message.contains(message) =>
        {
            Ok(())
        }
        (Answer::Refused(message), Err(error)) => {
            Err(format!("refused by: {error}\n    instead of: {message}"))
        }
    }
}

fn object(kind: &str, name: &str, spec: &str) -> DynamicObject {
    let spec: Value = serde_saphyr::from_str(spec).unwrap_or_else(|error| panic!("{spec}: {error}"));
    let object = json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    });
    serde_json::from_value(object).unwrap()
}
