//! What the API server keeps, shows and explains.

use agent_engine_operator::crd::{Organization, Workspace};
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::support::cluster;

fn dynamic(client: kube::Client, namespace: &str, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(
        "agentengine.airbyte.com",
        "v1alpha1",
        kind,
    ));
    Api::namespaced_with(client, namespace, &resource)
}

fn object(kind: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1",
        "kind": kind,
        "metadata": {"name": "kept"},
        "spec": spec,
    })
}

#[tokio::test]
async fn a_spec_is_kept_exactly_as_it_was_applied() {
    let namespace = cluster().namespace("kept").await;
    let client = cluster().client().await;
    let specs = [
        ("Workspace", json!({"name": "acme"})),
        (
            "Workspace",
            json!({"name": "acme", "tokenSecret": {}, "suspend": false}),
        ),
        (
            "Organization",
            json!({"credentialsSecretRef": {"name": "credentials"}, "defaults": {}}),
        ),
        (
            "Organization",
            json!({
                "credentialsSecretRef": {"name": "credentials"},
                "endpoint": "https://api.airbyte.ai/",
                "pollInterval": "90m",
                "access": [{"namespaces": {"names": ["b", "a"], "selector": {}}, "workspaceNames": ["z", "a"]}],
            }),
        ),
    ];
    for (kind, spec) in specs {
        let api = dynamic(client.clone(), &namespace, kind);
        let patch = Patch::Apply(object(kind, spec.clone()));
        api.patch("kept", &PatchParams::apply("a-user").force(), &patch)
            .await
            .unwrap();
        let read = api.get("kept").await.unwrap();
        assert_eq!(read.data["spec"], spec);
    }
}

