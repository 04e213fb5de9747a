//! A server that takes any credential, answers every other call with 503, and keeps all that it was sent, headers whole. The
//! emulator's journal hides them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The token that it issues.
pub const TOKEN: &str = "of-the-recorder";

/// The organization of the emulators, so that this server passes for the same one.
const ORGANIZATION: &str = "11111111-1111-4111-8111-111111111111";
const EXCHANGE: &str = "/api/v1/account/applications/token";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Sent {
    pub path: String,
    /// Method, path with query, headers, body.
    pub whole: String,
}

impl Sent {
    pub fn is_exchange(&self) -> bool {
        self.path == EXCHANGE
    }
}

/// Ends when it is dropped.
pub struct Recorder {
    url: String,
    sent: Arc<Mutex<Vec<Sent>>>,
    serving: JoinHandle<()>,
}

impl Recorder {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&sent);
        let router = Router::new().fallback(move |request| answer(request, Arc::clone(&kept)));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, sent, serving }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(request: Request, sent: Arc<Mutex<Vec<Sent>>>) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let mut whole = format!("{} {}", parts.method, parts.uri);
    let headers = parts.headers.iter();
    for (name, value) in headers.map(|(name, value)| (name.as_str(), value.as_bytes())) {
        whole += &format!("\n{name}: {}", String::from_utf8_lossy(value));
    }
    whole += &format!("\n\n{}", String::from_utf8_lossy(&body));
    let this = Sent {
        path: parts.uri.path().to_owned(),
        whole,
    };
    let is_exchange = this.is_exchange();
    sent.lock().unwrap().push(this);
    let said = if is_exchange {
        json!({"access_token": TOKEN, "token_type": "bearer", "expires_in": 900, "organization_id": ORGANIZATION})
    } else {
        json!({"message": "later", "errors": []})
    };
    let status = if is_exchange {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(said)).into_response()
}
