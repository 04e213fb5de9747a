//! Ids and names that lie.

use agent_engine_operator::domain::remote::FailureClass::{self, Malformed, Rejected, Unknown};
use agent_engine_operator::domain::remote::{Deleted, TokenScope};
use agent_engine_operator::engine::Operation::{self, Authenticate, Get, List, Update, Verify};
use agent_engine_operator::engine::{ListFilter, UpdateFields};
use serde_json::{Value, json};

use crate::stub::{self, LIST, PROVE, Reply, W1, call, engine, failure, html, json, text, workspace};

const W2: &str = "7e6f0000-0000-4000-8000-000000000002";

/// None of them can be an id: each would be another path, no path at all, or too long for anything that it is written into.
fn no_ids() -> Vec<String> {
    let mut lies: Vec<String> = [
        "",
        " ",
        ".",
        "..",
        "../stats",
        "stats",
        "sync",
        "a/b",
        "a?b",
        "a#b",
        "a%2Fb",
        "a b",
        "a\nb",
        "\u{438}\u{434}",
        "\u{202e}a",
    ]
    .map(str::to_owned)
    .to_vec();
    lies.push("a".repeat(65));
    lies.push("a".repeat(900_000));
    lies
}

/// What the call makes of a body in which `member` lies.
async fn class(operation: Operation, body: Value) -> FailureClass {
    let (engine, log) = engine(move |seen| {
        let asked = match operation {
            Verify => seen.path == PROVE,
            Authenticate => seen.path == stub::EXCHANGE,
            _ => seen.path.starts_with(LIST),
        };
        asked.then(|| json(200, &body))
    });
    let failure = failure(call(&engine, operation).await);
    assert!(failure.detail.chars().count() <= 300, "{failure:?}");
    assert!(log.all().len() <= 2, "asked once, after the exchange");
    failure.class
}

/// Promise: hostile.ids
#[tokio::test(start_paused = true)]
async fn what_can_be_no_id_is_taken_for_none() {
    for lie in no_ids() {
        let shown = &lie[..lie.len().min(20)];
        let row = workspace(&lie, "tenant");
        assert_eq!(class(Get, row.clone()).await, Malformed, "{shown:?}");
        assert_eq!(class(Update, row.clone()).await, Unknown, "{shown:?}");
        let page = json!({"data": [workspace(W1, "tenant"), row], "next": null});
        assert_eq!(class(List, page).await, Malformed, "{shown:?}");
        let scope = json!({"workspace_id": lie, "organization_id": stub::ORGANIZATION});
        assert_eq!(class(Verify, scope).await, Malformed, "{shown:?}");
    }
}

/// An organization that a text names is an organization; text that cannot be an id names another one than ours.
///
/// Promise: hostile.ids
#[tokio::test(start_paused = true)]
async fn what_can_be_no_id_of_an_organization_is_no_answer() {
    for lie in no_ids()
        .into_iter()
        .filter(|lie| !lie.is_empty() && lie != "stats" && lie != "sync")
    {
        let shown = &lie[..lie.len().min(20)];
        let mut row = workspace(W1, "tenant");
        row["organization_id"] = json!(lie);
        assert_eq!(class(Get, row.clone()).await, Malformed, "{shown:?}");
        assert_eq!(class(List, json!({"data": [row]})).await, Malformed, "{shown:?}");
        let scope = json!({"workspace_id": W1, "organization_id": lie});
        assert_eq!(class(Verify, scope).await, Malformed, "{shown:?}");
        let token = json!({"access_token": "t", "organization_id": lie});
        assert_eq!(class(Authenticate, token).await, Malformed, "{shown:?}");
    }
}

/// Promise: hostile.ids
#[tokio::test(start_paused = true)]
async fn another_workspace_than_the_one_asked_for_is_no_answer() {
    assert_eq!(class(Get, workspace(W2, "tenant")).await, Malformed);
    assert_eq!(class(Update, workspace(W2, "tenant")).await, Unknown);
}

/// The verification says which workspace a token opens, whatever it was asked for: what is done about another one is
/// decided elsewhere.
#[tokio::test(start_paused = true)]
async fn the_id_of_another_workspace_is_passed_on_as_it_is() {
    let (engine, _) = engine(|seen| {
        (seen.path == PROVE).then(|| json(200, &json!({"workspace_id": W2, "organization_id": W1})))
    });
    let scope = engine.verify(&stub::scoped("scoped-1")).await.result.unwrap();
    let expected = TokenScope {
        workspace_id: W2.into(),
        organization_id: Some(W1.into()),
        workspace_name: None,
    };
    assert_eq!(scope, expected);
}

