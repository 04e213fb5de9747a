//! A workspace's life as the client sees it, step by step, each step told in a word.

use agent_engine_operator::clock::Clock;
use agent_engine_operator::domain::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use agent_engine_operator::domain::remote::TokenPath;
use agent_engine_operator::domain::remote::{Answer, FailureClass, TokenScope, WorkspaceState};
use agent_engine_operator::emulator::{DEFAULT_ORGANIZATION, Emulator, Settings};
use agent_engine_operator::engine::{
    Client, ClientConfig, Credentials, Endpoint, ListFilter, ScopedToken, UpdateFields, in_process,
};
use secrecy::SecretString;

/// How the emulator is set, and by which paths and as whom the client calls.
pub struct Setting {
    route: TokenPath,
    knobs: Vec<(String, String)>,
    credentials: (&'static str, &'static str),
}

impl Setting {
    pub fn new(route: TokenPath, shape: &str) -> Self {
        let plain = Self {
            route,
            knobs: Vec::new(),
            credentials: ("emulated-client", "emulated-secret"),
        };
        plain.with("error_shape", shape)
    }

    pub fn with(mut self, knob: &str, value: &str) -> Self {
        self.knobs.push((knob.to_owned(), value.to_owned()));
        self
    }

    pub fn credentials(mut self, id: &'static str, secret: &'static str) -> Self {
        self.credentials = (id, secret);
        self
    }

    /// An emulator set so, and a client of it. Call on a paused clock.
    pub fn start(&self, workspaces: Vec<String>) -> (Emulator, Client) {
        let emulator = Emulator::new(Settings {
            workspaces,
            time: clock(),
            ..Settings::default()
        })
        .unwrap();
        emulator.with(|state| {
            for (knob, value) in &self.knobs {
                state.knobs.set(knob, value).unwrap();
            }
        });
        let (id, secret) = self.credentials;
        let credentials = Credentials::new(id, &SecretString::from(secret)).unwrap();
        let engine = self.client(
            &emulator,
            credentials,
            Some(OrganizationId::new(DEFAULT_ORGANIZATION)),
        );
        (emulator, engine)
    }

    /// A client of an emulator that runs already.
    pub fn client(
        &self,
        emulator: &Emulator,
        credentials: Credentials,
        organization_id: Option<OrganizationId>,
    ) -> Client {
        let endpoint = Endpoint::parse("http://localhost:8000").unwrap();
        let mut config = ClientConfig::new(endpoint, credentials);
        config.clock = clock();
        config.token_path = self.route;
        config.organization_id = organization_id;
        Client::over(in_process(emulator.router()), &config).unwrap()
    }
}

fn clock() -> Clock {
    Clock::virtual_from("2026-11-22T12:00:00Z".parse().unwrap())
}

/// The steps, and what they come to when the API behaves as documented and as is likeliest.
pub const GOOD: [(&str, &str); STEPS] = [
    ("authenticate", "of the organization"),
    ("look", "0 found"),
    ("issue", "for 1200 s"),
    ("verify", "one workspace"),
    ("get", "tenant, active, dated"),
    ("look again", "1 found"),
    ("list", "3 found"),
    ("issue again", "for 1200 s"),
    ("verify again", "the same workspace"),
    ("rename", "renamed"),
    ("verify the older token", "the same workspace"),
    ("rename to a taken name", "Conflict 409"),
    ("deactivate", "inactive"),
    ("issue while inactive", "for 1200 s"),
    ("get while inactive", "inactive"),
    ("verify while inactive", "the same workspace"),
    ("activate", "active"),
    ("delete", "Removed"),
    ("get the deleted", "gone"),
    ("list after deletion", "2 found"),
    ("delete the deleted", "AlreadyGone"),
    ("verify the deleted", "Denied 401"),
    ("issue under the old name", "for 1200 s"),
    ("verify the newcomer", "another workspace"),
];
const STEPS: usize = 24;

/// Where the story went another way.
pub fn deviation(told: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    let pairs = told.iter().zip(GOOD);
    pairs
        .filter(|(told, good)| told.1 != good.1)
        .map(|(told, _)| told.clone())
        .collect()
}

/// Plays the story.
pub async fn tell(setting: &Setting) -> Vec<(&'static str, String)> {
    let (_emulator, engine) = setting.start(vec!["taken".to_owned()]);
    let mut story = Story {
        engine,
        told: Vec::new(),
    };
    story.play().await;
    story.told
}

