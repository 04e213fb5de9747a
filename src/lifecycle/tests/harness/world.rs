//! A small synchronous world: objects and Secrets as stored, Agent Engine as modelled. It waits for nothing and draws no
//! lots.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::crd::organization::{AccessEntry, Defaults};
use crate::crd::workspace::{WorkspaceSpec, WorkspaceStatus};
use crate::domain::ids::{OrganizationId, RegionId, Uid, WorkspaceId, WorkspaceName};
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::operators::Operators;
use crate::domain::reason::Reason;
use crate::domain::remote::{Answer, FailureClass, RemoteWorkspace};
use crate::domain::server_time::ServerTime;
use crate::domain::time::{Uptime, shifted};
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::effect::CrdState;
use crate::lifecycle::facts::{
    ListEntry, ObjectFacts, OrganizationFacts, Ownership, ReadableOrganization, SecretFacts, Secrets,
};
use crate::lifecycle::progress::Progress;
use crate::lifecycle::tests::harness::fake_engine::Engine;
use crate::lifecycle::view::View;
use crate::lifecycle::{Aspect, Memory};
use crate::limits::{FailedAttempt, RateLimiter};
use crate::tenancy::{Access, Basis, ClaimKey, ClaimResult, Claimant, Claims};

pub(in crate::lifecycle::tests) const API_URL: &str = "https://api.example";

/// The operator whose reconciles are tested.
pub(in crate::lifecycle::tests) const OPERATOR: &str = "home/operator";

pub(in crate::lifecycle::tests) fn org() -> OrganizationId {
    OrganizationId::from("org-1")
}

pub(in crate::lifecycle::tests) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(in crate::lifecycle::tests) fn spec(name: &str) -> WorkspaceSpec {
    serde_json::from_value(serde_json::json!({ "name": name })).unwrap()
}

/// A Workspace as the API server stores it.
#[derive(Clone)]
pub(in crate::lifecycle::tests) struct Object {
    pub(in crate::lifecycle::tests) facts: ObjectFacts,
    pub(in crate::lifecycle::tests) spec: WorkspaceSpec,
    pub(in crate::lifecycle::tests) status: WorkspaceStatus,
    pub(in crate::lifecycle::tests) version: u64,
}

/// A Secret as the API server stores it, without its token.
#[derive(Clone)]
pub(in crate::lifecycle::tests) struct Secret {
    pub(in crate::lifecycle::tests) facts: SecretFacts,
    pub(in crate::lifecycle::tests) controller: Option<Uid>,
}

/// What befalls an effect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::lifecycle::tests) enum Fault {
    /// Agent Engine answers so; nothing was done.
    Answers(FailureClass, u16),
    /// It was done, and the answer was lost.
    AnswerLost,
    /// Agent Engine answers so, and it was done all the same.
    DoneThough(FailureClass, u16),
    /// The answer to an issue was lost, and Agent Engine carries it out so many seconds after it was sent.
    CarriedOutAfter(u64),
    /// The process dies before the request is sent.
    CrashBefore,
    /// The process dies after it was carried out.
    CrashAfter,
    /// The Kubernetes API refuses.
    Refused,
    /// The Kubernetes API says that the operator may not.
    Forbidden,
    /// The Kubernetes API refuses to change the content of a Secret.
    Unpatchable,
}

/// What happens between two effects.
type Meanwhile = fn(&mut World);

/// An issue that was sent and is still to be carried out.
#[derive(Clone, Debug)]
pub(in crate::lifecycle::tests) struct LateIssue {
    pub(in crate::lifecycle::tests) at: Timestamp,
    pub(in crate::lifecycle::tests) name: WorkspaceName,
    pub(in crate::lifecycle::tests) sent_for: SentFor,
}

/// What an issue was sent for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::lifecycle::tests) enum SentFor {
    Creation,
    Record,
    /// A record, by a process that has ended.
    RecordBefore,
}

/// How long one call takes: until it is carried out, and from then until it is answered.
#[derive(Clone, Copy, Debug)]
pub(in crate::lifecycle::tests) struct Latency {
    pub(in crate::lifecycle::tests) until_done: Duration,
    pub(in crate::lifecycle::tests) until_answered: Duration,
}

