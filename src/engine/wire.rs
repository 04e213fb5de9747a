//! The JSON of requests and answers. Reading is tolerant: a workspace needs only `id` and `name`; unknown members, and
//! unknown values of known members, are ignored.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::error::Category;

use crate::domain::ids::{OrganizationId, RegionId, WorkspaceId, WorkspaceName};
use crate::domain::remote::{RemoteState, RemoteWorkspace, TokenScope, WorkspaceState};

/// Characters of an id. The API's have 36; they stand in paths, headers, labels and messages.
const LONGEST_ID: usize = 64;
/// Ten times as many as were asked for.
const MOST_ROWS_OF_A_PAGE: usize = 1000;

#[derive(Serialize)]
pub(super) struct ExchangeRequest<'a> {
    pub(super) client_id: &'a str,
    pub(super) client_secret: &'a str,
}

#[derive(Deserialize)]
pub(super) struct ExchangeAnswer {
    pub(super) access_token: String,
    /// Seconds, where given as something like a number.
    #[serde(default, deserialize_with = "seconds")]
    pub(super) expires_in: Option<f64>,
    #[serde(default, deserialize_with = "organization")]
    pub(super) organization_id: Option<String>,
}

#[derive(Serialize)]
pub(super) struct IssueRequest<'a> {
    pub(super) workspace_name: &'a WorkspaceName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region_id: Option<&'a RegionId>,
}

#[derive(Deserialize)]
pub(super) struct IssueAnswer {
    /// Drafts of the older family called it `access_token`.
    #[serde(alias = "access_token")]
    pub(super) token: String,
}

#[derive(Serialize)]
pub(super) struct UpdateRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a WorkspaceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<WorkspaceState>,
}