/// Whoever may name a workspace must not stop the list of all others.
///
/// Promise: hostile.ids
#[tokio::test(start_paused = true)]
async fn a_name_of_a_megabyte_is_cut_and_no_token_of_it_asked_for() {
    let endless = "n".repeat(900_000);
    let row = workspace(W1, &endless);
    let by_id = row.clone();
    let (client, log) = engine(move |seen| {
        let path = &seen.path;
        (path.starts_with(LIST) && path != LIST).then(|| json(200, &by_id))
    });
    let read = client.get(&W1.into()).await.result.unwrap().unwrap();
    assert!(read.name.is_cut());
    let renamed = UpdateFields {
        name: Some("tenant".into()),
        state: None,
    };
    let updated = client.update(&W1.into(), &renamed).await.result.unwrap();
    assert_eq!(
        updated.name, read.name,
        "what the API shows, not what was asked for"
    );
    let asked = log.calls();
    let refused = failure(client.issue(&read.name, None).await);
    assert_eq!((refused.class, refused.status), (Rejected, None));
    assert!(refused.detail.contains("nothing was sent"), "{refused:?}");
    assert_eq!(log.calls(), asked);
    let longest = "n".repeat(1024);
    assert!(client.issue(&longest.as_str().into(), None).await.result.is_ok());
    let scope = json!({"workspace_id": W1, "workspace_name": endless});
    let (client, _) = engine(move |seen| match seen.path.as_str() {
        LIST => Some(json(200, &json!({"data": [row, workspace(W2, "other")]}))),
        PROVE => Some(json(200, &scope)),
        _ => None,
    });
    let rows = client.list(ListFilter::default()).await.result.unwrap();
    let lengths: Vec<usize> = rows.iter().map(|row| row.workspace.name.as_str().len()).collect();
    assert_eq!(
        lengths,
        [1025, 5],
        "longer than any name that can be recorded, so equal to none"
    );
    let scope = client.verify(&stub::scoped("scoped-1")).await.result.unwrap();
    assert!(scope.workspace_name.is_none(), "nothing is decided by it");
}

type Answered = (&'static str, fn() -> Reply);

/// A 200 to DELETE that does not name the workspace may be of anything in between: a GET by id decides.
///
/// Promise: hostile.deletion
#[tokio::test(start_paused = true)]
async fn a_200_of_something_in_between_deletes_nothing() {
    let strangers: [Answered; 9] = [
        ("the workspace as it is", || {
            json(200, &json!({"id": W1, "name": "Acme", "deleted_at": null}))
        }),
        ("nothing", || text(200, "")),
        ("nothing, 204", || text(204, "")),
        ("a page", || html(200)),
        ("a portal's JSON", || json(200, &json!({"status": "ok"}))),
        ("a job", || json(202, &json!({"job_id": 7}))),
        ("another workspace", || {
            json(200, &json!({"id": W2, "deleted_at": "2026-11-22T12:00:00Z"}))
        }),
        ("a list", || json(200, &json!([]))),
        ("a text", || json(200, &json!("deleted"))),
    ];
    for (what, reply) in strangers {
        // The workspace is still there.
        let (client, log) = engine(move |seen| (seen.method == "DELETE").then(reply));
        let failure = failure(client.delete(&W1.into()).await);
        assert_eq!(failure.class, Unknown, "{what}: {failure:?}");
        assert_eq!(log.calls(), 2, "{what}: DELETE and GET");
        // It is gone: that is what GET by id says.
        let (client, log) = engine(move |seen| match seen.method.as_str() {
            "DELETE" => Some(reply()),
            "GET" => Some(json(404, &json!({"message": "Not Found", "errors": []}))),
            _ => None,
        });
        let answer = client.delete(&W1.into()).await;
        assert_eq!(answer.result, Ok(Deleted::AlreadyGone), "{what}");
        assert_eq!(
            (answer.requests, log.calls()),
            (3, 2),
            "{what}: counted with the exchange"
        );
        // It is gone, says a 404 that a gateway may send as well, and there is no other workspace to hold it against.
        let (client, _) = engine(move |seen| match seen.method.as_str() {
            "DELETE" => Some(reply()),
            "GET" => Some(json(404, &json!({"detail": "Workspace not found"}))),
            _ => None,
        });
        let open = client.delete(&W1.into()).await.result.unwrap_err();
        assert_eq!(open.class, Unknown, "{what}");
        for words in [
            "HTTP 404: Workspace not found",
            "once another workspace of the organization can be read",
        ] {
            assert!(open.detail.contains(words), "{what}: {open:?}");
        }
        // Whatever it was that answered DELETE answers GET as well.
        let (client, _) = engine(move |seen| (seen.path != stub::EXCHANGE).then(reply));
        assert_eq!(
            client.delete(&W1.into()).await.result.unwrap_err().class,
            Unknown,
            "{what}"
        );
    }
}
