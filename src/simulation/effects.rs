//! Carries out the effects of reconciles in the models. A request lands at an instant of its own, and its answer comes at another.

use std::sync::Arc;

use jiff::Timestamp;

use super::Millis;
use super::cluster::{Key, OrganizationObject, SecretObject, WorkspaceObject, Write};
use super::laws::Seen;
use super::process::{Client, Reconciling, Subject};
use super::weather::{Fate, Request, Weather, failure};
use super::world::{Outcome, World};
use crate::crd::metadata_keys;
use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::remote::{
    Answer, Deleted, Failure, FailureClass, ListedWorkspace, Page, RemoteWorkspace, Rest, TokenScope,
};
use crate::domain::verification::Missing;
use crate::lifecycle::effect::{
    ClusterEffect, ClusterOutcome, CrdState, Effect, EngineAnswer, EngineCall, IssuedToken, LiveSecret,
    Replace, SecretDraft, TokenSlot,
};
use crate::lifecycle::facts::Content;
use crate::organization::effect as of_organization;
use crate::organization::effect::{Connected, Part, Wake};
use crate::organization::{KeysDigest, NoClient};

/// A request to Kubernetes on its way.
#[derive(Debug)]
pub(super) struct Sent {
    run: u32,
    subject: Subject,
    number: u64,
    request: ClusterRequest,
    /// The process learns that it failed, whatever came of it.
    answer_lost: bool,
}

#[derive(Debug)]
enum ClusterRequest {
    Workspace {
        object: Arc<WorkspaceObject>,
        effect: ClusterEffect,
        tokens: Vec<u64>,
    },
    Organization {
        object: Arc<OrganizationObject>,
        effect: of_organization::ClusterEffect,
    },
}

/// A call to Agent Engine on its way.
#[derive(Debug)]
pub(super) struct Call {
    run: u32,
    subject: Subject,
    number: u64,
    remote: usize,
    who: Uid,
    what: What,
    started: Timestamp,
    failure: Option<Failure>,
    result: Option<Result<Value, Failure>>,
    requests: u32,
}

#[derive(Clone, Debug)]
enum What {
    Workspace(EngineCall, Option<u64>),
    Organization(of_organization::EngineCall, usize),
}

#[derive(Clone, Debug)]
enum Value {
    Rows(Vec<RemoteWorkspace>),
    Row(Option<RemoteWorkspace>),
    Token(u64),
    Scope(TokenScope),
    Updated(RemoteWorkspace),
    Deleted(Deleted),
    Exchanged(Option<OrganizationId>),
    Page(Page),
}

impl World {
    /// Whether the process dies at this effect; then whether the effect is still carried out.
    fn dies_here(&mut self) -> Option<(bool, Millis)> {
        let at = self.crash_at.as_mut()?;
        if at.after > 0 {
            at.after -= 1;
            return None;
        }
        self.crash_at.take().map(|at| (at.carried_out, at.down))
    }

    pub(super) fn perform_workspace(&mut self, subject: &Subject, number: u64, effect: Effect) {
        let dies = self.dies_here();
        if let Some((false, down)) = dies {
            return self.crash(down);
        }
        let Some(running) = self
            .process
            .as_mut()
            .and_then(|process| process.running.get_mut(subject))
        else {
            return;
        };
        let Reconciling::Workspace {
            object,
            client,
            organization_uid,
            tokens,
            ..
        } = &running.what
        else {
            return;
        };
        let (object, client, tokens) = (object.clone(), client.clone(), tokens.clone());
        let organization_uid = organization_uid.clone();
        match effect {
            Effect::Cluster(effect) => {
                self.request(
                    subject,
                    number,
                    ClusterRequest::Workspace {
                        object,
                        effect,
                        tokens,
                    },
                );
            }
            Effect::Engine(call) => {
                let state = self
                    .process
                    .as_ref()
                    .and_then(|process| process.states.get(object.spec.organization_name()));
                let client = client.filter(|_| state.map(|state| &state.uid) == organization_uid.as_ref());
                let token = match &call {
                    EngineCall::Verify(slot) => {
                        tokens.get(usize::try_from(slot.0).unwrap_or_default()).copied()
                    }
                    _ => None,
                };
                let request = match &call {
                    EngineCall::Search(_) | EngineCall::Get(_) | EngineCall::Verify(_) => Request::Read,
                    EngineCall::Issue { .. } => Request::Issue,
                    EngineCall::Update { .. } | EngineCall::Delete(_) => Request::Write,
                };
                self.about_to_call(&object, &call);
                let who = object.metadata.uid.clone();
                self.call(
                    subject,
                    number,
                    client,
                    who,
                    What::Workspace(call, token),
                    request,
                );
            }
        }
        if let Some((true, down)) = dies {
            self.crash(down);
        }
    }

