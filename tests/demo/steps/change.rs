//! What is declared changes, and what is there changes.

use reqwest::Method;
use serde_json::json;

use crate::{
    kubectl::{Shown, kubectl, refused},
    stage::{Stage, TENANT},
    support::{LONG, eventually},
};

pub async fn rename(stage: &Stage) -> Vec<Shown> {
    let id = id_of_acme(stage).await;
    let before = stage.all_remote().await.len();
    let patched = patch(stage, r#"{"spec":{"name":"team-a/acme-worldwide"}}"#).await;
    stage.ready("acme").await;
    assert_eq!(
        stage.remote(&id).await["name"],
        "team-a/acme-worldwide",
        "the name at Agent Engine"
    );
    assert_eq!(
        stage.all_remote().await.len(),
        before,
        "workspaces at Agent Engine"
    );
    vec![patched, get(stage).await]
}

pub async fn inactive_and_active(stage: &Stage) -> Vec<Shown> {
    let id = id_of_acme(stage).await;
    let first = stage.token("acme").await;
    let off = patch(stage, r#"{"spec":{"status":"inactive"}}"#).await;
    stage.ready("acme").await;
    eventually("the token Secret to be gone", LONG, || async {
        match stage.secrets().get_opt("acme-token").await.expect("an answer") {
            None => Ok(()),
            Some(_) => Err("it is there"),
        }
    })
    .await;
    assert_eq!(
        stage.remote(&id).await["status"],
        "inactive",
        "the state at Agent Engine"
    );
    let inactive = get(stage).await;
    let absent = refused(&stage.cluster, &["get", "secret", "acme-token", "-n", TENANT]).await;

    let on = patch(stage, r#"{"spec":{"status":"active"}}"#).await;
    stage.ready("acme").await;
    assert_eq!(
        stage.remote(&id).await["status"],
        "active",
        "the state at Agent Engine"
    );
    let second = stage.token("acme").await;
    assert!(second.token != first.token, "the token is the old one");
    assert_eq!(second.workspace_id, id, "the Secret names another workspace");
    vec![off, inactive, absent, on, get(stage).await]
}

pub async fn behind_the_back(stage: &Stage) -> Vec<Shown> {
    let id = id_of_acme(stage).await;
    let change = json!({"name": "Acme (do not touch)"});
    let url = format!("{}/_emulator/workspaces/{id}", stage.emulator.url());
    stage
        .emulator
        .control(Method::PATCH, &format!("workspaces/{id}"), Some(change.clone()))
        .await;
    let changed = Shown::Typed {
        command: format!("curl -X PATCH {url} -d '{change}'"),
        output: String::new(),
    };
    eventually(
        "the declared name to be restored at Agent Engine",
        LONG,
        || async {
            let name = stage.remote(&id).await["name"].clone();
            if name == "team-a/acme-worldwide" {
                Ok(())
            } else {
                Err(name)
            }
        },
    )
    .await;
    let corrected = Shown::Typed {
        command: format!("curl {url}"),
        output: stage.remote(&id).await["name"].to_string(),
    };
    vec![
        changed,
        Shown::Note("found by the list that is read every pollInterval (30 s here)".into()),
        corrected,
    ]
}

async fn id_of_acme(stage: &Stage) -> String {
    let status = stage.workspace("acme").await.status.expect("a status");
    status.workspace_id.expect("an id").to_string()
}

async fn patch(stage: &Stage, patch: &str) -> Shown {
    let arguments = [
        "patch",
        "workspace",
        "acme",
        "-n",
        TENANT,
        "--type=merge",
        "-p",
        patch,
    ];
    kubectl(&stage.cluster, &arguments).await
}

async fn get(stage: &Stage) -> Shown {
    kubectl(&stage.cluster, &["get", "workspace", "acme", "-n", TENANT]).await
}
