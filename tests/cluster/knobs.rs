//! I10: a workspace's life under each knob of the emulator at each of its values, by one operator on the real API server:
//! applied, deactivated, activated, renamed, deleted. Wherever the API's answers allow it the life is led as declared; where they do not, the
//! reason is the one written here; and in no case is there a twin, an orphan or a token of another workspace. Then what
//! shows only later in a life, in the older family of paths, in each shape of error and each text of a 404.

mod ends;

use std::time::Duration;

use crate::support::{self, IN_DOUBT, LONG, Stage, canary, is_ready, ready_reason, recorded_id, text};
use agent_engine_operator::crd::organization::OrganizationSpec;
use agent_engine_operator::crd::workspace::WorkspaceSpec;
use agent_engine_operator::crd::{Organization, Workspace};
use agent_engine_operator::emulator::journal::Filter;
use agent_engine_operator::emulator::knobs::TABLE;
use agent_engine_operator::emulator::{Emulator, Settings, serve};
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

/// Begins as those do that are searched for.
const CREDENTIAL: &str = "canary-secret-knobs";

/// Lives led side by side.
const AT_ONCE: usize = 12;

/// For one step. A creation whose answer was lost is looked for first, a refused one rests first.
const STEP_DEADLINE: Duration = Duration::from_secs(100);

struct Life<'a> {
    stage: &'a Stage,
    emulator: &'a Emulator,
    url: String,
    name: String,
    knob: &'static str,
    value: String,
}

/// What came of a step.
#[derive(Eq, PartialEq)]
enum Step {
    Led,
    Ended,
}