    pub(super) fn perform_organization(
        &mut self,
        subject: &Subject,
        number: u64,
        effect: of_organization::Effect,
    ) {
        let dies = self.dies_here();
        if let Some((false, down)) = dies {
            return self.crash(down);
        }
        let Some(running) = self
            .process
            .as_mut()
            .and_then(|process| process.running.get_mut(subject))
        else {
            return;
        };
        let Reconciling::Organization {
            object,
            client,
            cursor,
            ..
        } = &mut running.what
        else {
            return;
        };
        match effect {
            of_organization::Effect::Cluster(effect) => {
                let object = object.clone();
                self.request(subject, number, ClusterRequest::Organization { object, effect });
            }
            of_organization::Effect::Engine(call) => {
                if call == of_organization::EngineCall::List(Part::First) {
                    *cursor = 0;
                }
                let (client, cursor, object) = (client.clone(), *cursor, object.clone());
                let client = match call {
                    of_organization::EngineCall::ExchangeUnnamed => self.connect(&object, None).ok(),
                    _ => client,
                };
                let who = object.metadata.uid.clone();
                self.call(
                    subject,
                    number,
                    client,
                    who,
                    What::Organization(call, cursor),
                    Request::Read,
                );
            }
        }
        if let Some((true, down)) = dies {
            self.crash(down);
        }
    }

    // Kubernetes.

    fn request(&mut self, subject: &Subject, number: u64, request: ClusterRequest) {
        let mut answer_lost = false;
        let is_write = match &request {
            ClusterRequest::Workspace { effect, .. } => !matches!(
                effect,
                ClusterEffect::ReadObject | ClusterEffect::ReadSecret { .. } | ClusterEffect::ReadCrd
            ),
            ClusterRequest::Organization { effect, .. } => matches!(
                effect,
                of_organization::ClusterEffect::AddFinalizer
                    | of_organization::ClusterEffect::RemoveFinalizer
                    | of_organization::ClusterEffect::WriteStatus(_)
            ),
        };
        let took = match &request {
            // Within the process.
            ClusterRequest::Organization { .. } if !is_write => 0,
            _ => self.dice.i64(1..30),
        };
        if is_write && self.now < self.writes_refused_until {
            answer_lost = true;
        }
        let sent = Sent {
            run: self.run,
            subject: subject.clone(),
            number,
            request,
            answer_lost,
        };
        self.send(self.now + took, sent);
    }

    /// A request arrives at Kubernetes. Returns the outcome for the reconcile that waits for it.
    pub(super) fn land(&mut self, sent: Sent) -> Option<(Subject, u64, Outcome)> {
        let here = self.run == sent.run && self.process.is_some();
        let lost_unsent = sent.answer_lost && self.dice.bool();
        let outcome = match sent.request {
            ClusterRequest::Workspace {
                object,
                effect,
                tokens,
            } => {
                let outcome = if lost_unsent {
                    ClusterOutcome::KubernetesFailed {
                        detail: "the storage is full".to_owned(),
                    }
                } else {
                    self.in_cluster(here, &sent.subject, &object, effect, &tokens)
                };
                self.tell(|_| format!("      {} ← {}", sent.number, brief(&outcome)));
                Outcome::Workspace(crate::lifecycle::Outcome::Cluster(
                    if sent.answer_lost && !lost_unsent {
                        ClusterOutcome::KubernetesFailed {
                            detail: "no answer".to_owned(),
                        }
                    } else {
                        outcome
                    },
                ))
            }
            ClusterRequest::Organization { object, effect } => {
                let outcome = if lost_unsent {
                    of_organization::ClusterOutcome::NotDone
                } else {
                    self.organization_in_cluster(here, &sent.subject, &object, effect)
                };
                Outcome::Organization(crate::organization::Outcome::Cluster(if sent.answer_lost {
                    of_organization::ClusterOutcome::NotDone
                } else {
                    outcome
                }))
            }
        };
        here.then_some((sent.subject, sent.number, outcome))
    }

