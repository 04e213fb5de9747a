//! W1: filters, order, pages. `next` and the cursor take whichever form is asked for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::organization::{Reach, Row, Status};
use super::refusal::{Outcome, Place, Refusal, Validation};
use super::workspaces::shown;
use super::{Call, Request, Trace, World, input};
use crate::emulator::knobs::{
    BlankFilter, CursorStyle, Knobs, Limit, ListOrder, ListTombstones, NextFilters, NextStyle,
    SpecialCharacters,
};

const PATH: &str = "/api/v1/workspaces";

/// What W1 is asked for.
struct Query {
    name_contains: Option<String>,
    status: Option<Status>,
    limit: usize,
    cursor: Option<Cursor>,
}

#[derive(Deserialize, Serialize)]
struct Cursor {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued: Option<i64>,
}

impl World {
    pub(super) fn list(&mut self, call: &Call<'_>, trace: &mut Trace) -> Outcome<(u16, Value)> {
        let organization = self.application(call, trace)?;
        let query = Query::read(&call.request.query, call.knobs, call.now)?;
        let workspaces = self
            .organization(&organization)
            .map(|o| o.workspaces.as_slice())
            .unwrap_or_default();
        let mut rows: Vec<&Row> = workspaces
            .iter()
            .filter(|w| w.reach == Reach::Visible)
            .filter_map(|w| w.seen(call.now, call.knobs.list_lag_ms.0))
            .filter(|row| !row.tombstone || call.knobs.list_tombstones == ListTombstones::Included)
            .filter(|row| query.status.is_none_or(|status| row.status == status))
            .filter(|row| {
                query
                    .name_contains
                    .as_ref()
                    .is_none_or(|part| contains(&row.name, part, call.knobs))
            })
            .collect();
        match call.knobs.list_order {
            ListOrder::Created => rows.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id))),
            ListOrder::Newest => rows.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id))),
            ListOrder::Name => rows.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id))),
            ListOrder::Id => rows.sort_by(|a, b| a.id.cmp(&b.id)),
        }
        let start = match &query.cursor {
            None => 0,
            Some(Cursor { after: Some(id), .. }) => match rows.iter().position(|row| row.id == *id) {
                Some(at) => at + 1,
                None => return Err(Refusal::new(400, "Cursor is no longer valid")),
            },
            Some(Cursor { offset, .. }) => offset.unwrap_or(0),
        };
        let page: Vec<&Row> = rows.iter().skip(start).take(query.limit).copied().collect();
        let more = start.saturating_add(page.len()) < rows.len();
        let next = page.last().filter(|_| more).map(|last| {
            let (offset, after) = match call.knobs.cursor_style {
                CursorStyle::Offset => (Some(start + page.len()), None),
                CursorStyle::Keyset => (None, Some(last.id.clone())),
            };
            let issued = matches!(call.knobs.cursor_life, Limit::At(_)).then(|| call.now.as_second());
            URL_SAFE_NO_PAD.encode(
                json!(Cursor {
                    offset,
                    after,
                    issued
                })
                .to_string(),
            )
        });
        let mut body = json!({"data": page.iter().map(|row| shown(row, call.knobs)).collect::<Vec<_>>()});
        match (next, call.knobs.next_style) {
            (None, NextStyle::Absent) => {}
            (None, NextStyle::EmptyString) => body["next"] = json!(""),
            (None, _) => body["next"] = Value::Null,
            (Some(cursor), style) => body["next"] = json!(link(&cursor, style, call.request, call.knobs)),
        }
        Ok((200, body))
    }
}

impl Query {
    fn read(query: &[(String, String)], knobs: &Knobs, now: Timestamp) -> Outcome<Self> {
        let mut validation = Validation::default();
        let name_contains = validation.take(name_contains(query, knobs));
        let status = input::parameter(query, "status").map(|text| input::status(&text, Place::Query));
        let status = validation.take(status.transpose());
        let limit = validation.take(limit(query));
        let (Some(name_contains), Some(status), Some(limit)) = (name_contains, status, limit) else {
            return Err(validation.refusal());
        };
        let cursor = match input::parameter(query, "cursor").filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(Cursor::read(&text, knobs, now)?),
        };
        Ok(Self {
            name_contains,
            status,
            limit,
            cursor,
        })
    }
}

