//! Lists, page by page to the end. A link to the next page is believed for its cursor only: filters, page size and
//! origin are ours.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reqwest::Url;
use serde_json::Value;

use super::calls::{Engine, Reply, decode};
use super::failure;
use super::needle::needles;
use super::operation::Operation;
use super::wire::PageAnswer;
use crate::api::ids::{WorkspaceId, WorkspaceName};
use crate::api::remote::{Answer, Failure, FailureClass, Listed, RemoteWorkspace};
use crate::api::workspace::WorkspaceState;

/// Two hundred thousand workspaces, twice what the operator is designed for. A list that goes on beyond it is broken.
const PAGE_CAP: usize = 2000;

/// What to list; unset means everything.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ListFilter<'a> {
    /// A substring, matched by the server without regard to case.
    pub name_contains: Option<&'a str>,
    pub state: Option<WorkspaceState>,
}

impl Engine {
    /// All live workspaces that the filter lets through, once each, ordered by id. All or nothing: a page that fails
    /// fails the list. `date` is that of the last page.
    pub async fn list(&self, filter: ListFilter<'_>) -> Answer<Vec<Listed>> {
        let started = self.now();
        let mut rows = Rows::default();
        let result = self.pages(&filter, &mut rows).await;
        self.finish(started, rows, result)
    }

    /// All live workspaces whose name might be, or read as, this one. Comparing is the caller's.
    pub async fn look(&self, name: &WorkspaceName) -> Answer<Vec<RemoteWorkspace>> {
        let started = self.now();
        let mut rows = Rows::default();
        let mut result = Ok(());
        for needle in needles(name) {
            let filter = ListFilter {
                name_contains: Some(&needle),
                state: None,
            };
            result = self.pages(&filter, &mut rows).await;
            if result.is_err() {
                break;
            }
        }
        self.finish(started, rows, result)
            .with_result(|rows| Ok(rows?.into_iter().map(|row| row.workspace).collect()))
    }

    async fn pages(&self, filter: &ListFilter<'_>, rows: &mut Rows) -> Result<(), Failure> {
        let mut used = BTreeSet::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGE_CAP {
            let requested_at = self.now();
            let request = self.requests().list(filter, cursor.as_deref());
            let Reply {
                date,
                requests,
                result,
            } = self.send_plain(Operation::List, request).await;
            rows.date = date;
            rows.requests += requests;
            let answer = result?;
            let page: PageAnswer = decode(Operation::List, &answer)?;
            rows.add(requested_at, page.data.into_iter().map(RemoteWorkspace::from));
            let malformed = |why| Err(failure::of_body(Operation::List, answer.status(), why));
            match next_cursor(&page.next) {
                Ok(None) => return Ok(()),
                Ok(Some(next)) if used.insert(next.clone()) => cursor = Some(next),
                Ok(Some(_)) => return malformed("the list leads back to a page that was read already"),
                Err(why) => return malformed(why),
            }
        }
        Err(Failure {
            class: FailureClass::Malformed,
            status: None,
            detail: format!("the list did not end after {PAGE_CAP} pages"),
        })
    }

    fn finish(&self, started: Timestamp, rows: Rows, result: Result<(), Failure>) -> Answer<Vec<Listed>> {
        let Rows {
            date,
            requests,
            by_id,
        } = rows;
        let result = result.map(|()| by_id.into_values().collect());
        Answer {
            started,
            finished: self.now(),
            date,
            requests,
            result,
        }
    }
}

/// Rows by id: pages that shift while they are read show some twice, and the later sight counts.
#[derive(Default)]
struct Rows {
    date: Option<Timestamp>,
    requests: u32,
    by_id: BTreeMap<WorkspaceId, Listed>,
}

impl Rows {
    fn add(&mut self, requested_at: Timestamp, workspaces: impl Iterator<Item = RemoteWorkspace>) {
        for workspace in workspaces {
            if workspace.tombstone {
                self.by_id.remove(&workspace.id);
            } else {
                self.by_id.insert(
                    workspace.id.clone(),
                    Listed {
                        requested_at,
                        workspace,
                    },
                );
            }
        }
    }
}

/// The cursor of the next page: bare, or in an absolute or relative link, of which nothing else is used.
fn next_cursor(next: &Value) -> Result<Option<String>, &'static str> {
    let text = match next {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => text,
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            return Err("the link to the next page is not text");
        }
    };
    // Neither occurs in base64, nor in any other notation that a bare cursor has been seen in.
    if !text.contains("://") && !text.contains('?') {
        return Ok(Some(text.clone()));
    }
    let query = text.split_once('?').map_or("", |(_, query)| query);
    // A base that is never asked: it only makes the query readable.
    let link = Url::parse("http://localhost/").ok().map(|mut base| {
        base.set_query(query.split('#').next());
        base
    });
    link.and_then(|link| {
        link.query_pairs()
            .find(|(key, _)| key == "cursor")
            .map(|(_, value)| value.into_owned())
    })
    .filter(|cursor| !cursor.is_empty())
    .map(Some)
    .ok_or("the link to the next page holds no cursor")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cursor_is_found_in_every_form_of_next() {
        let cases = [
            (json!(null), Ok(None)),
            (json!(""), Ok(None)),
            (json!("eyJvZmZzZXQiOjF9"), Ok(Some("eyJvZmZzZXQiOjF9"))),
            (json!("/9j/=="), Ok(Some("/9j/=="))),
            (
                json!("https://api.airbyte.ai/api/v1/workspaces?limit=2&cursor=a%3D%3D"),
                Ok(Some("a==")),
            ),
            (json!("/api/v1/workspaces?cursor=abc&limit=2#x"), Ok(Some("abc"))),
            (json!("?cursor=abc"), Ok(Some("abc"))),
            (json!("https://evil.example/?cursor=abc"), Ok(Some("abc"))),
            (
                json!("https://api.airbyte.ai/api/v1/workspaces?offset=2"),
                Err(()),
            ),
            (json!("https://api.airbyte.ai/api/v1/workspaces"), Err(())),
            (json!(7), Err(())),
        ];
        for (next, expected) in cases {
            let found = next_cursor(&next).map_err(drop);
            assert_eq!(
                found,
                expected.map(|cursor: Option<&str>| cursor.map(str::to_owned)),
                "{next}"
            );
        }
    }
}
