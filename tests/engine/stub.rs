//! A scripted Agent Engine: answers as told, remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent_engine_operator::clock::Clock;
use agent_engine_operator::domain::ids::OrganizationId;
use agent_engine_operator::domain::remote::{Answer, Failure};
use agent_engine_operator::engine::{
    Client, ClientConfig, Credentials, Endpoint, ListFilter, Operation, ScopedToken, UpdateFields, in_process,
};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use secrecy::SecretString;
use serde_json::{Value, json};

pub const ORGANIZATION: &str = "12345678-1234-1234-1234-123456789012";
pub const W1: &str = "7e6f0000-0000-4000-8000-000000000001";
pub const EXCHANGE: &str = "/api/v1/account/applications/token";
pub const ISSUE: &str = "/api/v1/account/applications/scoped-token";
pub const PROVE: &str = "/api/v1/account/applications/scoped-token/info";
pub const LIST: &str = "/api/v1/workspaces";
pub const DATE: &str = "Sun, 22 Nov 2026 12:00:00 GMT";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: http::HeaderMap,
    pub body: Value,
    /// How many requests of this method and path came before.
    pub nth: usize,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What to answer.
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    delay: Duration,
    breaks_off: bool,
}

pub fn json(status: u16, body: &Value) -> Reply {
    text(status, &body.to_string()).header("content-type", "application/json")
}

pub fn text(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: vec![("date", DATE.to_owned())],
        body: body.as_bytes().to_vec(),
        delay: Duration::ZERO,
        breaks_off: false,
    }
}

pub fn html(status: u16) -> Reply {
    text(status, "<html><body>Hello</body></html>").header("content-type", "text/html; charset=utf-8")
}

impl Reply {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn without_date(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "date");
        self
    }

    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The connection is lost in the middle of the body.
    pub fn breaking_off(mut self) -> Self {
        self.breaks_off = true;
        self
    }

    async fn send(self) -> Response {
        tokio::time::sleep(self.delay).await;
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        let body = if self.breaks_off {
            let chunks: [Result<Vec<u8>, std::io::Error>; 2] =
                [Ok(self.body), Err(std::io::Error::other("connection reset"))];
            Body::from_stream(futures::stream::iter(chunks))
        } else {
            Body::from(self.body)
        };
        response.body(body).unwrap()
    }
}

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    pub fn all(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }

    pub fn to(&self, path: &str) -> Vec<Seen> {
        self.all().into_iter().filter(|seen| seen.path == path).collect()
    }

    pub fn exchanges(&self) -> usize {
        self.to(EXCHANGE).len()
    }

    /// Requests that are no exchanges.
    pub fn calls(&self) -> usize {
        self.all().len() - self.exchanges()
    }
}

/// A router that answers by the script, and by [`good`] where the script has nothing to say.
pub fn router(script: impl Fn(&Seen) -> Option<Reply> + Clone + Send + Sync + 'static) -> (Router, Log) {
    let log = Log::default();
    let seen_by = log.clone();
    let router = Router::new().fallback(move |request: Request| {
        let (script, log) = (script.clone(), seen_by.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let reply = {
                let mut log = log.0.lock().unwrap();
                let mut seen = Seen {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    headers: parts.headers,
                    body: serde_json::from_slice(&body).unwrap_or(Value::Null),
                    nth: 0,
                };
                let alike = |other: &&Seen| (&other.method, &other.path) == (&seen.method, &seen.path);
                seen.nth = log.iter().filter(alike).count();
                log.push(seen.clone());
                script(&seen).unwrap_or_else(|| good(&seen))
            };
            reply.send().await
        }
    });
    (router, log)
}

