//! I4: killed at any remote request of any story, the operator continues from what is stored. One remote workspace per
//! object, no orphan, no twin.
//!
//! The emulator holds one request on one side of its effect, the operator is killed with SIGKILL, the request is let go or
//! dropped, and the operator starts again. In the rows that say `late` the request takes effect only after that.

use crate::support::{CLIENT_ID, RESOLVED, Stage, eventually, is_ready, recorded_id, text};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
enum Story {
    Creation,
    Adoption,
    Rename,
    Deactivation,
    Activation,
    /// Another pair of keys, with a renewal due.
    Rotation,
    Refresh,
    Deletion,
}

/// Which request is held, on which side of its effect, and what becomes of it once the operator is dead.
type Kill = (Story, &'static str, &'static str, &'static str);

async fn killed_at((story, operation, phase, then): Kill) {
    let at = format!("{story:?} killed {phase} {operation}, then {then}");
    let stage = Stage::set().await;
    let operator = stage.operator().await;
    // Whatever the Organization asks for itself is over before the story.
    stage.workspace("warm", json!({"name": "warm"})).await;
    stage.ready("warm").await;
    let before = match story {
        Story::Creation => None,
        Story::Adoption => {
            let theirs = json!({"workspaces": [{"name": "Acme", "created_at": "2020-01-01T00:00:00Z"}]});
            let seeded = stage.emulator.seed(theirs).await;
            Some(seeded["workspaces"][0]["id"].as_str().unwrap().to_owned())
        }
        Story::Activation => {
            stage
                .workspace("acme", json!({"name": "Acme", "status": "inactive"}))
                .await;
            Some(recorded_id(&stage.ready("acme").await))
        }
        Story::Rename | Story::Deactivation | Story::Rotation | Story::Refresh | Story::Deletion => {
            stage.workspace("acme", json!({"name": "Acme"})).await;
            Some(recorded_id(&stage.ready("acme").await))
        }
    };
    let fault = json!({"operation": operation, "count": 1, "hold": phase});
    stage.emulator.fault(fault).await;

    match story {
        Story::Creation => stage.workspace("acme", json!({"name": "Acme"})).await,
        Story::Adoption => {
            stage
                .workspace("acme", json!({"name": "Acme", "adoptionPolicy": "ByName"}))
                .await;
        }
        Story::Activation => {
            stage
                .workspace("acme", json!({"name": "Acme", "status": "active"}))
                .await;
        }
        Story::Rotation => {
            // The pair that the emulator knows, under another name: another client is made of it.
            stage
                .credentials("rotated", CLIENT_ID, stage.emulator.client_secret())
                .await;
            stage
                .organization("default", json!({"credentialsSecretRef": {"name": "rotated"}}))
                .await;
            stage.delete_secret("acme-token").await;
        }
        Story::Rename => stage.workspace("acme", json!({"name": "Acme Inc"})).await,
        Story::Deactivation => {
            stage
                .workspace("acme", json!({"name": "Acme", "status": "inactive"}))
                .await;
        }
        Story::Refresh => stage.delete_secret("acme-token").await,
        Story::Deletion => stage.begin_deletion("acme").await,
    }
    stage.emulator.wait_held(1).await;
    operator.kill().await;
    let _operator = match then {
        "late" => {
            let mark = stage.emulator.journal_mark().await;
            let operator = stage.operator().await;
            looked(&stage, mark).await;
            stage.emulator.release("apply").await;
            operator
        }
        then => {
            stage.emulator.release(then).await;
            stage.operator().await
        }
    };

    let name = match story {
        Story::Deletion => return gone(&stage, &at).await,
        Story::Rename => "Acme Inc",
        Story::Creation
        | Story::Adoption
        | Story::Deactivation
        | Story::Activation
        | Story::Rotation
        | Story::Refresh => "Acme",
    };
    let acme = eventually(&format!("Ready after: {at}"), RESOLVED, || async {
        let acme = stage.get("acme").await;
        is_ready(&acme)
            .then_some(acme.clone())
            .ok_or_else(|| format!("{:#?}", acme.status))
    })
    .await;
    let id = recorded_id(&acme);
    let live = stage.all_remote().await;
    let names: Vec<&Value> = live.iter().map(|row| &row["name"]).collect();
    assert_eq!(live.len(), 2, "{at}: {names:?}");
    assert_eq!(stage.remote(name).await[0]["id"], id.as_str(), "{at}");
    assert_eq!(before.unwrap_or(id.clone()), id, "{at}");
    if let Story::Deactivation = story {
        assert_eq!(stage.remote(name).await[0]["status"], "inactive", "{at}");
        return stage.no_secret("acme-token").await;
    }
    let secret = stage.secret("acme-token").await;
    assert_eq!(text(&secret, "workspace_id"), id, "{at}");
    assert_eq!(text(&secret, "workspace_name"), name, "{at}");
}

/// Waits until the next operator has looked for the name and read what there was. It holds renames for its first minute.
async fn looked(stage: &Stage, mark: u64) {
    eventually("a look by the next operator", RESOLVED, || async {
        let journal = stage.emulator.journal(mark).await;
        let entries = journal["entries"].as_array().unwrap();
        let looked = entries.iter().any(|entry| {
            let query = entry["query"].as_str().unwrap();
            query.contains("Acme") && entry["outcome"] == "answered"
        });
        looked
            .then_some(())
            .ok_or_else(|| format!("{:?}", journal["counts"]))
    })
    .await;
}

async fn gone(stage: &Stage, at: &str) {
    eventually(&format!("gone after: {at}"), RESOLVED, || async {
        match stage.workspaces().get_opt("acme").await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    stage.remote_names(&["warm"]).await;
}

/// One test a row, so that rows run side by side and a failure names its row.
macro_rules! kills {
    ($($(#[$about:meta])* $name:ident: $story:ident $operation:literal $phase:literal $then:literal;)+) => {
        $($(#[$about])*
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            killed_at((Story::$story, $operation, $phase, $then)).await;
        })+
    };
}

kills! {
    /// Promise: I4
    creation_issue_dropped_before_its_effect: Creation "T2" "before" "drop";
    /// Promise: I4
    creation_issue_taking_effect_after_the_crash: Creation "T2" "before" "apply";
    /// Promise: I4
    creation_issue_that_took_effect_unheard: Creation "T2" "after" "drop";
    creation_issue_taking_effect_after_the_restart: Creation "T2" "before" "late";
    creation_look_lost: Creation "W1" "before" "drop";
    creation_look_unheard: Creation "W1" "after" "apply";
    creation_proof_lost: Creation "T3" "before" "drop";
    creation_proof_unheard: Creation "T3" "after" "apply";
    creation_read_lost: Creation "W3" "before" "drop";
    creation_read_unheard: Creation "W3" "after" "apply";
    rename_read_lost: Rename "W3" "before" "drop";
    rename_read_unheard: Rename "W3" "after" "apply";
    rename_look_lost: Rename "W1" "before" "drop";
    rename_look_unheard: Rename "W1" "after" "apply";
    rename_dropped_before_its_effect: Rename "W4" "before" "drop";
    rename_taking_effect_after_the_crash: Rename "W4" "before" "apply";
    rename_taking_effect_after_the_restart: Rename "W4" "before" "late";
    /// Promise: I4
    rename_that_took_effect_unheard: Rename "W4" "after" "drop";
    rename_issue_dropped_before_its_effect: Rename "T2" "before" "drop";
    rename_issue_that_took_effect_unheard: Rename "T2" "after" "drop";
    deactivation_dropped_before_its_effect: Deactivation "W4" "before" "drop";
    deactivation_that_took_effect_unheard: Deactivation "W4" "after" "drop";
    adoption_look_lost: Adoption "W1" "before" "drop";
    adoption_issue_dropped_before_its_effect: Adoption "T2" "before" "drop";
    adoption_issue_that_took_effect_unheard: Adoption "T2" "after" "drop";
    activation_dropped_before_its_effect: Activation "W4" "before" "drop";
    activation_that_took_effect_unheard: Activation "W4" "after" "drop";
    activation_issue_that_took_effect_unheard: Activation "T2" "after" "drop";
    rotation_exchange_lost: Rotation "T1" "before" "drop";
    rotation_issue_that_took_effect_unheard: Rotation "T2" "after" "drop";
    refresh_issue_dropped_before_its_effect: Refresh "T2" "before" "drop";
    refresh_issue_that_took_effect_unheard: Refresh "T2" "after" "drop";
    refresh_proof_lost: Refresh "T3" "before" "drop";
    refresh_read_lost: Refresh "W3" "before" "drop";
    deletion_dropped_before_its_effect: Deletion "W5" "before" "drop";
    deletion_taking_effect_after_the_crash: Deletion "W5" "before" "apply";
    /// Promise: I4
    deletion_that_took_effect_unheard: Deletion "W5" "after" "drop";
}
