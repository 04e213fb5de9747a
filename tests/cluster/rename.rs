//! A workspace follows its declared name and stays the same workspace.

use crate::support::{LONG, Stage, eventually, recorded_id, text};
use serde_json::json;

/// With one search and one update.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_name_renames_the_same_workspace() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme Ltd"})).await;
    let before = recorded_id(&stage.ready("acme").await);
    let token = stage.secret_text("acme-token", "token").await;
    let mark = stage.emulator.journal_mark().await;

    stage.workspace("acme", json!({"name": "Acme Inc"})).await;
    let after = stage.ready("acme").await;

    assert_eq!(recorded_id(&after), before);
    assert_eq!(after.status.unwrap().name.unwrap().as_str(), "Acme Inc");
    stage.remote_names(&["Acme Inc"]).await;
    let secret = stage.secrets().get("acme-token").await.unwrap();
    assert_eq!(text(&secret, "workspace_name"), "Acme Inc");
    assert_eq!(text(&secret, "workspace_id"), before);
    assert_ne!(text(&secret, "token"), token);
    let calls = stage.emulator.calls_since(mark).await;
    assert_eq!(
        json!(calls),
        json!({"W1": 1, "W3": 2, "W4": 1, "T2": 1, "T3": 1}),
        "read, looked, renamed; read again for the issue, issued, proven"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_behind_our_back_is_undone_when_a_list_shows_it() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let before = recorded_id(&stage.ready("acme").await);

    stage.meddle(&before, json!({"name": "Somebody's"})).await;
    stage.list().await;

    stage.remote_names(&["Acme"]).await;
    assert_eq!(stage.remote("Acme").await[0]["id"], before);
    assert_eq!(recorded_id(&stage.ready("acme").await), before);
}

/// A name that is nearly the same is taken, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_rename_waits_until_its_name_is_free() {
    let stage = Stage::set().await;
    let seeded = stage
        .emulator
        .seed(json!({"workspaces": [{"name": "Taken"}, {"name": "NEARLY"}]}))
        .await;
    let _operator = stage.operator().await;
    for (object, wanted, blocker, reason) in [
        ("a", "Taken", &seeded["workspaces"][0], "AlreadyExists"),
        ("b", "nearly", &seeded["workspaces"][1], "SimilarNameExists"),
    ] {
        stage.workspace(object, json!({"name": object})).await;
        let before = recorded_id(&stage.ready(object).await);
        let mark = stage.emulator.journal_mark().await;

        stage.workspace(object, json!({"name": wanted})).await;
        stage.reason(object, reason).await;

        assert_eq!(stage.emulator.calls_since(mark).await.get("W4"), None);
        assert_eq!(stage.remote(object).await[0]["id"], before);
        let secret = format!("{object}-token");
        assert_eq!(stage.secret_text(&secret, "workspace_id").await, before);

        let freed = json!({"name": format!("moved-{object}")});
        stage.meddle(blocker["id"].as_str().unwrap(), freed).await;
        stage.ask(object).await;
        assert_eq!(recorded_id(&stage.ready(object).await), before);
        assert_eq!(stage.remote(wanted).await[0]["id"], before);
    }
}

/// The search says that the name is free, and the API knows better: every way in which it may say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_rename_is_reported_and_the_token_goes_on() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    for (answer, reason) in [
        ("400", "Rejected"),
        ("409", "Rejected"),
        ("422", "Rejected"),
        ("500", "ApiUnavailable"),
        ("allow-duplicate", "IdentityMismatch"),
    ] {
        let (object, wanted) = (format!("of-{answer}"), format!("wanted-{answer}"));
        stage
            .emulator
            .seed(json!({"workspaces": [{"name": wanted, "created_at": "2020-01-01T00:00:00Z"}]}))
            .await;
        stage.emulator.knobs(json!({"rename_conflict": answer})).await;
        stage.workspace(&object, json!({"name": object})).await;
        let before = recorded_id(&stage.ready(&object).await);
        let unseen = json!({"kind": "status", "status": 200, "body": {"data": [], "next": null}});
        stage
            .emulator
            .fault(json!({"operation": "W1", "contains": wanted, "count": 1, "answer": unseen}))
            .await;

        stage.workspace(&object, json!({"name": wanted})).await;
        stage.reason(&object, reason).await;

        let secret = format!("{object}-token");
        assert_eq!(
            stage.secret_text(&secret, "workspace_id").await,
            before,
            "{answer}"
        );
        if answer != "allow-duplicate" {
            // The old name goes on being the one that tokens are issued under.
            stage.delete_secret(&secret).await;
            let restored = eventually("the token to be issued anew", 2 * LONG, || async {
                match stage.secrets().get_opt(&secret).await {
                    Ok(Some(secret)) => Ok(secret),
                    other => Err(format!("{other:?}")),
                }
            })
            .await;
            assert_eq!(text(&restored, "workspace_id"), before, "{answer}");
            assert_eq!(text(&restored, "workspace_name"), object, "{answer}");
        }
    }
}

/// Promise: I3
#[tokio::test(flavor = "multi_thread")]
async fn a_rename_at_the_moment_of_an_issue_makes_no_twin() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    let before = recorded_id(&stage.ready("acme").await);
    stage
        .emulator
        .fault(json!({"operation": "T2", "contains": "Acme", "count": 1, "hold": "before"}))
        .await;

    stage.delete_secret("acme-token").await;
    stage.emulator.wait_held(1).await;
    stage.meddle(&before, json!({"name": "Elsewhere"})).await;
    stage.emulator.release("apply").await;

    let secret = stage.secret("acme-token").await;
    assert_eq!(text(&secret, "workspace_id"), before);
    stage.ready("acme").await;
    stage.remote_names(&["Acme"]).await;
    assert_eq!(stage.remote("Acme").await[0]["id"], before);
    eventually("an event that tells of the orphan", LONG, || async {
        let events = stage.event_notes("acme").await;
        let told = events.iter().any(|(reason, _)| reason == "OrphanRemoved");
        told.then_some(()).ok_or_else(|| format!("{events:?}"))
    })
    .await;
}
