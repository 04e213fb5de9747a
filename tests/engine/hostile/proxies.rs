//! What stands in between and answers in the API's place.

use agent_engine_operator::domain::remote::FailureClass::{self, Denied, Malformed, Transient, Unknown};
use agent_engine_operator::engine::Operation::{self, Authenticate};
use serde_json::json;

use super::{READS, WRITES};
use crate::stub::{EXCHANGE, ISSUE, Reply, call, engine, failure, html, json, text};

type Answered = (&'static str, fn() -> Reply);

async fn class(operation: Operation, reply: fn() -> Reply) -> (FailureClass, String) {
    let (engine, log) =
        engine(move |seen| ((seen.path == EXCHANGE) == (operation == Authenticate)).then(reply));
    let failure = failure(call(&engine, operation).await);
    let most = 2 + u32::from(operation != Authenticate);
    assert!(
        log.all().len() <= most as usize,
        "{operation:?}: {} requests",
        log.all().len()
    );
    (failure.class, failure.detail)
}

/// To an exchange or a read it is of this class; a write is in doubt.
async fn reads_as(what: &str, reply: fn() -> Reply, read: FailureClass) {
    let reads = [Authenticate]
        .into_iter()
        .chain(READS)
        .map(|operation| (operation, read));
    let writes = WRITES.into_iter().map(|operation| (operation, Unknown));
    for (operation, expected) in reads.chain(writes) {
        assert_eq!(
            class(operation, reply).await.0,
            expected,
            "{what} to {operation:?}"
        );
    }
}

/// No word of the credential: a proxy wants one of its own, or is lost.
///
/// Promise: hostile.proxy
#[tokio::test(start_paused = true)]
async fn a_proxy_that_refuses_says_nothing_of_the_credential() {
    let said: [Answered; 9] = [
        ("407, page", || {
            html(407)
                .header("proxy-authenticate", "Basic realm=\"corp\"")
                .header("via", "1.1 squid")
        }),
        ("407, JSON", || {
            json(
                407,
                &json!({"message": "Proxy Authentication Required", "errors": []}),
            )
        }),
        ("400, page", || html(400).header("via", "1.1 squid")),
        ("402, page", || html(402)),
        ("404, page", || html(404)),
        ("413, text", || text(413, "Request Entity Too Large")),
        ("421, nothing", || text(421, "")),
        ("431, page", || html(431)),
        ("451, page", || html(451)),
    ];
    for (what, reply) in said {
        for operation in [Authenticate].into_iter().chain(super::CALLS) {
            let (class, detail) = class(operation, reply).await;
            assert_eq!(class, Malformed, "{what} to {operation:?}: {detail}");
            assert!(detail.contains("proxy"), "{what} to {operation:?}: {detail}");
        }
    }
}

/// A firewall's 401 and 403 cannot be told from the API's own.
#[tokio::test(start_paused = true)]
async fn a_401_and_a_403_are_of_the_credential_whoever_says_so() {
    for reply in [
        (|| html(401)) as fn() -> Reply,
        || html(403),
        || text(401, ""),
        || text(403, "denied"),
    ] {
        for operation in [Authenticate].into_iter().chain(super::CALLS) {
            assert_eq!(class(operation, reply).await.0, Denied, "{operation:?}");
        }
    }
}

/// Promise: hostile.proxy
#[tokio::test(start_paused = true)]
async fn a_proxy_without_a_server_is_waited_out() {
    let said: [Answered; 5] = [
        ("502", || html(502).header("via", "1.1 squid")),
        ("503", || html(503)),
        ("504", || html(504).header("via", "1.1 varnish")),
        ("511, a portal's login", || html(511)),
        ("520, of a CDN", || html(520)),
    ];
    for (what, reply) in said {
        reads_as(what, reply, Transient).await;
    }
}

/// Promise: hostile.html
#[tokio::test(start_paused = true)]
async fn a_200_of_a_portal_is_no_answer() {
    let said: [Answered; 6] = [
        ("a page", || html(200)),
        ("a page that is called JSON", || {
            text(200, "<html></html>").header("content-type", "application/json")
        }),
        ("nothing", || text(200, "")),
        ("JSON of another service", || json(200, &json!({"status": "ok"}))),
        ("null", || json(200, &json!(null))),
        ("a depth without end", || {
            text(200, &"[".repeat(500_000)).header("content-type", "application/json")
        }),
    ];
    for (what, reply) in said {
        reads_as(what, reply, Malformed).await;
    }
}

/// The page may come from something behind which the workspace was made: the write is in doubt, and not repeated.
///
/// Promise: hostile.html
#[tokio::test(start_paused = true)]
async fn a_page_for_an_issue_leaves_it_in_doubt() {
    let (client, log) = engine(|seen| (seen.path == ISSUE).then(|| html(200)));
    let answer = client.issue(&"tenant".into(), None).await;
    assert_eq!(answer.requests, 2, "with the exchange");
    assert_eq!(log.to(ISSUE).len(), 1);
    let failure = failure(answer);
    assert_eq!((failure.class, failure.status), (Unknown, Some(200)));
    assert!(!failure.class.made_nothing());
}

/// Promise: hostile.login
/// Promise: hostile.redirect
#[tokio::test(start_paused = true)]
async fn a_redirect_to_a_login_page_is_no_answer() {
    for reply in [
        (|| text(302, "").header("location", "https://sso.example/login?next=/api/v1/workspaces"))
            as fn() -> Reply,
        || html(303).header("location", "/login"),
        || html(300),
        || text(304, ""),
        || text(308, "").header("location", "https://api.airbyte.ai/"),
    ] {
        for operation in [Authenticate].into_iter().chain(super::CALLS) {
            let (class, detail) = class(operation, reply).await;
            assert_eq!(class, Malformed, "{operation:?}: {detail}");
        }
    }
}
