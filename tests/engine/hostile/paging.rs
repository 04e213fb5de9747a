//! Lists that lead nowhere.

use agent_engine_operator::domain::remote::FailureClass::Malformed;
use agent_engine_operator::engine::ListFilter;
use serde_json::{Value, json};

use crate::stub::{LIST, engine, failure, json, workspace};

const MIB: usize = 1 << 20;

/// What the n-th page says, and how many pages are read at most.
type Wild = (&'static str, fn(usize) -> Value, usize);

fn rows(nth: usize, count: usize) -> Value {
    let row = |row| json!({"id": format!("w-{nth}-{row}"), "name": "tenant"});
    (0..count).map(row).collect()
}

/// Promise: hostile.paging
#[tokio::test(start_paused = true)]
async fn a_list_that_leads_nowhere_is_given_up_soon() {
    let cases: [Wild; 7] = [
        (
            "the same rows",
            |nth| json!({"data": rows(0, 100), "next": nth.to_string()}),
            4,
        ),
        (
            "rows in turn",
            |nth| json!({"data": rows(nth % 3, 100), "next": nth.to_string()}),
            6,
        ),
        (
            "empty pages",
            |nth| json!({"data": [], "next": nth.to_string()}),
            2000,
        ),
        (
            "rows without end",
            |nth| json!({"data": rows(nth, 1), "next": nth.to_string()}),
            2000,
        ),
        (
            "more rows than were asked for",
            |nth| json!({"data": rows(nth, 1001), "next": nth.to_string()}),
            1,
        ),
        (
            "pages of a megabyte",
            |nth| {
                let mut row = workspace(&format!("w-{nth}"), "tenant");
                row["color"] = json!("x".repeat(MIB - 2000));
                json!({"data": [row], "next": nth.to_string()})
            },
            79,
        ),
        (
            "a cursor of a megabyte",
            |nth| json!({"data": rows(nth, 1), "next": "c".repeat(MIB / 2)}),
            1,
        ),
    ];
    for (what, page, most) in cases {
        for searched in [false, true] {
            // A search is read as any list is, and megabytes take long in a test.
            if searched && what.contains("megabyte") {
                continue;
            }
            let (engine, log) = engine(move |seen| (seen.path == LIST).then(|| json(200, &page(seen.nth))));
            let failure = if searched {
                failure(engine.search(&"tenant".into()).await)
            } else {
                failure(engine.list(ListFilter::default()).await)
            };
            assert_eq!(failure.class, Malformed, "{what}: {failure:?}");
            assert_eq!(
                failure.detail.contains("too long"),
                what.contains("cursor"),
                "{what}: {failure:?}"
            );
            assert!(log.to(LIST).len() <= most, "{what}: {} pages", log.to(LIST).len());
        }
    }
}

/// Pages that shift while they are read repeat some rows, and a service that filters after paging has empty ones.
#[tokio::test(start_paused = true)]
async fn a_list_that_leads_somewhere_in_the_end_is_read() {
    let (engine, _) = engine(|seen| {
        let page = match seen.nth {
            0 | 1 => json!({"data": rows(0, 100), "next": seen.nth.to_string()}),
            2..60 => json!({"data": [], "next": seen.nth.to_string()}),
            60 => json!({"data": rows(0, 2), "next": "60"}),
            _ => json!({"data": rows(1, 1), "next": null}),
        };
        (seen.path == LIST).then(|| json(200, &page))
    });
    assert_eq!(
        engine.list(ListFilter::default()).await.result.unwrap().len(),
        101
    );
}

/// Promise: hostile.paging
#[tokio::test(start_paused = true)]
async fn a_next_of_another_host_or_scheme_is_followed_at_ours() {
    for next in [
        "https://evil.example/api/v1/workspaces?cursor=2",
        "http://api.airbyte.ai/api/v1/workspaces?cursor=2",
        "ftp://api.airbyte.ai/?cursor=2",
        "file:///etc/passwd?cursor=2",
        "//evil.example/?cursor=2",
        "https://user:password@evil.example/?cursor=2",
        "javascript:alert(1)//?cursor=2",
    ] {
        let (engine, log) = engine(move |seen| {
            let page = match seen.nth {
                0 => json!({"data": rows(0, 1), "next": next}),
                _ => json!({"data": rows(1, 1), "next": null}),
            };
            (seen.path == LIST).then(|| json(200, &page))
        });
        assert_eq!(
            engine.list(ListFilter::default()).await.result.unwrap().len(),
            2,
            "{next}"
        );
        assert_eq!(log.to(LIST)[1].query, "limit=100&cursor=2", "{next}");
        assert_eq!(log.calls(), 2, "{next}");
    }
}
