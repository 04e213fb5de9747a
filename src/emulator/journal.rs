//! The journal: every request to the API, numbered, with what became of it, and never a token or a secret.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::Principal;
use super::operation::{Family, Operation};

/// The oldest entries are forgotten beyond this.
const MOST_ENTRIES: usize = 1_000_000;
const HIDDEN: &str = "***";

/// One request.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Entry {
    pub seq: u64,
    /// When it arrived, in the emulator's time.
    pub at: Timestamp,
    pub method: String,
    pub path: String,
    pub family: Option<Family>,
    /// None for a path that is no call of the API.
    pub operation: Option<Operation>,
    pub query: String,
    pub principal: Principal,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
    pub status: Option<u16>,
    pub outcome: Outcome,
    /// Whether it reached the emulated API.
    pub applied: bool,
    pub organization_id: Option<String>,
    /// The workspace that it was about, or that it made.
    pub workspace_id: Option<String>,
    /// The fault that befell it.
    pub fault: Option<u64>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Running,
    Answered,
    Dropped,
}

/// What a reader asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// Only entries after this number.
    pub since: u64,
    pub operation: Option<Operation>,
}

/// What a reader gets.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Page {
    /// The number of the last request, whatever the filter; to be given as `since` the next time.
    pub last: u64,
    pub counts: BTreeMap<Operation, u64>,
    pub entries: Vec<Entry>,
}

/// All entries, in the order of arrival.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    entries: VecDeque<Entry>,
    last: u64,
}

impl Journal {
    /// Writes a new entry down; its number is given here.
    pub fn begin(&mut self, mut entry: Entry) -> u64 {
        self.last += 1;
        entry.seq = self.last;
        if self.entries.len() >= MOST_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.last
    }

    /// The entry of this number, unless it was cleared.
    pub fn entry_mut(&mut self, seq: u64) -> Option<&mut Entry> {
        let first = self.entries.front()?.seq;
        let at = usize::try_from(seq.checked_sub(first)?).ok()?;
        self.entries.get_mut(at)
    }

    pub fn read(&self, filter: &Filter) -> Page {
        let chosen = |entry: &&Entry| {
            entry.seq > filter.since
                && filter
                    .operation
                    .is_none_or(|wanted| entry.operation == Some(wanted))
        };
        let entries: Vec<Entry> = self.entries.iter().filter(chosen).cloned().collect();
        let mut counts = BTreeMap::new();
        for operation in entries.iter().filter_map(|entry| entry.operation) {
            *counts.entry(operation).or_insert(0) += 1;
        }
        Page {
            last: self.last,
            counts,
            entries,
        }
    }

    /// Forgets all entries; the numbers go on.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Headers fit to be kept: those that carry secrets lose their value.
pub fn redacted_headers<'a>(
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    secrets: &[&str],
) -> BTreeMap<String, String> {
    headers
        .map(|(name, value)| {
            let secret = ["authorization", "proxy-authorization", "cookie"].contains(&name);
            let value = String::from_utf8_lossy(value);
            (
                name.to_owned(),
                if secret {
                    HIDDEN.to_owned()
                } else {
                    redacted_text(&value, secrets)
                },
            )
        })
        .collect()
}

/// The body fit to be kept: secret members lose their value; what is no JSON is kept as text, an empty one as null.
pub fn redacted_body(body: &[u8], secrets: &[&str]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    match serde_json::from_slice(body) {
        Ok(value) => redacted(value, secrets),
        Err(_) => Value::String(redacted_text(&String::from_utf8_lossy(body), secrets)),
    }
}

