//! An emulator with something in front of it that may answer in its place, or change what it says.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use agent_engine_operator::emulator::{Emulator, Settings};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// A call of the API, as its method and path tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Call {
    Exchange,
    Issue,
    Verify,
    /// The list of the organization.
    List,
    /// A list by name.
    Search,
    Get,
    Update,
    Delete,
}

pub const ALL: &[Call] = &[
    Call::Exchange,
    Call::Issue,
    Call::Verify,
    Call::List,
    Call::Search,
    Call::Get,
    Call::Update,
    Call::Delete,
];

/// What is done to an answer.
#[derive(Clone, Copy)]
pub enum Lie {
    /// Answered in the API's place; the n-th such answer.
    Instead(fn(usize) -> Response),
    /// Answered in the API's place, once the API has done what it was asked for.
    Afterwards(fn(usize) -> Response),
    /// The API's own answer with its JSON changed.
    Body(fn(&mut Value)),
    /// The API's own answer with this header.
    Header(&'static str, &'static str),
}

pub struct Front {
    pub emulator: Emulator,
    pub url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    on: &'static [Call],
    lie: Lie,
    lies: AtomicBool,
    told: AtomicUsize,
    asked: Mutex<Vec<Call>>,
}

impl Front {
    /// One that tells the truth until [`Front::lie`].
    pub async fn start(settings: Settings, on: &'static [Call], lie: Lie) -> Self {
        let emulator = Emulator::new(settings).expect("an emulator");
        let shared = Arc::new(Shared {
            on,
            lie,
            lies: AtomicBool::new(false),
            told: AtomicUsize::new(0),
            asked: Mutex::default(),
        });
        let (behind, server) = (emulator.router(), Arc::clone(&shared));
        let router = Router::new().fallback(move |request: Request| {
            let (behind, server) = (behind.clone(), Arc::clone(&server));
            async move { server.answer(request, behind).await }
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self {
            emulator,
            url,
            shared,
            task,
        }
    }

    pub fn lie(&self) {
        self.shared.lies.store(true, Ordering::SeqCst);
    }

    pub fn tell_the_truth(&self) {
        self.shared.lies.store(false, Ordering::SeqCst);
    }

    /// How many requests there were so far.
    pub fn asked(&self) -> usize {
        self.shared.asked.lock().expect("a list").len()
    }

    /// How many of each there were since.
    pub fn tally(&self, since: usize) -> String {
        let asked = self.shared.asked.lock().expect("a list");
        let count = |call: &Call| asked[since..].iter().filter(|asked| *asked == call).count();
        let tally = ALL.iter().map(|call| format!("{call:?} {}", count(call)));
        tally.collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    async fn answer(&self, request: Request, behind: Router) -> Response {
        let call = call(&request);
        self.asked.lock().expect("a list").push(call);
        if !self.lies.load(Ordering::SeqCst) || !self.on.contains(&call) {
            return truth(request, behind).await;
        }
        let nth = self.told.fetch_add(1, Ordering::SeqCst);
        match self.lie {
            Lie::Instead(answer) => answer(nth),
            Lie::Afterwards(answer) => {
                truth(request, behind).await;
                answer(nth)
            }
            Lie::Body(change) => {
                let (mut parts, body) = truth(request, behind).await.into_parts();
                let body = to_bytes(body, usize::MAX).await.expect("a body");
                let mut said: Value = serde_json::from_slice(&body).expect("JSON");
                if parts.status.is_success() {
                    change(&mut said);
                }
                parts.headers.remove("content-length");
                Response::from_parts(parts, Body::from(said.to_string()))
            }
            Lie::Header(name, value) => {
                let mut answer = truth(request, behind).await;
                answer.headers_mut().insert(name, value.parse().expect("a value"));
                answer
            }
        }
    }
}

async fn truth(request: Request, behind: Router) -> Response {
    match behind.oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

fn call(request: &Request) -> Call {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    match (request.method().as_str(), path) {
        (_, "/api/v1/account/applications/token") => Call::Exchange,
        ("POST", _) => Call::Issue,
        ("GET", "/api/v1/workspaces") if query.contains("name_contains") => Call::Search,
        ("GET", "/api/v1/workspaces") => Call::List,
        ("GET", path) if path.starts_with("/api/v1/workspaces/") => Call::Get,
        ("GET", _) => Call::Verify,
        ("PUT", _) => Call::Update,
        _ => Call::Delete,
    }
}