struct Story {
    engine: Client,
    told: Vec<(&'static str, String)>,
}

impl Story {
    async fn play(&mut self) {
        let engine = self.engine.clone();
        let (tenant, renamed) = (WorkspaceName::from("tenant"), WorkspaceName::from("renamed"));

        let verified = engine.authenticate().await;
        self.tell(verified, |verified| match verified.organization_id {
            Some(id) if id.as_str() == DEFAULT_ORGANIZATION => "of the organization".to_owned(),
            Some(_) => "of another organization".to_owned(),
            None => "of whom it does not say".to_owned(),
        });
        let found = engine.search(&tenant).await;
        self.tell(found, |rows| count(rows.len()));
        let first = self.issue(&tenant).await;
        let verified = self.verify(first.as_ref(), None).await;
        let Some(id) = verified.map(|verified| verified.workspace_id) else {
            return self.skip_the_rest();
        };
        let read = engine.get(&id).await;
        self.tell(read, |found| match found {
            None => "gone".to_owned(),
            Some(workspace) => format!(
                "{}, {}, {}",
                workspace.name,
                state(workspace.state),
                if workspace.created_at.is_some() {
                    "dated"
                } else {
                    "undated"
                }
            ),
        });
        let found = engine.search(&tenant).await;
        self.tell(found, |rows| count(rows.len()));
        let listed = engine.list(ListFilter::default()).await;
        self.tell(listed, |rows| count(rows.len()));
        let second = self.issue(&tenant).await;
        self.verify(second.as_ref(), Some(&id)).await;

        self.change(&id, Some(renamed.clone()), None).await;
        self.verify(first.as_ref(), Some(&id)).await;
        self.change(&id, Some("taken".into()), None).await;
        // Wherever that led, the story goes on under the name that it now has.
        let name = engine
            .get(&id)
            .await
            .result
            .ok()
            .flatten()
            .map_or(renamed, |workspace| workspace.name);
        self.change(&id, None, Some(WorkspaceState::Inactive)).await;
        self.issue(&name).await;
        let read = engine.get(&id).await;
        self.tell(read, |found| {
            found.map_or("gone".to_owned(), |workspace| state(workspace.state).to_owned())
        });
        self.verify(first.as_ref(), Some(&id)).await;
        self.change(&id, None, Some(WorkspaceState::Active)).await;

        self.delete(&id).await;
        let read = engine.get(&id).await;
        self.tell(read, |found| found.map_or("gone", |_| "still there").to_owned());
        let listed = engine.list(ListFilter::default()).await;
        self.tell(listed, |rows| count(rows.len()));
        self.delete(&id).await;
        self.verify(first.as_ref(), Some(&id)).await;
        let newcomer = self.issue(&name).await;
        self.verify(newcomer.as_ref(), Some(&id)).await;
    }

    fn tell<T>(&mut self, answer: Answer<T>, word: impl FnOnce(T) -> String) {
        let told = match answer.result {
            Ok(value) => word(value),
            Err(failure) => {
                assert!(failure.detail.chars().count() <= 300, "{failure:?}");
                let class = match failure.class {
                    FailureClass::Throttled(delay) => format!("Throttled for {} s", delay.as_secs()),
                    class => format!("{class:?}"),
                };
                failure
                    .status
                    .map_or(class.clone(), |status| format!("{class} {status}"))
            }
        };
        self.say(told);
    }

    fn say(&mut self, told: String) {
        let step = GOOD[self.told.len()].0;
        self.told.push((step, told));
    }

    fn skip_the_rest(&mut self) {
        while self.told.len() < STEPS {
            self.say("-".to_owned());
        }
    }

    async fn issue(&mut self, name: &WorkspaceName) -> Option<ScopedToken> {
        let answer = self.engine.issue(name, None).await;
        let token = answer.result.as_ref().ok().cloned();
        self.tell(answer, |token| format!("for {} s", token.lifetime.as_secs()));
        token
    }

    async fn verify(
        &mut self,
        token: Option<&ScopedToken>,
        expected: Option<&WorkspaceId>,
    ) -> Option<TokenScope> {
        let Some(token) = token else {
            self.say("-".to_owned());
            return None;
        };
        let answer = self.engine.verify(token).await;
        let verified = answer.result.as_ref().ok().cloned();
        self.tell(answer, |verified| {
            match expected {
                None => "one workspace",
                Some(id) if *id == verified.workspace_id => "the same workspace",
                Some(_) => "another workspace",
            }
            .to_owned()
        });
        verified
    }

    async fn change(&mut self, id: &WorkspaceId, name: Option<WorkspaceName>, to: Option<WorkspaceState>) {
        let answer = self
            .engine
            .update(
                id,
                &UpdateFields {
                    name: name.clone(),
                    state: to,
                },
            )
            .await;
        self.tell(answer, |workspace| match to {
            Some(_) => state(workspace.state).to_owned(),
            None => workspace.name.to_string(),
        });
    }

    async fn delete(&mut self, id: &WorkspaceId) {
        let answer = self.engine.delete(id).await;
        self.tell(answer, |deleted| format!("{deleted:?}"));
    }
}

fn count(rows: usize) -> String {
    format!("{rows} found")
}

fn state(state: agent_engine_operator::domain::remote::RemoteState) -> &'static str {
    use agent_engine_operator::domain::remote::RemoteState;
    match state {
        RemoteState::Known(WorkspaceState::Active) => "active",
        RemoteState::Known(WorkspaceState::Inactive) => "inactive",
        RemoteState::Unknown => "of unknown state",
    }
}