pub(in crate::lifecycle::tests) struct World {
    pub(in crate::lifecycle::tests) now: Timestamp,
    pub(in crate::lifecycle::tests) process_began: Timestamp,
    pub(in crate::lifecycle::tests) operators: Operators,
    pub(in crate::lifecycle::tests) objects: BTreeMap<String, Object>,
    pub(in crate::lifecycle::tests) secrets: BTreeMap<String, Secret>,
    pub(in crate::lifecycle::tests) engine: Engine,
    pub(in crate::lifecycle::tests) organization: OrganizationFacts,
    pub(in crate::lifecycle::tests) crd: CrdState,
    /// When the shared list was last requested, and what it said.
    pub(in crate::lifecycle::tests) snapshot: Option<(Timestamp, Vec<RemoteWorkspace>)>,
    pub(in crate::lifecycle::tests) claims: Claims,
    pub(in crate::lifecycle::tests) limiter: RateLimiter,
    /// How many requests each answer takes.
    pub(in crate::lifecycle::tests) requests: u32,
    pub(in crate::lifecycle::tests) memory: BTreeMap<Uid, Memory>,
    pub(in crate::lifecycle::tests) journal: Vec<(Timestamp, &'static str)>,
    pub(in crate::lifecycle::tests) events: Vec<Reason>,
    pub(in crate::lifecycle::tests) issued_names: Vec<String>,
    pub(in crate::lifecycle::tests) issued_regions: Vec<Option<RegionId>>,
    pub(in crate::lifecycle::tests) faults: Vec<(&'static str, Fault, usize)>,
    /// Objects that a finalizer of others holds.
    pub(in crate::lifecycle::tests) held_by_others: BTreeSet<String>,
    pub(in crate::lifecycle::tests) meanwhile: Vec<(&'static str, Meanwhile)>,
    /// The next effects of a kind that are slow.
    pub(in crate::lifecycle::tests) slow: Vec<(&'static str, Latency)>,
    /// Issues that were sent and are still to be carried out.
    pub(in crate::lifecycle::tests) late: Vec<LateIssue>,
    /// Changes each Secret as it is stored.
    pub(in crate::lifecycle::tests) admission: Option<fn(&mut SecretFacts)>,
    /// The effect, counted from the start, at which the process dies, and whether it is carried out.
    pub(in crate::lifecycle::tests) crash_at: Option<(usize, Fault)>,
    /// Made by an issue for a workspace whose name had just moved.
    pub(in crate::lifecycle::tests) orphans: Vec<WorkspaceId>,
    /// Orphans of a process that has ended: the new one cannot attribute them.
    pub(in crate::lifecycle::tests) orphans_of_crashes: Vec<WorkspaceId>,
    pub(in crate::lifecycle::tests) versions: u64,
    /// The story so far, if it is to be told.
    pub(in crate::lifecycle::tests) told: Option<Vec<String>>,
}

impl World {
    /// Namespace `team` is granted every name; adoption is allowed where a test says so.
    pub(in crate::lifecycle::tests) fn new() -> Self {
        let mut world = Self {
            now: at(0),
            process_began: at(0),
            operators: Operators::only(OPERATOR.into()),
            objects: BTreeMap::new(),
            secrets: BTreeMap::new(),
            engine: Engine::default(),
            organization: OrganizationFacts::Readable(ReadableOrganization {
                name: "default".to_owned(),
                uid: "uid-of-default".into(),
                access: Access::none(),
                defaults: Defaults::default(),
                api_url: API_URL.to_owned(),
                verification: Verification::Verified(org()),
                missing: Missing::Few,
                revision: 0,
                recovered_at: None,
                server_time: None,
            }),
            crd: CrdState::Serving,
            snapshot: None,
            claims: Claims::default(),
            limiter: RateLimiter::new(1000),
            requests: 1,
            memory: BTreeMap::new(),
            journal: Vec::new(),
            events: Vec::new(),
            issued_names: Vec::new(),
            issued_regions: Vec::new(),
            faults: Vec::new(),
            held_by_others: BTreeSet::new(),
            meanwhile: Vec::new(),
            slow: Vec::new(),
            late: Vec::new(),
            admission: None,
            crash_at: None,
            orphans: Vec::new(),
            orphans_of_crashes: Vec::new(),
            versions: 0,
            told: None,
        };
        world.grant("[{namespaces: {names: [team]}, workspaceNames: ['*']}]");
        world
    }

    /// Replaces `spec.access` of the Organization.
    pub(in crate::lifecycle::tests) fn grant(&mut self, yaml: &str) {
        let entries: Vec<AccessEntry> = serde_saphyr::from_str(yaml).unwrap();
        let organization = self.readable();
        organization.access = Access::resolve(&entries, "team", &BTreeMap::new());
        organization.revision += 1;
    }

    pub(in crate::lifecycle::tests) fn allow_adoption(&mut self) {
        self.grant("[{namespaces: {names: [team]}, workspaceNames: ['*'], adoption: Allowed}]");
    }

    pub(in crate::lifecycle::tests) fn forbid_deletion(&mut self) {
        self.grant("[{namespaces: {names: [team]}, workspaceNames: ['*'], deletion: Forbidden}]");
    }

    pub(in crate::lifecycle::tests) fn readable(&mut self) -> &mut ReadableOrganization {
        match &mut self.organization {
            OrganizationFacts::Readable(organization) => organization,
            OrganizationFacts::NotFound { .. } | OrganizationFacts::Unreadable { .. } => {
                panic!("not readable")
            }
        }
    }

    /// `kubectl apply`.
    pub(in crate::lifecycle::tests) fn apply(&mut self, object: &str, spec: WorkspaceSpec) {
        self.versions += 1;
        let (now, version) = (self.now, self.versions);
        if let Some(stored) = self.objects.get_mut(object) {
            if stored.spec != spec {
                stored.facts.generation += 1;
            }
            (stored.spec, stored.version) = (spec, version);
            return;
        }
        let facts = ObjectFacts {
            uid: Uid::new(format!("uid-{object}-{version}")),
            namespace: "team".to_owned(),
            name: object.to_owned(),
            created: now,
            generation: 1,
            deletion: Deletion::NotRequested,
            finalizer: Finalizer::Absent,
            reconcile_at: None,
            recreate: None,
        };
        let status = WorkspaceStatus {
            observed_generation: Some(-1),
            ..WorkspaceStatus::default()
        };
        self.objects.insert(
            object.to_owned(),
            Object {
                facts,
                spec,
                status,
                version,
            },
        );
    }

    /// An attempt of the aspect fails, after so many calls.
    pub(in crate::lifecycle::tests) fn fail(&mut self, object: &str, aspect: Aspect, calls: u32) {
        let (now, cause) = (self.uptime(), self.view(object).cause(aspect));
        let uid = &self.objects[object].facts.uid;
        let memory = self.memory.get_mut(uid).unwrap();
        let backoff = match aspect {
            Aspect::Sync => &mut memory.sync,
            Aspect::Token => &mut memory.token,
        };
        backoff.failed(now, cause, FailedAttempt::normal(calls), uid);
    }

    /// Changes a stored object as a user would.
    pub(in crate::lifecycle::tests) fn edit(&mut self, object: &str, how: impl FnOnce(&mut Object)) {
        self.versions += 1;
        let stored = self.objects.get_mut(object).unwrap();
        how(stored);
        stored.facts.generation += 1;
        stored.version = self.versions;
    }

    /// `kubectl delete`.
    pub(in crate::lifecycle::tests) fn delete(&mut self, object: &str) {
        self.edit(object, |stored| stored.facts.deletion = Deletion::Requested);
        if self.objects[object].facts.finalizer == Finalizer::Absent {
            self.remove(object);
        }
    }

    pub(in crate::lifecycle::tests) fn remove(&mut self, object: &str) {
        let gone = self.objects.remove(object).unwrap().facts.uid;
        self.secrets
            .retain(|_, secret| secret.controller.as_ref() != Some(&gone));
        self.claims.forget(&gone);
        self.memory.remove(&gone);
    }

    /// An older object comes to record the workspace of that id.
    pub(in crate::lifecycle::tests) fn claimed_elsewhere(&mut self, id: &str) {
        let older = Claimant {
            uid: Uid::from("uid-older"),
            namespace: "team".to_owned(),
            name: "older".to_owned(),
            created: at(-3600),
        };
        let key = ClaimKey::Id(org(), WorkspaceId::from(id));
        self.claims
            .observe(&older, BTreeMap::from([(key, Basis::Recorded)]));
    }

    /// This befalls the next `times` effects of that kind.
    pub(in crate::lifecycle::tests) fn fault(&mut self, kind: &'static str, fault: Fault, times: usize) {
        self.faults.push((kind, fault, times));
    }

    pub(in crate::lifecycle::tests) fn heal(&mut self) {
        self.faults.clear();
    }

    /// Something happens just before the next effect of that kind.
    pub(in crate::lifecycle::tests) fn meanwhile(&mut self, kind: &'static str, what: Meanwhile) {
        self.meanwhile.push((kind, what));
    }

    /// The next effect of that kind takes so many seconds until it is carried out, and then until it is answered.
    pub(in crate::lifecycle::tests) fn slow(&mut self, kind: &'static str, done: u64, answered: u64) {
        let (until_done, until_answered) = (Duration::from_secs(done), Duration::from_secs(answered));
        self.slow.push((
            kind,
            Latency {
                until_done,
                until_answered,
            },
        ));
    }

    /// Agent Engine carries out the issues whose time has come.
    pub(in crate::lifecycle::tests) fn land(&mut self) {
        let now = self.now;
        let sent = std::mem::take(&mut self.late);
        let (due, later): (Vec<LateIssue>, _) = sent.into_iter().partition(|issue| issue.at <= now);
        self.late = later;
        for issue in due {
            let before = self.engine.rows.len();
            self.engine.issue(issue.at, &issue.name);
            let made = self.engine.rows.iter().skip(before);
            let made = made.map(|row| row.workspace.id.clone());
            match issue.sent_for {
                SentFor::Creation => {}
                SentFor::Record => self.orphans.extend(made),
                SentFor::RecordBefore => self.orphans_of_crashes.extend(made),
            }
        }
    }

    /// Now, by the time of the process.
    pub(in crate::lifecycle::tests) fn uptime(&self) -> Uptime {
        Uptime::at(self.now, self.process_began)
    }

    /// The wall clock of the machine is set. Agent Engine's goes on as it did.
    pub(in crate::lifecycle::tests) fn set_clock(&mut self, by: SignedDuration) {
        self.now = shifted(self.now, by);
        self.process_began = shifted(self.process_began, by);
        self.engine.another_clock_was_set(by);
        for issue in &mut self.late {
            issue.at = shifted(issue.at, by);
        }
    }

    /// The Organization's reconcile has learnt the server's time.
    pub(in crate::lifecycle::tests) fn learn_the_servers_time(&mut self) {
        let answer = Answer {
            finished: self.now,
            took: Duration::ZERO,
            date: self.engine.date(self.now),
            requests: 1,
            result: Ok(()),
        };
        let process_began = self.process_began;
        let known = &mut self.readable().server_time;
        *known = ServerTime::learn(*known, &answer, process_began);
    }

    /// The process dies at the `n`th effect from now on.
    pub(in crate::lifecycle::tests) fn crash_at(&mut self, n: usize, fault: Fault) {
        self.crash_at = Some((self.journal.len() + n, fault));
    }

    /// As a user does who reads of them in a condition. The operator must not.
    pub(in crate::lifecycle::tests) fn remove_orphans_of_crashes(&mut self) {
        for id in std::mem::take(&mut self.orphans_of_crashes) {
            self.engine.delete(&id);
        }
    }

    /// A new process, without memory.
    pub(in crate::lifecycle::tests) fn restart(&mut self) {
        self.memory.clear();
        self.process_began = self.now;
        self.orphans_of_crashes.append(&mut self.orphans);
        for issue in self
            .late
            .iter_mut()
            .filter(|issue| issue.sent_for == SentFor::Record)
        {
            issue.sent_for = SentFor::RecordBefore;
        }
        self.claims = Claims::default();
        self.limiter = RateLimiter::new(1000);
        self.snapshot = None;
    }

    /// The organization's shared list is fetched.
    pub(in crate::lifecycle::tests) fn list(&mut self) {
        self.snapshot = Some((self.now, self.engine.list(self.now)));
    }

    pub(in crate::lifecycle::tests) fn view(&self, object: &str) -> View {
        let stored = &self.objects[object];
        let target = stored.spec.token_secret_name(object);
        let facts = |secret: &Secret| self.secret_facts(&stored.facts, secret);
        // The index is fed by a watch of our label.
        let seen = |secret: &Secret| {
            secret
                .facts
                .labels
                .contains_key(crate::crd::metadata_keys::WORKSPACE_LABEL)
        };
        let listed = self.snapshot.as_ref().map(|(requested_at, rows)| {
            let recorded = |row: &&RemoteWorkspace| Some(&row.id) == stored.status.workspace_id.as_ref();
            let row = rows.iter().find(recorded);
            ListEntry {
                requested_at: *requested_at,
                begun_at: *requested_at,
                name_is_shared: row.is_some_and(|row| {
                    rows.iter()
                        .any(|other| other.id != row.id && other.name == row.name)
                }),
                row: row.cloned(),
                length: rows.len(),
            }
        });
        View {
            now: self.now,
            process_began: self.process_began,
            operators: self.operators.clone(),
            object: stored.facts.clone(),
            declared: stored.spec.clone(),
            stored: stored.status.clone(),
            organization: self.organization.clone(),
            claim_result: ClaimResult::default(),
            secrets: Secrets {
                target: self.secrets.get(&target).filter(|secret| seen(secret)).map(facts),
                others: self
                    .secrets
                    .iter()
                    .filter(|(name, secret)| {
                        seen(secret)
                            && **name != target
                            && secret.controller.as_ref() == Some(&stored.facts.uid)
                    })
                    .map(|(_, secret)| facts(secret))
                    .collect(),
            },
            listed,
            memory: self.memory.get(&stored.facts.uid).cloned().unwrap_or_default(),
            progress: Progress::default(),
        }
        .by_our_clock()
    }

    pub(in crate::lifecycle::tests) fn secret_facts(
        &self,
        object: &ObjectFacts,
        secret: &Secret,
    ) -> SecretFacts {
        let label = secret
            .facts
            .labels
            .get(crate::crd::metadata_keys::WORKSPACE_LABEL);
        SecretFacts {
            ownership: match &secret.controller {
                Some(uid) if *uid == object.uid => Ownership::Ours,
                None if label == Some(&object.name) => Ownership::Orphaned,
                Some(_) | None => Ownership::Foreign,
            },
            ..secret.facts.clone()
        }
    }
}
