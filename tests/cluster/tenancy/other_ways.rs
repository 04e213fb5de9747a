//! A rename and an adoption by id reach no name that a creation would not.

use serde_json::json;

use super::{entry, granting};
use crate::support::{Stage, recorded_id};

/// Promise: I2
#[tokio::test(flavor = "multi_thread")]
async fn a_rename_reaches_no_ungranted_claimed_or_taken_name() {
    let stage = granting(|s| json!([entry(json!({"names": [s.tenant]}), &["Team *"])])).await;
    stage
        .emulator
        .seed(json!({"workspaces": [{"name": "Team Taken"}]}))
        .await;
    let _operator = stage.operator().await;
    stage.workspace("mine", json!({"name": "Team Mine"})).await;
    stage.workspace("yours", json!({"name": "Team Yours"})).await;
    let id = recorded_id(&stage.ready("mine").await);
    stage.ready("yours").await;
    let mark = stage.emulator.journal_mark().await;

    for (target, reason) in [
        ("Other", "NameNotGranted"),
        ("team yours", "NameNotGranted"),
        ("Team YOURS", "NameClaimed"),
        ("Team Yours", "NameClaimed"),
        ("Team Taken", "AlreadyExists"),
        ("Team TAKEN", "SimilarNameExists"),
    ] {
        stage.change("mine", json!({"name": target})).await;
        stage.synced_reason("mine", reason).await;
    }

    let calls = stage.workspace_calls(mark).await;
    assert!(
        !calls.contains_key("W4") && !calls.contains_key("T2"),
        "{calls:?}"
    );
    assert_eq!(
        stage.secret_text("mine-token", "workspace_id").await,
        id,
        "its token goes on"
    );
    assert_eq!(
        stage.secret_text("mine-token", "workspace_name").await,
        "Team Mine"
    );
}

/// Promise: I2
#[tokio::test(flavor = "multi_thread")]
async fn an_id_opens_no_name_that_is_not_granted_or_claimed() {
    let mut stage = Stage::set().await;
    let other = stage.another_tenant().await;
    let access = json!([
        entry(json!({"names": [stage.tenant]}), &["Mine *"]),
        entry(json!({"names": [other]}), &["Theirs *"]),
    ]);
    stage.organization("default", json!({"access": access})).await;
    let seeded = stage
        .emulator
        .seed(json!({"workspaces": [{"name": "Theirs Free"}, {"name": "Mine Free"}]}))
        .await;
    let id = |n: usize| seeded["workspaces"][n]["id"].as_str().unwrap().to_owned();
    let _operator = stage.operator().await;
    stage
        .workspace_in(&other, "theirs", json!({"name": "Theirs Own"}))
        .await;
    let theirs = recorded_id(&stage.ready_in(&other, "theirs").await);
    let mark = stage.emulator.journal_mark().await;

    // The id of a workspace whose name this namespace was not granted, managed by somebody or not.
    stage
        .workspace("by-id", json!({"name": "Mine Id", "workspaceId": id(0)}))
        .await;
    stage.reason("by-id", "NameNotGranted").await;
    stage
        .workspace("claimed", json!({"name": "Mine Claimed", "workspaceId": theirs}))
        .await;
    let claimed = stage.reason("claimed", "NameNotGranted").await;
    assert_eq!(claimed.status.unwrap().workspace_id, None);
    // Nor one that another object of the very same namespace manages.
    stage
        .workspace_in(
            &other,
            "twin",
            json!({"name": "Theirs Twin", "workspaceId": theirs}),
        )
        .await;
    stage.reason_in(&other, "twin", "NameClaimed").await;

    let calls = stage.workspace_calls(mark).await;
    assert!(
        !calls.contains_key("T2") && !calls.contains_key("W4"),
        "{calls:?}"
    );
    assert!(stage.secrets().get_opt("by-id-token").await.unwrap().is_none());
    assert!(stage.secrets().get_opt("claimed-token").await.unwrap().is_none());

    // One that it was granted is adopted by the same words, and renamed to what is declared.
    stage
        .workspace("free", json!({"name": "Mine Renamed", "workspaceId": id(1)}))
        .await;
    assert_eq!(recorded_id(&stage.ready("free").await), id(1));
    assert_eq!(stage.remote("Mine Renamed").await[0]["id"], id(1));
}
