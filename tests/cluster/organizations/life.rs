//! Where Organizations are read from, how long they are held, and what is told of them.

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::{LONG, Stage, condition, eventually, organization_message, ready_message};

/// One in the tenant's namespace is never read.
/// Promise: input.waiting: unknown or unready Organization, missing credential, API trouble of every kind: waiting
/// Promise: input.organization-elsewhere: Organization outside the operator's namespace
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_organization_is_waited_for() {
    let stage = Stage::bare(&[]).await;
    stage.good_credential().await;
    let _operator = stage.operator().await;
    // The tenant writes one that would let it use anything.
    let forged = json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Organization", "metadata": {"name": "default"},
        "spec": {"endpoint": stage.emulator.url(), "credentialsSecretRef": {"name": "credential"},
            "access": [{"namespaces": {"names": [stage.tenant]}, "workspaceNames": ["*"]}]},
    });
    stage
        .cluster
        .apply(&stage.tenant, &forged.to_string())
        .await
        .success();
    stage.workspace("acme", json!({"name": "Acme"})).await;

    let waiting = stage.reason("acme", "OrganizationNotFound").await;
    assert!(
        ready_message(&waiting).contains(&format!("{:?}", stage.home)),
        "{}",
        ready_message(&waiting)
    );
    assert_eq!(condition(&waiting, "Reconciling").unwrap().status, "True");
    assert_eq!(condition(&waiting, "Stalled"), None);
    assert_eq!(json!(stage.emulator.calls_since(0).await), json!({}));
    let forged: kube::Api<agent_engine_operator::crd::Organization> =
        kube::Api::namespaced(stage.client.clone(), &stage.tenant);
    let forged = forged.get("default").await.unwrap();
    assert_eq!(
        (forged.metadata.finalizers, forged.status.map(|s| s.conditions)),
        (None, Some(vec![]))
    );

    stage.organization("default", json!({})).await;
    stage.ready("acme").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_held_while_used_and_counts_its_users() {
    let stage = Stage::set().await;
    stage
        .emulator
        .seed(json!({"workspaces": [{"name": "WithoutManagedFields"}]}))
        .await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    stage.workspace("twin", json!({"name": "ACME"})).await;
    stage.reason("twin", "NameClaimed").await;
    let echoed = stage.relist("default", "counted").await.status.unwrap();
    let counts = serde_json::to_value(echoed.workspaces).unwrap();
    assert_eq!(counts, json!({"managed": 1, "unmanaged": 2, "inConflict": 1}));

    stage
        .organizations()
        .delete("default", &DeleteParams::default())
        .await
        .unwrap();
    stage.organization_reason("default", "InUse").await;
    stage.delete("twin").await;
    stage.delete("acme").await;
    assert_eq!(
        stage.remote("Acme").await.len(),
        0,
        "its workspaces go while it is held"
    );
    eventually("the Organization to be gone", LONG, || async {
        match stage.organizations().get_opt("default").await {
            Ok(None) => Ok(()),
            Ok(Some(organization)) => Err(organization_message(&organization)),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
}

/// There is one event for each change of reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_reconcile_is_echoed() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.emulator.knobs(json!({"scoped_ttl": "40"})).await;
    // An object that comes before would say that it waits for it.
    stage.organization_reason("default", "Verified").await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let first = stage.secret_text("acme-token", "expires_at").await;
    stage.reconcile_of("acme").await;
    eventually("a refresh", LONG, || async {
        let now = stage.secret_text("acme-token", "expires_at").await;
        if now == first { Err(now) } else { Ok(()) }
    })
    .await;
    stage.relist("default", "1").await;
    stage.change("acme", json!({"suspend": true})).await;
    stage.reason("acme", "Suspended").await;
    stage.change("acme", json!({"suspend": null})).await;
    stage.ready("acme").await;

    let expected = ["AsDeclared", "Suspended", "AsDeclared"];
    let told = eventually("the events", LONG, || async {
        let told = stage.event_reasons(&stage.tenant, "acme").await;
        if told.len() < expected.len() {
            Err(format!("{told:?}"))
        } else {
            Ok(told)
        }
    })
    .await;
    assert_eq!(told, expected);
    assert_eq!(stage.event_reasons(&stage.home, "default").await, ["Verified"]);
}

/// As long as none is verified; then another id is refused, and the right one is taken.
/// Promise: rule.remedies
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_organization_id_is_corrected_or_refused() {
    let wrong = json!({"organizationId": "745a183f-b12b-4c6e-8ad3-99e165603450"});
    let stage = Stage::with(&[], wrong.clone()).await;
    let _operator = stage.operator().await;
    let organization = stage.organization_reason("default", "OrganizationMismatch").await;
    let message = organization_message(&organization);
    assert!(
        message.contains("correct or remove spec.organizationId"),
        "{message}"
    );

    let params = PatchParams::default();
    let patch = |id: Value| Patch::Merge(json!({"spec": {"organizationId": id}}));
    let organizations = stage.organizations();
    organizations
        .patch("default", &params, &patch(Value::Null))
        .await
        .unwrap();
    let verified = stage.organization_reason("default", "Verified").await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;

    let refused = organizations
        .patch("default", &params, &patch(wrong["organizationId"].clone()))
        .await;
    let refusal = refused.unwrap_err().to_string();
    assert!(
        refusal.contains("create another Organization object"),
        "{refusal}"
    );
    let right = json!(verified.status.unwrap().organization_id.unwrap());
    organizations
        .patch("default", &params, &patch(right))
        .await
        .unwrap();
    organizations
        .patch("default", &params, &patch(Value::Null))
        .await
        .unwrap();
    stage.organization_reason("default", "Verified").await;
}

/// One `kubectl delete -f` of credential, Organization and Workspaces.
/// Promise: rule.remedies
#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_all_at_once_names_the_credential_first() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage
        .workspace("acme", json!({"name": "Acme", "deletionPolicy": "Delete"}))
        .await;
    stage.ready("acme").await;
    let secrets = stage.secrets_in(&stage.home);
    secrets
        .delete("credential", &DeleteParams::default())
        .await
        .unwrap();
    stage
        .organizations()
        .delete("default", &DeleteParams::default())
        .await
        .unwrap();
    let organization = stage.organization_reason("default", "CredentialsMissing").await;
    let message = organization_message(&organization);
    assert!(message.contains("Workspaces still name it"), "{message}");
    stage.begin_deletion("acme").await;
    stage.good_credential().await;
    stage.gone("acme").await;
    stage.remote_names(&[]).await;
}