/// What Agent Engine answers when all is well.
pub fn good(seen: &Seen) -> Reply {
    let path = seen.path.as_str();
    match (seen.method.as_str(), path) {
        ("POST", EXCHANGE) => json(200, &application_token(seen.nth)),
        ("POST", ISSUE) => json(200, &json!({"token": "scoped-1"})),
        ("GET", PROVE) => json(
            200,
            &json!({"organization_id": ORGANIZATION, "workspace_id": W1, "workspace_name": "tenant"}),
        ),
        ("GET", LIST) => json(200, &json!({"data": [workspace(W1, "tenant")], "next": null})),
        ("GET" | "PUT", _) if path.starts_with(LIST) => json(200, &workspace(W1, "tenant")),
        ("DELETE", _) if path.starts_with(LIST) => {
            json(200, &json!({"id": W1, "deleted_at": "2026-11-22T12:00:00Z"}))
        }
        _ => json(404, &json!({"detail": "Not Found"})),
    }
}

/// The n-th answer to an exchange; its token is `app-n`.
pub fn application_token(nth: usize) -> Value {
    json!({"access_token": format!("app-{nth}"), "token_type": "bearer", "expires_in": 900,
           "organization_id": ORGANIZATION})
}

/// The answer to an exchange as it goes over a connection that ends with it, if these bytes ask for one.
pub fn answer_to_exchange(request: &[u8]) -> Option<String> {
    let body = application_token(0).to_string();
    let length = body.len();
    let is_exchange = request.starts_with(format!("POST {EXCHANGE} ").as_bytes());
    is_exchange
        .then(|| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"))
}

pub fn workspace(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "organization_id": ORGANIZATION, "status": "active", "cache_enabled": null,
           "tombstone": false, "visibility": "shared", "color": null,
           "created_at": "2026-04-20T21:57:20.991787Z", "updated_at": "2026-04-20T21:57:20.991787Z"})
}

pub fn credentials() -> Credentials {
    Credentials::new("client-1", &SecretString::from("S3CRET-canary")).unwrap()
}

pub fn config(endpoint: &str) -> ClientConfig {
    ClientConfig::new(Endpoint::parse(endpoint).unwrap(), credentials())
}

/// A client over a scripted router in process, on virtual time from noon, 22 November 2026.
pub fn engine(script: impl Fn(&Seen) -> Option<Reply> + Clone + Send + Sync + 'static) -> (Client, Log) {
    configured(|_| (), script)
}

pub fn configured(
    configure: impl FnOnce(&mut ClientConfig),
    script: impl Fn(&Seen) -> Option<Reply> + Clone + Send + Sync + 'static,
) -> (Client, Log) {
    let (router, log) = router(script);
    let mut config = config("https://api.airbyte.ai");
    config.clock = Clock::virtual_from("2026-11-22T12:00:00Z".parse().unwrap());
    config.organization_id = Some(OrganizationId::new(ORGANIZATION));
    configure(&mut config);
    (Client::over(in_process(router), &config).unwrap(), log)
}

pub fn scoped(secret: &str) -> ScopedToken {
    ScopedToken {
        secret: SecretString::from(secret),
        lifetime: Duration::from_secs(1200),
    }
}

/// The same call of each kind, with its value told in words.
pub async fn call(engine: &Client, operation: Operation) -> Answer<String> {
    let id = W1.into();
    match operation {
        Operation::Exchange | Operation::Authenticate => told(engine.authenticate().await),
        Operation::List => told(engine.list(ListFilter::default()).await),
        Operation::Get => told(engine.get(&id).await),
        Operation::Issue => told(engine.issue(&"tenant".into(), None).await),
        Operation::Verify => told(engine.verify(&scoped("scoped-1")).await),
        Operation::Update => told(
            engine
                .update(
                    &id,
                    &UpdateFields {
                        name: Some("renamed".into()),
                        state: None,
                    },
                )
                .await,
        ),
        Operation::Delete => told(engine.delete(&id).await),
    }
}

fn told<T: std::fmt::Debug>(answer: Answer<T>) -> Answer<String> {
    answer.with_result(|result| result.map(|value| format!("{value:?}")))
}

/// The failure that was to be expected.
pub fn failure<T: std::fmt::Debug>(answer: Answer<T>) -> Failure {
    answer.result.expect_err("a failure")
}
