//! A secret that shows itself fails its story.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::support::{Stage, Supervised, canary, scratch_file};

#[test]
fn a_mark_is_found_as_it_is_and_in_base64() {
    for mark in [format!("{}0123", canary::CREDENTIAL), canary::TOKEN.to_owned()] {
        for before in ["", "a", "ab", "abc", "eyJhbGciOiJIUzI1NiJ9."] {
            let text = format!("{before}{mark}zz");
            assert!(canary::shown_in(&text).is_some());
            assert!(
                canary::shown_in(&format!("x {} y", STANDARD.encode(&text))).is_some(),
                "{text}"
            );
        }
    }
    assert_eq!(canary::shown_in("canary, secret and token"), None);
}

#[tokio::test]
#[should_panic(expected = "a secret is in the log of an operator: canary-token-3b7f")]
async fn a_secret_in_a_log_fails_the_story() {
    let line = format!("token={}", canary::TOKEN);
    let (program, log) = (std::path::Path::new("/bin/echo"), scratch_file("echo.log"));
    let leaking = Supervised::start("echo", program, [line], [("A", "B")], log)
        .await
        .silent();
    leaking.wait().await;
}

#[tokio::test(flavor = "multi_thread")]
#[should_panic(expected = "a secret is in the workspaces of")]
async fn a_secret_in_an_object_fails_the_story() {
    let stage = Stage::bare(&[]).await;
    stage.workspace("acme", json!({"name": canary::TOKEN})).await;
}
