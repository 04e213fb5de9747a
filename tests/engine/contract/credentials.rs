//! Knobs about credentials, application tokens and the organization that they open.

use std::time::Duration;

use agent_engine_operator::domain::ids::OrganizationId;
use agent_engine_operator::domain::remote::FailureClass::{Denied, Malformed, Rejected};
use agent_engine_operator::engine::{Credentials, ListFilter};
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::json;

use super::circumstances::{control, id_of, set, start};

const FOREIGN: &str = "22222222-2222-4222-8222-222222222222";

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_denied_whatever_the_status() {
    for (value, status) in [("400", 400), ("401", 401), ("403", 403)] {
        let setting = set(&[("t1_refusal", value)]).credentials("emulated-client", "wrong");
        let (_emulator, engine) = setting.start(Vec::new());
        let failure = engine.authenticate().await.result.unwrap_err();
        assert_eq!((failure.class, failure.status), (Denied, Some(status)));
        assert_eq!(
            engine.list(ListFilter::default()).await.result.unwrap_err().class,
            Denied
        );
    }
}

/// Whichever status says that it ended.
#[tokio::test(start_paused = true)]
async fn an_application_token_that_ended_early_is_replaced() {
    for (value, denied_first) in [("401", false), ("403", true)] {
        for form in ["jwt", "opaque"] {
            let (emulator, engine) = start(&[("bad_bearer", value), ("token_form", form)]);
            engine.authenticate().await.result.unwrap();
            emulator.with(|state| state.clock.advance(SignedDuration::from_secs(901)));
            tokio::time::advance(Duration::from_secs(61)).await;
            assert_eq!(
                engine.list(ListFilter::default()).await.result.is_err(),
                denied_first,
                "{value}"
            );
            assert!(engine.list(ListFilter::default()).await.result.is_ok(), "{value}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rotation_that_kills_tokens_is_denied_until_the_new_pair() {
    for rotation in ["kept", "revoked"] {
        let (emulator, old) = start(&[("rotation", rotation)]);
        old.authenticate().await.result.unwrap();
        control(
            &emulator,
            "credentials",
            &json!({"client_id": "emulated-client", "client_secret": "new"}),
        )
        .await;
        let after = old
            .list(ListFilter::default())
            .await
            .result
            .map(drop)
            .map_err(|failure| failure.class);
        assert_eq!(after, if rotation == "kept" { Ok(()) } else { Err(Denied) });
        let new = Credentials::new("emulated-client", &SecretString::from("new")).unwrap();
        let engine = set(&[]).client(&emulator, new, None);
        assert!(engine.list(ListFilter::default()).await.result.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_organization_never_reads_as_a_workspace_gone() {
    for shape in ["envelope", "detail", "error"] {
        for (knob, organization) in [
            ("organization_foreign", FOREIGN),
            ("organization_malformed", "no-uuid"),
        ] {
            for (value, class) in [
                ("400", Rejected),
                ("403", Denied),
                ("404", Malformed),
                ("422", Rejected),
            ] {
                let (emulator, engine) =
                    set(&[("error_shape", shape), (knob, value)]).start(vec!["tenant".to_owned()]);
                let id = id_of(&engine, "tenant").await;
                control(&emulator, "organizations", &json!({"id": FOREIGN})).await;
                let engine = set(&[]).client(
                    &emulator,
                    Credentials::new("emulated-client", &SecretString::from("emulated-secret")).unwrap(),
                    Some(OrganizationId::new(organization)),
                );
                let got = engine.get(&id).await.result;
                let found = got.as_ref().map_err(|failure| failure.class);
                // The exchange may refuse it already, and then all is denied.
                assert!(
                    matches!(found, Err(c) if c == class || c == Denied),
                    "{knob} {value}: {got:?}"
                );
                assert!(engine.delete(&id).await.result.is_err(), "{knob} {value}");
            }
        }
    }
}