    fn in_cluster(
        &mut self,
        here: bool,
        subject: &Subject,
        object: &Arc<WorkspaceObject>,
        effect: ClusterEffect,
        tokens: &[u64],
    ) -> ClusterOutcome {
        let (now, key, version) = (self.now, object.key.clone(), object.metadata.version);
        match effect {
            ClusterEffect::ReadObject => match self.cluster.workspaces.get(&key).cloned() {
                None => ClusterOutcome::Gone,
                Some(live) => self.object_read(here, subject, live),
            },
            ClusterEffect::AddFinalizer => {
                let written = self
                    .cluster
                    .patch_workspace(now, &key, version, |o| o.metadata.held = true);
                self.object_written(here, subject, written)
            }
            ClusterEffect::RemoveFinalizer => {
                self.about_to_release(&key, version);
                match self
                    .cluster
                    .patch_workspace(now, &key, version, |o| o.metadata.held = false)
                {
                    Write::Stored(left) => {
                        self.remember(here, &left.metadata.uid, Some(left.metadata.version));
                        ClusterOutcome::Gone
                    }
                    Write::Removed => {
                        self.remember(here, &object.metadata.uid, None);
                        ClusterOutcome::Gone
                    }
                    Write::Conflict => ClusterOutcome::Conflict,
                    Write::NotFound => ClusterOutcome::Gone,
                }
            }
            ClusterEffect::WriteStatus(status) => {
                let same = self
                    .cluster
                    .workspaces
                    .get(&key)
                    .is_some_and(|live| live.metadata.version == version && live.status == *status);
                if same {
                    return self.object_read(here, subject, self.cluster.workspaces[&key].clone());
                }
                let written = self
                    .cluster
                    .patch_workspace(now, &key, version, |o| o.status = (*status).clone());
                if let Write::Stored(stored) = &written {
                    let stored = stored.clone();
                    self.status_written(&stored);
                    if here {
                        self.count_status_write(subject);
                    }
                }
                self.object_written(here, subject, written)
            }
            ClusterEffect::ReadSecret { name } => {
                let secret = self.cluster.secrets.get(&(key.0.clone(), name));
                ClusterOutcome::Secret(match secret {
                    Some(secret) => LiveSecret::Present(secret.facts(&object.metadata.uid, &key.1)),
                    None => LiveSecret::Absent,
                })
            }
            ClusterEffect::WriteSecret(draft) => self.write_secret(here, object, *draft, tokens),
            ClusterEffect::TrySecret { name } => {
                if self.cluster.secrets.contains_key(&(key.0.clone(), name)) {
                    ClusterOutcome::Conflict
                } else {
                    ClusterOutcome::SecretPossible
                }
            }
            ClusterEffect::DecorateSecret(decorated) => {
                let secret = (key.0.clone(), decorated.name.clone());
                let Some(stored) = self.cluster.secrets.get(&secret) else {
                    return ClusterOutcome::Conflict;
                };
                if stored.version.to_string() != decorated.resource_version {
                    return ClusterOutcome::Conflict;
                }
                let mut changed = (**stored).clone();
                changed.labels.extend(decorated.decoration.labels);
                changed.annotations.extend(decorated.decoration.annotations);
                changed.decoration_mark = Some(decorated.decoration.mark);
                let stored = self.cluster.put_secret(now, changed);
                if here && let Some(process) = &mut self.process {
                    process.secrets.insert(secret, stored.clone());
                }
                ClusterOutcome::SecretDecorated(stored.facts(&object.metadata.uid, &key.1))
            }
            ClusterEffect::DeleteSecret {
                name,
                resource_version,
            } => {
                let secret = (key.0.clone(), name.clone());
                match self.cluster.secrets.get(&secret) {
                    Some(stored) if stored.version.to_string() != resource_version => {
                        ClusterOutcome::Conflict
                    }
                    _ => {
                        self.cluster.remove_secret(now, &secret);
                        if here && let Some(process) = &mut self.process {
                            process.secrets.remove(&secret);
                        }
                        ClusterOutcome::SecretDeleted { name }
                    }
                }
            }
            ClusterEffect::ReadCrd => ClusterOutcome::Crd(CrdState::Serving),
        }
    }

