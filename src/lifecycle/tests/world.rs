//! A small synchronous world: objects and Secrets as stored, Agent Engine as modelled, and a driver that runs passes
//! over them effect by effect in virtual time. It waits for nothing and draws no lots.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::engine_model::{Engine, failure};
use crate::api::ids::{OrganizationId, Uid, WorkspaceId};
use crate::api::organization::{AccessEntry, Defaults};
use crate::api::remote::{Answer, Failure, FailureClass};
use crate::api::time::later;
use crate::api::workspace::{WorkspaceSpec, WorkspaceStatus};
use crate::lifecycle::effect::{Effect, IssuedToken, ObjectState, Outcome, Replace};
use crate::lifecycle::pass::{Next, Pass, Settled};
use crate::lifecycle::view::{
    Content, CrdState, Deletion, Finalizer, Found, Listed, LiveSecret, ObjectFacts, OrganizationFacts,
    Ownership, ReadableOrganization, SecretFacts, Secrets, Vanishing, Verification, View,
};
use crate::lifecycle::{Memory, Reason};
use crate::tenancy::{Access, Claims, Standing};
use crate::turns::Pace;

pub(super) const API_URL: &str = "https://api.example";

pub(super) fn org() -> OrganizationId {
    OrganizationId::from("org-1")
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(super) fn spec(name: &str) -> WorkspaceSpec {
    serde_json::from_value(serde_json::json!({ "name": name })).unwrap()
}

/// A Workspace as the API server stores it.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) facts: ObjectFacts,
    pub(super) spec: WorkspaceSpec,
    pub(super) status: WorkspaceStatus,
    version: u64,
}

/// A Secret as the API server stores it, without its token.
#[derive(Clone)]
pub(super) struct Secret {
    pub(super) facts: SecretFacts,
    pub(super) controller: Option<Uid>,
}

/// What befalls an effect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// Agent Engine answers so; nothing was done.
    Answers(FailureClass, u16),
    /// It was done, and the answer was lost.
    AnswerLost,
    /// The process dies before the request is sent.
    CrashBefore,
    /// The process dies after it was carried out.
    CrashAfter,
    /// The Kubernetes API refuses.
    Refused,
}

/// What happens between two effects.
type Meanwhile = fn(&mut World);

pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) leader: bool,
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) engine: Engine,
    pub(super) organization: OrganizationFacts,
    pub(super) crd: CrdState,
    /// When the shared list was last requested, and what it said.
    pub(super) snapshot: Option<(Timestamp, Vec<crate::api::remote::RemoteWorkspace>)>,
    pub(super) claims: Claims,
    pub(super) pace: Pace,
    pub(super) memory: BTreeMap<Uid, Memory>,
    pub(super) journal: Vec<(Timestamp, &'static str)>,
    pub(super) events: Vec<Reason>,
    pub(super) issued_names: Vec<String>,
    faults: Vec<(&'static str, Fault, usize)>,
    meanwhile: Vec<(&'static str, Meanwhile)>,
    /// Dies at this effect of all, and whether it is carried out.
    crash_at: Option<(usize, Fault)>,
    versions: u64,
}

impl World {
    /// Namespace `team` is granted every name; adoption is allowed where a test says so.
    pub(super) fn new() -> Self {
        let mut world = Self {
            now: at(0),
            leader: true,
            objects: BTreeMap::new(),
            secrets: BTreeMap::new(),
            engine: Engine::default(),
            organization: OrganizationFacts::Readable(ReadableOrganization {
                name: "default".to_owned(),
                access: Access::none(),
                defaults: Defaults::default(),
                api_url: API_URL.to_owned(),
                verification: Verification::Verified(org()),
                vanishing: Vanishing::Calm,
                revision: 0,
            }),
            crd: CrdState::Serving,
            snapshot: None,
            claims: Claims::default(),
            pace: Pace::new(1000),
            memory: BTreeMap::new(),
            journal: Vec::new(),
            events: Vec::new(),
            issued_names: Vec::new(),
            faults: Vec::new(),
            meanwhile: Vec::new(),
            crash_at: None,
            versions: 0,
        };
        world.grant("[{namespaces: {names: [team]}, workspaceNames: ['*']}]");
        world
    }

    /// Replaces `spec.access` of the Organization.
    pub(super) fn grant(&mut self, yaml: &str) {
        let entries: Vec<AccessEntry> = serde_saphyr::from_str(yaml).unwrap();
        let organization = self.readable();
        organization.access = Access::resolve(&entries, "team", &BTreeMap::new());
        organization.revision += 1;
    }

    pub(super) fn allow_adoption(&mut self) {
        self.grant("[{namespaces: {names: [team]}, workspaceNames: ['*'], adoption: Allowed}]");
    }

    pub(super) fn readable(&mut self) -> &mut ReadableOrganization {
        match &mut self.organization {
            OrganizationFacts::Readable(organization) => organization,
            OrganizationFacts::NotFound { .. } | OrganizationFacts::Unreadable { .. } => {
                panic!("not readable")
            }
        }
    }

    /// `kubectl apply`.
    pub(super) fn apply(&mut self, object: &str, spec: WorkspaceSpec) {
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
            deletion: Deletion::NotAsked,
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

    /// Changes a stored object as a user would.
    pub(super) fn edit(&mut self, object: &str, how: impl FnOnce(&mut Object)) {
        self.versions += 1;
        let stored = self.objects.get_mut(object).unwrap();
        how(stored);
        stored.facts.generation += 1;
        stored.version = self.versions;
    }

    /// `kubectl delete`.
    pub(super) fn delete(&mut self, object: &str) {
        self.edit(object, |stored| stored.facts.deletion = Deletion::Asked);
        if self.objects[object].facts.finalizer == Finalizer::Absent {
            self.remove(object);
        }
    }

    fn remove(&mut self, object: &str) {
        let gone = self.objects.remove(object).unwrap().facts.uid;
        self.secrets
            .retain(|_, secret| secret.controller.as_ref() != Some(&gone));
        self.claims.forget(&gone);
        self.memory.remove(&gone);
    }

    /// The next `times` effects of that kind meet with this.
    pub(super) fn fault(&mut self, kind: &'static str, fault: Fault, times: usize) {
        self.faults.push((kind, fault, times));
    }

    pub(super) fn heal(&mut self) {
        self.faults.clear();
    }

    /// Something happens just before the next effect of that kind.
    pub(super) fn meanwhile(&mut self, kind: &'static str, what: Meanwhile) {
        self.meanwhile.push((kind, what));
    }

    /// The process dies at the `n`th effect from now on.
    pub(super) fn crash_at(&mut self, n: usize, fault: Fault) {
        self.crash_at = Some((self.journal.len() + n, fault));
    }

    /// The process is new: it remembers nothing.
    pub(super) fn restart(&mut self) {
        self.memory.clear();
        self.claims = Claims::default();
        self.pace = Pace::new(1000);
        self.snapshot = None;
    }

    /// The organisation's shared list is fetched.
    pub(super) fn list(&mut self) {
        self.snapshot = Some((self.now, self.engine.list(self.now)));
    }

    pub(super) fn view(&self, object: &str) -> View {
        let stored = &self.objects[object];
        let target = stored.spec.token_secret_name(object);
        let facts = |secret: &Secret| self.secret_facts(&stored.facts, secret);
        let listed = self.snapshot.as_ref().map(|(requested_at, rows)| Listed {
            requested_at: *requested_at,
            row: rows
                .iter()
                .find(|row| Some(&row.id) == stored.status.workspace_id.as_ref())
                .cloned(),
        });
        View {
            now: self.now,
            leader: self.leader,
            object: stored.facts.clone(),
            declared: stored.spec.clone(),
            stored: stored.status.clone(),
            organization: self.organization.clone(),
            standing: Standing::default(),
            secrets: Secrets {
                target: self.secrets.get(&target).map(facts),
                others: self
                    .secrets
                    .iter()
                    .filter(|(name, secret)| {
                        **name != target && secret.controller.as_ref() == Some(&stored.facts.uid)
                    })
                    .map(|(_, secret)| facts(secret))
                    .collect(),
            },
            listed,
            memory: self.memory.get(&stored.facts.uid).cloned().unwrap_or_default(),
            found: Found::default(),
        }
    }

    fn secret_facts(&self, object: &ObjectFacts, secret: &Secret) -> SecretFacts {
        let label = secret.facts.labels.get(crate::api::marks::WORKSPACE_LABEL);
        SecretFacts {
            ownership: match &secret.controller {
                Some(uid) if *uid == object.uid => Ownership::Ours,
                None if label == Some(&object.name) => Ownership::Orphaned,
                Some(_) | None => Ownership::Foreign,
            },
            ..secret.facts.clone()
        }
    }

    /// One pass to its end. Nothing where the process died in it.
    pub(super) fn pass(&mut self, object: &str) -> Option<Settled> {
        for name in self.objects.keys().cloned().collect::<Vec<_>>() {
            let view = self.view(&name);
            self.claims
                .observe(&Pass::new(view.clone()).claimant(), view.claims());
        }
        let mut pass = Pass::new(self.view(object));
        let claimant = pass.claimant();
        let mut version = self.objects[object].version;
        let mut outcome = None;
        for _ in 0..200 {
            match pass.next(self.now, &mut self.claims, &mut self.pace, outcome.take()) {
                Next::Wait(until) => self.now = until,
                Next::Perform(effect) => match self.perform(object, &mut version, &effect) {
                    Some(came) => outcome = Some(came),
                    None => {
                        self.restart();
                        return None;
                    }
                },
                Next::Settled(settled) => {
                    self.events
                        .extend(settled.events.iter().map(|event| event.reason));
                    if self.objects.contains_key(object) {
                        self.memory.insert(claimant.uid.clone(), settled.memory.clone());
                    }
                    self.claims.release(&pass.claimant(), pass.view().claims());
                    return Some(*settled);
                }
            }
        }
        panic!("a pass that never ends: {:?}", self.kinds());
    }

    /// Lives on: passes at the instants that they name, and a moment after each of their own writes to the object.
    pub(super) fn live(&mut self, object: &str, span: Duration) {
        let end = later(self.now, span);
        let mut wake = self.now;
        while wake <= end {
            self.now = self.now.max(wake);
            let Some(before) = self.objects.get(object).map(|stored| stored.version) else {
                break;
            };
            let look_again = self.pass(object).map(|settled| settled.look_again);
            let Some(after) = self.objects.get(object).map(|stored| stored.version) else {
                break;
            };
            let soon = later(self.now, Duration::from_millis(10));
            wake = match look_again {
                Some(at) if before == after => at.max(soon),
                Some(_) | None => soon,
            };
        }
        self.now = self.now.max(end);
    }

    fn perform(&mut self, object: &str, version: &mut u64, effect: &Effect) -> Option<Outcome> {
        let kind = effect.kind();
        while let Some(index) = self.meanwhile.iter().position(|(on, _)| *on == kind) {
            let (_, what) = self.meanwhile.remove(index);
            what(self);
        }
        let started = self.now;
        self.now = later(
            self.now,
            Duration::from_millis(if effect.is_remote() { 100 } else { 5 }),
        );
        let mut fault = self
            .faults
            .iter_mut()
            .find(|(on, _, times)| *on == kind && *times > 0)
            .map(|f| {
                f.2 -= 1;
                f.1
            });
        if let Some((_, crash)) = self.crash_at.filter(|(n, _)| *n == self.journal.len()) {
            fault = Some(crash);
            self.crash_at = None;
        }
        self.journal.push((started, kind));
        match fault {
            None => Some(self.carry_out(object, version, effect, started)),
            Some(Fault::CrashBefore) => None,
            Some(Fault::CrashAfter) => {
                self.carry_out(object, version, effect, started);
                None
            }
            Some(Fault::Refused) => Some(Outcome::KubernetesFailed {
                detail: "refused".to_owned(),
            }),
            Some(Fault::AnswerLost) => {
                self.carry_out(object, version, effect, started);
                if !effect.is_remote() {
                    return Some(Outcome::KubernetesFailed {
                        detail: "no answer".to_owned(),
                    });
                }
                Some(self.fails(effect, started, failure(FailureClass::Unknown, 504)))
            }
            Some(Fault::Answers(class, status)) => Some(self.fails(effect, started, failure(class, status))),
        }
    }

    fn answer<T>(&self, started: Timestamp, result: Result<T, Failure>) -> Answer<T> {
        Answer {
            started,
            finished: self.now,
            date: self.engine.date(self.now),
            requests: 1,
            result,
        }
    }

    fn fails(&self, effect: &Effect, started: Timestamp, failure: Failure) -> Outcome {
        match effect {
            Effect::Look(_) => Outcome::Looked(self.answer(started, Err(failure))),
            Effect::Get(_) => Outcome::Got(self.answer(started, Err(failure))),
            Effect::Issue { .. } => Outcome::Issued(self.answer(started, Err(failure))),
            Effect::Prove(_) => Outcome::Proven(self.answer(started, Err(failure))),
            Effect::Update { .. } => Outcome::Updated(self.answer(started, Err(failure))),
            Effect::Delete(_) => Outcome::Deleted(self.answer(started, Err(failure))),
            other => panic!("{} is not remote", other.kind()),
        }
    }

    fn carry_out(&mut self, object: &str, version: &mut u64, effect: &Effect, started: Timestamp) -> Outcome {
        match effect {
            Effect::ReadObject => self.read(object, version),
            Effect::AddFinalizer => self.write(object, version, |o| o.facts.finalizer = Finalizer::Present),
            Effect::RemoveFinalizer => self.write(object, version, |o| o.facts.finalizer = Finalizer::Absent),
            Effect::WriteStatus(status) => self.write(object, version, |o| o.status = (**status).clone()),
            Effect::ReadSecret { name } => Outcome::Secret(match self.secrets.get(name) {
                Some(secret) => LiveSecret::Present(self.secret_facts(&self.objects[object].facts, secret)),
                None => LiveSecret::Absent,
            }),
            Effect::WriteSecret(draft) => {
                let there = self
                    .secrets
                    .get(&draft.name)
                    .map(|secret| &secret.facts.resource_version);
                let fits = match &draft.replace {
                    Replace::Nothing => there.is_none(),
                    Replace::Version(version) => there == Some(version),
                };
                if !fits {
                    return Outcome::Conflict;
                }
                self.versions += 1;
                let facts = SecretFacts {
                    name: draft.name.clone(),
                    resource_version: self.versions.to_string(),
                    ownership: Ownership::Ours,
                    content: Content::Whole(draft.content.clone()),
                    times: Some(draft.times),
                    labels: draft.labels.clone(),
                    annotations: draft.annotations.clone(),
                };
                let controller = Some(self.objects[object].facts.uid.clone());
                self.secrets.insert(
                    draft.name.clone(),
                    Secret {
                        facts: facts.clone(),
                        controller,
                    },
                );
                Outcome::SecretWritten(facts)
            }
            Effect::DeleteSecret {
                name,
                resource_version,
            } => match self.secrets.get(name) {
                Some(secret) if secret.facts.resource_version != *resource_version => Outcome::Conflict,
                Some(_) | None => {
                    self.secrets.remove(name);
                    Outcome::SecretDeleted { name: name.clone() }
                }
            },
            Effect::ReadCrd => Outcome::Crd(self.crd.clone()),
            Effect::Look(name) => Outcome::Looked(self.answer(started, Ok(self.engine.look(self.now, name)))),
            Effect::Get(id) => {
                let row = self.engine.row(id).cloned();
                Outcome::Got(self.answer(started, Ok(row)))
            }
            Effect::Issue { name, .. } => {
                self.issued_names.push(name.as_str().to_owned());
                let slot = self.engine.issue(self.now, name);
                let lifetime = self.engine.token_life;
                Outcome::Issued(self.answer(started, Ok(IssuedToken { slot, lifetime })))
            }
            Effect::Prove(slot) => Outcome::Proven(self.answer(started, Ok(self.engine.prove(*slot)))),
            Effect::Update { id, change } => {
                let result = self.engine.update(id, change);
                Outcome::Updated(self.answer(started, result))
            }
            Effect::Delete(id) => {
                let result = Ok(self.engine.delete(id));
                Outcome::Deleted(self.answer(started, result))
            }
        }
    }

    fn read(&mut self, object: &str, version: &mut u64) -> Outcome {
        let Some(stored) = self.objects.get(object) else {
            return Outcome::Vanished;
        };
        *version = stored.version;
        Outcome::Object(Box::new(ObjectState {
            object: stored.facts.clone(),
            declared: stored.spec.clone(),
            stored: stored.status.clone(),
        }))
    }

    fn write(&mut self, object: &str, version: &mut u64, how: impl FnOnce(&mut Object)) -> Outcome {
        let Some(stored) = self.objects.get_mut(object) else {
            return Outcome::Vanished;
        };
        if stored.version != *version {
            return Outcome::Conflict;
        }
        self.versions += 1;
        stored.version = self.versions;
        how(stored);
        if stored.facts.deletion == Deletion::Asked && stored.facts.finalizer == Finalizer::Absent {
            self.remove(object);
            return Outcome::Vanished;
        }
        self.read(object, version)
    }
}

/// What tests ask.
impl World {
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        self.journal.iter().map(|(_, kind)| *kind).collect()
    }

    pub(super) fn count(&self, kind: &str) -> usize {
        self.journal.iter().filter(|(_, of)| *of == kind).count()
    }

    pub(super) fn calls(&self) -> usize {
        let remote = ["Look", "Get", "Issue", "Prove", "Update", "Delete"];
        self.journal
            .iter()
            .filter(|(_, kind)| remote.contains(kind))
            .count()
    }

    pub(super) fn writes(&self) -> usize {
        let writes = [
            "AddFinalizer",
            "RemoveFinalizer",
            "WriteStatus",
            "WriteSecret",
            "DeleteSecret",
        ];
        self.journal
            .iter()
            .filter(|(_, kind)| writes.contains(kind))
            .count()
    }

    pub(super) fn forget_journal(&mut self) {
        self.journal.clear();
        self.events.clear();
        self.issued_names.clear();
    }

    pub(super) fn status(&self, object: &str) -> &WorkspaceStatus {
        &self.objects[object].status
    }

    pub(super) fn id(&self, object: &str) -> Option<WorkspaceId> {
        self.status(object).workspace_id.clone()
    }

    pub(super) fn condition(&self, object: &str, kind: &str) -> Option<(String, String)> {
        let conditions = &self.status(object).conditions;
        let found = conditions.iter().find(|c| c.type_ == kind)?;
        Some((found.status.clone(), found.reason.clone()))
    }

    /// The reason of Ready.
    pub(super) fn ready(&self, object: &str) -> String {
        self.condition(object, "Ready")
            .map(|(_, reason)| reason)
            .unwrap_or_default()
    }

    pub(super) fn token_ready(&self, object: &str) -> String {
        self.condition(object, "TokenReady")
            .map(|(_, reason)| reason)
            .unwrap_or_default()
    }

    /// The workspace that the token in the Secret opens.
    pub(super) fn token_opens(&self, secret: &str) -> Option<WorkspaceId> {
        match &self.secrets.get(secret)?.facts.content {
            Content::Whole(content) => Some(content.workspace_id.clone()),
            Content::Damaged => None,
        }
    }

    pub(super) fn pass_time(&mut self, seconds: u64) {
        self.now = later(self.now, Duration::from_secs(seconds));
    }

    /// A world with one Workspace `acme` that is Ready.
    pub(super) fn with_acme() -> Self {
        let mut world = Self::new();
        world.apply("acme", spec("acme"));
        world.pass("acme").unwrap();
        assert_eq!(world.ready("acme"), "AsDeclared");
        world.forget_journal();
        world
    }

    /// The server's clock stands elsewhere.
    pub(super) fn server_ahead(&mut self, seconds: i64) {
        self.engine.ahead = SignedDuration::from_secs(seconds);
    }
}
