//! An emulator in this process, with a clock that stands still, and a client that judges every answer it gets.

use agent_engine_operator::emulator::clock::Gait;
use agent_engine_operator::emulator::operation::{Operation, route};
use agent_engine_operator::emulator::{Emulator, Running, Settings, serve};
use jiff::SignedDuration;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::shapes;

pub const TOKEN: &str = "/api/v1/account/applications/token";
pub const MINT: &str = "/api/v1/account/applications/scoped-token";
pub const INFO: &str = "/api/v1/account/applications/scoped-token/info";
pub const WIDGET: &str = "/api/v1/account/applications/widget-token";
pub const LEGACY_MINT: &str = "/api/v1/embedded/scoped-token";
pub const WORKSPACES: &str = "/api/v1/workspaces";
pub const STATS: &str = "/api/v1/workspaces/stats";
pub const CONNECTORS: &str = "/api/v1/integrations/connectors";

pub struct Rig {
    pub emulator: Emulator,
    pub running: Running,
    pub http: reqwest::Client,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn text(&self, member: &str) -> String {
        self.body[member]
            .as_str()
            .unwrap_or_else(|| panic!("no text `{member}` in {}", self.body))
            .to_owned()
    }

    pub fn names(&self) -> Vec<String> {
        let rows = self.body["data"]
            .as_array()
            .unwrap_or_else(|| panic!("no list in {}", self.body));
        rows.iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub async fn rig() -> Rig {
    rig_with(Settings::default()).await
}

pub async fn rig_with(settings: Settings) -> Rig {
    let emulator = Emulator::new(settings).unwrap();
    emulator.with(|state| state.clock.walk(Gait::Frozen));
    let running = serve("127.0.0.1:0", &emulator).await.unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([]) // the emulator speaks plain HTTP; reading the system's roots takes a while
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    Rig {
        emulator,
        running,
        http,
    }
}

impl Rig {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.url())
    }

    /// Sends a request; a broken connection is an error.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> reqwest::Result<(u16, HeaderMap, String)> {
        let mut request = self.http.request(method, self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Ok((status, headers, answer.text().await?))
    }

    /// Sends a request that is answered in JSON, in the shape that is documented for it.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let reply = self.send_undocumented(method.clone(), path, headers, body).await;
        self.judge(method, path, reply)
    }

    /// The same for a body that is sent as it stands, under the headers given alone.
    pub async fn send_text(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let mut request = self.http.request(method.clone(), self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body.unwrap_or_default()).send().await.unwrap();
        let reply = Reply {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
        };
        self.judge(method, path, reply)
    }

    /// Holds an answer against the shape that is documented for it.
    fn judge(&self, method: Method, path: &str, reply: Reply) -> Reply {
        let plain = path.split('?').next().unwrap_or_default();
        let knobs = self.emulator.with(|state| state.knobs.clone());
        if let Ok(route) = route(method.as_str(), plain, &knobs) {
            let shape = match reply.status {
                200..300 => shapes::success(route.operation, route.family),
                _ => shapes::envelope(),
            };
            assert_eq!(shapes::fault(&shape, &reply.body, path), None, "{reply:?}");
        }
        reply
    }

    /// The same for knobs that leave the documented shapes on purpose.
    pub async fn send_undocumented(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let (status, headers, text) = self
            .try_send(method, path, headers, body)
            .await
            .expect("an answer");
        assert_eq!(headers["content-type"], "application/json", "{path}: {text}");
        let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error} in {text}"));
        Reply {
            status,
            headers,
            body,
        }
    }

    pub async fn t1(&self) -> Reply {
        let Settings {
            client_id,
            client_secret,
            ..
        } = Settings::default();
        self.exchange(&client_id, &client_secret).await
    }

    pub async fn exchange(&self, client_id: &str, client_secret: &str) -> Reply {
        let body = json!({"client_id": client_id, "client_secret": client_secret});
        self.send(Method::POST, TOKEN, &[], Some(body)).await
    }

    /// A call with a fresh application token.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let bearer = self.bearer().await;
        self.send(method, path, &[("authorization", &bearer)], body).await
    }

    pub async fn bearer(&self) -> String {
        format!("Bearer {}", self.t1().await.text("access_token"))
    }

    pub async fn mint(&self, name: &str) -> Reply {
        self.call(Method::POST, MINT, Some(json!({"workspace_name": name})))
            .await
    }

    pub async fn info(&self, token: &str) -> Reply {
        self.send(
            Method::GET,
            INFO,
            &[("authorization", &format!("Bearer {token}"))],
            None,
        )
        .await
    }

    /// A scoped token and the id of its workspace, which need not have been there.
    pub async fn opened(&self, name: &str) -> (String, String) {
        let token = self.mint(name).await.text("token");
        let id = self.info(&token).await.text("workspace_id");
        (token, id)
    }

    pub async fn list(&self, query: &str) -> Reply {
        self.call(Method::GET, &format!("{WORKSPACES}{query}"), None)
            .await
    }

    pub async fn get(&self, id: &str) -> Reply {
        self.call(Method::GET, &format!("{WORKSPACES}/{id}"), None).await
    }

    pub async fn put(&self, id: &str, change: Value) -> Reply {
        self.call(Method::PUT, &format!("{WORKSPACES}/{id}"), Some(change))
            .await
    }

    pub async fn delete(&self, id: &str) -> Reply {
        self.call(Method::DELETE, &format!("{WORKSPACES}/{id}"), None)
            .await
    }

    /// A control call, which must succeed.
    pub async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let reply = self
            .send_undocumented(method, &format!("/_emulator{path}"), &[], Some(body))
            .await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }

    /// Seeds one workspace and tells its id.
    pub async fn seed(&self, workspace: Value) -> String {
        let planted = self
            .control(Method::POST, "/seed", json!({"workspaces": [workspace]}))
            .await;
        planted["workspaces"][0]["id"].as_str().unwrap().to_owned()
    }

    pub async fn fault(&self, fault: Value) {
        self.control(Method::POST, "/faults", fault).await;
    }

    pub fn knob(&self, name: &str, value: &str) {
        self.emulator.with(|state| state.knobs.set(name, value).unwrap());
    }

    pub fn advance_ms(&self, milliseconds: i64) {
        self.emulator
            .with(|state| state.clock.advance(SignedDuration::from_millis(milliseconds)));
    }

    /// How many requests of a kind there were.
    pub fn count(&self, operation: Operation) -> usize {
        let filter = agent_engine_operator::emulator::journal::Filter {
            since: 0,
            operation: Some(operation),
        };
        self.emulator
            .with(|state| state.journal.read(&filter).entries.len())
    }
}
