//! Answers that nobody would send in good faith. Each profile has an Organization of its own, behind which something lies for a
//! while: the reason that is shown, how often is asked, what stands in the Secret meanwhile, and that it heals.

mod front;
mod profiles;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use agent_engine_operator::crd::organization::OrganizationSpec;
use agent_engine_operator::crd::workspace::WorkspaceSpec;
use agent_engine_operator::crd::{Organization, Workspace};
use agent_engine_operator::emulator::Settings;
use axum::body::{Body, to_bytes};
use futures::{FutureExt, StreamExt, stream};
use jiff::SignedDuration;
use kube::api::PostParams;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Operator, RESOLVED, Stage, canary, is_ready, ready_reason, recorded_id, text};
use front::Front;
use profiles::{Act, OTHER, PROFILES, Profile};

/// So long the lie goes on once its reason is shown.
const LASTS: Duration = Duration::from_secs(10);
/// The most memory that the operator may have had: the chart's limit is 512 MiB.
const MOST_MEMORY: u64 = 200 << 20;

/// Begins as those do that are searched for.
const CREDENTIAL: &str = "canary-secret-hostile";

struct Told<'a> {
    stage: &'a Stage,
    profile: &'static Profile,
    front: Front,
    id: String,
}

impl Told<'_> {
    fn name(&self) -> &'static str {
        self.profile.name
    }

    fn secret_name(&self) -> String {
        format!("{}-token", self.name())
    }

    /// Before, during and after the lie.
    async fn play(mut self) {
        match self.profile.act {
            Act::Connect => {}
            Act::Create => {
                self.connect().await;
                self.stage.organization_reason(self.name(), "Verified").await;
            }
            Act::Renew | Act::RenewInTime | Act::Read | Act::Remove => {
                self.connect().await;
                self.create().await;
                self.id = recorded_id(&self.stage.ready(self.name()).await);
            }
        }
        let before = self.secret().await;
        let since = self.front.asked();
        self.front.lie();
        self.act().await;
        self.reason().await;
        tokio::time::sleep(LASTS).await;
        let asked = self.front.asked() - since;
        assert!(
            asked <= self.profile.most,
            "{}: {asked} requests: {}",
            self.name(),
            self.front.tally(since)
        );
        self.secret_is_lawful(before).await;
        self.front.tell_the_truth();
        self.heals().await;
    }

    /// What stands in the Secret while the lie is told.
    async fn secret_is_lawful(&self, before: Option<BTreeMap<String, String>>) {
        let during = self.secret().await;
        match (self.profile.act, self.profile.reason) {
            (Act::Create | Act::Renew, "AsDeclared") => {
                let recorded = recorded_id(&self.stage.ready(self.name()).await);
                let during = during.expect("a Secret");
                assert_eq!(self.opens(&during["token"]).await, recorded, "{}", self.name());
            }
            (Act::RenewInTime, "AsDeclared") => {
                let during = during.expect("a Secret");
                assert_eq!(self.opens(&during["token"]).await, self.id, "{}", self.name());
            }
            // What was verified stays, as it was.
            (Act::RenewInTime, _) => assert_eq!(during, before, "{}: the Secret", self.name()),
            (Act::Create | Act::Renew, _) => {
                assert_eq!(during, None, "{}: nothing unverified is handed out", self.name());
            }
            (Act::Read, _) => assert_eq!(during, before, "{}: the Secret", self.name()),
            // Access ends with the wish to delete, whatever comes of it.
            (Act::Remove, _) => assert_eq!(during, None, "{}: the Secret", self.name()),
            // Where a list alone is wrong, Workspaces are served.
            (Act::Connect, _) => {
                if let Some(during) = during {
                    let workspace = self.stage.get(self.name()).await;
                    let opens = self.opens(&during["token"]).await;
                    assert_eq!(opens, recorded_id(&workspace), "{}", self.name());
                    assert_eq!(opens, during["workspace_id"], "{}", self.name());
                }
            }
        }
    }

    async fn connect(&self) {
        let spec: OrganizationSpec = serde_json::from_value(json!({
            "endpoint": self.front.url,
            "credentialsSecretRef": {"name": "credential"},
            "access": [{"namespaces": {"names": [self.stage.tenant]}, "workspaceNames": ["*"]}],
        }))
        .unwrap();
        let organization = Organization::new(self.name(), spec);
        let organizations = self.stage.organizations();
        organizations
            .create(&PostParams::default(), &organization)
            .await
            .unwrap();
    }

    async fn create(&self) {
        let spec = json!({"name": self.name(), "organization": self.name()});
        let spec: WorkspaceSpec = serde_json::from_value(spec).unwrap();
        let workspaces = self.stage.workspaces();
        workspaces
            .create(&PostParams::default(), &Workspace::new(self.name(), spec))
            .await
            .unwrap();
    }

    async fn act(&self) {
        match self.profile.act {
            Act::Connect => {
                self.connect().await;
                self.create().await;
            }
            Act::Create => self.create().await,
            Act::Renew => self.stage.delete_secret(&self.secret_name()).await,
            Act::RenewInTime => {}
            Act::Read => {
                self.stage.ask(self.name()).await;
                self.stage
                    .annotate_organization(
                        self.name(),
                        json!({"agentengine.airbyte.com/reconcile-at": "now"}),
                    )
                    .await;
            }
            Act::Remove => self.stage.begin_deletion(self.name()).await,
        }
    }

    async fn reason(&self) {
        let reason = self.profile.reason;
        if self.profile.act == Act::Connect {
            self.stage.organization_reason(self.name(), reason).await;
            return;
        }
        let what = format!("{} to be {reason}", self.name());
        let holds = |workspace: &Workspace| ready_reason(workspace).as_deref() == Some(reason);
        self.stage
            .until_within(RESOLVED, &self.stage.tenant, self.name(), &what, holds)
            .await;
    }

    /// As if nothing had been: one workspace, the one that is recorded, and a token of it.
    async fn heals(&self) {
        if self.profile.act == Act::Remove {
            let what = format!("{} to be gone", self.name());
            crate::support::eventually(&what, RESOLVED, || async {
                match self.stage.workspaces().get_opt(self.name()).await {
                    Ok(None) => Ok(()),
                    Ok(Some(workspace)) => Err(format!("{:#?}", workspace.status)),
                    Err(error) => Err(error.to_string()),
                }
            })
            .await;
            assert_eq!(self.remote().await, Vec::<String>::new(), "{}", self.name());
            return;
        }
        self.stage
            .annotate_organization(
                self.name(),
                json!({"agentengine.airbyte.com/reconcile-at": "over"}),
            )
            .await;
        self.stage.ask(self.name()).await;
        let what = format!("{} to be Ready", self.name());
        let ready = self
            .stage
            .until_within(RESOLVED, &self.stage.tenant, self.name(), &what, is_ready)
            .await;
        let id = recorded_id(&ready);
        assert!(self.id.is_empty() || self.id == id, "{}", self.name());
        assert_eq!(self.remote().await, std::slice::from_ref(&id), "{}", self.name());
        let secret = self.stage.secret(&self.secret_name()).await;
        assert_eq!(text(&secret, "workspace_id"), id, "{}", self.name());
        assert_eq!(self.opens(&text(&secret, "token")).await, id, "{}", self.name());
    }

    async fn secret(&self) -> Option<BTreeMap<String, String>> {
        let secret = self.stage.secrets().get_opt(&self.secret_name()).await.unwrap()?;
        let keys = secret.data.as_ref().unwrap().keys();
        Some(keys.map(|key| (key.clone(), text(&secret, key))).collect())
    }

    /// The ids of the live workspaces that have the name of the profile.
    async fn remote(&self) -> Vec<String> {
        let state = self.control("/_emulator/state", None).await;
        crate::support::find_workspaces(&state)
            .into_iter()
            .filter(|row| row["tombstone"] != true && row["name"] == self.name())
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The workspace that a token opens, by the API's own word.
    async fn opens(&self, token: &str) -> String {
        let path = "/api/v1/account/applications/scoped-token/info";
        let said = self.control(path, Some(token)).await;
        said["workspace_id"].as_str().unwrap_or_default().to_owned()
    }

    /// Asks the emulator itself.
    async fn control(&self, path: &str, token: Option<&str>) -> Value {
        let mut request = http::Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).unwrap();
        let answer = self.front.emulator.router().oneshot(request).await.unwrap();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

async fn front(profile: &'static Profile) -> Front {
    let mut settings = Settings {
        client_secret: CREDENTIAL.to_owned(),
        canary: Some(canary::TOKEN.to_owned()),
        ..Settings::default()
    };
    if profile.act == Act::RenewInTime {
        settings
            .knobs
            .set_pair("scoped_ttl=60")
            .expect("a life in seconds");
    }
    let front = Front::start(settings, profile.on, profile.lie).await;
    front.emulator.with(|state| match profile.name {
        "clock-ahead" => state.clock.advance(SignedDuration::from_hours(7)),
        "clock-behind" => state.clock.advance(SignedDuration::from_hours(-7)),
        _ => {}
    });
    let other = json!({"workspaces": [{"name": "other", "id": OTHER}]});
    let seed = http::Request::post("/_emulator/seed")
        .header("content-type", "application/json")
        .body(Body::from(other.to_string()))
        .unwrap();
    let answer = front.emulator.router().oneshot(seed).await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    front
}

/// The most memory that the process has had, in bytes.
fn most_memory(operator: &Operator) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", operator.pid())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse().unwrap();
    kib << 10
}

