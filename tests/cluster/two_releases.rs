//! Two releases that watch the same Workspaces: each object has one operator, and the other one leaves it alone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    ApiUser, Audit, IN_DOUBT, LONG, Launch, Operator, Requests, Stage, eventually, is_ready, recorded_id,
    tally,
};

/// Until an operator that ended without releasing its Lease counts as gone: the lease, a minute of grace, and the reads of it.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(30 + 60 + 15);

const LEFT: &str = "settled by leave_to_its_holder";

/// A second release, with a namespace and an account of its own.
struct Second {
    home: String,
    user: ApiUser,
    launch: Launch,
}

impl Second {
    /// Watches the same tenant, and has no Organization yet.
    async fn beside(stage: &Stage) -> Self {
        let home = stage.cluster.namespace("home").await;
        let user = stage.cluster.operator_user().await;
        let launch = Launch::new(&user, &home).watching([stage.tenant.as_str()]);
        Self { home, user, launch }
    }

    /// Copies the first one's Organization `default`, with its credential.
    async fn organized(self, stage: &Stage) -> Self {
        for kind in ["secret/credential", "organization/default"] {
            let words = ["get", kind, "--namespace", &stage.home, "--output=json"];
            let got = stage.cluster.kubectl(words).await.success();
            let mut copy: Value = serde_json::from_str(&got).unwrap();
            copy["metadata"] = json!({"name": copy["metadata"]["name"]});
            copy["status"] = Value::Null;
            stage.cluster.apply(&self.home, &copy.to_string()).await.success();
        }
        self
    }

    async fn operator(&self) -> Operator {
        let operator = Operator::start(&self.launch).await;
        operator.ready().await;
        operator
    }

    async fn audit(&self, stage: &Stage) -> Audit {
        stage.cluster.audit(&self.user).await
    }
}

fn identity(home: &str) -> String {
    format!("{home}/agent-engine-operator")
}

/// How often the operator left an object to another one.
fn left(operator: &Operator, stage: &Stage, object: &str) -> usize {
    let subject = format!("workspace {}/{object}: {LEFT}", stage.tenant);
    operator.logs().matches(&subject).count()
}

/// Touches objects until the operator has reconciled each of them so many times more, and left it.
async fn leaves(operator: &Operator, stage: &Stage, objects: &[&str], times: usize) {
    for _ in 0..times {
        let before: Vec<_> = objects
            .iter()
            .map(|object| left(operator, stage, object))
            .collect();
        for (object, count) in objects.iter().zip(&before) {
            stage
                .annotate(object, json!({"touched": count.to_string()}))
                .await;
        }
        eventually("the operator to leave each object alone", LONG, || async {
            let now: Vec<_> = objects
                .iter()
                .map(|object| left(operator, stage, object))
                .collect();
            let all = now.iter().zip(&before).all(|(now, before)| now > before);
            all.then_some(()).ok_or(format!("{before:?} {now:?}"))
        })
        .await;
    }
}

/// Writes to what the tenant has: objects, their status, Secrets, events.
fn writes(requests: &Requests, stage: &Stage) -> Requests {
    let at_the_tenants = requests.in_namespace(&stage.tenant);
    Requests([at_the_tenants.object_writes().0, at_the_tenants.event_writes().0].concat())
}

async fn held_by(stage: &Stage, object: &str) -> String {
    let status = stage.get(object).await.status;
    let holder = status.and_then(|status| status.operator);
    holder.map_or_else(String::new, |holder| holder.lease.to_string())
}

async fn until_held_by(stage: &Stage, object: &str, home: &str, within: Duration) {
    eventually(&format!("{object} to be held by {home}"), within, || async {
        let holder = held_by(stage, object).await;
        (holder == identity(home)).then_some(()).ok_or(holder)
    })
    .await;
}