#[tokio::test]
async fn nothing_counts_as_seen_until_the_operator_has_seen_it() {
    let namespace = cluster().namespace("unseen").await;
    let client = cluster().client().await;
    let specs = [
        ("Workspace", json!({"name": "acme"})),
        (
            "Organization",
            json!({"credentialsSecretRef": {"name": "credentials"}}),
        ),
    ];
    for (kind, spec) in specs {
        let api = dynamic(client.clone(), &namespace, kind);
        for forged in [None, Some(Value::Null), Some(json!({"observedGeneration": 1}))] {
            let mut wanted = object(kind, spec.clone());
            if let Some(forged) = forged {
                wanted["status"] = forged;
            }
            let wanted: DynamicObject = serde_json::from_value(wanted).unwrap();
            let created = api.create(&PostParams::default(), &wanted).await.unwrap();
            let read = api.get("kept").await.unwrap();
            for object in [created, read] {
                assert_eq!(object.data["status"], json!({"observedGeneration": -1}));
            }
            let _ = api.delete("kept", &Default::default()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_null_in_a_manifest_is_dropped_and_owned_by_nobody() {
    let namespace = cluster().namespace("null").await;
    let api = dynamic(cluster().client().await, &namespace, "Workspace");
    let spec = json!({"name": "acme", "status": null, "tokenSecret": {"name": null}});
    let wanted: DynamicObject = serde_json::from_value(object("Workspace", spec)).unwrap();
    let created = api.create(&PostParams::default(), &wanted).await.unwrap();
    assert_eq!(created.data["spec"], json!({"name": "acme", "tokenSecret": {}}));
    let owned = serde_json::to_string(&created.metadata.managed_fields).unwrap();
    assert!(
        owned.contains("f:tokenSecret") && !owned.contains("f:status"),
        "{owned}"
    );
}

#[tokio::test]
async fn an_unknown_field_is_refused_by_those_who_check_strictly() {
    let namespace = cluster().namespace("strict").await;
    let manifest = "{apiVersion: agentengine.airbyte.com/v1alpha1, kind: Workspace, metadata: {name: a}, \
                    spec: {name: acme, deletePolicy: Retain}}";
    let refusal = cluster().apply(&namespace, manifest).await.refusal();
    assert!(
        refusal.contains("unknown field \"spec.deletePolicy\""),
        "{refusal}"
    );
}

/// What `kubectl explain` shows comes from the OpenAPI document that the API server publishes.
#[tokio::test]
async fn every_field_is_explained() {
    let client = cluster().client().await;
    let request = http::Request::get("/openapi/v3/apis/agentengine.airbyte.com/v1alpha1")
        .body(vec![])
        .unwrap();
    let document: Value = client.request(request).await.unwrap();
    for kind in ["Workspace", "Organization"] {
        let schema = &document["components"]["schemas"][format!("com.airbyte.agentengine.v1alpha1.{kind}")];
        let mut silent = Vec::new();
        let fields = unexplained(schema, kind, &mut silent);
        assert!(fields > 25, "{kind} has {fields} fields: were they found?");
        assert_eq!(silent, Vec::<String>::new());
        let plural = format!("{}s.agentengine.airbyte.com", kind.to_lowercase());
        let shown = cluster()
            .kubectl(["explain", &format!("{plural}.status.conditions.message")])
            .await
            .success();
        assert!(shown.contains("Why, for people"), "{shown}");
    }
}

fn unexplained(schema: &Value, path: &str, silent: &mut Vec<String>) -> usize {
    let mut fields = 0;
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if property["description"].as_str().is_none_or(str::is_empty) {
            silent.push(path.clone());
        }
        fields += 1 + unexplained(property, &path, silent) + unexplained(&property["items"], &path, silent);
    }
    fields
}

/// Pruned or refused, they would be forgotten by the next reconcile.
#[tokio::test]
async fn the_facts_that_decisions_need_are_stored_as_written() {
    let namespace = cluster().namespace("facts").await;
    let client = cluster().client().await;
    let workspaces = dynamic(client.clone(), &namespace, "Workspace");
    apply(&workspaces, object("Workspace", json!({"name": "Acme"}))).await;
    let missing = json!({"since": "2026-01-01T00:00:00Z", "confirmed": true});
    let facts = json!({"missing": missing, "observedOrganizationId": "o-2"});
    stores(&workspaces, &facts).await;
    let half = json!({"status": {"missing": {"since": "2026-01-01T00:00:00Z"}}});
    let params = PatchParams::default();
    let refused = workspaces
        .patch_status(
            "kept",
            &params,
            &Patch::Merge(json!({"status": {"missing": null}})),
        )
        .await;
    refused.expect("a fact may go");
    let refused = workspaces
        .patch_status("kept", &params, &Patch::Merge(half))
        .await;
    let why = refused.expect_err("half a fact").to_string();
    assert!(why.contains("status.missing.confirmed"), "{why}");

    let organizations = dynamic(client, &namespace, "Organization");
    let spec = json!({"credentialsSecretRef": {"name": "c"}});
    apply(&organizations, object("Organization", spec)).await;
    stores(&organizations, &json!({"missingWorkspaces": 7})).await;
}

/// Writes these fields of status and reads them back.
async fn stores(api: &Api<DynamicObject>, facts: &Value) {
    let patch = Patch::Merge(json!({ "status": facts }));
    api.patch_status("kept", &PatchParams::default(), &patch)
        .await
        .unwrap();
    let read = api.get("kept").await.unwrap();
    for (field, value) in facts.as_object().unwrap() {
        assert_eq!(&read.data["status"][field], value, "{field}");
    }
}

#[tokio::test]
async fn columns_show_what_a_person_scanning_wants_to_know() {
    let namespace = cluster().namespace("columns").await;
    let client = cluster().client().await;
    let ready = json!([{
        "type": "Ready", "status": "False", "reason": "NameNotGranted", "message": "ask for it",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1,
    }]);

    let workspaces = Api::<Workspace>::namespaced(client.clone(), &namespace);
    let spec = json!({"name": "Acme", "organization": "eu"});
    apply(&workspaces, object("Workspace", spec)).await;
    let status = json!({"status": {
        "observedGeneration": 1, "name": "Acme", "state": "active", "workspaceId": "w-1", "organizationId": "o-1",
        "tokenSecretName": "kept-token", "conditions": ready,
    }});
    workspaces
        .patch_status("kept", &PatchParams::default(), &Patch::Merge(status))
        .await
        .unwrap();
    let rows = table(&namespace, "aews", &[]).await;
    assert_eq!(rows[0], ["NAME", "WORKSPACE", "STATE", "READY", "REASON", "AGE"]);
    assert_eq!(
        rows[1][..5],
        ["kept", "Acme", "active", "False", "NameNotGranted"]
    );
    let rows = table(&namespace, "workspaces.agentengine.airbyte.com", &["-o", "wide"]).await;
    assert_eq!(
        rows[0][6..],
        ["ID", "ORGANIZATION", "ORGANIZATION-ID", "SECRET", "MESSAGE"]
    );
    assert_eq!(
        rows[1][6..],
        ["w-1", "eu", "o-1", "kept-token", "ask", "for", "it"]
    );

    let organizations = Api::<Organization>::namespaced(client, &namespace);
    apply(
        &organizations,
        object("Organization", json!({"credentialsSecretRef": {"name": "c"}})),
    )
    .await;
    let status = json!({"status": {
        "observedGeneration": 1, "organizationId": "o-1", "conditions": ready,
        "workspaces": {"managed": 3, "unmanaged": 2, "inConflict": 1},
    }});
    organizations
        .patch_status("kept", &PatchParams::default(), &Patch::Merge(status))
        .await
        .unwrap();
    let rows = table(&namespace, "aeorg", &[]).await;
    assert_eq!(
        rows[0],
        [
            "NAME",
            "READY",
            "REASON",
            "MANAGED",
            "UNMANAGED",
            "CONFLICTS",
            "AGE"
        ]
    );
    assert_eq!(rows[1][..6], ["kept", "False", "NameNotGranted", "3", "2", "1"]);

    let both = cluster()
        .kubectl(["get", "agentengine", "-n", &namespace])
        .await
        .success();
    assert!(
        both.contains("organization") && both.contains("workspace"),
        "{both}"
    );
}

async fn apply<K: kube::Resource + Clone + std::fmt::Debug + serde::de::DeserializeOwned>(
    api: &Api<K>,
    object: Value,
) {
    api.patch("kept", &PatchParams::apply("a-user"), &Patch::Apply(object))
        .await
        .unwrap();
}

/// Header and rows of `kubectl get`, by words.
async fn table(namespace: &str, what: &str, more: &[&str]) -> Vec<Vec<String>> {
    let arguments = [&["get", what, "-n", namespace], more].concat();
    let shown = cluster().kubectl(arguments).await.success();
    shown
        .lines()
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

#[tokio::test]
async fn objects_are_found_by_remote_name_organization_and_id() {
    let namespace = cluster().namespace("fields").await;
    let api = Api::<Workspace>::namespaced(cluster().client().await, &namespace);
    apply(
        &api,
        object("Workspace", json!({"name": "acme", "organization": "eu"})),
    )
    .await;
    let status = json!({"status": {"observedGeneration": 1, "workspaceId": "w-1"}});
    api.patch_status("kept", &PatchParams::default(), &Patch::Merge(status))
        .await
        .unwrap();
    for (selector, found) in [
        ("spec.name=acme", 1),
        ("spec.name=other", 0),
        ("spec.organization=eu", 1),
        ("status.workspaceId=w-1", 1),
        ("status.workspaceId=w-2", 0),
    ] {
        let list = api
            .list(&kube::api::ListParams::default().fields(selector))
            .await
            .unwrap();
        assert_eq!(list.items.len(), found, "{selector}");
    }
}

#[tokio::test]
async fn definitions_are_accepted_without_a_warning() {
    let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    let arguments = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "-f",
        crds,
    ];
    let said = cluster().kubectl(arguments).await;
    assert!(said.succeeded && said.err.is_empty(), "{said:?}");
}
