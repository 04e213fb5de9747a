//! Knobs of tokens, credentials, headers and errors.

use agent_engine_operator::emulator::{DEFAULT_ORGANIZATION, Settings};
use reqwest::Method;
use serde_json::{Value, json};

use super::{code, untested};
use crate::rig::{INFO, LEGACY_MINT, MINT, Reply, Rig, STATS, WORKSPACES};
use crate::shapes;

const FOREIGN: &str = "22222222-2222-4222-8222-222222222222";

async fn asked(rig: &Rig, path: &str, headers: &[(&str, &str)]) -> Reply {
    rig.send(Method::GET, path, headers, None).await
}

async fn for_organization(rig: &Rig, organization: &str) -> u16 {
    let bearer = rig.bearer().await;
    asked(
        rig,
        WORKSPACES,
        &[("authorization", &bearer), ("x-organization-id", organization)],
    )
    .await
    .status
}

/// Looks at a knob of this chapter; false for any other.
pub async fn observe(knob: &str, value: &str, rig: &Rig) -> bool {
    match knob {
        "error_shape" => {
            let shape = match value {
                "envelope" => shapes::envelope(),
                "detail" => shapes::detail(),
                "error" => shapes::error_and_message(),
                _ => untested(knob, value),
            };
            for (path, status) in [(WORKSPACES, 401), (STATS, 401)] {
                let reply = rig.send_undocumented(Method::GET, path, &[], None).await;
                assert_eq!(
                    (reply.status, shapes::fault(&shape, &reply.body, path)),
                    (status, None)
                );
            }
            let bearer = rig.bearer().await;
            let headers = [("authorization", bearer.as_str())];
            let invalid = rig
                .send_undocumented(Method::POST, MINT, &headers, Some(json!({})))
                .await;
            assert_eq!(
                (invalid.status, shapes::fault(&shape, &invalid.body, MINT)),
                (422, None)
            );
        }
        "missing_bearer" => {
            assert_eq!(asked(rig, WORKSPACES, &[]).await.status, code(value));
            assert_eq!(asked(rig, INFO, &[]).await.status, code(value));
        }
        "bad_bearer" => {
            assert_eq!(
                asked(rig, WORKSPACES, &[("authorization", "Bearer x")])
                    .await
                    .status,
                code(value)
            );
            let bearer = rig.bearer().await;
            rig.advance_ms(900_000);
            assert_eq!(
                asked(rig, WORKSPACES, &[("authorization", &bearer)]).await.status,
                code(value)
            );
        }
        "www_authenticate" => {
            let header = asked(rig, WORKSPACES, &[])
                .await
                .header("www-authenticate")
                .map(str::to_owned);
            assert_eq!(header.is_some(), value == "present");
        }
        "organization_foreign" => {
            assert_eq!(for_organization(rig, FOREIGN).await, code(value));
            assert_eq!(for_organization(rig, DEFAULT_ORGANIZATION).await, 200);
        }
        "organization_malformed" => assert_eq!(for_organization(rig, "acme").await, code(value)),
        "t1_refusal" => assert_eq!(rig.exchange("emulated-client", "wrong").await.status, code(value)),
        "t1_organization" => {
            let body = rig.t1().await.body;
            match value {
                "present" => assert_eq!(body["organization_id"], DEFAULT_ORGANIZATION),
                "null" => assert_eq!(body.get("organization_id"), Some(&Value::Null)),
                "absent" => assert_eq!(body.get("organization_id"), None),
                _ => untested(knob, value),
            }
        }
        "expires_in" => {
            let reply = rig.t1().await;
            let life: i64 = value.parse().unwrap();
            assert_eq!(reply.body["expires_in"], life);
            let bearer = format!("Bearer {}", reply.text("access_token"));
            let headers = [("authorization", bearer.as_str())];
            let expected = if life == 0 { 401 } else { 200 };
            assert_eq!(asked(rig, WORKSPACES, &headers).await.status, expected);
            rig.advance_ms(life * 1000);
            assert_eq!(asked(rig, WORKSPACES, &headers).await.status, 401);
        }
        "expires_in_said" => {
            let said = if value == "none" {
                json!(900)
            } else {
                json!(value.parse::<u64>().unwrap())
            };
            assert_eq!(rig.t1().await.body["expires_in"], said);
            assert_eq!(rig.list("").await.status, 200, "the true life is as ever");
        }
        "rotation" => {
            let bearer = rig.bearer().await;
            let Settings { client_id, .. } = Settings::default();
            let pair = json!({"client_id": client_id, "client_secret": "new"});
            rig.control(Method::POST, "/credentials", pair).await;
            let expected = if value == "kept" { 200 } else { 401 };
            assert_eq!(
                asked(rig, WORKSPACES, &[("authorization", &bearer)]).await.status,
                expected
            );
            assert_eq!(rig.t1().await.status, 401, "the old secret is no longer taken");
            assert_eq!(rig.exchange(&client_id, "new").await.status, 200);
        }
        "subscription" => {
            let expected = if value == "active" { 200 } else { code(value) };
            assert_eq!(rig.list("").await.status, expected);
            assert_eq!(rig.mint("tenant-1").await.status, expected);
        }
        "role" => {
            let expected = if value == "admin" { 200 } else { 403 };
            let id = rig.seed(json!({"name": "tenant-1"})).await;
            assert_eq!(rig.mint("tenant-1").await.status, expected);
            assert_eq!(rig.put(&id, json!({"name": "tenant-2"})).await.status, expected);
            assert_eq!(rig.delete(&id).await.status, expected);
            assert_eq!(rig.list("").await.status, 200);
        }
        "token_form" => {
            let (token, _) = rig.opened("tenant-1").await;
            assert_eq!(token.split('.').count() == 3, value == "jwt");
            assert_eq!(rig.info(&token).await.status, 200);
        }
        "exp_claim" => {
            let (token, _) = rig.opened("tenant-1").await;
            assert_eq!(exp(&token).is_some(), value == "present");
            rig.advance_ms(1_200_000);
            assert_eq!(rig.info(&token).await.status, 401);
        }
        "scoped_ttl" => {
            let token = rig.mint("tenant-1").await.text("token");
            let life: i64 = value.parse().unwrap();
            assert_eq!(rig.info(&token).await.status, if life == 0 { 401 } else { 200 });
            rig.advance_ms(life * 1000);
            assert_eq!(rig.info(&token).await.status, 401);
        }
        "scoped_after_rename" | "scoped_after_inactive" | "scoped_after_delete" => {
            let (token, id) = rig.opened("tenant-1").await;
            match knob {
                "scoped_after_rename" => assert_eq!(rig.put(&id, json!({"name": "other"})).await.status, 200),
                "scoped_after_inactive" => {
                    assert_eq!(rig.put(&id, json!({"status": "inactive"})).await.status, 200);
                }
                _ => assert_eq!(rig.delete(&id).await.status, 200),
            }
            let expected = if value == "valid" { 200 } else { code(value) };
            assert_eq!(rig.info(&token).await.status, expected);
        }
        "scoped_on_workspaces" => {
            let bearer = format!("Bearer {}", rig.opened("tenant-1").await.0);
            assert_eq!(
                asked(rig, WORKSPACES, &[("authorization", &bearer)]).await.status,
                code(value)
            );
        }
        "info_name" => {
            let (token, id) = rig.opened("old").await;
            rig.put(&id, json!({"name": "new"})).await;
            let expected = if value == "current" { "new" } else { "old" };
            assert_eq!(rig.info(&token).await.text("workspace_name"), expected);
        }
        "info_application_token" => {
            let bearer = rig.bearer().await;
            assert_eq!(
                asked(rig, INFO, &[("authorization", &bearer)]).await.status,
                code(value)
            );
        }
        "info_expired" => {
            let (token, _) = rig.opened("tenant-1").await;
            rig.advance_ms(1_200_000);
            assert_eq!(rig.info(&token).await.status, code(value));
        }
        "legacy_paths" | "current_paths" => {
            let path = if knob == "legacy_paths" { LEGACY_MINT } else { MINT };
            let expected = if value == "on" { 200 } else { 404 };
            let bearer = rig.bearer().await;
            let headers = [("authorization", bearer.as_str())];
            let body = json!({"workspace_name": "tenant-1"});
            let reply = rig
                .send_undocumented(Method::POST, path, &headers, Some(body))
                .await;
            assert_eq!(reply.status, expected);
        }
        "rate_limit" => {
            let bearer = rig.bearer().await;
            let headers = [("authorization", bearer.as_str())];
            for call in 0..5u64 {
                let expected = match value {
                    "none" => 200,
                    limit if call < limit.parse().unwrap() => 200,
                    _ => 429,
                };
                assert_eq!(
                    asked(rig, WORKSPACES, &headers).await.status,
                    expected,
                    "call {call}"
                );
            }
            rig.advance_ms(60_000);
            let expected = if value == "0" { 429 } else { 200 };
            assert_eq!(asked(rig, WORKSPACES, &headers).await.status, expected);
        }
        "retry_after" => {
            rig.knob("rate_limit", "0");
            let reply = rig.list("").await;
            let header = reply.header("retry-after");
            assert_eq!(reply.status, 429);
            match value {
                "int" => assert_eq!(header, Some("61")),
                "zero" => assert_eq!(header, Some("0")),
                "huge" => assert!(header.unwrap().parse::<u64>().unwrap() > 1 << 32),
                "absent" => assert_eq!(header, None),
                "date" => assert!(header.unwrap().ends_with("GMT")),
                _ => untested(knob, value),
            }
        }
        "rate_limit_headers" => {
            rig.knob("rate_limit", "10");
            let reply = rig.list("").await;
            let expected = (value == "present").then_some("9");
            assert_eq!(reply.header("x-ratelimit-remaining"), expected);
        }
        "date" => {
            let (date, now) = (
                date(rig).await,
                rig.emulator.with(|state| state.clock.now().as_second()),
            );
            match value {
                "exact" => assert_eq!(date, Some(now)),
                "absent" => assert_eq!(date, None),
                "skewed" => assert_eq!(date, Some(now + 300)),
                _ => untested(knob, value),
            }
        }
        "date_skew" => {
            rig.knob("date", "skewed");
            let now = rig.emulator.with(|state| state.clock.now().as_second());
            assert_eq!(date(rig).await, Some(now + value.parse::<i64>().unwrap()));
        }
        "latency_ms" => {
            let begun = std::time::Instant::now();
            assert_eq!(rig.t1().await.status, 200);
            assert!(begun.elapsed().as_millis() >= value.parse().unwrap());
        }
        _ => return false,
    }
    true
}

/// The claim, as a client would read it.
fn exp(token: &str) -> Option<i64> {
    use base64::Engine as _;
    let payload = token.split('.').nth(1)?;
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .ok()?;
    serde_json::from_slice::<Value>(&claims).ok()?["exp"].as_i64()
}

async fn date(rig: &Rig) -> Option<i64> {
    let reply = rig.list("").await;
    let text = reply.header("date")?.replace("GMT", "+0000");
    let time = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(&text)
        .unwrap();
    Some(time.as_second())
}
