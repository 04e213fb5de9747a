//! What a story reads of Agent Engine, and does to it behind the operator's back.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::{
    Stage,
    eventually::{LONG, eventually},
};

impl Stage {
    /// Live workspaces at Agent Engine of that name.
    pub async fn remote(&self, name: &str) -> Vec<Value> {
        let mut live = self.live_remote().await;
        live.retain(|workspace| workspace["name"] == name);
        live
    }

    /// Live workspaces at Agent Engine beside `default`.
    pub async fn all_remote(&self) -> Vec<Value> {
        let mut live = self.live_remote().await;
        live.retain(|workspace| workspace["name"] != "default");
        live
    }

    async fn live_remote(&self) -> Vec<Value> {
        let mut all = find_workspaces(&self.emulator.state().await);
        all.retain(|workspace| workspace["tombstone"] != true);
        all
    }

    /// The workspace that a token opens, by the API's own word.
    pub async fn opens(&self, token: &str) -> String {
        let path = "/api/v1/account/applications/scoped-token/info";
        let request = super::http_client()
            .get(format!("{}{path}", self.emulator.url()))
            .bearer_auth(token);
        let answer = request
            .send()
            .await
            .expect("the emulator answers")
            .text()
            .await
            .expect("text");
        let said: Value = serde_json::from_str(&answer).expect("JSON");
        said["workspace_id"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the operators have written nothing for some seconds.
    pub async fn quiet(&self) {
        let mut audit = self.audit().await;
        eventually("a pause of all writes", LONG, || async {
            let before = audit.requests().await.object_writes().count();
            tokio::time::sleep(super::eventually::PAUSE).await;
            let after = audit.requests().await.object_writes().count();
            (before == after)
                .then_some(())
                .ok_or(format!("{before} and then {after} writes"))
        })
        .await;
        audit.restart().await;
    }

    /// Waits until the names of the live workspaces beside `default` are these.
    pub async fn remote_names(&self, names: &[&str]) {
        eventually(&format!("{names:?} to live at Agent Engine"), LONG, || async {
            let all = self.all_remote().await;
            let mut found: Vec<&str> = all.iter().filter_map(|w| w["name"].as_str()).collect();
            let mut wanted = names.to_vec();
            found.sort_unstable();
            wanted.sort_unstable();
            (found == wanted)
                .then_some(())
                .ok_or_else(|| format!("{found:?}"))
        })
        .await;
    }

    /// Changes a workspace at Agent Engine behind the operator's back.
    pub async fn meddle(&self, id: &str, change: Value) {
        let path = format!("workspaces/{id}");
        self.emulator.control(Method::PATCH, &path, Some(change)).await;
    }

    /// Deletes a workspace at Agent Engine behind the operator's back.
    pub async fn lose(&self, id: &str) {
        let path = format!("workspaces/{id}");
        self.emulator.control(Method::DELETE, &path, None).await;
    }

    /// Calls that concern workspaces, after number `mark`: neither application tokens nor the Organization's list.
    pub async fn workspace_calls(&self, mark: u64) -> BTreeMap<String, usize> {
        let journal = self.emulator.journal(mark).await;
        let mut calls = BTreeMap::new();
        for entry in journal["entries"].as_array().expect("entries") {
            let (operation, query) = (entry["operation"].as_str(), entry["query"].as_str());
            match operation {
                Some("T1") => {}
                Some("W1") if !query.is_some_and(|query| query.contains("name_contains")) => {}
                Some(operation) => *calls.entry(operation.to_owned()).or_default() += 1,
                None => panic!("a call that is none of the API's: {entry}"),
            }
        }
        calls
    }
}

pub fn find_workspaces(state: &Value) -> Vec<Value> {
    match state {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value) {
                ("workspaces", Value::Array(rows)) => rows.clone(),
                (_, value) => find_workspaces(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(find_workspaces).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