impl Life<'_> {
    /// What went other than it should.
    async fn led(&self) -> Result<(), String> {
        self.begin().await;
        let end = ends::end(self.knob, &self.value);
        if self.step("Ready", end).await? == Step::Ended {
            return Ok(());
        }
        let id = self
            .get()
            .await
            .and_then(|workspace| workspace.status?.workspace_id);
        for (what, change) in [
            ("deactivated", json!({"status": "inactive"})),
            ("activated", json!({"status": "active"})),
            ("renamed", json!({"name": format!("{}-renamed", self.name)})),
        ] {
            let change = Patch::Merge(json!({"spec": change}));
            self.api()
                .patch(&self.name, &PatchParams::default(), &change)
                .await
                .map_err(|e| e.to_string())?;
            if self.step(what, end).await? == Step::Ended {
                return Ok(());
            }
        }
        let after = self
            .get()
            .await
            .and_then(|workspace| workspace.status?.workspace_id);
        if id != after {
            return Err(format!("the id became {after:?} from {id:?}"));
        }
        if end != ends::LED {
            return Err(format!("never {end}"));
        }
        self.api()
            .delete(&self.name, &DeleteParams::default())
            .await
            .map_err(|e| e.to_string())?;
        self.poll("gone", Option::is_none).await?;
        match self.remote().await.as_slice() {
            [] => Ok(()),
            left => Err(format!("left behind: {left:?}")),
        }
    }

    /// Waits until the object is Ready, or the life has ended as the table says.
    async fn step(&self, what: &str, end: &str) -> Result<Step, String> {
        let has_ended = |workspace: &Workspace| ready_reason(workspace).as_deref() == Some(end);
        self.until(what, |workspace| is_ready(workspace) || has_ended(workspace))
            .await?;
        self.is_lawful().await?;
        let ended = self.get().await.as_ref().is_some_and(has_ended);
        Ok(if ended { Step::Ended } else { Step::Led })
    }

    async fn begin(&self) {
        let organization: OrganizationSpec = serde_json::from_value(json!({
            "endpoint": self.url,
            "credentialsSecretRef": {"name": "credential"},
            "access": [{"namespaces": {"names": [self.stage.tenant]}, "workspaceNames": ["*"]}],
        }))
        .expect("a spec");
        let organizations: Api<Organization> = self.stage.organizations();
        organizations
            .create(
                &PostParams::default(),
                &Organization::new(&self.name, organization),
            )
            .await
            .expect("created");
        let spec: WorkspaceSpec =
            serde_json::from_value(json!({"name": self.name, "organization": self.name})).expect("a spec");
        self.api()
            .create(&PostParams::default(), &Workspace::new(&self.name, spec))
            .await
            .expect("created");
    }

    fn api(&self) -> Api<Workspace> {
        self.stage.workspaces()
    }

    async fn get(&self) -> Option<Workspace> {
        self.api()
            .get_opt(&self.name)
            .await
            .expect("the API server answers")
    }

    async fn until(&self, what: &str, holds: impl Fn(&Workspace) -> bool) -> Result<(), String> {
        self.poll(what, |workspace| workspace.as_ref().is_some_and(&holds))
            .await
    }

    async fn poll(&self, what: &str, holds: impl Fn(&Option<Workspace>) -> bool) -> Result<(), String> {
        let deadline = tokio::time::Instant::now() + STEP_DEADLINE;
        loop {
            let workspace = self.get().await;
            if holds(&workspace) {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                let conditions = workspace.and_then(|w| w.status).map(|status| status.conditions);
                let said = conditions
                    .unwrap_or_default()
                    .into_iter()
                    .map(|c| format!("{}={} {}: {}", c.type_, c.status, c.reason, c.message));
                return Err(format!("not {what}: {}", said.collect::<Vec<_>>().join("; ")));
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// One workspace of ours at most, and no token but its own.
    async fn is_lawful(&self) -> Result<(), String> {
        let remote = self.remote().await;
        if remote.len() > 1 {
            return Err(format!("twins: {remote:?}"));
        }
        let recorded = self
            .get()
            .await
            .and_then(|workspace| workspace.status?.workspace_id);
        let secrets: Api<Secret> = self.stage.secrets();
        let secret = secrets
            .get_opt(&format!("{}-token", self.name))
            .await
            .map_err(|e| e.to_string())?;
        let Some(secret) = secret else { return Ok(()) };
        let opens = self
            .emulator
            .with(|state| state.world.opens(&text(&secret, "token")));
        let said = Some(text(&secret, "workspace_id"));
        let recorded = recorded.map(|id| id.as_str().to_owned());
        if opens.is_some() && opens == recorded && said == recorded {
            Ok(())
        } else {
            Err(format!(
                "a Secret of {said:?}, whose token opens {opens:?}, recorded is {recorded:?}"
            ))
        }
    }

    /// Live workspaces at the emulator whose name is of this life.
    async fn remote(&self) -> Vec<String> {
        let state = support::http_client()
            .get(format!("{}/_emulator/state", self.url))
            .send()
            .await
            .expect("its state");
        let state: Value = serde_json::from_str(&state.text().await.expect("text")).expect("JSON");
        support::find_workspaces(&state)
            .into_iter()
            .filter(|w| w["tombstone"] != true)
            .filter_map(|w| w["name"].as_str().map(str::to_owned))
            .filter(|name| name.to_lowercase().contains(&self.name))
            .collect()
    }
}

/// It is led as declared, or stops as the table says.
/// Promise: I10: Every answer of the API that its documentation leaves open is handled whichever way it turns out.
/// Promise: unknown.lives: under each knob at each of its values a workspace is led through its life, or stops with the reason that is written
#[tokio::test(flavor = "multi_thread")]
async fn a_life_under_each_value_of_each_knob_ends_as_written() {
    let stage = Stage::bare(&[]).await;
    stage
        .credentials("credential", "emulated-client", CREDENTIAL)
        .await;
    let _operator = stage.operator().await;

    let lives: Vec<(&str, String)> = TABLE
        .iter()
        .flat_map(|knob| (knob.samples)().into_iter().map(move |value| (knob.name, value)))
        .collect();
    assert_eq!(ends::unused(&lives), Vec::<String>::new(), "rows of no value");
    let stage = &stage;
    let surprises: Vec<String> = stream::iter(lives.into_iter().enumerate())
        .map(|(n, (knob, value))| async move {
            let mut settings = Settings {
                client_secret: CREDENTIAL.to_owned(),
                canary: Some(canary::TOKEN.to_owned()),
                ..Settings::default()
            };
            settings
                .knobs
                .set_pair(&format!("{knob}={value}"))
                .expect("a value of the knob");
            let emulator = Emulator::new(settings).expect("an emulator");
            let running = serve("127.0.0.1:0", &emulator).await.expect("it is served");
            let name = format!("life-{n:03}");
            let life = Life {
                stage,
                emulator: &emulator,
                url: running.url(),
                name,
                knob,
                value,
            };
            let led = life.led().await.err();
            let calls = emulator.with(|state| state.journal.read(&Filter::default()).last);
            println!("{knob}={}: {calls} calls", life.value);
            let most = ends::most_calls(knob, &life.value);
            let dear = (calls > most).then(|| format!("{calls} calls, more than {most}"));
            led.or(dear)
                .map(|surprise| format!("{knob}={}: {surprise}", life.value))
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|surprise| async move { surprise })
        .collect()
        .await;
    assert!(
        surprises.is_empty(),
        "{} surprises:\n{}",
        surprises.len(),
        surprises.join("\n")
    );
}

/// From creation on.
#[tokio::test(flavor = "multi_thread")]
async fn the_older_family_of_token_paths_works_to_the_refresh() {
    let stage = Stage::with(&["--knob", "current_paths=off"], json!({"tokenPath": "Embedded"})).await;
    let _operator = stage.operator().await;

    stage.workspace("acme", json!({"name": "Acme"})).await;
    let before = recorded_id(&stage.ready("acme").await);
    stage.delete_secret("acme-token").await;
    let secret = stage.secret("acme-token").await;

    assert_eq!(text(&secret, "workspace_id"), before);
    let journal = stage.emulator.journal(0).await;
    let paths: Vec<&str> = journal["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["operation"] == "T2" || entry["operation"] == "T3")
        .map(|entry| entry["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths.len(), 4, "{paths:?}");
    assert!(paths.iter().all(|path| path.contains("/embedded/")), "{paths:?}");
}

/// Of an API whose 404 says nothing of a workspace, and whose errors have any shape.
/// Promise: unknown.not-found
#[tokio::test(flavor = "multi_thread")]
async fn a_life_and_a_loss_end_alike_whatever_a_404_says() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    // The envelope comes last: what was seen before it is no help to the others.
    for (n, shape) in ["detail", "error", "envelope"].into_iter().enumerate() {
        for (m, text) in ["empty", "Not Found", "Workspace not found"]
            .into_iter()
            .enumerate()
        {
            let knobs = json!({"error_shape": shape, "not_found_text": text});
            stage.emulator.knobs(knobs).await;
            let [led, lost, unseen] = ["led", "lost", "unseen"].map(|word| format!("{word}-{n}{m}"));
            for name in [&led, &lost, &unseen] {
                stage.workspace(name, json!({"name": name})).await;
            }
            let ids = [
                recorded_id(&stage.ready(&led).await),
                recorded_id(&stage.ready(&lost).await),
                recorded_id(&stage.ready(&unseen).await),
            ];

            stage
                .change(
                    &led,
                    json!({"name": format!("{led}-renamed"), "status": "inactive"}),
                )
                .await;
            stage.ready(&led).await;
            stage.no_secret(&format!("{led}-token")).await;
            stage.change(&led, json!({"status": "active"})).await;
            stage.ready(&led).await;
            stage.delete_secret(&format!("{led}-token")).await;
            let secret = stage.secret(&format!("{led}-token")).await;
            assert_eq!(support::text(&secret, "workspace_id"), ids[0], "{shape}, {text}");

            stage.lose(&ids[1]).await;
            stage.list().await;
            stage.reason(&lost, "WorkspaceNotFound").await;

            // Its loss is found by its own deletion.
            stage.lose(&ids[2]).await;
            for name in [&unseen, &lost, &led] {
                stage.delete(name).await;
            }
            assert_eq!(stage.all_remote().await.len(), 0, "{shape}, {text}");
        }
    }
}

/// Another server than Agent Engine answers in its place, with 404 to all but the token and the list.
/// Promise: unknown.not-found
#[tokio::test(flavor = "multi_thread")]
async fn a_404_of_another_server_lets_no_object_go() {
    let stage = Stage::set().await;
    let operator = stage.operator().await;
    let answers = [
        json!({"kind": "html", "status": 404}),
        json!({"kind": "status", "status": 404, "body": {"message": "Not Found"}}),
        json!({"kind": "status", "status": 404, "body": {"detail": "Not Found"}}),
        json!({"kind": "status", "status": 404, "body": {"detail": "Workspace not found"}}),
        json!({"kind": "status", "status": 404, "body": "404 page not found"}),
    ];
    for n in 0..answers.len() {
        let name = format!("held-{n}");
        stage.workspace(&name, json!({"name": name})).await;
        stage.ready(&name).await;
    }
    // The next one has seen nothing yet.
    operator.terminate().await;
    for (n, answer) in answers.iter().enumerate() {
        let id = recorded_id(&stage.workspaces().get(&format!("held-{n}")).await.unwrap());
        let fault = json!({"path": format!("/api/v1/workspaces/{id}"), "answer": answer});
        stage.emulator.fault(fault).await;
    }
    // Nor is there a workspace that would show that the route works.
    let fault = json!({"operation": "W3", "answer": answers[1]});
    stage.emulator.fault(fault).await;
    let _operator = stage.operator().await;
    for n in 0..answers.len() {
        stage.begin_deletion(&format!("held-{n}")).await;
    }
    for (n, answer) in answers.iter().enumerate() {
        let name = format!("held-{n}");
        let blocked = |workspace: &Workspace| ready_reason(workspace).as_deref() == Some("DeletionBlocked");
        let what = format!("{name} to be DeletionBlocked");
        let held = stage
            .until_within(IN_DOUBT + LONG, &stage.tenant, &name, &what, blocked)
            .await;
        let message = support::ready_message(&held);
        assert!(
            message.contains("check spec.endpoint of the Organization"),
            "{answer}: {message}"
        );
    }
    assert_eq!(stage.all_remote().await.len(), answers.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_mean_the_same_in_each_of_their_shapes() {
    let stage = Stage::set().await;
    let _operator = stage.operator().await;
    for shape in ["envelope", "detail", "error"] {
        stage
            .emulator
            .knobs(json!({"error_shape": shape, "plan_limit": "none"}))
            .await;
        let lost = format!("lost-{shape}");
        stage.workspace(&lost, json!({"name": lost})).await;
        stage.lose(&recorded_id(&stage.ready(&lost).await)).await;
        stage.list().await;
        stage.reason(&lost, "WorkspaceNotFound").await;

        stage.emulator.knobs(json!({"plan_limit": 0})).await;
        let beyond = format!("beyond-{shape}");
        stage.workspace(&beyond, json!({"name": beyond})).await;
        stage.reason(&beyond, "PlanLimit").await;
        assert_eq!(stage.remote(&beyond).await.len(), 0);
    }
}