fn redacted(value: Value, secrets: &[&str]) -> Value {
    let secret_member = |name: &str| {
        let name = name.to_lowercase();
        ["secret", "token", "password", "authorization"]
            .iter()
            .any(|word| name.contains(word))
    };
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = if secret_member(&name) {
                        HIDDEN.into()
                    } else {
                        redacted(value, secrets)
                    };
                    (redacted_text(&name, secrets), value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| redacted(item, secrets)).collect()),
        Value::String(text) => Value::String(redacted_text(&text, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// Text without what looks like a token, and without the secrets themselves where they are whole values. The rest stays, so that a
/// page's filters, limit and cursor can be read.
pub fn redacted_text(text: &str, secrets: &[&str]) -> String {
    let mut kept = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let escaped: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        kept = without(&kept, secret);
        kept = without(&kept, &escaped);
    }
    let mut out = String::with_capacity(kept.len());
    let mut rest = kept.as_str();
    while let Some(start) = rest.find(in_value) {
        let (before, from) = rest.split_at(start);
        let (value, after) = from.split_at(from.find(|c| !in_value(c)).unwrap_or(from.len()));
        out.push_str(before);
        out.push_str(if is_token(value) { HIDDEN } else { value });
        rest = after;
    }
    out + rest
}

/// Whether a value goes on with this character.
fn in_value(c: char) -> bool {
    c.is_alphanumeric() || "-_.".contains(c)
}

/// A JWT, a token of the emulator's own form, or a bundle: base64 of `{"token":`. A cursor is base64 of JSON, too.
fn is_token(value: &str) -> bool {
    let jwt = value.starts_with("eyJ") && value.contains('.');
    jwt || value.starts_with("eyJ0b2tlbiI6") || value.starts_with("aet_")
}

/// The text with `***` where the secret is a value of its own.
fn without(text: &str, secret: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(secret) {
        let end = at + secret.len();
        let inside = |c: Option<char>| c.is_some_and(in_value);
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(end..).and_then(|text| text.chars().next());
        if !inside(before) && !inside(after) {
            out.push_str(text.get(from..at).unwrap_or_default());
            out.push_str(HIDDEN);
            from = end;
        }
    }
    out + text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{redacted_body, redacted_headers, redacted_text};

    #[test]
    fn no_secret_survives_wherever_it_is_put() {
        let body = br#"{"client_id":"cid","client_secret":"s3cr3t","deep":[{"x":"s3cr3t"},{"y":"a eyJhbGciOi.b.c"}]}"#;
        let kept = redacted_body(body, &["s3cr3t"]).to_string();
        assert!(kept.contains("cid"));
        assert!(!kept.contains("s3cr3t") && !kept.contains("eyJ"), "{kept}");
        let kept = redacted_body(b"client_secret=s3cr3t", &["s3cr3t"]).to_string();
        assert!(!kept.contains("s3cr3t"));
    }

    #[test]
    fn only_whole_values_are_hidden() {
        for (text, kept) in [
            ("name_contains=tenants&limit=5&cursor=eyJvZmZzZXQiOjIwfQ", None),
            ("name_contains=tenant-1", None),
            ("client_secret=tenant", Some("client_secret=***")),
            ("a=tenant&limit=5", Some("a=***&limit=5")),
            ("token=eyJhbGciOi.b.c&limit=5", Some("token=***&limit=5")),
            ("x=aet_abc", Some("x=***")),
            ("x=eyJ0b2tlbiI6ImV5", Some("x=***")),
            ("p=a%2Fb%3D&q=1", Some("p=***&q=1")),
        ] {
            assert_eq!(redacted_text(text, &["tenant", "a/b="]), kept.unwrap_or(text));
        }
    }

    #[test]
    fn a_bearer_is_not_kept_in_any_header() {
        let headers = [
            ("authorization", &b"Bearer abc"[..]),
            ("x-other", &b"eyJabc.b.c"[..]),
            ("accept", &b"*/*"[..]),
        ];
        let kept = redacted_headers(headers.into_iter(), &[]);
        assert_eq!(kept["authorization"], "***");
        assert_eq!(kept["x-other"], "***");
        assert_eq!(kept["accept"], "*/*");
    }
}
