//! The control API under `/_emulator/`: a shell around [`State`](super::state::State). Its calls are not in the journal.

mod disturb;
mod tenants;
mod world;

use std::sync::Arc;

use axum::extract::{FromRequest, Path, Query, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::json;

use super::state::Shared;

/// The routes, relative to the prefix.
pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/health", get(async || Json(json!({"status": "ok"}))))
        .route("/state", get(world::state))
        .route("/reset", post(world::reset))
        .route("/clock", get(world::clock).post(world::set_clock))
        .route("/seed", post(tenants::seed))
        .route("/workspaces/delete", post(tenants::delete_many))
        .route(
            "/workspaces/{id}",
            get(tenants::show).patch(tenants::edit).delete(tenants::delete),
        )
        .route(
            "/organizations",
            get(world::organizations).post(world::add_organization),
        )
        .route(
            "/credentials",
            get(world::credentials).post(world::set_credentials),
        )
        .route("/credentials/{client_id}", delete(world::remove_credentials))
        .route("/knobs", get(disturb::knobs).put(disturb::set_knobs))
        .route(
            "/faults",
            get(disturb::faults)
                .post(disturb::add_fault)
                .delete(disturb::clear_faults),
        )
        .route("/faults/{id}", delete(disturb::remove_fault))
        .route("/holds", get(disturb::holds))
        .route("/holds/release", post(disturb::release_all))
        .route("/holds/{id}/release", post(disturb::release))
        .route("/journal", get(disturb::journal).delete(disturb::clear_journal))
        .fallback(async || {
            Refused::new(
                StatusCode::NOT_FOUND,
                "there is no such control call; see docs/emulator.md",
            )
        })
}

/// Why a control call did nothing.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    message: String,
}

impl Refused {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    fn invalid(message: impl ToString) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message.to_string())
    }

    fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"message": self.message}))).into_response()
    }
}

type Answered = Result<Json<serde_json::Value>, Refused>;

/// A body of JSON, whatever its content type says; none at all is `{}`.
struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(Refused::invalid)?;
        let text = if bytes.is_empty() { b"{}" } else { bytes.as_ref() };
        serde_json::from_slice(text).map(Self).map_err(Refused::invalid)
    }
}

/// A time, or none; refused in words for people.
fn instant<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let wrong = |_| D::Error::custom(format!("`{text}` must be RFC 3339, such as 2030-01-01T00:00:00Z"));
    text.parse().map(Some).map_err(wrong)
}

/// Parameters of the query, refused in JSON.
struct Parameters<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> axum::extract::FromRequestParts<S> for Parameters<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self, Refused> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(value)| Self(value))
            .map_err(|error| Refused::invalid(error.body_text()))
    }
}

/// The id in the path, refused in JSON.
struct Id<T>(T);

impl<T: DeserializeOwned + Send, S: Send + Sync> axum::extract::FromRequestParts<S> for Id<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut http::request::Parts, state: &S) -> Result<Self, Refused> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(id)| Self(id))
            .map_err(|error| Refused::invalid(error.body_text()))
    }
}
