//! The token Secret: renewed in time, restored when damaged, never anybody else's and never with a token unverified.

use std::collections::BTreeMap;

use crate::support::{self, LONG, Stage, eventually, ready_message, recorded_id, tally, text};
use k8s_openapi::api::core::v1::{ResourceQuota, Secret};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use agent_engine_operator::crd::metadata_keys;

/// And at most one read.
/// Promise: cost.refresh: refresh: 1 issue, 1 verification, at most 1 GET; 1 write
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_is_one_issue_one_verification_and_one_write() {
    let stage = Stage::with(&["--scoped-token-ttl", "60"], json!({})).await;
    let _operator = stage.operator().await;
    let labels = json!({"labels": {"team": "blue"}, "annotations": {"note": "ours"}});
    stage
        .workspace("acme", json!({"name": "Acme", "tokenSecret": labels}))
        .await;
    let before = recorded_id(&stage.ready("acme").await);
    let foreign = json!({"metadata": {"labels": {"cost-centre": "7"}, "annotations": {"seen-by": "audit"}}});
    let first = stage
        .secrets()
        .patch("acme-token", &PatchParams::default(), &Patch::Merge(foreign))
        .await
        .unwrap();
    let mut audit = stage.audit().await;
    audit.restart().await;
    let mark = stage.emulator.journal_mark().await;

    let second = stage
        .secret_until("acme-token", "another token", |secret| {
            text(secret, "token") != text(&first, "token")
        })
        .await;

    assert_eq!(text(&second, "workspace_id"), before);
    assert!(text(&second, "expires_at") > text(&first, "expires_at"));
    for (key, value) in [("team", "blue"), ("cost-centre", "7")] {
        assert_eq!(second.labels().get(key).map(String::as_str), Some(value));
    }
    for (key, value) in [("note", "ours"), ("seen-by", "audit")] {
        assert_eq!(second.annotations().get(key).map(String::as_str), Some(value));
    }
    let mut calls = stage.emulator.calls_since(mark).await;
    assert!(calls.remove("W3").unwrap_or_default() <= 1);
    assert_eq!(json!(calls), json!({"T2": 1, "T3": 1}));
    let requests = audit.requests().await;
    assert_eq!(requests.object_writes().tally(), tally([("patch secrets", 1)]));
    assert_eq!(requests.event_writes().count(), 0);
}

/// With a new token; a label is put back without one.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_or_damaged_secret_is_restored_at_once() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let before = recorded_id(&stage.ready("acme").await);
    let bogus = |key: &str| json!({"stringData": {key: "bogus"}});
    let damages: [(&str, Option<Value>); 6] = [
        ("deleted", None),
        ("another token", Some(bogus("token"))),
        ("another workspace", Some(bogus("workspace_id"))),
        ("another address", Some(bogus("api_url"))),
        ("a key removed", Some(json!({"data": {"token": null}}))),
        (
            "our label removed",
            Some(json!({"metadata": {"labels": {metadata_keys::WORKSPACE_LABEL: null}}})),
        ),
    ];
    for (damage, patch) in damages {
        let whole = stage.secrets().get("acme-token").await.unwrap();
        match patch {
            None => stage.delete_secret("acme-token").await,
            Some(patch) => {
                let params = PatchParams::default();
                stage
                    .secrets()
                    .patch("acme-token", &params, &Patch::Merge(patch))
                    .await
                    .unwrap();
            }
        }
        let restored = stage
            .secret_until(
                "acme-token",
                &format!("a Secret restored after: {damage}"),
                |secret| {
                    secret.labels().contains_key(metadata_keys::WORKSPACE_LABEL)
                        && secret
                            .data
                            .as_ref()
                            .is_some_and(|data| data.contains_key("token") && data["token"].0 != b"bogus")
                        && text(secret, "workspace_id") == before
                        && text(secret, "api_url") == stage.emulator.url()
                        && (text(secret, "token") == text(&whole, "token")) == damage.starts_with("our label")
                },
            )
            .await;
        assert_eq!(restored.owner_references().len(), 1, "{damage}");
    }
    stage.remote_names(&["Acme"]).await;
}