    fn object_written(
        &mut self,
        here: bool,
        subject: &Subject,
        written: Write<WorkspaceObject>,
    ) -> ClusterOutcome {
        match written {
            Write::Stored(object) => self.object_read(here, subject, object),
            Write::Removed | Write::NotFound => ClusterOutcome::Gone,
            Write::Conflict => ClusterOutcome::Conflict,
        }
    }

    fn object_read(&mut self, here: bool, subject: &Subject, object: Arc<WorkspaceObject>) -> ClusterOutcome {
        self.remember(here, &object.metadata.uid, Some(object.metadata.version));
        if here
            && let Some(running) = self
                .process
                .as_mut()
                .and_then(|process| process.running.get_mut(subject))
            && let Reconciling::Workspace { object: held, .. } = &mut running.what
        {
            *held = object.clone();
        }
        ClusterOutcome::Object(Box::new(object.state()))
    }

    fn remember(&mut self, here: bool, uid: &Uid, version: Option<u64>) {
        if here && let Some(process) = &mut self.process {
            match version {
                Some(version) => process.written.wrote(uid, Some(&version.to_string())),
                None => process.written.ended(uid),
            }
        }
    }

    fn write_secret(
        &mut self,
        here: bool,
        object: &Arc<WorkspaceObject>,
        draft: SecretDraft,
        tokens: &[u64],
    ) -> ClusterOutcome {
        let Some(token) = tokens
            .get(usize::try_from(draft.slot.0).unwrap_or_default())
            .copied()
        else {
            return ClusterOutcome::KubernetesFailed {
                detail: "the token is no longer at hand".to_owned(),
            };
        };
        let key: Key = (object.key.0.clone(), draft.name.clone());
        let there = self.cluster.secrets.get(&key);
        let fits = match &draft.replace {
            Replace::Nothing => there.is_none(),
            Replace::Version(version) => there.is_some_and(|secret| secret.version.to_string() == *version),
        };
        if !fits {
            return ClusterOutcome::Conflict;
        }
        if there.is_some_and(|secret| {
            secret
                .controller
                .as_ref()
                .is_some_and(|owner| *owner != object.metadata.uid)
        }) {
            return ClusterOutcome::KubernetesFailed {
                detail: "another controller owns it".to_owned(),
            };
        }
        let mut labels = there.map(|secret| secret.labels.clone()).unwrap_or_default();
        labels.extend(draft.decoration.labels.clone());
        let mut annotations = there.map(|secret| secret.annotations.clone()).unwrap_or_default();
        annotations.extend(draft.decoration.annotations.clone());
        self.about_to_publish(object, token, &draft);
        let secret = SecretObject {
            key: key.clone(),
            version: 0,
            controller: Some(object.metadata.uid.clone()),
            content: Content::Whole(draft.content.clone()),
            times: Some(draft.times),
            token: Some(token),
            labels,
            annotations,
            decoration_mark: Some(draft.decoration.mark),
        };
        let stored = self.cluster.put_secret(self.now, secret);
        if here && let Some(process) = &mut self.process {
            process.secrets.insert(key, stored.clone());
        }
        ClusterOutcome::SecretWritten(stored.facts(&object.metadata.uid, &object.key.1))
    }