fn name_contains(query: &[(String, String)], knobs: &Knobs) -> Outcome<Option<String>> {
    let part = input::parameter(query, "name_contains");
    if part.as_deref() == Some("") && knobs.blank_filter == BlankFilter::Refused {
        let message = "String should have at least 1 character";
        return Err(Refusal::invalid(
            Place::Query,
            "name_contains",
            "string_too_short",
            message,
        ));
    }
    Ok(part)
}

fn limit(query: &[(String, String)]) -> Outcome<usize> {
    let refused = |code, message| Refusal::invalid(Place::Query, "limit", code, message);
    let Some(text) = input::parameter(query, "limit") else {
        return Ok(20);
    };
    let number = input::integer(&text).ok_or_else(|| {
        let message = "Input should be a valid integer, unable to parse string as an integer";
        refused("int_parsing", message)
    })?;
    if number < 1 {
        let message = "Input should be greater than or equal to 1";
        return Err(refused("greater_than_equal", message));
    }
    let limit = usize::try_from(number).ok().filter(|limit| *limit <= 100);
    limit.ok_or_else(|| refused("less_than_equal", "Input should be less than or equal to 100"))
}

impl Cursor {
    fn read(text: &str, knobs: &Knobs, now: Timestamp) -> Outcome<Self> {
        let cursor: Option<Self> = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let cursor = cursor.ok_or_else(|| Refusal::new(400, "Invalid cursor"))?;
        match (knobs.cursor_life, cursor.issued) {
            (Limit::At(life), Some(issued))
                if now.as_second().saturating_sub(issued) >= i64::try_from(life).unwrap_or(i64::MAX) =>
            {
                Err(Refusal::new(400, "Cursor has expired"))
            }
            _ => Ok(cursor), // no limit, or a cursor from before there was one
        }
    }
}

fn contains(name: &str, part: &str, knobs: &Knobs) -> bool {
    if part.is_empty() && knobs.blank_filter == BlankFilter::None {
        return false;
    }
    let (name, part) = (name.to_lowercase(), part.to_lowercase());
    match knobs.special_characters {
        SpecialCharacters::Literal => name.contains(&part),
        SpecialCharacters::Wildcard => {
            let pattern: Vec<char> = format!("%{part}%").chars().collect();
            like(&name.chars().collect::<Vec<_>>(), &pattern)
        }
    }
}

/// SQL's LIKE: `%` any text, `_` any character. Only the last `%` is ever tried again, so the time is quadratic at most.
fn like(text: &[char], pattern: &[char]) -> bool {
    let (mut at, mut wanted) = (0, 0);
    let mut retry = None;
    while let Some(found) = text.get(at) {
        match (pattern.get(wanted), retry) {
            (Some('%'), _) => {
                retry = Some((at, wanted));
                wanted += 1;
            }
            (Some(other), _) if *other == '_' || other == found => {
                at += 1;
                wanted += 1;
            }
            (_, Some((from, any))) => {
                retry = Some((from + 1, any));
                at = from + 1;
                wanted = any + 1;
            }
            (_, None) => return false,
        }
    }
    pattern.iter().skip(wanted).all(|rest| *rest == '%')
}

/// The next page, written as asked for.
fn link(cursor: &str, style: NextStyle, request: &Request, knobs: &Knobs) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if knobs.next_filters == NextFilters::Kept {
        for (name, value) in request.query.iter().filter(|(name, _)| name != "cursor") {
            query.append_pair(name, value);
        }
    }
    let query = query.append_pair("cursor", cursor).finish();
    match style {
        NextStyle::Cursor => cursor.to_owned(),
        NextStyle::Relative => format!("{PATH}?{query}"),
        NextStyle::ForeignHost => format!("http://elsewhere.invalid{PATH}?{query}"),
        NextStyle::Absolute | NextStyle::EmptyString | NextStyle::Absent => {
            format!("{}{PATH}?{query}", request.origin)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    fn matches(text: &str, pattern: &str) -> bool {
        like(
            &text.chars().collect::<Vec<_>>(),
            &pattern.chars().collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_pattern_matches_as_in_sql() {
        for (text, pattern) in [
            ("", "%"),
            ("abc", "abc"),
            ("abc", "a%"),
            ("abc", "%c"),
            ("abcbc", "a%bc"),
            ("abc", "a_c"),
            ("ab", "%_%_%"),
        ] {
            assert!(matches(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [
            ("", "_"),
            ("abc", "ab"),
            ("abc", "%b"),
            ("ab", "a_c"),
            ("a", "%_%_%"),
        ] {
            assert!(!matches(text, pattern), "{text} {pattern}");
        }
    }
}