/// Between the two, status says the new name.
/// Promise: rule.secrets
#[tokio::test(flavor = "multi_thread")]
async fn another_secret_name_is_written_before_the_old_one_goes() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let mut audit = stage.audit().await;
    audit.restart().await;

    stage
        .workspace(
            "acme",
            json!({"name": "Acme", "tokenSecret": {"name": "elsewhere"}}),
        )
        .await;
    stage.no_secret("acme-token").await;

    let acme = stage.ready("acme").await;
    assert_eq!(acme.status.unwrap().token_secret_name.unwrap(), "elsewhere");
    let writes = audit.requests().await.object_writes();
    let order: Vec<String> = writes
        .0
        .iter()
        .map(|write| format!("{write} {}", write.name))
        .collect();
    let position = |what: &str| {
        order
            .iter()
            .position(|write| write == what)
            .unwrap_or_else(|| panic!("{what} in {order:?}"))
    };
    assert!(position("create secrets elsewhere") < position("patch workspaces/status acme"));
    assert!(position("patch workspaces/status acme") < position("delete secrets acme-token"));
}

/// What waited for its name heals when it goes.
/// Promise: I6: Nothing of a user's is written: no spec, no foreign label, Secret or finalizer.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_secret_is_never_touched() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    let labelled = BTreeMap::from([(metadata_keys::WORKSPACE_LABEL, "somebody-else")]);
    for (object, labels) in [("plain", BTreeMap::new()), ("marked", labelled)] {
        let name = format!("{object}-token");
        let foreign: Secret = serde_json::from_value(json!({
            "metadata": {"name": name, "labels": labels}, "stringData": {"password": "theirs"},
        }))
        .unwrap();
        let foreign = stage
            .secrets()
            .create(&PostParams::default(), &foreign)
            .await
            .unwrap();

        stage.workspace(object, json!({"name": object})).await;
        let waiting = stage.reason(object, "SecretNotOwned").await;

        assert_eq!(waiting.status.as_ref().unwrap().token_secret_name, None);
        assert_eq!(stage.remote(object).await.len(), 1);
        assert_eq!(stage.secrets().get(&name).await.unwrap(), foreign);

        stage.delete_secret(&name).await;
        stage.ask(object).await;
        stage.ready(object).await;
        assert_eq!(
            stage.secret_text(&name, "workspace_id").await,
            recorded_id(&waiting)
        );
    }
}

/// Promise: rule.secrets
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_somebody_elses_leaves_the_old_secret_in_use() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let before = recorded_id(&stage.ready("acme").await);
    let foreign: Secret =
        serde_json::from_value(json!({"metadata": {"name": "taken"}, "stringData": {"password": "theirs"}}))
            .unwrap();
    let foreign = stage
        .secrets()
        .create(&PostParams::default(), &foreign)
        .await
        .unwrap();

    stage
        .workspace("acme", json!({"name": "Acme", "tokenSecret": {"name": "taken"}}))
        .await;
    let waiting = stage.reason("acme", "SecretNotOwned").await;

    assert_eq!(waiting.status.unwrap().token_secret_name.unwrap(), "acme-token");
    assert_eq!(stage.secret_text("acme-token", "workspace_id").await, before);
    assert_eq!(stage.secrets().get("taken").await.unwrap(), foreign);
}

/// It gets a new token.
/// Promise: rule.secrets: Secrets: ours by uid, orphaned ones owned again, new name written first
#[tokio::test(flavor = "multi_thread")]
async fn an_orphaned_secret_that_names_the_object_is_taken_over() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    let orphan: Secret = serde_json::from_value(json!({
        "metadata": {"name": "acme-token", "labels": {metadata_keys::WORKSPACE_LABEL: "acme"}},
        "stringData": {"token": "of another cluster", "workspace_id": "forged", "other": "theirs"},
    }))
    .unwrap();
    stage
        .secrets()
        .create(&PostParams::default(), &orphan)
        .await
        .unwrap();

    stage.workspace("acme", json!({"name": "Acme"})).await;
    let acme = stage.ready("acme").await;

    let secret = stage.secrets().get("acme-token").await.unwrap();
    assert_eq!(text(&secret, "workspace_id"), recorded_id(&acme));
    assert_ne!(text(&secret, "token"), "of another cluster");
    assert_eq!(text(&secret, "other"), "theirs");
    assert_eq!(secret.owner_references()[0].uid, acme.uid().unwrap());
}