/// What the API documents for a deletion.
#[derive(Deserialize)]
pub(super) struct DeleteAnswer {
    #[serde(deserialize_with = "id")]
    pub(super) id: String,
    /// Of a workspace that is there it is null.
    #[serde(default)]
    pub(super) deleted_at: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct VerifyAnswer {
    #[serde(deserialize_with = "id")]
    workspace_id: String,
    #[serde(default, deserialize_with = "organization")]
    organization_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    workspace_name: Option<String>,
}

impl From<VerifyAnswer> for TokenScope {
    fn from(answer: VerifyAnswer) -> Self {
        Self {
            workspace_id: WorkspaceId::new(answer.workspace_id),
            organization_id: answer.organization_id.map(OrganizationId::new),
            workspace_name: answer
                .workspace_name
                .map(WorkspaceName::new)
                .filter(|name| !name.is_cut()),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct PageAnswer {
    #[serde(deserialize_with = "rows")]
    pub(super) data: Vec<WorkspaceAnswer>,
    #[serde(default)]
    pub(super) next: Member,
}

#[derive(Deserialize)]
pub(super) struct WorkspaceAnswer {
    #[serde(deserialize_with = "id")]
    id: String,
    #[serde(deserialize_with = "name")]
    name: String,
    #[serde(default, deserialize_with = "organization")]
    organization_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    created_at: Option<String>,
    #[serde(default)]
    tombstone: Option<bool>,
}

impl From<WorkspaceAnswer> for RemoteWorkspace {
    fn from(answer: WorkspaceAnswer) -> Self {
        Self {
            id: WorkspaceId::new(answer.id),
            name: WorkspaceName::new(answer.name),
            organization_id: answer.organization_id.map(OrganizationId::new),
            state: match answer.status.as_deref() {
                Some("active") => RemoteState::Known(WorkspaceState::Active),
                Some("inactive") => RemoteState::Known(WorkspaceState::Inactive),
                // Absent, or one that the API has grown since.
                None | Some(_) => RemoteState::Unknown,
            },
            tombstone: answer.tombstone.unwrap_or(false),
            created_at: answer.created_at.as_deref().and_then(moment),
        }
    }
}

/// An answer's body, or what is wrong with it. The reason quotes nothing: bodies hold tokens.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, &'static str> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Eof => "the body is cut short",
        Category::Syntax | Category::Io => "the body is not JSON",
        Category::Data => "the body lacks what the API documents for this answer",
    })
}

/// Whether the text can be an id. One that is a path of its own (`stats`, `..`) would read, or delete, something else.
pub(super) fn is_workspace_id(text: &str) -> bool {
    is_id(text) && !matches!(text, "stats" | "sync")
}

fn is_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    (1..=LONGEST_ID).contains(&text.len())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// An optional member of any kind. What is not read is passed over, not kept: its size is the sender's choice.
#[derive(Debug, Default)]
pub(super) enum Member {
    #[default]
    Null,
    Text(String),
    Number(f64),
    Other,
}

struct MemberVisitor;

impl<'de> Visitor<'de> for MemberVisitor {
    type Value = Member;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Member, E> {
        Ok(Member::Text(text.to_owned()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Member, E> {
        Ok(Member::Number(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    fn visit_i64<E>(self, number: i64) -> Result<Member, E> {
        Ok(Member::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    fn visit_u64<E>(self, number: u64) -> Result<Member, E> {
        Ok(Member::Number(number as f64))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Member, E> {
        Ok(Member::Other)
    }

    fn visit_unit<E>(self) -> Result<Member, E> {
        Ok(Member::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Member, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Member::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Member, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Member::Other)
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(MemberVisitor)
    }
}

/// A non-empty string, or nothing: optional members never make an answer unreadable.
fn lenient<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    Ok(match Member::deserialize(source)? {
        Member::Text(text) if !text.is_empty() => Some(text),
        Member::Text(_) | Member::Null | Member::Number(_) | Member::Other => None,
    })
}

/// The same, but what is said must be an id: no other text names the organization that is ours.
fn organization<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    match lenient(source)? {
        Some(text) if !is_id(&text) => Err(D::Error::custom("no id of an organization")),
        said => Ok(said),
    }
}

fn id<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    let text = String::deserialize(source)?;
    if is_workspace_id(&text) {
        Ok(text)
    } else {
        Err(D::Error::custom("no id of a workspace"))
    }
}

/// One that is too long is cut, and stays too long: it is equal to none that can be declared or recorded.
fn name<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    let mut text = String::deserialize(source)?;
    if let Some((end, _)) = text.char_indices().nth(WorkspaceName::LONGEST + 1) {
        text.truncate(end);
        text.shrink_to_fit();
    }
    Ok(text)
}

fn rows<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<WorkspaceAnswer>, D::Error> {
    struct Rows;

    impl<'de> Visitor<'de> for Rows {
        type Value = Vec<WorkspaceAnswer>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a page of workspaces")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut rows = Vec::new();
            while let Some(row) = items.next_element()? {
                if rows.len() == MOST_ROWS_OF_A_PAGE {
                    return Err(A::Error::custom("too many workspaces on a page"));
                }
                rows.push(row);
            }
            Ok(rows)
        }
    }

    source.deserialize_seq(Rows)
}

fn seconds<'de, D: Deserializer<'de>>(source: D) -> Result<Option<f64>, D::Error> {
    Ok(match Member::deserialize(source)? {
        Member::Number(number) => Some(number),
        Member::Text(text) => text.trim().parse().ok(),
        Member::Null | Member::Other => None,
    })
}

/// RFC 3339; without an offset it is UTC, which is what servers mean that leave it out.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let naive: DateTime = text.parse().ok()?;
        naive.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(json: &str) -> Result<RemoteWorkspace, &'static str> {
        read::<WorkspaceAnswer>(json.as_bytes()).map(RemoteWorkspace::from)
    }

    #[test]
    fn a_workspace_needs_an_id_and_a_name_and_nothing_else() {
        let bare = workspace(r#"{"id":"w1","name":"tenant"}"#).unwrap();
        assert_eq!((bare.id.as_str(), bare.name.as_str()), ("w1", "tenant"));
        assert_eq!(
            (bare.state, bare.tombstone, bare.created_at),
            (RemoteState::Unknown, false, None)
        );
        assert!(workspace(r#"{"id":"w1"}"#).is_err());
        assert!(workspace(r#"{"name":"tenant"}"#).is_err());
        assert!(workspace(r#"{"id":null,"name":"tenant"}"#).is_err());
    }

    #[test]
    fn unknown_members_and_values_pass() {
        let odd = workspace(
            r#"{"id":"w1","name":"","status":"archived","organization_id":7,"created_at":"yesterday",
                "tombstone":null,"visibility":"shared","color":null,"quota":{"a":[1]}}"#,
        )
        .unwrap();
        assert_eq!(
            (odd.state, odd.organization_id, odd.created_at),
            (RemoteState::Unknown, None, None)
        );
    }

    #[test]
    fn an_id_printed_in_other_case_is_the_same_id() {
        let upper = "645A183F-B12B-4C6E-8AD3-99E165603450";
        let lower = upper.to_ascii_lowercase();
        let row = workspace(&format!(
            r#"{{"id":"{upper}","name":"tenant","organization_id":"{upper}"}}"#
        ))
        .unwrap();
        let organization = row.organization_id.unwrap();
        assert_eq!((row.id.as_str(), organization.as_str()), (&*lower, &*lower));
        let body = format!(r#"{{"workspace_id":"{upper}","organization_id":"{upper}"}}"#);
        let scope = TokenScope::from(read::<VerifyAnswer>(body.as_bytes()).unwrap());
        assert_eq!(scope.workspace_id.as_str(), lower);
        assert_eq!(scope.organization_id.unwrap().as_str(), lower);
    }

    #[test]
    fn times_are_read_with_and_without_fraction_and_offset() {
        let expected: Timestamp = "2026-04-20T21:57:20Z".parse().unwrap();
        for text in [
            "2026-04-20T21:57:20Z",
            "2026-04-20T23:57:20+02:00",
            "2026-04-20T21:57:20",
        ] {
            assert_eq!(moment(text), Some(expected), "{text}");
        }
        assert_eq!(
            moment("2026-04-20T21:57:20.991787Z"),
            "2026-04-20T21:57:20.991787Z".parse().ok()
        );
    }

    #[test]
    fn the_life_of_an_application_token_is_read_in_any_notation() {
        let life = |json: &str| read::<ExchangeAnswer>(json.as_bytes()).unwrap().expires_in;
        assert_eq!(life(r#"{"access_token":"t","expires_in":900}"#), Some(900.0));
        assert_eq!(life(r#"{"access_token":"t","expires_in":"900"}"#), Some(900.0));
        assert_eq!(life(r#"{"access_token":"t","expires_in":null}"#), None);
        assert_eq!(life(r#"{"access_token":"t"}"#), None);
    }
}
