//! Lists: every form of paging, to the end, and every way in which it could run wild.

use std::time::Duration;

use agent_engine_operator::domain::remote::FailureClass::{Malformed, Throttled};
use agent_engine_operator::domain::remote::WorkspaceState;
use agent_engine_operator::engine::{Client, ListFilter};
use serde_json::{Value, json};

use crate::stub::{LIST, Log, Reply, Seen, engine, failure, json, workspace};

/// Three pages, whose links are written in one way.
fn paged(next: fn(&str) -> Value, last: Option<Value>) -> (Client, Log) {
    engine(move |seen| {
        let (rows, next) = match cursor(seen).as_deref() {
            None => (
                json!([workspace("a", "A"), workspace("b", "B")]),
                Some(next("b2Zmc2V0+/==")),
            ),
            Some("b2Zmc2V0+/==") => (json!([workspace("c", "C")]), Some(next("3"))),
            Some("3") => (json!([workspace("d", "D")]), last.clone()),
            Some(_) => return Some(json(422, &json!({"detail": "no such cursor"}))),
        };
        let mut page = json!({"data": rows});
        if let Some(next) = next {
            page["next"] = next;
        }
        (seen.path == LIST).then(|| json(200, &page))
    })
}

fn query(seen: &Seen) -> Vec<(String, String)> {
    reqwest::Url::parse(&format!("http://localhost/?{}", seen.query))
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

fn cursor(seen: &Seen) -> Option<String> {
    query(seen)
        .into_iter()
        .find(|(key, _)| key == "cursor")
        .map(|(_, value)| value)
}

fn escaped(cursor: &str) -> String {
    cursor.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_to_its_end_whatever_its_links_look_like() {
    let links: [fn(&str) -> Value; 5] = [
        |cursor| {
            json!(format!(
                "https://api.airbyte.ai/api/v1/workspaces?limit=2&cursor={}",
                escaped(cursor)
            ))
        },
        |cursor| json!(format!("/api/v1/workspaces?cursor={}&limit=2", escaped(cursor))),
        |cursor| json!(format!("?cursor={}", escaped(cursor))),
        |cursor| json!(format!("https://evil.example/steal?cursor={}", escaped(cursor))),
        |cursor| json!(cursor),
    ];
    for link in links {
        for last in [None, Some(Value::Null), Some(json!(""))] {
            let (engine, log) = paged(link, last);
            let listed = engine.list(ListFilter::default()).await.result.unwrap();
            let names: Vec<_> = listed.iter().map(|row| row.workspace.name.as_str()).collect();
            assert_eq!(names, ["A", "B", "C", "D"]);
            assert_eq!(
                log.to(LIST).len(),
                3,
                "all requests went to the list, at our origin"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn filters_and_page_size_are_ours_on_every_page() {
    let (engine, log) = paged(
        |cursor| json!(format!("/x?cursor={}&name_contains=z&limit=1", escaped(cursor))),
        None,
    );
    let filter = ListFilter {
        name_contains: Some("50% a+b_&c"),
        state: Some(WorkspaceState::Active),
    };
    assert!(engine.list(filter).await.result.is_ok());
    for seen in log.to(LIST) {
        assert!(
            seen.query.contains("name_contains=50%25%20a%2Bb_%26c"),
            "{}",
            seen.query
        );
        let asked = query(&seen);
        for (key, value) in [
            ("limit", "100"),
            ("status", "active"),
            ("name_contains", "50% a+b_&c"),
        ] {
            let values: Vec<_> = asked
                .iter()
                .filter(|(k, _)| k == key)
                .map(|(_, v)| v.as_str())
                .collect();
            assert_eq!(values, [value], "{}", seen.query);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_tells_when_its_own_page_was_asked_for() {
    let (engine, _) = engine(|seen| {
        let page = match seen.nth {
            0 => json!({"data": [workspace("a", "A"), workspace("b", "old")], "next": "1"}),
            _ => json!({"data": [workspace("b", "new"), workspace("c", "C")], "next": null}),
        };
        (seen.path == LIST).then(|| json(200, &page).after(Duration::from_secs(3)))
    });
    let answer = engine.list(ListFilter::default()).await;
    let started = answer.started();
    let rows = answer.result.unwrap();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.workspace.name.as_str(),
                row.requested_at.duration_since(started).as_secs(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [("A", 0), ("new", 3), ("C", 3)],
        "a row seen twice is as it was seen last"
    );
}

#[tokio::test(start_paused = true)]
async fn deleted_workspaces_are_not_listed() {
    let (engine, _) = engine(|seen| {
        let gone = json!({"id": "b", "name": "B", "tombstone": true});
        (seen.path == LIST).then(|| json(200, &json!({"data": [workspace("a", "A"), gone]})))
    });
    assert_eq!(engine.list(ListFilter::default()).await.result.unwrap().len(), 1);
    assert_eq!(engine.search(&"A".into()).await.result.unwrap().len(), 1);
}

/// What is wrong, the n-th page, and how many pages are read before it is noticed.
type Wild = (&'static str, fn(usize) -> Value, usize);

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_followed_is_no_list() {
    let cases: [Wild; 5] = [
        ("the same page again", |_| json!({"data": [], "next": "x"}), 2),
        (
            "a circle",
            |nth| json!({"data": [], "next": (nth % 3).to_string()}),
            4,
        ),
        ("no end", |nth| json!({"data": [], "next": nth.to_string()}), 2000),
        (
            "a link without cursor",
            |_| json!({"data": [], "next": "https://api.airbyte.ai/?offset=3"}),
            1,
        ),
        ("a row without id", |_| json!({"data": [{"name": "A"}]}), 1),
    ];
    for (what, page, pages) in cases {
        let (engine, log) = engine(move |seen| (seen.path == LIST).then(|| json(200, &page(seen.nth))));
        let failure = failure(engine.list(ListFilter::default()).await);
        assert_eq!(failure.class, Malformed, "{what}: {failure:?}");
        assert_eq!(log.to(LIST).len(), pages, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_fails_the_list() {
    let slow_down: fn() -> Reply = || json(429, &json!({"message": "x"})).header("retry-after", "4");
    let (engine, _) = engine(move |seen| match (seen.path.as_str(), seen.nth) {
        (LIST, 0) => Some(json(200, &json!({"data": [workspace("a", "A")], "next": "1"}))),
        (LIST, _) => Some(slow_down()),
        _ => None,
    });
    let answer = engine.list(ListFilter::default()).await;
    assert_eq!(
        answer.date.map(|date| date.to_string()).as_deref(),
        Some("2026-11-22T12:00:00Z")
    );
    assert_eq!(failure(answer).class, Throttled(Duration::from_secs(4)));
}

/// Each has 30 KiB, so that 34 of them fit into an answer of a megabyte.
#[tokio::test(start_paused = true)]
async fn a_page_that_is_too_large_is_asked_for_in_halves() {
    const COUNT: usize = 120;
    let (client, log) = engine(|seen| {
        let asked = |key: &str| {
            let pairs = query(seen);
            let found = pairs.iter().find(|(asked, _)| asked == key);
            found.map(|(_, value)| value.parse::<usize>().unwrap())
        };
        let (first, limit) = (asked("cursor").unwrap_or(0), asked("limit").unwrap_or(100));
        let last = (first + limit).min(COUNT);
        let row = |nth: usize| {
            let mut row = workspace(&format!("w-{nth}"), "tenant");
            row["color"] = json!("x".repeat(30 * 1024));
            row
        };
        let rows: Vec<_> = (first..last).map(row).collect();
        let next = (last < COUNT).then(|| last.to_string());
        (seen.path == LIST).then(|| json(200, &json!({"data": rows, "next": next})))
    });
    let answer = client.list(ListFilter::default()).await;
    assert_eq!(answer.result.unwrap().len(), COUNT);
    let limits: Vec<String> = log.to(LIST).iter().map(|seen| query(seen)[0].1.clone()).collect();
    assert_eq!(limits, ["100", "50", "25", "25", "25", "25", "25"]);
    assert_eq!(answer.requests, 8, "counted with the exchange");
}

/// A list of 100,000 workspaces, filtered after it was cut into pages.
#[tokio::test(start_paused = true)]
async fn a_thousand_empty_pages_hide_no_row() {
    let (client, _) = engine(|seen| {
        let page = match seen.nth {
            0..999 => json!({"data": [], "next": seen.nth.to_string()}),
            _ => json!({"data": [workspace("a", "A")]}),
        };
        (seen.path == LIST).then(|| json(200, &page))
    });
    assert_eq!(client.search(&"A".into()).await.result.unwrap().len(), 1);
}

/// A plain name has one spelling.
#[tokio::test(start_paused = true)]
async fn a_search_asks_once_for_each_spelling_of_a_name() {
    let cases: [(&str, &[&str]); 5] = [
        (" Tenant 1 ", &["Tenant 1"]),
        ("Caf\u{e9} Nord", &["Nord"]),
        ("\u{304c}", &["\u{304b}\u{3099}", "\u{304c}"]),
        // Forms in which the API may keep it: full width, and case that is not of ASCII.
        ("\u{ff21}\u{ff42}", &["Ab", "\u{ff21}\u{ff42}"]),
        ("\u{416}\u{416}", &["\u{416}\u{416}", "\u{436}\u{436}"]),
    ];
    for (name, search_terms) in cases {
        let (engine, log) = engine(|_| None);
        assert!(engine.search(&name.into()).await.result.is_ok());
        let asked: Vec<_> = log
            .to(LIST)
            .iter()
            .flat_map(query)
            .filter(|(key, _)| key == "name_contains")
            .map(|(_, value)| value)
            .collect();
        assert_eq!(asked, search_terms);
        assert!(
            log.to(LIST)
                .iter()
                .all(|seen| query(seen).iter().all(|(key, _)| key != "status"))
        );
    }
}
