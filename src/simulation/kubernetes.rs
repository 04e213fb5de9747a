//! Carries out requests to Kubernetes, and what the process does within itself.

use std::sync::Arc;

use super::calls::keys_of;
use super::cluster::{Key, OrganizationObject, SecretObject, WorkspaceObject, Write};
use super::process::{Client, Reconciling, Subject};
use super::requests::{ClusterRequest, Outcome, Sent};
use super::world::World;
use crate::crd::workspace::WorkspaceStatus;
use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::verification::Missing;
use crate::lifecycle::effect::{ClusterEffect, ClusterOutcome, CrdState, LiveSecret, Replace, SecretDraft};
use crate::lifecycle::facts::Content;
use crate::organization::NoClient;
use crate::organization::effect as of_organization;
use crate::organization::effect::{Connected, Wake};

impl World {
    /// A request arrives at Kubernetes. Returns the outcome for the reconcile that waits for it.
    pub(super) fn land(&mut self, sent: Sent) -> Option<(Subject, u64, Outcome)> {
        let here = self.run == sent.run && self.process.is_some();
        let lost_unsent = sent.is_cut_off || (sent.answer_lost && self.dice.bool());
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
                Outcome::Organization(crate::organization::Outcome::Cluster(
                    if sent.answer_lost || sent.is_cut_off {
                        of_organization::ClusterOutcome::NotDone
                    } else {
                        outcome
                    },
                ))
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
                Some(live) => self.object_and_organization_read(here, subject, live),
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
                    Write::Stored(left) => self.object_read(here, subject, left),
                    Write::Removed => {
                        self.remember(here, &object.metadata.uid, None);
                        ClusterOutcome::Gone
                    }
                    Write::Conflict => ClusterOutcome::Conflict,
                    Write::NotFound => ClusterOutcome::Gone,
                }
            }
            ClusterEffect::WriteStatus(status) => {
                let live = self.cluster.workspaces.get(&key).cloned();
                if let Some(live) = &live
                    && live.metadata.version == version
                    && live.status == *status
                {
                    return self.object_read(here, subject, live.clone());
                }
                let holds = |status: &WorkspaceStatus| status.operator.as_ref().map(|by| by.lease.clone());
                let takes_hold = live.is_some_and(|live| {
                    let held = holds(&live.status);
                    held != holds(&status) && (held.is_some() || live.status.workspace_id.is_some())
                });
                let written = self
                    .cluster
                    .patch_workspace(now, &key, version, |o| o.status = (*status).clone());
                if let Write::Stored(stored) = &written {
                    let stored = stored.clone();
                    self.status_written(&stored);
                    // Taking an object over, as from another operator, comes before all else.
                    if here && !takes_hold {
                        self.count_status_write(subject);
                    }
                }
                self.object_written(here, subject, written)
            }
            ClusterEffect::ReadSecret { name } => {
                let secret = self.cluster.secrets.get(&(key.0.clone(), name.into()));
                ClusterOutcome::Secret(match secret {
                    Some(secret) => LiveSecret::Present(secret.facts(&object.metadata.uid, &key.1)),
                    None => LiveSecret::Absent,
                })
            }
            ClusterEffect::WriteSecret(draft) => self.write_secret(here, object, *draft, tokens),
            ClusterEffect::TrySecret { name } => {
                if self.cluster.secrets.contains_key(&(key.0.clone(), name.into())) {
                    ClusterOutcome::Conflict
                } else {
                    ClusterOutcome::SecretPossible
                }
            }
            ClusterEffect::DecorateSecret(decorated) => {
                let secret = (key.0.clone(), decorated.name.as_str().into());
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
                let secret = (key.0.clone(), name.as_str().into());
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
            ClusterEffect::ReadCrd => ClusterOutcome::Crd(if self.cluster.definition_goes {
                CrdState::Going
            } else {
                CrdState::Serving
            }),
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

    fn object_and_organization_read(
        &mut self,
        here: bool,
        subject: &Subject,
        object: Arc<WorkspaceObject>,
    ) -> ClusterOutcome {
        let stored = self.cluster.organizations.get(object.spec.organization_name());
        let organization = self
            .process
            .as_ref()
            .map(|process| process.organization_facts(&object, stored));
        let outcome = self.object_read(here, subject, object);
        if let ClusterOutcome::Object(mut state) = outcome {
            state.organization = organization;
            return ClusterOutcome::Object(state);
        }
        outcome
    }

    pub(super) fn remember(&mut self, here: bool, uid: &Uid, version: Option<u64>) {
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
        let key: Key = (object.key.0.clone(), draft.name.as_str().into());
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
        if there.is_some_and(|secret| secret.immutable) {
            return ClusterOutcome::SecretUnpatchable;
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
            immutable: false,
        };
        let stored = self.cluster.put_secret(self.now, secret);
        if here && let Some(process) = &mut self.process {
            process.secrets.insert(key, stored.clone());
        }
        self.look_between(&object.key);
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
                    let read = keys_of(client.opens);
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
                let clock = self.clock();
                let Some(process) = self.process.as_mut().filter(|_| here) else {
                    return Outcome::NotDone;
                };
                let (records, keys) = process.records(clock, &name);
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
                let (new_list, doubted_list) = match &publication.snapshot {
                    Some(list) if doubted => (None, Some(list.clone())),
                    list => (list.clone(), None),
                };
                if let Some(snapshot) = publication.snapshot {
                    state.snapshot = snapshot;
                }
                match publication.wake {
                    Wake::Nobody => {}
                    Wake::These(uids) => process.wake_these(&uids, &recorded),
                    Wake::Everybody => process.wake_users(clock, &name),
                }
                if let Some(list) = new_list {
                    self.listed(&name, &object.metadata.uid, &list);
                }
                if let Some(list) = doubted_list {
                    self.doubted(&name, &list);
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
    pub(super) fn connect(
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
