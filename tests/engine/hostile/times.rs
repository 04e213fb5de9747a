//! Times that make no sense.

use std::time::Duration;

use agent_engine_operator::domain::remote::FailureClass::Throttled;
use agent_engine_operator::engine::Operation::{Get, List};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::stub::{EXCHANGE, ISSUE, call, engine, failure, json, text};

/// Promise: hostile.retry-after
#[tokio::test(start_paused = true)]
async fn an_absurd_retry_after_pauses_a_second_to_an_hour() {
    for (said, seconds) in [
        ("-1", 5),
        ("-99999999999999999999", 5),
        ("1.5", 5),
        ("1e9", 5),
        ("", 5),
        ("soon", 5),
        ("0", 1),
        ("31536000", 3600),
        ("18446744073709551616", 3600),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 1),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
    ] {
        let (engine, log) =
            engine(move |seen| (seen.path != EXCHANGE).then(|| text(429, "").header("retry-after", said)));
        let throttled = failure(call(&engine, List).await);
        assert_eq!(
            throttled.class,
            Throttled(Duration::from_secs(seconds)),
            "{said:?}"
        );
        assert_eq!(log.calls(), 1, "{said:?}");
    }
    // Held against a `Date` that makes no sense either.
    for date in [
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "yesterday",
        "",
    ] {
        let (engine, _) = engine(move |seen| {
            let slow_down = || {
                text(429, "")
                    .without_date()
                    .header("date", date)
                    .header("retry-after", "Sun, 22 Nov 2026 12:00:40 GMT")
            };
            (seen.path != EXCHANGE).then(slow_down)
        });
        let Throttled(delay) = failure(call(&engine, List).await).class else {
            panic!("{date:?}")
        };
        assert!((1..=3600).contains(&delay.as_secs()), "{date:?}: {delay:?}");
    }
}

/// Promise: hostile.expires-in
#[tokio::test(start_paused = true)]
async fn an_absurd_expires_in_costs_no_exchange_for_each_call() {
    for said in [
        json!(0),
        json!(-1),
        json!(1e18),
        json!(1e308),
        json!(-1e308),
        json!("900"),
        json!("never"),
        json!(""),
        json!(null),
        json!(true),
        json!([900]),
        json!({"seconds": 900}),
    ] {
        let life = said.clone();
        let (engine, log) = engine(move |seen| {
            let token = json!({"access_token": "t", "expires_in": life});
            (seen.path == EXCHANGE).then(|| json(200, &token))
        });
        for _ in 0..50 {
            assert!(call(&engine, Get).await.result.is_ok(), "{said}");
        }
        assert_eq!(log.exchanges(), 1, "{said}");
        // However long it is said to live, it is replaced within an hour.
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(call(&engine, Get).await.result.is_ok(), "{said}");
        assert_eq!(log.exchanges(), 2, "{said}");
    }
}

/// Promise: hostile.date
#[tokio::test(start_paused = true)]
async fn an_absurd_date_is_taken_or_left_and_stops_nothing() {
    for (said, is_a_date) in [
        ("Sun, 22 Nov 2026 19:00:00 GMT", true),
        ("Sun, 22 Nov 2026 05:00:00 GMT", true),
        ("Fri, 31 Dec 9999 23:59:59 GMT", false),
        ("Mon, 01 Jan 0001 00:00:00 GMT", false),
        ("Thu, 01 Jan 1970 00:00:00 GMT", false),
        ("Sat, 01 Jan 0000 00:00:00 GMT", false),
        ("yesterday", false),
        ("1732276800", false),
        ("", false),
        ("Sun, 99 Nov 2026 12:00:00 GMT", false),
    ] {
        let (engine, _) = engine(move |seen| {
            let token = json!({"token": jwt(&json!({"exp": 1_795_348_800_i64}))});
            (seen.path == ISSUE).then(|| json(200, &token).without_date().header("date", said))
        });
        let answer = engine.issue(&"tenant".into(), None).await;
        assert_eq!(answer.date.is_some(), is_a_date, "{said:?}: {:?}", answer.date);
        let token = answer.result.unwrap();
        assert!(
            token.lifetime <= Duration::from_secs(1200),
            "{said:?}: {:?}",
            token.lifetime
        );
    }
}

fn jwt(claims: &Value) -> String {
    format!(
        "eyJhbGciOiJIUzI1NiJ9.{}.c2ln",
        URL_SAFE_NO_PAD.encode(claims.to_string())
    )
}

/// Promise: hostile.date
#[tokio::test(start_paused = true)]
async fn absurd_claims_never_make_a_token_live_longer() {
    for claims in [
        json!({"exp": -1}),
        json!({"exp": 0, "iat": 0}),
        json!({"exp": 1e308}),
        json!({"exp": -1e308, "iat": 1e308}),
        json!({"exp": "2099-01-01"}),
        json!({"exp": null}),
        json!({"exp": 99_999_999_999_i64, "iat": "now"}),
        json!([]),
        json!(7),
    ] {
        let token = jwt(&claims);
        let (engine, _) =
            engine(move |seen| (seen.path == ISSUE).then(|| json(200, &json!({"token": token}))));
        let token = engine.issue(&"tenant".into(), None).await.result.unwrap();
        assert!(
            token.lifetime <= Duration::from_secs(1200),
            "{claims}: {:?}",
            token.lifetime
        );
    }
}