    fn organization_in_cluster(
        &mut self,
        here: bool,
        subject: &Subject,
        object: &Arc<OrganizationObject>,
        effect: of_organization::ClusterEffect,
    ) -> of_organization::ClusterOutcome {
        use of_organization::{ClusterEffect as Effect, ClusterOutcome as Outcome};
        let (now, version) = (self.now, object.metadata.version);
        let name = object.name.clone();
        match effect {
            Effect::AddFinalizer => {
                let written = self
                    .cluster
                    .patch_organization(now, &name, version, |o| o.metadata.held = true);
                self.organization_written(here, subject, written)
            }
            Effect::RemoveFinalizer => {
                let written = self
                    .cluster
                    .patch_organization(now, &name, version, |o| o.metadata.held = false);
                self.organization_written(here, subject, written)
            }
            Effect::WriteStatus(status) => {
                let written = self
                    .cluster
                    .patch_organization(now, &name, version, |o| o.status = *status);
                self.organization_written(here, subject, written)
            }
            Effect::Connect { naming, keys } => match self.connect(object, naming) {
                Ok(client) => {
                    let read = KeysDigest::of(&client.opens.to_string(), "secret");
                    if keys.as_ref() == Some(&read) && self.client_of(subject).is_some() {
                        return Outcome::Client(Ok(Connected::Same));
                    }
                    self.set_client(here, subject, Some(client));
                    Outcome::Client(Ok(Connected::New(read)))
                }
                Err(none) => {
                    self.set_client(here, subject, None);
                    Outcome::Client(Err(none))
                }
            },
            Effect::NameOrganization(id) => {
                let client = self.client_of(subject);
                self.set_client(
                    here,
                    subject,
                    client.map(|client| Client {
                        names: Some(id),
                        ..client
                    }),
                );
                Outcome::Done
            }
            Effect::ReadRecords => {
                let Some(process) = self.process.as_mut().filter(|_| here) else {
                    return Outcome::NotDone;
                };
                let (records, keys) = process.records(&name);
                if let Some(running) = process.running.get_mut(subject)
                    && let Reconciling::Organization { recorded, .. } = &mut running.what
                {
                    *recorded = keys;
                }
                Outcome::Records(records)
            }
            Effect::Publish(publication) => {
                let client = self.client_of(subject);
                let clock = self.clock();
                let Some(process) = self.process.as_mut().filter(|_| here) else {
                    return Outcome::NotDone;
                };
                let recorded = match process.running.get(subject).map(|running| &running.what) {
                    Some(Reconciling::Organization { recorded, .. }) => recorded.clone(),
                    _ => Default::default(),
                };
                let Some(state) = process.state_of(&name, &object.metadata.uid) else {
                    return Outcome::NotDone;
                };
                state.client = client;
                let doubted = publication.published.missing == Missing::Many;
                state.published = publication.published;
                // A list that lacks many is the trouble of its organization, and no sight of any workspace.
                let new_list = publication.snapshot.clone().filter(|_| !doubted);
                if let Some(snapshot) = publication.snapshot {
                    state.snapshot = snapshot;
                }
                match publication.wake {
                    Wake::Nobody => {}
                    Wake::These(uids) => process.wake_these(&uids, &recorded),
                    Wake::Everybody => process.wake_users(clock, &name),
                }
                if let Some(list) = new_list {
                    self.listed(&name, &list);
                }
                Outcome::Done
            }
        }
    }

    fn organization_written(
        &mut self,
        here: bool,
        subject: &Subject,
        written: Write<OrganizationObject>,
    ) -> of_organization::ClusterOutcome {
        match written {
            Write::Stored(stored) => {
                self.remember(here, &stored.metadata.uid, Some(stored.metadata.version));
                if here
                    && let Some(running) = self
                        .process
                        .as_mut()
                        .and_then(|process| process.running.get_mut(subject))
                    && let Reconciling::Organization { object, .. } = &mut running.what
                {
                    *object = stored;
                }
                of_organization::ClusterOutcome::Done
            }
            Write::Removed => of_organization::ClusterOutcome::Done,
            Write::Conflict | Write::NotFound => of_organization::ClusterOutcome::NotDone,
        }
    }

