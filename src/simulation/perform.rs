//! Sends the effects of reconciles on their way.

use super::Millis;
use super::process::{Reconciling, Subject};
use super::requests::{ClusterRequest, Sent, What};
use super::weather::Request;
use super::world::World;
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall};
use crate::organization::effect as of_organization;
use crate::organization::effect::Part;

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

    /// Performs an effect by `how`, unless the process dies before it, or just after.
    pub(super) fn perform(&mut self, how: impl FnOnce(&mut Self)) {
        let dies = self.dies_here();
        if let Some((false, down)) = dies {
            return self.crash(down);
        }
        how(self);
        if let Some((true, down)) = dies {
            self.crash(down);
        }
    }

    pub(super) fn perform_workspace(&mut self, subject: &Subject, number: u64, effect: Effect) {
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
                let same = state.map(|state| &state.uid) == organization_uid.as_ref();
                let client = client.filter(|_| same && self.lets_through());
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
                if client.is_some() || self.replicas.is_none() {
                    self.about_to_call(&object, &call);
                }
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
    }

    pub(super) fn perform_organization(
        &mut self,
        subject: &Subject,
        number: u64,
        effect: of_organization::Effect,
    ) {
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
                let client = client.filter(|_| self.lets_through());
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
    }

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
        let leaves = is_write || took > 0;
        let is_stopped = leaves && !self.door_is_open();
        let sent = Sent {
            run: self.run,
            subject: subject.clone(),
            number,
            request,
            answer_lost,
            is_cut_off: is_stopped,
        };
        match leaves && !is_stopped {
            true => self.send_request(sent, took),
            false => self.send(self.now + took, sent),
        }
    }
}
