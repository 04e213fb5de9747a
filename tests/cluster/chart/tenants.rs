//! What tenants may do by the chart's roles.

use kube::Api;
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::json;

use agent_engine_operator::crd::workspace::WorkspaceSpec;
use agent_engine_operator::crd::{Organization, Workspace};

use super::account::Installed;
use super::cluster;
use crate::support::{ApiUser, LONG, eventually};

/// Neither their status nor any Organization.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_the_edit_role_writes_workspaces_alone() {
    let home = cluster().namespace("home").await;
    let release = Installed::into(&home, &json!({})).await;
    let own = format!("{home}-agent-engine-operator-edit");
    // Bound by itself, and by the cluster's own role that it is added to.
    for role in [own.as_str(), "edit"] {
        let tenant = cluster().namespace("tenant").await;
        let user = cluster().api_user();
        bind(&user, role, &tenant).await;
        let client = user.client().await;
        let workspaces = Api::<Workspace>::namespaced(client.clone(), &tenant);

        eventually("the role to count", LONG, || async {
            workspaces.list(&ListParams::default()).await
        })
        .await;
        eventually("the role to count in full", LONG, || async {
            workspaces.create(&PostParams::default(), &workspace()).await
        })
        .await;
        let status = Patch::Merge(json!({"status": {"workspaceId": "forged"}}));
        let written = workspaces
            .patch_status("mine", &PatchParams::default(), &status)
            .await;
        forbidden(written.map(|_| ()), role);
        for namespace in [&tenant, &home] {
            let organizations = Api::<Organization>::namespaced(client.clone(), namespace);
            forbidden(organizations.list(&ListParams::default()).await.map(|_| ()), role);
            forbidden(organizations.get("default").await.map(|_| ()), role);
        }
        workspaces.delete("mine", &Default::default()).await.unwrap();
    }
    release.uninstall().await;
}

/// It sees Workspaces.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_with_the_view_role_changes_nothing() {
    let home = cluster().namespace("home").await;
    let release = Installed::into(&home, &json!({})).await;
    let tenant = cluster().namespace("tenant").await;
    let user = cluster().api_user();
    let role = format!("{home}-agent-engine-operator-view");
    bind(&user, &role, &tenant).await;
    let workspaces = Api::<Workspace>::namespaced(user.client().await, &tenant);

    eventually("the role to count", LONG, || async {
        workspaces.list(&ListParams::default()).await
    })
    .await;
    let created = workspaces.create(&PostParams::default(), &workspace()).await;
    forbidden(created.map(|_| ()), &role);
    release.uninstall().await;
}

async fn bind(user: &ApiUser, role: &str, namespace: &str) {
    cluster()
        .kubectl([
            "create",
            "rolebinding",
            "tenant",
            &format!("--clusterrole={role}"),
            &format!("--user={}", user.name),
            &format!("--namespace={namespace}"),
        ])
        .await
        .success();
}

fn workspace() -> Workspace {
    let spec: WorkspaceSpec = serde_json::from_value(json!({"name": "mine"})).unwrap();
    Workspace {
        metadata: ObjectMeta {
            name: Some("mine".to_owned()),
            ..ObjectMeta::default()
        },
        spec,
        status: None,
    }
}

#[track_caller]
fn forbidden(answer: kube::Result<()>, role: &str) {
    match answer {
        Err(kube::Error::Api(status)) if status.is_forbidden() => {}
        other => panic!("with {role}: {other:?}"),
    }
}