    /// Reads the credential Secret live.
    fn connect(
        &self,
        object: &OrganizationObject,
        naming: Option<OrganizationId>,
    ) -> Result<Client, NoClient> {
        let name = &object.spec.credentials_secret_ref.name;
        match self.cluster.credentials.get(name) {
            Some(secret) => Ok(Client {
                opens: secret.opens,
                names: naming,
            }),
            None => Err(NoClient::Missing {
                what: format!("there is no Secret {name:?}"),
            }),
        }
    }

    fn client_of(&self, subject: &Subject) -> Option<Client> {
        match &self.process.as_ref()?.running.get(subject)?.what {
            Reconciling::Organization { client, .. } => client.clone(),
            Reconciling::Workspace { .. } => None,
        }
    }

    fn set_client(&mut self, here: bool, subject: &Subject, made: Option<Client>) {
        if here
            && let Some(running) = self
                .process
                .as_mut()
                .and_then(|process| process.running.get_mut(subject))
            && let Reconciling::Organization { client, .. } = &mut running.what
        {
            *client = made;
        }
    }

    // Agent Engine.

    fn call(
        &mut self,
        subject: &Subject,
        number: u64,
        client: Option<Client>,
        who: Uid,
        what: What,
        request: Request,
    ) {
        self.numbers += 1;
        let id = self.numbers;
        let (fate, remote) = match &client {
            None => (unsent(), 0),
            Some(client) => {
                let own = &self.engine.organizations[client.opens].id;
                let denied = client.names.as_ref().is_some_and(|named| named != own);
                let weather = self.engine.organizations[client.opens].weather;
                let fate = if denied {
                    refused_to_another()
                } else {
                    weather.fate(request, &mut self.dice)
                };
                (fate, client.opens)
            }
        };
        if client.is_some() {
            self.count_call(remote, &who, &what_kind(&what));
        }
        let call = Call {
            run: self.run,
            subject: subject.clone(),
            number,
            remote,
            who,
            what,
            started: self.clock(),
            failure: fate.failure,
            result: None,
            requests: u32::from(client.is_some()),
        };
        self.calls.insert(id, call);
        let now = self.now;
        self.expect_answer(id, fate.carried_out.map(|after| now + after), now + fate.answered);
    }

    /// The server does what it was asked for.
    pub(super) fn carry_out(&mut self, id: u64) {
        let Some(call) = self.calls.get(&id) else { return };
        let (remote, who, what) = (call.remote, call.who.clone(), call.what.clone());
        let now = self.now;
        let result = match &what {
            What::Workspace(EngineCall::Search(name), _) => {
                Ok(Value::Rows(self.engine.search(now, remote, name)))
            }
            What::Workspace(EngineCall::Get(of), _) => Ok(Value::Row(self.engine.get(remote, of))),
            What::Workspace(EngineCall::Issue { name, .. }, _) => {
                Ok(Value::Token(self.engine.issue(now, remote, name, &who)))
            }
            What::Workspace(EngineCall::Verify(_), token) => match token {
                Some(token) => self.engine.verify(now, remote, *token).map(Value::Scope),
                None => Err(failure(FailureClass::Transient, None)),
            },
            What::Workspace(EngineCall::Update { id, change }, _) => {
                self.updates(remote, &who, id);
                self.engine.update(now, remote, id, change).map(Value::Updated)
            }
            What::Workspace(EngineCall::Delete(of), _) => {
                self.deletes(remote, &who, of);
                Ok(Value::Deleted(self.engine.delete(now, remote, of)))
            }
            What::Organization(of_organization::EngineCall::List(_), cursor) => {
                let rows = match self.engine.organizations[remote].weather {
                    Weather::ListsNothing => Vec::new(),
                    _ => self.engine.list(now, remote),
                };
                let end = (cursor + self.engine.knobs.page_size).min(rows.len());
                let page = rows.get(*cursor..end).unwrap_or_default();
                let requested_at = call_started(&self.calls, id);
                Ok(Value::Page(Page {
                    rows: page
                        .iter()
                        .map(|workspace| ListedWorkspace {
                            requested_at,
                            workspace: workspace.clone(),
                        })
                        .collect(),
                    rest: if end < rows.len() {
                        Rest::More
                    } else {
                        Rest::Nothing
                    },
                }))
            }
            What::Organization(_, _) => {
                let named = self.engine.knobs.names_organization;
                let own = self.engine.organizations[remote].id.clone();
                Ok(Value::Exchanged(named.then_some(own)))
            }
        };
        self.tell(|_| {
            format!(
                "         carried out: {} for {who}: {}",
                what_kind(&what),
                brief_value(&result)
            )
        });
        if let Some(call) = self.calls.get_mut(&id) {
            call.result = Some(result);
        }
    }

