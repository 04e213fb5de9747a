//! Knobs that show only in circumstances of their own.

use agent_engine_operator::domain::remote::FailureClass::{
    self, Conflict, Denied, Missing, Rejected, Throttled,
};
use agent_engine_operator::domain::remote::WorkspaceState;
use agent_engine_operator::domain::remote::{Deleted, TokenPath};
use agent_engine_operator::emulator::Emulator;
use agent_engine_operator::engine::{Client, ListFilter, UpdateFields};
use axum::body::Body;
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::story::Setting;

pub fn set(knobs: &[(&str, &str)]) -> Setting {
    let plain = Setting::new(TokenPath::Applications, "envelope");
    knobs
        .iter()
        .fold(plain, |setting, (knob, value)| setting.with(knob, value))
}

pub fn start(knobs: &[(&str, &str)]) -> (Emulator, Client) {
    set(knobs).start(vec!["tenant".to_owned()])
}

pub async fn control(emulator: &Emulator, path: &str, body: &Value) {
    let request = Request::post(format!("/_emulator/{path}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let answer = emulator.router().oneshot(request).await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
}

pub async fn id_of(engine: &Client, name: &str) -> agent_engine_operator::domain::ids::WorkspaceId {
    let rows = engine.search(&name.into()).await.result.unwrap();
    rows.into_iter().find(|row| row.name.as_str() == name).unwrap().id
}

async fn issue(engine: &Client, name: &str) -> Result<(), (FailureClass, Option<u16>)> {
    let answer = engine.issue(&name.into(), None).await;
    answer
        .result
        .map(drop)
        .map_err(|failure| (failure.class, failure.status))
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_says_for_how_long_in_every_notation() {
    for (value, least, most) in [
        ("int", 1, 61),
        ("date", 1, 61),
        ("absent", 5, 5),
        ("zero", 1, 1),
        ("huge", 3600, 3600),
    ] {
        let (_emulator, engine) = start(&[("rate_limit", "0"), ("retry_after", value)]);
        let failure = engine.list(ListFilter::default()).await.result.unwrap_err();
        let Throttled(delay) = failure.class else {
            panic!("{value}: {failure:?}")
        };
        assert!((least..=most).contains(&delay.as_secs()), "{value}: {delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_full_refuses_with_a_status_that_can_be_told() {
    let refusals = [
        ("402", Rejected),
        ("403", Denied),
        ("409", Conflict),
        ("422", Rejected),
    ];
    for (value, class) in refusals {
        let (_emulator, engine) = start(&[("plan_limit", "0"), ("plan_refusal", value)]);
        assert_eq!(issue(&engine, "new").await, Err((class, value.parse().ok())));
        assert_eq!(
            issue(&engine, "tenant").await,
            Ok(()),
            "what is there is still served"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn names_that_the_api_refuses_are_rejected() {
    let cases = [
        ("name_empty", "422", ""),
        ("name_charset", "printable", "a\u{1}b"),
        ("name_max", "3", "abcd"),
    ];
    for (knob, value, name) in cases {
        let (_emulator, engine) = start(&[(knob, value)]);
        assert_eq!(issue(&engine, name).await, Err((Rejected, Some(422))), "{knob}");
    }
    for (knob, value, name) in [("name_trim", "on", " tenant "), ("name_case", "folded", "TENANT")] {
        let (_emulator, engine) = start(&[(knob, value)]);
        let token = engine.issue(&name.into(), None).await.result.unwrap();
        let proof = engine.verify(&token).await.result.unwrap();
        assert_eq!(
            proof.workspace_id,
            id_of(&engine, "tenant").await,
            "{knob}: the proof tells which it is"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_hidden_workspace_is_denied_or_missing_as_the_api_says() {
    for (knob, value, expected) in [
        ("hidden_mint", "403", Err((Denied, Some(403)))),
        ("hidden_mint", "token", Ok(())),
        ("hidden_mint", "duplicate", Ok(())),
    ] {
        let (emulator, engine) = start(&[(knob, value)]);
        control(
            &emulator,
            "seed",
            &json!({"workspaces": [{"name": "hidden", "hidden": true}]}),
        )
        .await;
        assert_eq!(issue(&engine, "hidden").await, expected, "{value}");
    }
    let id = "77777777-7777-4777-8777-777777777777";
    for (value, expected) in [("404", Ok(false)), ("403", Err(Denied)), ("200", Ok(true))] {
        let (emulator, engine) = start(&[("hidden_get", value)]);
        control(
            &emulator,
            "seed",
            &json!({"workspaces": [{"name": "hidden", "hidden": true, "id": id}]}),
        )
        .await;
        let got = engine.get(&id.into()).await.result;
        assert_eq!(
            got.map(|found| found.is_some()).map_err(|failure| failure.class),
            expected,
            "{value}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_protected_default_refuses_every_change() {
    for (value, class) in [("400", Rejected), ("403", Denied), ("409", Conflict)] {
        let (_emulator, engine) = start(&[("default_protected", value)]);
        let id = id_of(&engine, "default").await;
        let rename = UpdateFields {
            name: Some("x".into()),
            state: None,
        };
        let deactivate = UpdateFields {
            name: None,
            state: Some(WorkspaceState::Inactive),
        };
        assert_eq!(engine.update(&id, &rename).await.result.unwrap_err().class, class);
        assert_eq!(
            engine.update(&id, &deactivate).await.result.unwrap_err().class,
            class
        );
        assert_eq!(engine.delete(&id).await.result.unwrap_err().class, class);
    }
}

#[tokio::test(start_paused = true)]
async fn regions_are_taken_or_rejected() {
    let (unknown, europe) = (
        "99999999-9999-4999-8999-999999999999",
        "b9e48d61-f082-4a14-a8d0-799a907938cb",
    );
    let cases = [
        ("region_unknown", "ignored", "new", unknown, true),
        ("region_unknown", "422", "new", unknown, false),
        ("region_eu", "honoured", "new", europe, true),
        ("region_eu", "us", "new", europe, true),
        ("region_eu", "422", "new", europe, false),
        ("region_conflict", "ignored", "tenant", europe, true),
        ("region_conflict", "422", "tenant", europe, false),
    ];
    for (knob, value, name, region, taken) in cases {
        let (_emulator, engine) = start(&[(knob, value)]);
        let result = engine.issue(&name.into(), Some(&region.into())).await.result;
        assert_eq!(result.is_ok(), taken, "{knob}={value}");
        assert!(taken || result.unwrap_err().class == Rejected);
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_scoped_token_verifies_nothing() {
    for (value, class) in [("400", Rejected), ("401", Denied), ("403", Denied)] {
        let (emulator, engine) = start(&[("info_expired", value)]);
        let token = engine.issue(&"tenant".into(), None).await.result.unwrap();
        emulator.with(|state| state.clock.advance(SignedDuration::from_secs(1201)));
        assert_eq!(engine.verify(&token).await.result.unwrap_err().class, class);
    }
}

#[tokio::test(start_paused = true)]
async fn the_servers_date_and_creation_times_come_as_they_are() {
    for (value, ahead) in [("exact", Some(0)), ("absent", None), ("skewed", Some(300))] {
        let (_emulator, engine) = start(&[("date", value)]);
        let answer = engine.authenticate().await;
        let seen = answer
            .date
            .map(|date| date.duration_since(answer.finished).as_secs());
        assert_eq!(seen, ahead, "{value}");
    }
    for (value, there) in [("microseconds", true), ("seconds", true), ("absent", false)] {
        let (_emulator, engine) = start(&[("created_at", value)]);
        let rows = engine.list(ListFilter::default()).await.result.unwrap();
        assert!(
            rows.iter().all(|row| row.workspace.created_at.is_some() == there),
            "{value}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_life_of_an_opaque_token_is_the_documented_one() {
    for (form, claim, expected) in [
        ("jwt", "present", 60),
        ("jwt", "absent", 1200),
        ("opaque", "present", 1200),
    ] {
        let (_emulator, engine) = start(&[("token_form", form), ("exp_claim", claim), ("scoped_ttl", "60")]);
        let token = engine.issue(&"tenant".into(), None).await.result.unwrap();
        assert_eq!(token.lifetime.as_secs(), expected, "{form}, {claim}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_reads_as_gone_in_every_notation() {
    for shape in ["envelope", "detail", "error"] {
        for text in ["Workspace not found", "Not Found", "empty"] {
            for value in ["404", "410", "200-tombstone"] {
                let what = format!("{shape} {text} {value}");
                let knobs = [
                    ("error_shape", shape),
                    ("not_found_text", text),
                    ("deleted_get", value),
                    ("list_tombstones", "included"),
                ];
                let (_emulator, engine) = start(&knobs);
                // The list shows `default` too: read by its id, it shows that the route works.
                engine.list(ListFilter::default()).await.result.unwrap();
                let id = id_of(&engine, "tenant").await;
                assert_eq!(engine.delete(&id).await.result, Ok(Deleted::Removed), "{what}");
                assert_eq!(
                    engine.delete(&id).await.result,
                    Ok(Deleted::AlreadyGone),
                    "{what}"
                );
                assert_eq!(engine.get(&id).await.result, Ok(None), "{what}");
                assert_eq!(engine.search(&"tenant".into()).await.result, Ok(Vec::new()));
                let change = UpdateFields {
                    name: Some("x".into()),
                    state: None,
                };
                assert_eq!(
                    engine.update(&id, &change).await.result.unwrap_err().class,
                    Missing,
                    "{what}"
                );
            }
        }
    }
}
