//! What tenants may do by the chart's roles.

use k8s_openapi::api::core::v1::{Namespace, Secret};
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
    let own = format!("{home}:{home}-agent-engine-operator-edit");
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
    let role = format!("{home}:{home}-agent-engine-operator-view");
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

/// A label of a namespace grants names, so its author decides; and the operator's own namespace holds the credential.
#[tokio::test(flavor = "multi_thread")]
async fn no_role_of_a_tenant_labels_its_namespace() {
    let home = cluster().namespace("home").await;
    let release = Installed::into(&home, &json!({})).await;
    let own = |role: &str| format!("{home}:{home}-agent-engine-operator-{role}");
    let label = Patch::Merge(json!({"metadata": {"labels": {"agent-engine": "tenant"}}}));
    let tenant = cluster().namespace("tenant").await;
    // Were it asked wrongly, it would be refused to everybody.
    let administrator = cluster().operator_user().await.client().await;
    Api::<Namespace>::all(administrator.clone())
        .patch(&tenant, &PatchParams::default(), &label)
        .await
        .unwrap();
    let theirs = workspace();
    let secrets = Api::<Secret>::namespaced(administrator.clone(), &home);
    secrets.list(&ListParams::default()).await.unwrap();

    for (role, writes, reads_secrets) in [
        (own("view"), false, false),
        (own("edit"), true, false),
        ("view".to_owned(), false, false),
        ("edit".to_owned(), true, true),
        ("admin".to_owned(), true, true),
    ] {
        let tenant = cluster().namespace("tenant").await;
        let user = cluster().api_user();
        bind(&user, &role, &tenant).await;
        let client = user.client().await;
        let workspaces = Api::<Workspace>::namespaced(client.clone(), &tenant);
        let (params, post, patch) = (
            ListParams::default(),
            PostParams::default(),
            PatchParams::default(),
        );
        eventually("the role to count", LONG, || workspaces.list(&params)).await;
        if writes {
            eventually("the role to count in full", LONG, || {
                workspaces.create(&post, &theirs)
            })
            .await;
        } else {
            forbidden(workspaces.create(&post, &theirs).await.map(drop), &role);
            let mine = Api::<Workspace>::namespaced(administrator.clone(), &tenant);
            mine.create(&post, &theirs).await.unwrap();
        }
        workspaces.get("mine").await.unwrap();
        if reads_secrets {
            let secrets = Api::<Secret>::namespaced(client.clone(), &tenant);
            eventually("the Secrets of its own", LONG, || secrets.list(&params)).await;
        }

        let namespaces = Api::<Namespace>::all(client.clone());
        forbidden(namespaces.patch(&tenant, &patch, &label).await.map(drop), &role);
        let status = Patch::Merge(json!({"status": {"workspaceId": "forged"}}));
        let written = workspaces.patch_status("mine", &patch, &status).await;
        forbidden(written.map(drop), &role);
        let secrets = Api::<Secret>::namespaced(client.clone(), &home);
        forbidden(secrets.list(&params).await.map(drop), &role);
        forbidden(secrets.get("credential").await.map(drop), &role);
    }
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