    /// An answer arrives, or the client gives up.
    pub(super) fn answer(&mut self, id: u64) -> Option<(Subject, u64, Outcome)> {
        let call = self.calls.get_mut(&id)?;
        let failed = call.failure.clone();
        let result = match (failed, call.result.clone()) {
            (Some(failure), _) => Err(failure),
            (None, Some(result)) => result,
            (None, None) => Err(failure(FailureClass::Transient, None)),
        };
        let (what, started, run) = (call.what.clone(), call.started, call.run);
        let (subject, number, requests, remote, who) = (
            call.subject.clone(),
            call.number,
            call.requests,
            call.remote,
            call.who.clone(),
        );
        if run != self.run || self.process.is_none() {
            return None;
        }
        self.tell(|_| format!("      {number} ← {}: {}", what_kind(&what), brief_value(&result)));
        if let Err(Failure {
            class: FailureClass::Throttled(pause),
            ..
        }) = &result
        {
            let pause = if pause.is_zero() { 10 } else { pause.as_secs() };
            self.asked_to_wait(remote, pause);
        }
        let finished = self.clock();
        let date = result.is_ok().then(|| self.engine.date(self.now)).flatten();
        let answer = |result: Result<Value, Failure>| Answer {
            started,
            finished,
            date,
            requests,
            result,
        };
        let result = self.note(&subject, remote, &who, &what, result);
        let answer = answer(result);
        let outcome = match what {
            What::Workspace(call, _) => Outcome::Workspace(crate::lifecycle::Outcome::Engine(
                self.of_workspace(&subject, &call, answer),
            )),
            What::Organization(call, _) => Outcome::Organization(crate::organization::Outcome::Engine(
                self.of_organization(&subject, call, answer),
            )),
        };
        Some((subject, number, outcome))
    }

    /// What the laws remember of an answer.
    fn note(
        &mut self,
        _subject: &Subject,
        _remote: usize,
        who: &Uid,
        what: &What,
        result: Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        if let (What::Workspace(EngineCall::Get(id), _), Ok(Value::Row(row))) = (what, &result) {
            let row = row.clone().filter(|row| !row.tombstone);
            let seen = Seen {
                at: self.now,
                id: id.clone(),
                row,
            };
            self.laws.seen.insert(who.clone(), seen);
        }
        if let (What::Workspace(EngineCall::Update { .. }, _), Ok(Value::Updated(row))) = (what, &result) {
            let seen = Seen {
                at: self.now,
                id: row.id.clone(),
                row: Some(row.clone()),
            };
            self.laws.seen.insert(who.clone(), seen);
        }
        result
    }

