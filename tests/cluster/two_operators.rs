//! Two operators at once, as after a botched upgrade: they share no memory, and both do all of the work.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{LONG, Stage, eventually, is_ready, ready_reason};

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

/// Whoever lost a name says so, and never touches the workspace.
#[tokio::test(flavor = "multi_thread")]
async fn two_operators_make_no_twin_and_no_orphan() {
    let stage = Stage::with(&[], json!({"requestsPerSecond": 1000})).await;
    let _operators = join_all([stage.operator(), stage.operator()]).await;
    let single = |n: usize| format!("single-{n}");
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
    apply(&stage, items).await;
    for n in 0..SINGLE {
        stage.ready(&single(n)).await;
    }
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