/// Through all of `profiles.rs`, side by side.
/// Promise: hostile.ids: an API that is broken, or broken into: ids that are empty, of a megabyte, paths of their own, or of another workspace or organization; names of a megabyte: an id has 1 to 64 letters, digits, `-` and `_`; a read by id must name the id that was asked for; a verification must name the recorded one; a name of over 1,024 characters is cut, and no token is issued under it: `ApiUnavailable`, or `IdentityMismatch` where another workspace or organization is named
/// Promise: hostile.deletion: a proxy, a load balancer without a server: a success to a DELETE that does not name the workspace: only the documented answer counts; after any other one a GET by id must say that the workspace is not found: `DeletionBlocked`, and the object stays
/// Promise: hostile.html: a captive portal, a wrong address: 200 with a page, with nothing, or with the JSON of another service: what lacks the documented members is no answer; after a write it leaves doubt, and a search comes before the next attempt: `ApiUnavailable`, or `CreationInFlight` after an issue
/// Promise: hostile.login: single sign-on in front of the API: a redirect to its login page: it is not followed, and nothing is read of it: `ApiUnavailable`, "a redirect, not followed"
/// Promise: hostile.proxy: a proxy between the operator and the API: its own 400, 407, 431 and 451, its 502 and 504, its 511: a refusal that is neither 401 nor 403, in no shape of the API's, and any 407, says nothing of the credential; 5xx to a read is asked once more, to a write it leaves doubt: `ApiUnavailable`, which names the proxy
/// Promise: hostile.paging: an API in a loop, or one that means ill: the same rows, empty pages or new rows without end; a `next` to another host or scheme: only the cursor of a link is used, at our own origin; a list ends after 3 pages that repeat, 2,000 in all; a search that led nowhere uses up the calls of an hour: `ApiUnavailable`
/// Promise: hostile.megabytes: whoever wants the operator out of memory: a body without end, an error of megabytes, a token of a megabyte: reading stops at 1 MiB, and a page is asked for in halves; members that are not needed are passed over, not kept; a token has 16 KiB at most: `ApiUnavailable`
/// Promise: hostile.trickle: a server that holds connections: a byte a second, or none: 20 s for an attempt, 25 s for a call; not asked again at once: `ApiUnavailable`, or `CreationInFlight` after an issue
/// Promise: hostile.retry-after: a server with a wrong setting: `Retry-After` below zero, of years, of a date in the past or in the year 9999, of no form: a pause of 1 s to 1 h; 5 s where nothing can be read: `Throttled`
/// Promise: hostile.expires-in: a server with a wrong setting: `expires_in` of 0, below zero, of 1e18 seconds, a text, null: a token is used for 15 min where it says nothing that makes sense, and for an hour at most; a 401 replaces it: nothing
/// Promise: hostile.date: a proxy, a cache, a server without a clock: a `Date` that cannot be read, is absent, or not of this century; claims in tokens that are: the local clock serves where there is none, for what our own token was seen to open; nothing lets a token live longer than 20 minutes: nothing; see above for one that is hours off by itself
/// Promise: hostile.clock: a server whose clock is hours off: `Date`, times of creation and tokens of another hour: windows are in the server's time, the life of a token counts from its issue: nothing
#[tokio::test(flavor = "multi_thread")]
async fn whatever_lies_the_reason_is_right_and_it_heals() {
    let stage = Stage::bare(&[]).await;
    stage
        .credentials("credential", "emulated-client", CREDENTIAL)
        .await;
    let operator = stage.operator().await;
    let stage = &stage;
    let surprised: Vec<&str> = stream::iter(PROFILES)
        .map(|profile| async move {
            let front = front(profile).await;
            let id = String::new();
            let told = Told {
                stage,
                profile,
                front,
                id,
            };
            // All are played to their ends; what went wrong is printed by the panic.
            let ended = AssertUnwindSafe(told.play()).catch_unwind().await;
            ended.is_err().then_some(profile.name)
        })
        .buffer_unordered(PROFILES.len())
        .filter_map(|surprised| async move { surprised })
        .collect()
        .await;
    assert_eq!(surprised, Vec::<&str>::new());
    let most = most_memory(&operator);
    assert!(most < MOST_MEMORY, "{most} bytes");
}
