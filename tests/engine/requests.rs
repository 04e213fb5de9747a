//! What is sent: addresses, headers and bodies, and what is never sent.

use agent_engine_operator::domain::remote::TokenPath;
use agent_engine_operator::domain::remote::{FailureClass, RemoteState, WorkspaceState};
use agent_engine_operator::engine::{Operation, UpdateFields};
use serde_json::json;

use crate::stub::{
    EXCHANGE, ISSUE, LIST, ORGANIZATION, PROVE, W1, call, configured, engine, failure, json, scoped,
    workspace,
};

/// If it is known.
#[tokio::test(start_paused = true)]
async fn every_call_goes_to_its_address_with_the_organization() {
    let one = format!("{LIST}/{W1}");
    let calls = [
        (Operation::Authenticate, "POST", EXCHANGE),
        (Operation::List, "GET", LIST),
        (Operation::Get, "GET", one.as_str()),
        (Operation::Issue, "POST", ISSUE),
        (Operation::Verify, "GET", PROVE),
        (Operation::Update, "PUT", one.as_str()),
        (Operation::Delete, "DELETE", one.as_str()),
    ];
    for known in [true, false] {
        let (engine, log) = configured(
            |config| {
                if !known {
                    config.organization_id = None;
                }
            },
            |_| None,
        );
        for (operation, method, path) in calls {
            assert!(call(&engine, operation).await.result.is_ok(), "{operation:?}");
            let seen = log.all().pop().unwrap();
            assert_eq!((seen.method.as_str(), seen.path.as_str()), (method, path));
            assert_eq!(seen.header("x-organization-id"), known.then_some(ORGANIZATION));
            assert_eq!(seen.header("accept"), Some("application/json"));
            assert!(
                seen.header("user-agent")
                    .unwrap()
                    .starts_with("agent-engine-operator/")
            );
            assert_eq!(
                seen.header("authorization").is_none(),
                operation == Operation::Authenticate
            );
            assert_eq!(
                seen.header("content-type").is_some(),
                matches!(method, "POST" | "PUT")
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_hold_what_is_meant_and_nothing_else() {
    let (engine, log) = engine(|_| None);
    let last = || log.all().pop().unwrap().body;

    engine.authenticate().await;
    assert_eq!(
        last(),
        json!({"client_id": "client-1", "client_secret": "S3CRET-canary"})
    );
    engine.issue(&" odd \"name\"".into(), None).await;
    assert_eq!(last(), json!({"workspace_name": " odd \"name\""}));
    engine
        .issue(&"eu".into(), Some(&"b9e48d61-f082-4a14-a8d0-799a907938cb".into()))
        .await;
    assert_eq!(
        last(),
        json!({"workspace_name": "eu", "region_id": "b9e48d61-f082-4a14-a8d0-799a907938cb"})
    );

    let id = W1.into();
    engine
        .update(
            &id,
            &UpdateFields {
                name: Some("new".into()),
                state: None,
            },
        )
        .await;
    assert_eq!(last(), json!({"name": "new"}));
    engine
        .update(
            &id,
            &UpdateFields {
                name: None,
                state: Some(WorkspaceState::Inactive),
            },
        )
        .await;
    assert_eq!(last(), json!({"status": "inactive"}));
}

#[tokio::test(start_paused = true)]
async fn an_empty_change_and_an_id_that_is_a_path_are_not_sent() {
    let (engine, log) = engine(|_| None);
    let empty = failure(engine.update(&W1.into(), &UpdateFields::default()).await);
    assert_eq!(empty.class, FailureClass::Rejected);
    for id in [
        "",
        ".",
        "..",
        "../connectors",
        "a/b",
        "a?b",
        "a%2Fb",
        "a#b",
        "stats",
        "sync",
        "w 1",
        "é",
        &"x".repeat(65),
    ] {
        let id = id.into();
        assert_eq!(
            failure(engine.get(&id).await).class,
            FailureClass::Rejected,
            "{id}"
        );
        assert_eq!(
            failure(engine.delete(&id).await).class,
            FailureClass::Rejected,
            "{id}"
        );
    }
    assert_eq!(log.all().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_older_family_of_paths_issues_and_verifies() {
    let (engine, log) = configured(
        |config| config.token_path = TokenPath::Embedded,
        |seen| match seen.path.as_str() {
            "/api/v1/embedded/scoped-token" => Some(json(200, &json!({"token": "scoped-1"}))),
            "/api/v1/embedded/scoped-token/info" => Some(json(
                200,
                &json!({"organization_id": ORGANIZATION, "workspace_id": W1}),
            )),
            _ => None,
        },
    );
    assert!(engine.issue(&"tenant".into(), None).await.result.is_ok());
    let issued = log.all().pop().unwrap();
    assert_eq!(issued.path, "/api/v1/embedded/scoped-token");
    assert_eq!(issued.body, json!({"workspace_name": "tenant"}));
    let region = "645a183f-b12b-4c6e-8ad3-99e165603450";
    assert!(
        engine
            .issue(&"tenant".into(), Some(&region.into()))
            .await
            .result
            .is_ok()
    );
    assert_eq!(
        log.all().pop().unwrap().body,
        json!({"workspace_name": "tenant", "region_id": region})
    );
    let proof = engine.verify(&scoped("scoped-1")).await.result.unwrap();
    assert_eq!((proof.workspace_id.as_str(), proof.workspace_name), (W1, None));
}

#[tokio::test(start_paused = true)]
async fn answers_come_as_values() {
    let (engine, _) = engine(|seen| {
        let mut odd = workspace(W1, "tenant");
        odd["status"] = json!("paused");
        (seen.method == "PUT").then(|| json(200, &odd))
    });
    let proof = engine.verify(&scoped("scoped-1")).await.result.unwrap();
    assert_eq!(proof.workspace_id.as_str(), W1);
    assert_eq!(proof.organization_id.unwrap().as_str(), ORGANIZATION);
    assert_eq!(proof.workspace_name.unwrap().as_str(), "tenant");

    let read = engine.get(&W1.into()).await.result.unwrap().unwrap();
    assert_eq!((read.id.as_str(), read.name.as_str()), (W1, "tenant"));
    assert_eq!(read.state, RemoteState::Known(WorkspaceState::Active));
    assert_eq!(
        read.created_at.unwrap().to_string(),
        "2026-04-20T21:57:20.991787Z"
    );

    let change = UpdateFields {
        name: None,
        state: Some(WorkspaceState::Active),
    };
    assert_eq!(
        engine.update(&W1.into(), &change).await.result.unwrap().state,
        RemoteState::Unknown
    );

    let token = engine.issue(&"tenant".into(), None).await.result.unwrap();
    assert_eq!(token.lifetime.as_secs(), 1200);
}