/// The id of a workspace that somebody else made long ago.
async fn victim(stage: &Stage) -> String {
    let seeded = stage
        .emulator
        .seed(json!({"workspaces": [{"name": "victim", "created_at": "2020-01-01T00:00:00Z"}]}))
        .await;
    seeded["workspaces"][0]["id"].as_str().unwrap().to_owned()
}

/// Promise: I1
/// Promise: input.tokens
/// Promise: hostile.foreign-token: an API that mixes up its tenants: the token of another workspace: each token is verified before it is written: `IdentityMismatch`; the Secret stays as it is
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_workspace_never_enters_the_secret() {
    let stage = Stage::set().await;
    let victim = victim(&stage).await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let before = recorded_id(&stage.ready("acme").await);
    stage
        .emulator
        .fault(json!({"operation": "T2", "answer": {"kind": "token_of", "workspace_id": victim}}))
        .await;

    // At a refresh …
    stage.delete_secret("acme-token").await;
    stage.reason("acme", "IdentityMismatch").await;
    assert!(stage.secrets().get_opt("acme-token").await.unwrap().is_none());
    // … and at a creation.
    stage.workspace("late", json!({"name": "Late"})).await;
    // Asked for any earlier, the next reconcile would be this one: a creation says from its intent on that it is under way.
    stage
        .until("late", "the token of late to be dropped", |late| {
            support::ready_message(late).contains("the token was dropped")
        })
        .await;
    // Its back-off is longer than a test should wait.
    stage.ask("late").await;
    stage
        .until("late", "late to be stopped", |late| {
            let reason = support::ready_reason(late);
            reason.is_some_and(|reason| reason != "Creating" && reason != "CreationInFlight")
        })
        .await;
    assert!(stage.secrets().get_opt("late-token").await.unwrap().is_none());
    assert_eq!(stage.remote("victim").await[0]["id"], victim.as_str());

    stage.emulator.clear_faults().await;
    stage.ask("acme").await;
    stage.ready("acme").await;
    assert_eq!(stage.secret_text("acme-token", "workspace_id").await, before);
}

/// The token in the Secret is good for some seconds more, and nothing is amiss but the one that comes in its place.
///
/// Promise: hostile.foreign-token
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_with_a_token_of_another_leaves_the_secret_alone() {
    let stage = Stage::with(&["--scoped-token-ttl", "60"], json!({})).await;
    let victim = victim(&stage).await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let id = recorded_id(&stage.ready("acme").await);
    let foreign = json!({"operation": "T2", "answer": {"kind": "token_of", "workspace_id": victim}});
    stage.emulator.fault(foreign).await;
    let before = stage.secret("acme-token").await;
    assert_eq!(stage.opens(&text(&before, "token")).await, id);

    stage.reason("acme", "IdentityMismatch").await;
    let during = stage.secret("acme-token").await;
    assert_eq!(during, before, "nothing of it was written");

    stage.emulator.clear_faults().await;
    stage.ask("acme").await;
    let after = stage
        .secret_until("acme-token", "another token", |secret| {
            text(secret, "token") != text(&before, "token")
        })
        .await;
    assert_eq!(stage.opens(&text(&after, "token")).await, id);
    stage.ready("acme").await;
}