/// Renames one, deletes one, deletes a Secret: the first one's work, which the second one sees.
async fn change_three(stage: &Stage) {
    stage.change("a", json!({"name": "Renamed"})).await;
    stage
        .until_within(IN_DOUBT + LONG, &stage.tenant, "a", "a to be renamed", is_ready)
        .await;
    stage.delete_secret("b-token").await;
    stage.secret("b-token").await;
    stage.begin_deletion("c").await;
    eventually("c to be gone", IN_DOUBT + LONG, || async {
        match stage.workspaces().get_opt("c").await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// Told by the audit log, after it has seen each object several times. It could serve each of them.
/// Promise: rule.two-releases
#[tokio::test(flavor = "multi_thread")]
async fn a_second_release_writes_nothing_to_what_the_first_one_holds() {
    let stage = Stage::with(&[], json!({"pollInterval": "30s"})).await;
    let _first = stage.operator().await;
    for (object, spec) in [
        ("a", json!({"name": "A"})),
        ("b", json!({"name": "B"})),
        ("c", json!({"name": "C"})),
        ("inactive", json!({"name": "Inactive", "status": "inactive"})),
    ] {
        stage.workspace(object, spec).await;
        stage.ready(object).await;
    }
    stage.workspace("refused", json!({"name": "b"})).await;
    stage.reason("refused", "NameClaimed").await;
    let all = ["a", "b", "c", "inactive", "refused"];

    let second = Second::beside(&stage).await.organized(&stage).await;
    let audit = second.audit(&stage).await;
    let operator = second.operator().await;
    leaves(&operator, &stage, &all, 3).await;
    change_three(&stage).await;
    leaves(&operator, &stage, &["a", "b", "inactive", "refused"], 3).await;

    let log = operator.logs();
    assert_eq!(
        writes(&audit.requests().await, &stage).tally(),
        tally([]),
        "{log}"
    );
    for object in ["a", "b", "inactive", "refused"] {
        assert_eq!(held_by(&stage, object).await, identity(&stage.home));
    }
    stage.remote_names(&["Renamed", "B", "Inactive"]).await;
    let holder = identity(&stage.home);
    let series = format!("agent_engine_operator_workspaces_of_other_operators{{operator=\"{holder}\"}} 4");
    eventually("the metric to count them", LONG, || async {
        let metrics = operator.metrics().await;
        metrics
            .lines()
            .any(|line| line == series)
            .then_some(())
            .ok_or(metrics)
    })
    .await;
    let told = operator.tells().await;
    let note = format!("note: 4 Workspaces are held by the operator {holder} and left alone");
    assert!(told.lines().any(|line| line == note), "{told}");
    let said = format!("the operator {holder} holds objects");
    assert_eq!(
        log.matches(&said).count(),
        1,
        "once, and not for each object: {log}"
    );

    // Nor do they keep its own Organization of that name.
    let words = [
        "delete",
        "organization",
        "default",
        "--timeout=60s",
        "--namespace",
        &second.home,
    ];
    stage.cluster.kubectl(words).await.success();
    stage.ready("b").await;
}

/// The same for ten minutes, in which tokens are renewed and objects reconciled without an event.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten minutes"]
async fn a_second_release_writes_nothing_in_ten_minutes() {
    let knobs = ["--knob", "scoped_ttl=240"];
    let stage = Stage::with(&knobs, json!({"pollInterval": "30s"})).await;
    let first = stage.operator().await;
    let objects: Vec<String> = (0..10).map(|n| format!("w{n}")).collect();
    for object in &objects {
        stage.workspace(object, json!({"name": object})).await;
        stage.ready(object).await;
    }
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let second = Second::beside(&stage).await.organized(&stage).await;
    let audits = [stage.audit().await, second.audit(&stage).await];
    let operator = second.operator().await;
    let began = Instant::now();
    let mut round = 0;
    while began.elapsed() < Duration::from_secs(600) {
        leaves(&operator, &stage, &objects, 1).await;
        let object = objects[round % objects.len()];
        stage
            .change(object, json!({"name": format!("{object} {round}")}))
            .await;
        stage
            .until_within(
                IN_DOUBT + LONG,
                &stage.tenant,
                object,
                "it to be renamed",
                is_ready,
            )
            .await;
        round += 1;
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
    let [by_first, by_second] = [&audits[0], &audits[1]];
    let by_first = writes(&by_first.requests().await, &stage).tally();
    let by_second = writes(&by_second.requests().await, &stage).tally();
    let left: Vec<_> = objects
        .iter()
        .map(|object| left(&operator, &stage, object))
        .collect();
    eprintln!(
        "{round} rounds in {:?}; the first wrote {by_first:?}; the second left each object {left:?} times",
        began.elapsed()
    );
    assert_eq!(by_second, tally([]), "{}", operator.logs());
    drop(first);
}

/// It was killed between its issue and the record of what that made.
/// Promise: rule.take-over
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_release_held_is_taken_over() {
    let stage = Stage::with(&[], json!({"pollInterval": "10m"})).await;
    let first = stage.operator().await;
    for object in ["a", "b"] {
        stage.workspace(object, json!({"name": object})).await;
        stage.ready(object).await;
    }
    let second = Second::beside(&stage).await.organized(&stage).await;
    let operator = second.operator().await;
    leaves(&operator, &stage, &["a", "b"], 1).await;
    let issue = json!({"operation": "T2", "contains": "Halfway", "count": 1, "hold": "after"});
    stage.emulator.fault(issue).await;
    let audit = second.audit(&stage).await;
    stage.workspace("halfway", json!({"name": "Halfway"})).await;
    stage.emulator.wait_held(1).await;
    let held = [held_by(&stage, "halfway").await, identity(&stage.home)];
    if held[0] != held[1] {
        // The second one was quicker, as it may be: then it finishes what it began.
        assert_eq!(held[0], identity(&second.home));
    }
    first.kill().await;
    stage.emulator.release("apply").await;
    let mark = stage.emulator.journal_mark().await;
    for object in ["a", "b", "halfway"] {
        until_held_by(&stage, object, &second.home, TAKEN_OVER_WITHIN + LONG).await;
    }
    for object in ["a", "b"] {
        let writes = writes(&audit.requests().await, &stage).named(object);
        assert_eq!(
            writes.tally(),
            tally([("patch workspaces/status", 1)]),
            "{object}"
        );
    }
    let made = stage
        .until_within(
            IN_DOUBT + LONG,
            &stage.tenant,
            "halfway",
            "it to be finished",
            is_ready,
        )
        .await;
    let remote = stage.remote("Halfway").await;
    assert_eq!(remote.len(), 1);
    assert_eq!(remote[0]["id"], json!(recorded_id(&made)));
    let issued = stage.emulator.calls_since(mark).await.get("T2").copied();
    assert!(
        issued.unwrap_or_default() <= 1,
        "a and b keep their tokens: {issued:?}"
    );
    let secrets = writes(&audit.requests().await, &stage).of("secrets");
    assert!(
        secrets
            .0
            .iter()
            .all(|request| request.name == "halfway-token" || request.name.is_empty()),
        "{secrets:?}"
    );

    stage.change("a", json!({"name": "Renamed"})).await;
    stage
        .until_within(IN_DOUBT + LONG, &stage.tenant, "a", "a to be renamed", is_ready)
        .await;
    stage.remote_names(&["Renamed", "b", "Halfway"]).await;
    // Started again, the first one leaves them to the second.
    let first = stage.operator().await;
    leaves(&first, &stage, &["a", "b", "halfway"], 2).await;
}

/// As the chart's page says it. The first one goes on with another namespace, and its Lease is held all the time.
/// Promise: rule.moving: A namespace is moved from one release to another without a new token, a changed Secret or a second workspace
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_moves_to_another_release() {
    let mut stage = Stage::bare(&[]).await;
    let stays = stage.another_tenant().await;
    let access = json!([{
        "namespaces": {"names": [stage.tenant, stays]}, "workspaceNames": ["*"], "adoption": "Allowed", "deletion": "Allowed",
    }]);
    let stage = stage
        .organized(json!({"pollInterval": "10m", "access": access}))
        .await;
    let first = stage.operator().await;
    for object in ["a", "b"] {
        stage.workspace(object, json!({"name": object})).await;
        stage.ready(object).await;
    }
    stage
        .workspace_in(&stays, "other", json!({"name": "other"}))
        .await;
    stage.ready_in(&stays, "other").await;
    let mark = stage.emulator.journal_mark().await;

    let second = Second::beside(&stage).await.organized(&stage).await;
    let audit = second.audit(&stage).await;
    let operator = second.operator().await;
    assert_eq!(first.terminate().await, 0);
    let without = Launch::new(&stage.user, &stage.home).watching([stays.as_str()]);
    let first = Operator::start(&without).await;
    first.ready().await;
    leaves(&operator, &stage, &["a", "b"], 2).await;
    assert_eq!(writes(&audit.requests().await, &stage).tally(), tally([]));

    for object in ["a", "b"] {
        let unheld = r#"{"status": {"operator": null}}"#;
        let words = ["patch", "workspace", object, "--namespace", &stage.tenant];
        let more = ["--subresource=status", "--type=merge", "--patch", unheld];
        stage
            .cluster
            .kubectl(words.into_iter().chain(more))
            .await
            .success();
    }
    for object in ["a", "b"] {
        stage.reconcile_of(object).await;
        until_held_by(&stage, object, &second.home, LONG).await;
    }
    let issued = stage.emulator.calls_since(mark).await.get("T2").copied();
    assert_eq!(issued, None, "each token goes on");
    let secrets = writes(&audit.requests().await, &stage).of("secrets");
    assert_eq!(secrets.tally(), tally([]));
    stage.change("a", json!({"name": "Renamed"})).await;
    stage
        .until_within(IN_DOUBT + LONG, &stage.tenant, "a", "a to be renamed", is_ready)
        .await;
    stage.begin_deletion("b").await;
    eventually("b to be gone", IN_DOUBT + LONG, || async {
        match stage.workspaces().get_opt("b").await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    stage.remote_names(&["Renamed", "other"]).await;
    drop(first);
}

/// Both use the Organizations of their namespace, and one of them writes to each.
/// Promise: rule.one-operator
#[tokio::test(flavor = "multi_thread")]
async fn releases_of_one_namespace_share_its_organizations() {
    let mut stage = Stage::bare(&[]).await;
    let other = stage.another_tenant().await;
    let access = json!([{"namespaces": {"names": [stage.tenant, other]}, "workspaceNames": ["*"], "deletion": "Allowed"}]);
    let stage = stage
        .organized(json!({"pollInterval": "30s", "access": access}))
        .await;
    let watching = |user: &ApiUser, namespace: &str| Launch::new(user, &stage.home).watching([namespace]);
    let first = Operator::start(&watching(&stage.user, &stage.tenant)).await;
    first.ready().await;
    stage.listed("default").await;
    let user = stage.cluster.operator_user().await;
    let audit = stage.cluster.audit(&user).await;
    let launch = watching(&user, &other).with(["--lease-name", "second"]);
    let second = Operator::start(&launch).await;
    second.ready().await;
    for (namespace, object) in [(&stage.tenant, "a"), (&other, "b")] {
        stage
            .workspace_in(namespace, object, json!({"name": object}))
            .await;
        stage.ready_in(namespace, object).await;
    }
    for _ in 0..2 {
        stage.list().await;
    }
    let writes = audit.requests().await.object_writes().in_namespace(&stage.home);
    assert_eq!(writes.tally(), tally([]), "{}", second.logs());
    let organization = stage.organizations().get("default").await.unwrap();
    let holder = organization.status.and_then(|status| status.operator);
    assert_eq!(
        holder.map(|holder| holder.lease.to_string()),
        Some(identity(&stage.home))
    );
    stage.remote_names(&["a", "b"]).await;
}

/// New objects reach the release that has their Organization, and of those that none has, one speaks.
/// Promise: rule.provisional-hold
#[tokio::test(flavor = "multi_thread")]
async fn an_object_goes_to_the_release_that_has_its_organization() {
    let stage = Stage::set().await;
    let second = Second::beside(&stage).await;
    let audits = [stage.audit().await, second.audit(&stage).await];
    let operator = second.operator().await;
    stage.workspace("acme", json!({"name": "Acme"})).await;
    stage.reason("acme", "OrganizationNotFound").await;
    let spec = json!({"name": "Nobody's", "organization": "nowhere"});
    stage.workspace("nowhere", spec).await;
    stage.reason("nowhere", "OrganizationNotFound").await;

    let first = stage.operator().await;
    stage.ready("acme").await;
    leaves(&operator, &stage, &["acme"], 2).await;
    leaves(&first, &stage, &["nowhere"], 3).await;
    assert_eq!(held_by(&stage, "acme").await, identity(&stage.home));
    assert_eq!(held_by(&stage, "nowhere").await, identity(&second.home));
    for (audit, object, expected) in [
        (&audits[1], "acme", tally([("patch workspaces/status", 1)])),
        (&audits[1], "nowhere", tally([("patch workspaces/status", 1)])),
        (&audits[0], "nowhere", tally([])),
    ] {
        let requests = writes(&audit.requests().await, &stage).named(object);
        assert_eq!(requests.tally(), expected, "{object}");
    }
}