    fn of_workspace(&mut self, subject: &Subject, call: &EngineCall, answer: Answer<Value>) -> EngineAnswer {
        match call {
            EngineCall::Search(_) => EngineAnswer::Searched(answer.with_result(|result| match result? {
                Value::Rows(rows) => Ok(rows),
                _ => Err(failure(FailureClass::Malformed, None)),
            })),
            EngineCall::Get(_) => EngineAnswer::Got(answer.with_result(|result| match result? {
                Value::Row(row) => Ok(row),
                _ => Err(failure(FailureClass::Malformed, None)),
            })),
            EngineCall::Issue { .. } => {
                let life = self.engine.knobs.token_life;
                let mut slot = 0;
                if let Ok(Value::Token(token)) = &answer.result
                    && let Some(running) = self
                        .process
                        .as_mut()
                        .and_then(|process| process.running.get_mut(subject))
                    && let Reconciling::Workspace { tokens, .. } = &mut running.what
                {
                    slot = tokens.len() as u64;
                    tokens.push(*token);
                }
                EngineAnswer::Issued(answer.with_result(|result| {
                    result?;
                    Ok(IssuedToken {
                        slot: TokenSlot(slot),
                        lifetime: std::time::Duration::from_millis(life.unsigned_abs()),
                    })
                }))
            }
            EngineCall::Verify(_) => EngineAnswer::Verified(answer.with_result(|result| match result? {
                Value::Scope(scope) => Ok(scope),
                _ => Err(failure(FailureClass::Malformed, None)),
            })),
            EngineCall::Update { .. } => EngineAnswer::Updated(answer.with_result(|result| match result? {
                Value::Updated(row) => Ok(row),
                _ => Err(failure(FailureClass::Malformed, None)),
            })),
            EngineCall::Delete(_) => EngineAnswer::Deleted(answer.with_result(|result| match result? {
                Value::Deleted(deleted) => Ok(deleted),
                _ => Err(failure(FailureClass::Malformed, None)),
            })),
        }
    }

    fn of_organization(
        &mut self,
        subject: &Subject,
        call: of_organization::EngineCall,
        answer: Answer<Value>,
    ) -> of_organization::EngineAnswer {
        match call {
            of_organization::EngineCall::List(_) => {
                if let Ok(Value::Page(page)) = &answer.result
                    && let Some(running) = self
                        .process
                        .as_mut()
                        .and_then(|process| process.running.get_mut(subject))
                    && let Reconciling::Organization { cursor, .. } = &mut running.what
                {
                    *cursor += page.rows.len();
                }
                of_organization::EngineAnswer::Listed(answer.with_result(|result| match result? {
                    Value::Page(page) => Ok(page),
                    _ => Err(failure(FailureClass::Malformed, None)),
                }))
            }
            of_organization::EngineCall::Exchange | of_organization::EngineCall::ExchangeUnnamed => {
                of_organization::EngineAnswer::Exchanged(answer.with_result(|result| match result? {
                    Value::Exchanged(id) => Ok(id),
                    _ => Err(failure(FailureClass::Malformed, None)),
                }))
            }
        }
    }
}

fn call_started(calls: &std::collections::BTreeMap<u64, Call>, id: u64) -> Timestamp {
    calls.get(&id).map_or(Timestamp::MIN, |call| call.started)
}

fn what_kind(what: &What) -> &'static str {
    match what {
        What::Workspace(call, _) => call.into(),
        What::Organization(call, _) => call.into(),
    }
}

fn unsent() -> Fate {
    Fate {
        carried_out: None,
        answered: 0,
        failure: Some(failure(FailureClass::Transient, None)),
    }
}

/// The organization that the client names refuses another one's credential.
fn refused_to_another() -> Fate {
    Fate {
        carried_out: None,
        answered: 20,
        failure: Some(failure(FailureClass::Denied, Some(403))),
    }
}

fn brief(outcome: &ClusterOutcome) -> String {
    match outcome {
        ClusterOutcome::Object(state) => format!(
            "Object: {:?}",
            state
                .stored
                .conditions
                .iter()
                .map(|c| format!("{}={} {}", c.type_, c.status, c.reason))
                .collect::<Vec<_>>()
        ),
        other => format!("{other:?}"),
    }
}

fn brief_value(result: &Result<Value, Failure>) -> String {
    let row = |row: &RemoteWorkspace| format!("{}={:?}", row.id, row.name.as_str());
    match result {
        Ok(Value::Rows(rows)) => format!("{:?}", rows.iter().map(row).collect::<Vec<_>>()),
        Ok(Value::Row(Some(one))) => row(one),
        Ok(Value::Page(page)) => {
            format!(
                "{:?} {:?}",
                page.rows
                    .iter()
                    .map(|listed| row(&listed.workspace))
                    .collect::<Vec<_>>(),
                page.rest
            )
        }
        Ok(other) => format!("{other:?}"),
        Err(failure) => format!("{:?}", failure.class),
    }
}

/// The label that the watch of Secrets selects.
pub(super) const LABEL: &str = metadata_keys::WORKSPACE_LABEL;