/// Promise: input.tokens: absurd lifetimes, token of another workspace, orphan made by our own issue
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_claims_an_absurd_life_is_renewed_within_bounds() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    let lives = [("past", -5), ("none", 0), ("short", 10), ("decade", 315_360_000)];
    for (name, seconds) in lives {
        let answer = json!({"kind": "token_lifetime", "seconds": seconds});
        stage
            .emulator
            .fault(json!({"operation": "T2", "contains": name, "answer": answer}))
            .await;
        stage.workspace(name, json!({"name": name})).await;
    }
    stage.secret("decade-token").await;
    let short = stage.secret("short-token").await;
    // The floor counts from the instant at which the operator began the issue, which is before the server saw it.
    let began: jiff::Timestamp = short.annotations()[metadata_keys::TOKEN_ISSUED_AT]
        .parse()
        .unwrap();
    let issues = |name: &'static str| {
        let stage = &stage;
        async move {
            let journal = stage.emulator.journal(0).await;
            let entries = journal["entries"].as_array().unwrap().clone();
            entries
                .into_iter()
                .filter(|entry| entry["operation"] == "T2" && entry["body"]["workspace_name"] == name)
                .map(|entry| entry["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap())
                .collect::<Vec<_>>()
        }
    };
    let at = eventually("a second issue", LONG, || async {
        let at = issues("short").await;
        (at.len() >= 2)
            .then_some(at.clone())
            .ok_or_else(|| format!("{at:?}"))
    })
    .await;
    let apart = at[1].duration_since(began);
    assert!(apart.as_secs() >= 30, "issued again after {apart:#}");
    // What is dead on arrival cannot be verified: nothing is handed out, nothing made twice, and nothing tried in a loop.
    for name in ["past", "none"] {
        assert!(issues(name).await.len() <= 2, "{:?}", issues(name).await);
        let message = &stage.get(name).await.status.unwrap().conditions[0].message;
        assert!(message.contains("just issued"), "{message}");
        let secret = stage.secrets().get_opt(&format!("{name}-token")).await.unwrap();
        assert_eq!(secret, None);
        assert_eq!(stage.remote(name).await.len(), 1);
    }
    // A token that claims ten years is taken for one of twenty minutes.
    assert_eq!(issues("decade").await.len(), 1);
    let secret = stage.secrets().get("decade-token").await.unwrap();
    let mark = |key: &str| secret.annotations()[key].parse::<jiff::Timestamp>().unwrap();
    let life = mark(metadata_keys::TOKEN_EXPIRES_AT).duration_since(mark(metadata_keys::TOKEN_ISSUED_AT));
    assert_eq!(life.as_secs(), 1200);
}

/// Neither does an attempt cost a token meanwhile.
/// Promise: rule.carried-out
#[tokio::test(flavor = "multi_thread")]
async fn a_full_quota_of_secrets_is_said_and_healed_soon_after_it_is_raised() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.ready("acme").await;
    let quotas: Api<ResourceQuota> = Api::namespaced(stage.cluster.client().await, &stage.tenant);
    let quota = json!({"metadata": {"name": "full"}, "spec": {"hard": {"count/secrets": "1"}}});
    let quota: ResourceQuota = serde_json::from_value(quota).unwrap();
    quotas.create(&PostParams::default(), &quota).await.unwrap();
    let full = json!({"status": {"hard": {"count/secrets": "1"}, "used": {"count/secrets": "1"}}});
    quotas
        .patch_status("full", &PatchParams::default(), &Patch::Merge(full))
        .await
        .unwrap();

    stage
        .change("acme", json!({"tokenSecret": {"name": "other"}}))
        .await;
    let refused = stage.reason("acme", "KubernetesApiError").await;
    let message = ready_message(&refused);
    assert!(message.contains("exceeded quota"), "{message}");
    assert!(stage.secrets().get_opt("acme-token").await.unwrap().is_some());
    let mark = stage.emulator.journal_mark().await;
    let tried = stage
        .until("acme", "the Secret to be tried without a token", |acme| {
            ready_message(acme).contains("TrySecret")
        })
        .await;
    assert!(ready_message(&tried).contains("exceeded quota"));
    assert!(!stage.workspace_calls(mark).await.contains_key("T2"));

    quotas.delete("full", &DeleteParams::default()).await.unwrap();
    stage.secret("other").await;
    stage.ready("acme").await;
    stage.no_secret("acme-token").await;
}
