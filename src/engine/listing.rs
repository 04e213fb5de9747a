//! Lists, page by page to the end. Of a link to the next page only the cursor is used: filters, page size and
//! origin are ours.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use reqwest::Url;
use tokio::time::Instant;

use super::client::{Client, Reply, Size, decode};
use super::failure;
use super::list_bounds::{ListBounds, PageLimit};
use super::name_search::search_terms;
use super::operation::{ListFilter, Operation};
use super::wire::{Member, PageAnswer};
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::remote::{
    Answer, Failure, FailureClass, ListedWorkspace, Page, RemoteWorkspace, Rest, WorkspaceState,
};
use crate::domain::time::earlier;

/// Of the link to the next page. No source knows of a longer one than a few dozen characters.
const LONGEST_CURSOR: usize = 4096;

/// For all pages of a search. A reconcile may take longer; a search whose pages are slow fails before.
const SEARCH_DEADLINE: Duration = Duration::from_secs(45);

impl Client {
    /// A list that the caller reads page by page, with a permit for each. Sends nothing yet.
    pub fn pages(&self, filter: ListFilter<'_>) -> Pages {
        Pages {
            client: self.clone(),
            name_contains: filter.name_contains.map(str::to_owned),
            state: filter.state,
            cursor: None,
            used: BTreeSet::new(),
            limit: PageLimit::default(),
            bounds: ListBounds::default(),
        }
    }

    /// All live workspaces that the filter lets through, once each, ordered by id. All or nothing: a page that fails
    /// fails the list. `date` is that of the last page.
    pub async fn list(&self, filter: ListFilter<'_>) -> Answer<Vec<ListedWorkspace>> {
        let mut rows = Rows::begin();
        let result = rows.read(self.pages(filter), None).await;
        rows.finish(self.now(), result)
    }

    /// All live workspaces whose name might be, or read as, this one. Comparing is the caller's.
    pub async fn search(&self, name: &WorkspaceName) -> Answer<Vec<RemoteWorkspace>> {
        let mut rows = Rows::begin();
        let until = rows.began + SEARCH_DEADLINE;
        let mut result = Ok(());
        for needle in search_terms(name) {
            let filter = ListFilter {
                name_contains: Some(&needle),
                state: None,
            };
            result = rows.read(self.pages(filter), Some(until)).await;
            if result.is_err() {
                break;
            }
        }
        rows.finish(self.now(), result)
            .with_result(|rows| Ok(rows?.into_iter().map(|row| row.workspace).collect()))
    }
}

/// A list that is read page by page. Cursors stay in here.
pub struct Pages {
    client: Client,
    name_contains: Option<String>,
    state: Option<WorkspaceState>,
    cursor: Option<String>,
    used: BTreeSet<String>,
    limit: PageLimit,
    bounds: ListBounds,
}

impl Pages {
    /// The next page. Not to be asked for after the last one, nor after one that failed. One that does not fit into an answer
    /// is asked for in halves.
    pub async fn next(&mut self) -> Answer<Page> {
        let mut before = 0;
        loop {
            let began = Instant::now();
            let reply = self.ask().await;
            let requests = reply.requests.saturating_add(before);
            if reply.size == Size::TooLarge
                && let Some(halved) = self.limit.halved()
            {
                (self.limit, before) = (halved, requests);
                continue;
            }
            let (finished, took) = (self.client.now(), began.elapsed());
            let requested_at = earlier(finished, took);
            let result = reply.result.and_then(|answer| self.read(requested_at, &answer));
            return Answer {
                finished,
                took,
                date: reply.date,
                requests,
                result,
            };
        }
    }

    async fn ask(&self) -> Reply {
        let filter = ListFilter {
            name_contains: self.name_contains.as_deref(),
            state: self.state,
        };
        let requests = self.client.requests();
        let request = requests.list(&filter, self.limit, self.cursor.as_deref());
        self.client.send_plain(Operation::List, request).await
    }

    fn read(&mut self, requested_at: Timestamp, answer: &Response<Bytes>) -> Result<Page, Failure> {
        let page: PageAnswer = decode(Operation::List, answer)?;
        let malformed = |why| failure::of_body(Operation::List, answer.status(), why);
        self.cursor = next_cursor(&page.next).map_err(malformed)?;
        let rest = match &self.cursor {
            None => Rest::Nothing,
            Some(next) if self.used.insert(next.clone()) => Rest::More,
            Some(_) => return Err(malformed("the list leads back to a page that was read already")),
        };
        let listed = |workspace| ListedWorkspace {
            requested_at,
            workspace: RemoteWorkspace::from(workspace),
        };
        let rows: Vec<ListedWorkspace> = page.data.into_iter().map(listed).collect();
        self.bounds.read(
            self.limit,
            answer.body().len(),
            rows.iter().map(|row| &row.workspace.id),
        );
        if rest == Rest::More {
            self.bounds.may_go_on().map_err(|detail| Failure {
                class: FailureClass::Malformed,
                status: None,
                detail,
            })?;
        }
        let live = rows.iter().map(|row| &row.workspace).filter(|row| !row.tombstone);
        self.client.calibration().were_listed(live.map(|row| &row.id));
        Ok(Page { rows, rest })
    }
}

/// Rows by id: pages that shift while they are read show some rows twice; the later one counts.
struct Rows {
    began: Instant,
    date: Option<Timestamp>,
    requests: u32,
    by_id: BTreeMap<WorkspaceId, ListedWorkspace>,
}

impl Rows {
    fn begin() -> Self {
        Self {
            began: Instant::now(),
            date: None,
            requests: 0,
            by_id: BTreeMap::new(),
        }
    }

    /// No page is asked for after `until`.
    async fn read(&mut self, mut pages: Pages, until: Option<Instant>) -> Result<(), Failure> {
        loop {
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(Failure {
                    class: FailureClass::Transient,
                    status: None,
                    detail: format!("the search did not end within {} s", SEARCH_DEADLINE.as_secs()),
                });
            }
            let answer = pages.next().await;
            self.date = answer.date;
            self.requests += answer.requests;
            let page = answer.result?;
            for listed in page.rows {
                if listed.workspace.tombstone {
                    self.by_id.remove(&listed.workspace.id);
                } else {
                    self.by_id.insert(listed.workspace.id.clone(), listed);
                }
            }
            if page.rest == Rest::Nothing {
                return Ok(());
            }
        }
    }

    fn finish(self, finished: Timestamp, result: Result<(), Failure>) -> Answer<Vec<ListedWorkspace>> {
        Answer {
            finished,
            took: self.began.elapsed(),
            date: self.date,
            requests: self.requests,
            result: result.map(|()| self.by_id.into_values().collect()),
        }
    }
}

/// The cursor of the next page: bare, or in an absolute or relative link, of which nothing else is used.
fn next_cursor(next: &Member) -> Result<Option<String>, &'static str> {
    let text = match next {
        Member::Null => return Ok(None),
        Member::Text(text) if text.is_empty() => return Ok(None),
        Member::Text(text) if text.len() > LONGEST_CURSOR => {
            return Err("the link to the next page is too long");
        }
        Member::Text(text) => text,
        Member::Number(_) | Member::Other => {
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
            let found = next_cursor(&serde_json::from_value(next.clone()).unwrap()).map_err(drop);
            assert_eq!(
                found,
                expected.map(|cursor: Option<&str>| cursor.map(str::to_owned)),
                "{next}"
            );
        }
    }
}
