//! The API over HTTP: from a request to the API's plain answers and back, with faults, holds and the journal on the way.

mod answer;
mod handle;
mod serve;
mod unrouted;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::Response;

pub use self::serve::{Running, serve, serve_on};
use super::state::Shared;

/// Both APIs: the control API under `/_emulator/`, the emulated one everywhere else.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .nest("/_emulator", super::control::router())
        .fallback(api)
        .layer(DefaultBodyLimit::max(64 << 20))
        .with_state(Arc::clone(shared))
}

async fn api(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    handle::handle(shared, request).await
}
