//! Two operators at once, as of two releases: they share neither memory nor Lease, and both do all of the work.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{IN_DOUBT, LONG, Stage, eventually, is_ready, ready_reason, recorded_id, text};

const SINGLE: usize = 12;
const WANTED_TWICE: usize = 6;

fn manifest(object: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace", "metadata": {"name": object}, "spec": spec,
    })
}

async fn apply(stage: &Stage, items: Vec<Value>) {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    stage
        .cluster
        .apply(&stage.tenant, &list.to_string())
        .await
        .success();
}

fn single(n: usize) -> String {
    format!("single-{n}")
}

/// Some want a name of their own, and of others two want one.
async fn apply_all(stage: &Stage) {
    let mut items: Vec<Value> = (0..SINGLE)
        .map(|n| manifest(&single(n), &json!({"name": format!("Single {n}")})))
        .collect();
    for n in 0..WANTED_TWICE {
        for side in ["a", "b"] {
            items.push(manifest(
                &format!("twice-{n}-{side}"),
                &json!({"name": format!("Twice {n}")}),
            ));
        }
    }
    apply(stage, items).await;
    for n in 0..SINGLE {
        stage.ready(&single(n)).await;
    }
}

/// Whoever lost a name says so, and never touches the workspace.
#[tokio::test(flavor = "multi_thread")]
async fn two_operators_make_no_twin_and_no_orphan() {
    let mut stage = Stage::with(&[], json!({"requestsPerSecond": 1000})).await;
    let _one = stage.operator().await;
    stage.launching_with(["--lease-name", "another"]);
    let _two = stage.operator().await;
    apply_all(&stage).await;
    each_name_has_one_holder(&stage).await;

    // Four are renamed, four deactivated, four deleted, all at once.
    let changed = (0..8).map(|n| {
        let spec = match n % 2 {
            0 => json!({"name": format!("Renamed {n}")}),
            _ => json!({"name": format!("Single {n}"), "status": "inactive"}),
        };
        manifest(&single(n), &spec)
    });
    let deleted = join_all((8..SINGLE).map(|n| {
        let stage = &stage;
        async move { stage.begin_deletion(&format!("single-{n}")).await }
    }));
    tokio::join!(apply(&stage, changed.collect()), deleted);

    let mut names: Vec<String> = (0..8)
        .map(|n| match n % 2 {
            0 => format!("Renamed {n}"),
            _ => format!("Single {n}"),
        })
        .chain((0..WANTED_TWICE).map(|n| format!("Twice {n}")))
        .collect();
    names.sort_unstable();
    for n in 0..8 {
        stage.ready(&single(n)).await;
    }
    for n in 8..SINGLE {
        stage.gone(&single(n)).await;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.remote_names(&names).await;
    for n in (1..8).step_by(2) {
        let remote = stage.remote(&format!("Single {n}")).await;
        assert_eq!(remote[0]["status"], "inactive", "{remote:?}");
        stage.no_secret(&format!("single-{n}-token")).await;
    }
    each_name_has_one_holder(&stage).await;
}

/// Then two objects that want one name at once may both have it, each with a workspace of its own. Still none has two, none
/// that of another, and what was made is recorded.
#[tokio::test(flavor = "multi_thread")]
async fn where_one_name_is_made_twice_each_object_has_its_own() {
    let knobs = ["--knob", "concurrent_mint=duplicates", "--knob", "latency_ms=200"];
    let mut stage = Stage::with(&knobs, json!({"requestsPerSecond": 1000})).await;
    let _one = stage.operator().await;
    stage.launching_with(["--lease-name", "another"]);
    let _two = stage.operator().await;
    apply_all(&stage).await;
    let twice = (0..WANTED_TWICE).flat_map(|n| ["a", "b"].map(|side| format!("twice-{n}-{side}")));
    let objects: Vec<String> = (0..SINGLE).map(single).chain(twice).collect();
    eventually(
        "each workspace to be recorded by one object",
        IN_DOUBT + LONG,
        || async {
            let mut made: Vec<String> = Vec::new();
            for row in stage.all_remote().await {
                made.push(row["id"].as_str().expect("an id").to_owned());
            }
            let mut recorded = Vec::new();
            for object in &objects {
                let workspace = stage.get(object).await;
                let id = workspace
                    .status
                    .as_ref()
                    .and_then(|status| status.workspace_id.clone());
                recorded.extend(id.map(|id| id.as_str().to_owned()));
            }
            made.sort_unstable();
            recorded.sort_unstable();
            (made == recorded)
                .then_some(())
                .ok_or(format!("{made:?} and {recorded:?}"))
        },
    )
    .await;
    for n in 0..SINGLE {
        assert_eq!(stage.remote(&format!("Single {n}")).await.len(), 1, "{n}");
    }
    for object in &objects {
        let Some(secret) = stage.secrets().get_opt(&format!("{object}-token")).await.unwrap() else {
            continue;
        };
        let opens = stage.opens(&text(&secret, "token")).await;
        assert_eq!(opens, recorded_id(&stage.get(object).await), "{object}");
    }
}

async fn each_name_has_one_holder(stage: &Stage) {
    for n in 0..WANTED_TWICE {
        let what = format!("one holder of Twice {n}");
        eventually(&what, LONG, || async {
            let (a, b) = (
                stage.get(&format!("twice-{n}-a")).await,
                stage.get(&format!("twice-{n}-b")).await,
            );
            let reasons = (ready_reason(&a), ready_reason(&b));
            let lost =
                |reason: &Option<String>| matches!(reason.as_deref(), Some("NameClaimed" | "AlreadyExists"));
            let decided = (is_ready(&a) && lost(&reasons.1)) || (is_ready(&b) && lost(&reasons.0));
            decided.then_some(()).ok_or(format!("{reasons:?}"))
        })
        .await;
    }
}
