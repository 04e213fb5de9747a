//! Organizations: where they are read from, what becomes of broken credentials and a broken API, and that waiting is quiet.

mod support;

use kube::api::DeleteParams;
use reqwest::Method;
use serde_json::{Value, json};

use support::{
    CLIENT_ID, LONG, Stage, condition, eventually, is_ready, organization_message, ready_message, recorded_id,
};

/// Adds an organisation to the emulator and gives `client_id` access to it. Returns its id.
async fn another_organization(stage: &Stage, client_id: &str, client_secret: &str) -> String {
    let pair = json!({"client_id": client_id, "client_secret": client_secret});
    let added = stage
        .emulator
        .control(Method::POST, "organizations", Some(pair))
        .await;
    added["id"].as_str().unwrap().to_owned()
}

/// What only a pass can say, so that the pass is known to have been made.
async fn pass_over(stage: &Stage, name: &str, token: &str) {
    stage
        .annotate(name, json!({"agentengine.airbyte.com/reconcile-at": token}))
        .await;
    stage
        .until(name, &format!("{name} to echo {token}"), |workspace| {
            workspace
                .status
                .as_ref()
                .and_then(|s| s.last_handled_reconcile_at.as_deref())
                == Some(token)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_organization_is_waited_for_and_one_in_the_tenants_namespace_is_never_read() {
    let stage = Stage::bare(&[]).await;
    stage
        .credentials("credential", CLIENT_ID, stage.emulator.client_secret())
        .await;
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
    let forged: kube::Api<agent_engine_operator::api::Organization> =
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
async fn a_missing_credential_is_waited_for_and_the_message_says_what_is_missing() {
    let stage = Stage::bare(&[]).await;
    let _operator = stage.operator().await;
    stage.organization("default", json!({})).await;
    stage.workspace("acme", json!({"name": "Acme"})).await;

    let missing = stage.organization_reason("default", "CredentialsMissing").await;
    let message = organization_message(&missing);
    assert!(
        message.contains("\"credential\"") && message.contains("client_secret"),
        "{message}"
    );
    let waiting = stage.reason("acme", "OrganizationNotReady").await;
    assert!(
        ready_message(&waiting).contains("\"credential\""),
        "{}",
        ready_message(&waiting)
    );
    assert_eq!(condition(&waiting, "Reconciling").unwrap().status, "True");

    let half = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "credential"}, "stringData": {"client_id": CLIENT_ID},
    });
    stage
        .cluster
        .apply(&stage.home, &half.to_string())
        .await
        .success();
    stage
        .organization_until("default", "to name the missing key", |o| {
            organization_message(o).contains("no key \"client_secret\"")
        })
        .await;

    stage
        .credentials("credential", CLIENT_ID, stage.emulator.client_secret())
        .await;
    stage.ready("acme").await;
    stage.organization_reason("default", "Verified").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_credentials_stall_the_organization_and_rotation_heals_and_wakes_without_a_restart() {
    let stage = Stage::bare(&[]).await;
    stage.credentials("credential", CLIENT_ID, "wrong").await;
    let _operator = stage.operator().await;
    stage.organization("default", json!({})).await;
    stage.workspace("acme", json!({"name": "Acme"})).await;

    let rejected = stage.organization_reason("default", "CredentialsRejected").await;
    let stalled = rejected
        .status
        .unwrap()
        .conditions
        .into_iter()
        .find(|c| c.type_ == "Stalled");
    assert_eq!(stalled.unwrap().status, "True");
    stage.reason("acme", "OrganizationNotReady").await;
    assert_eq!(json!(stage.workspace_calls(0).await), json!({}));

    stage
        .credentials("credential", CLIENT_ID, stage.emulator.client_secret())
        .await;
    let id = recorded_id(&stage.ready("acme").await);

    // Rotated at Agent Engine, tokens revoked with it: in time the Secret follows.
    stage.emulator.knobs(json!({"rotation": "revoked"})).await;
    let rotated = json!({"client_id": CLIENT_ID, "client_secret": "rotated-canary"});
    stage
        .emulator
        .control(Method::POST, "credentials", Some(rotated))
        .await;
    stage.relist("default", "1").await;
    stage.organization_reason("default", "CredentialsRejected").await;
    assert!(is_ready(&stage.get("acme").await), "what is in use goes on");
    stage.credentials("credential", CLIENT_ID, "rotated-canary").await;
    stage.organization_reason("default", "Verified").await;
    pass_over(&stage, "acme", "1").await;
    assert_eq!(recorded_id(&stage.ready("acme").await), id);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_cannot_be_reached_is_waited_for_at_the_start_and_disturbs_nobody_later() {
    let stage = Stage::set().await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    stage.organization("default", json!({"endpoint": closed})).await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let unreachable = stage.organization_reason("default", "ApiUnavailable").await;
    let conditions = unreachable.status.unwrap().conditions;
    assert!(
        conditions.iter().any(|c| c.type_ == "Reconciling")
            && conditions.iter().all(|c| c.type_ != "Stalled")
    );
    stage.reason("acme", "OrganizationNotReady").await;
    stage.organization("default", json!({})).await;
    stage.ready("acme").await;

    stage
        .emulator
        .fault(json!({"path": "/api/*", "answer": {"kind": "drop"}}))
        .await;
    stage.relist("default", "1").await;
    stage.organization_reason("default", "ApiUnavailable").await;
    pass_over(&stage, "acme", "1").await;
    assert!(
        is_ready(&stage.get("acme").await),
        "{:?}",
        stage.get("acme").await.status
    );
    // A restart in the middle of it finds no credential proven, and disturbs nobody either.
    operator.kill().await;
    let _operator = stage.operator().await;
    stage.workspace("late", json!({"name": "Late"})).await;
    stage.reason("late", "OrganizationNotReady").await;
    assert!(
        is_ready(&stage.get("acme").await),
        "{:?}",
        stage.get("acme").await.status
    );
    assert_eq!(
        stage.event_reasons(&stage.tenant, "acme").await.len(),
        2,
        "waited, then Ready, and no more"
    );

    stage.emulator.clear_faults().await;
    stage.relist("default", "2").await;
    stage.ready("late").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_broken_answer_is_waited_out_and_heals() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.organization_reason("default", "Verified").await;
    let faults = [
        (
            "internal",
            json!({"kind": "status", "status": 500}),
            "ApiUnavailable",
        ),
        (
            "unavailable",
            json!({"kind": "status", "status": 503}),
            "ApiUnavailable",
        ),
        ("page", json!({"kind": "html", "status": 200}), "ApiUnavailable"),
        (
            "page-502",
            json!({"kind": "html", "status": 502}),
            "ApiUnavailable",
        ),
        ("torn", json!({"kind": "truncate"}), "ApiUnavailable"),
        ("dropped", json!({"kind": "drop"}), "ApiUnavailable"),
        (
            "elsewhere",
            json!({"kind": "redirect", "to": "http://127.0.0.1:9/", "status": 307}),
            "ApiUnavailable",
        ),
        (
            "lost-path",
            json!({"kind": "html", "status": 404}),
            "ApiUnavailable",
        ),
    ];
    for (name, answer, _) in &faults {
        let fault = json!({"operation": "W1", "contains": format!("tenant-{name}"), "answer": answer});
        stage.emulator.fault(fault).await;
        stage
            .workspace(name, json!({"name": format!("tenant-{name}")}))
            .await;
    }
    for (name, _, reason) in &faults {
        let waiting = stage.reason(name, reason).await;
        assert_eq!(
            condition(&waiting, "Reconciling").unwrap().status,
            "True",
            "{name}"
        );
        assert_eq!(condition(&waiting, "Stalled"), None, "{name}");
    }
    stage.emulator.clear_faults().await;
    for (name, _, _) in &faults {
        stage
            .annotate(name, json!({"agentengine.airbyte.com/reconcile-at": "now"}))
            .await;
    }
    for (name, _, _) in &faults {
        stage.ready(name).await;
        assert_eq!(stage.remote(&format!("tenant-{name}")).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_asks_to_wait_stops_the_whole_organization_until_then() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.organization_reason("default", "Verified").await;
    let slow_down = json!({
        "operation": "W1", "contains": "first", "count": 1,
        "answer": {"kind": "status", "status": 429, "headers": {"retry-after": "8"}},
    });
    stage.emulator.fault(slow_down).await;
    stage.workspace("first", json!({"name": "first"})).await;
    stage.reason("first", "Throttled").await;
    let mark = stage.emulator.journal_mark().await;
    for n in 0..5 {
        stage
            .workspace(&format!("other-{n}"), json!({"name": format!("other-{n}")}))
            .await;
    }
    for n in 0..5 {
        stage.ready(&format!("other-{n}")).await;
    }
    let entries = stage.emulator.journal(0).await["entries"]
        .as_array()
        .unwrap()
        .clone();
    let at = |entry: &Value| entry["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let refused = entries.iter().find(|e| e["status"] == 429).unwrap();
    let next = entries
        .iter()
        .find(|e| e["seq"].as_u64().unwrap() > mark)
        .unwrap();
    let waited = at(next).duration_since(at(refused));
    assert!(
        waited.as_millis() >= 7900,
        "the next call of anybody came after {waited:?}: {next}"
    );
    stage.ready("first").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_another_organization_is_not_used_for_anything() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let pinned = stage
        .organization_reason("default", "Verified")
        .await
        .status
        .unwrap()
        .organization_id
        .unwrap();
    let other = another_organization(&stage, "other-client", "other-secret").await;
    let mark = stage.emulator.journal_mark().await;

    stage
        .credentials("credential", "other-client", "other-secret")
        .await;
    let swapped = stage.organization_reason("default", "OrganizationMismatch").await;
    let message = organization_message(&swapped);
    assert!(
        message.contains(pinned.as_str()) && message.contains(&other),
        "{message}"
    );
    assert_eq!(swapped.status.unwrap().organization_id.unwrap(), pinned, "pinned");
    stage.workspace("new", json!({"name": "New"})).await;
    stage.reason("new", "OrganizationMismatch").await;
    pass_over(&stage, "acme", "1").await;
    stage
        .workspaces()
        .delete("acme", &DeleteParams::default())
        .await
        .unwrap();
    let blocked = stage
        .until("acme", "acme to say why it stays", |acme| {
            ready_message(acme).contains(&other)
        })
        .await;
    assert_eq!(blocked.metadata.finalizers.unwrap().len(), 1);
    assert_eq!(json!(stage.workspace_calls(mark).await), json!({}));
    assert!(stage.secrets().get_opt("acme-token").await.unwrap().is_some());

    stage
        .credentials("credential", CLIENT_ID, stage.emulator.client_secret())
        .await;
    stage.gone("acme").await;
    stage.ready("new").await;
    assert_eq!(stage.remote("Acme").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_known_from_listed_rows_alone_is_verified_and_stays_so() {
    let stage = Stage::bare(&["--knob", "t1_organization=absent"]).await;
    stage
        .credentials("credential", CLIENT_ID, stage.emulator.client_secret())
        .await;
    stage.organization("default", json!({})).await;
    let operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let verified = stage
        .organization_reason("default", "Verified")
        .await
        .status
        .unwrap();
    assert_eq!(
        verified.organization_id.unwrap().as_str(),
        "11111111-1111-4111-8111-111111111111"
    );
    operator.kill().await;
    let _operator = stage.operator().await;
    stage.workspace("later", json!({"name": "Later"})).await;
    stage.ready("later").await;

    // A list that fails later takes nothing back.
    stage
        .emulator
        .fault(json!({"operation": "W1", "contains": "limit", "answer": {"kind": "status", "status": 503}}))
        .await;
    stage.relist("default", "1").await;
    stage.organization_reason("default", "ApiUnavailable").await;
    stage.emulator.clear_faults().await;
    stage
        .emulator
        .fault(json!({"operation": "W1", "skip": 1, "answer": {"kind": "status", "status": 503}}))
        .await;
    stage.workspace("beside", json!({"name": "Beside"})).await;
    stage.ready("beside").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_held_while_it_is_used_and_counts_who_uses_it() {
    let stage = Stage::set().await;
    stage
        .emulator
        .seed(json!({"workspaces": [{"name": "Unmanaged"}]}))
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
    let held = stage.organization_reason("default", "InUse").await;
    assert!(
        organization_message(&held).contains('2'),
        "{}",
        organization_message(&held)
    );
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

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_pass_is_echoed_and_there_is_one_event_for_each_change_of_reason() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.emulator.knobs(json!({"scoped_ttl": "40"})).await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let first = stage.secret_text("acme-token", "expires_at").await;
    pass_over(&stage, "acme", "1").await;
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
