//! Reconciles of both kinds in the process: as its runner begins, drives, settles and gives them up.

use std::collections::BTreeMap;

use super::process::{Reconciling, Running, Subject};
use super::replicas::state::Effect;
use super::requests::Outcome;
use super::world::{Event, World};
use super::{Millis, millis_until};
use crate::controller::own_writes::Lag;
use crate::crd::holder::Hold;
use crate::domain::ids::Uid;
use crate::lifecycle::judge::token_secret;
use crate::lifecycle::wakeups::Why;
use crate::lifecycle::{self, SharedList};
use crate::limits::RateLimiter;
use crate::organization;

/// Timers of the process end a little late.
const TIMER_SLACK: Millis = 20;

/// A store that lags is asked again after this.
const LAG_RETRY: Millis = 5_000;

/// A reconcile may take so long.
pub(super) const RECONCILE_TIMEOUT: Millis = 120_000;

impl World {
    /// Begins a reconcile, or says after how long to ask again.
    pub(super) fn begin(&mut self, subject: &Subject) -> Result<(), Millis> {
        let now = self.clock();
        self.numbers += 1;
        let number = self.numbers;
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        let (uid, version, live) = match subject {
            Subject::Workspace(key) => {
                let Some(object) = process.workspaces.get(key) else {
                    process.done(subject);
                    return Ok(());
                };
                let live = self
                    .cluster
                    .workspaces
                    .get(key)
                    .map(|live| (live.metadata.uid.clone(), live.metadata.version));
                (object.metadata.uid.clone(), object.metadata.version, live)
            }
            Subject::Organization(name) => {
                let Some(object) = process.organizations.get(name) else {
                    process.done(subject);
                    return Ok(());
                };
                let live = self
                    .cluster
                    .organizations
                    .get(name)
                    .map(|live| (live.metadata.uid.clone(), live.metadata.version));
                (object.metadata.uid.clone(), object.metadata.version, live)
            }
        };
        match process.written.lag(&uid, Some(&version.to_string()), now) {
            Lag::None => {}
            Lag::Short => return Err(LAG_RETRY),
            Lag::TooLong => {
                let lost = live.is_some_and(|(of, version)| {
                    of == uid && process.written.is_newer_than(&uid, Some(&version.to_string()))
                });
                if lost {
                    process.written.forget(&uid);
                }
                return Err(LAG_RETRY);
            }
        }
        let what = match subject {
            Subject::Workspace(key) => {
                let object = process.workspaces[key].clone();
                let organization = object.spec.organization_name();
                let state = process.states.get(organization);
                let verified = state.is_some_and(|state| state.published.verified().is_some());
                Reconciling::Workspace {
                    client: state.and_then(|state| state.client.clone()).filter(|_| verified),
                    organization_uid: state.map(|state| state.uid.clone()),
                    reconcile: lifecycle::Reconcile::new(process.view(now, &object)),
                    object,
                    tokens: Vec::new(),
                }
            }
            Subject::Organization(name) => {
                let object = process.organizations[name].clone();
                let known = process.states.get(name);
                if known.is_none_or(|known| known.uid != object.metadata.uid) {
                    self.begins_with(&object);
                }
                let Some(process) = &mut self.process else {
                    return Ok(());
                };
                let Some(view) = process.organization_view(now, &object) else {
                    process.done(subject);
                    return Ok(());
                };
                Reconciling::Organization {
                    client: process.states.get(name).and_then(|state| state.client.clone()),
                    reconcile: organization::Reconcile::new(view),
                    object,
                    cursor: 0,
                    recorded: BTreeMap::new(),
                }
            }
        };
        let found = match &what {
            Reconciling::Workspace { object, .. } => Some(&object.status),
            Reconciling::Organization { .. } => None,
        };
        let held = found.and_then(|status| status.operator.as_ref());
        let found_provisional = held.is_some_and(|holder| holder.hold == Hold::Provisional);
        let found_intent = found.is_some_and(|status| status.creation.is_some());
        let running = Box::new(Running {
            number,
            status_writes: 0,
            found_intent,
            found_provisional,
            contested: false,
            what,
        });
        if matches!(running.what, Reconciling::Workspace { .. }) {
            self.at(
                self.now + RECONCILE_TIMEOUT,
                Event::TimeOut {
                    subject: subject.clone(),
                    number,
                },
            );
        }
        if let Some(process) = &mut self.process {
            process.running.insert(subject.clone(), running);
        }
        self.tell(|_| format!("   {subject:?} begins reconcile {number}"));
        self.go_on(subject, number, None);
        Ok(())
    }

    /// Hands an outcome to a reconcile, and has its next effect performed.
    pub(super) fn go_on(&mut self, subject: &Subject, number: u64, outcome: Option<Outcome>) {
        let now = self.clock();
        let Some(process) = &mut self.process else { return };
        let Some(mut running) = process.running.remove(subject) else {
            return;
        };
        if running.number != number {
            process.running.insert(subject.clone(), running);
            return;
        }
        match (&mut running.what, outcome) {
            (
                Reconciling::Workspace {
                    reconcile, object, ..
                },
                outcome,
            ) => {
                let outcome = outcome.and_then(|outcome| match outcome {
                    Outcome::Workspace(outcome) => Some(outcome),
                    Outcome::Organization(_) => None,
                });
                let began = process.began(now);
                let mut idle = RateLimiter::default();
                let limiter = process
                    .states
                    .get_mut(object.spec.organization_name())
                    .map_or(&mut idle, |state| &mut state.limiter);
                reconcile.keep_time(now, began);
                match reconcile.next(now, &mut process.claims, limiter, outcome) {
                    lifecycle::Next::Wait(until) => {
                        let at = self.now + millis_until(now, until) + 1;
                        process.running.insert(subject.clone(), running);
                        self.tell(|world| format!("      {number} waits for {} ms", at - world.now));
                        self.at(
                            at,
                            Event::Continue {
                                subject: subject.clone(),
                                number,
                            },
                        );
                    }
                    lifecycle::Next::Perform { rule, effect } => {
                        // As the controller does: a reconcile that times out is dropped with its memory.
                        if let lifecycle::Effect::Engine(_) = &effect {
                            let view = reconcile.view();
                            process
                                .memories
                                .insert(view.object.uid.clone(), view.memory.clone());
                        }
                        process.running.insert(subject.clone(), running);
                        self.tell(|_| format!("      {number} {rule} → {effect:?}"));
                        self.begin_effect(subject, number, Effect::Workspace(effect));
                    }
                    lifecycle::Next::Settled(settled) => self.settle_workspace(subject, running, *settled),
                }
            }
            (
                Reconciling::Organization {
                    reconcile, object, ..
                },
                outcome,
            ) => {
                let outcome = outcome.and_then(|outcome| match outcome {
                    Outcome::Organization(outcome) => Some(outcome),
                    Outcome::Workspace(_) => None,
                });
                let began = process.began(now);
                let mut idle = RateLimiter::default();
                let limiter = process
                    .states
                    .get_mut(&object.name)
                    .filter(|state| state.uid == object.metadata.uid)
                    .map_or(&mut idle, |state| &mut state.limiter);
                reconcile.keep_time(began);
                match reconcile.next(now, &process.claims, limiter, outcome) {
                    organization::Next::Wait(until) => {
                        let at = self.now + millis_until(now, until) + 1;
                        process.running.insert(subject.clone(), running);
                        self.at(
                            at,
                            Event::Continue {
                                subject: subject.clone(),
                                number,
                            },
                        );
                    }
                    organization::Next::Perform { rule, effect } => {
                        process.running.insert(subject.clone(), running);
                        self.tell(|_| format!("      {number} {rule} → {}", effect.kind()));
                        self.begin_effect(subject, number, Effect::Organization(effect));
                    }
                    organization::Next::Settled(settled) => {
                        let (name, uid) = (object.name.clone(), object.metadata.uid.clone());
                        if let Some(state) = process.state_of(&name, &uid) {
                            state.memory = settled.memory;
                        }
                        let at = self.now + millis_until(now, settled.requeue.at) + TIMER_SLACK;
                        self.tell(|_| {
                            format!("      {number} settled by {}: {:?}", settled.rule, settled.reason)
                        });
                        self.ended(subject.clone(), Some(at));
                    }
                }
            }
        }
    }

    pub(super) fn settle_workspace(
        &mut self,
        subject: &Subject,
        running: Box<Running>,
        settled: lifecycle::Settled,
    ) {
        let now = self.clock();
        let Reconciling::Workspace {
            reconcile, object, ..
        } = running.what
        else {
            return;
        };
        let Some(process) = &mut self.process else { return };
        let winners = process
            .claims
            .release(&reconcile.claimant(), reconcile.view().standing_claims());
        process.wake_all(&winners);
        let uid: Uid = object.metadata.uid.clone();
        if process.is_stored(&object) {
            if settled.requeue.why == Why::PermitGranted {
                process.waits_for_permit.insert(uid.clone(), object.key.clone());
            } else {
                process.waits_for_permit.remove(&uid);
            }
            process.memories.insert(uid, settled.memory);
        } else {
            let winners = process.forget(&uid);
            process.wake_all(&winners);
        }
        let organization = object.spec.organization_name();
        if settled.list == SharedList::Wanted {
            process.want_list(organization);
        }
        let at = self.now + millis_until(now, settled.requeue.at) + TIMER_SLACK;
        self.tell(|world| {
            let again = (at - world.now) / 1000;
            let why = settled.requeue.why.as_str();
            format!(
                "      {} settled by {}: {:?}; again in {again}s: {why}",
                running.number, settled.rule, settled.reason
            )
        });
        self.ended(subject.clone(), Some(at));
    }

    /// As the controller gives up a reconcile.
    pub(super) fn cut_off(&mut self, subject: &Subject, number: u64) {
        let now = self.clock();
        let Some(process) = &mut self.process else { return };
        let is_it = process
            .running
            .get(subject)
            .is_some_and(|running| running.number == number);
        if !is_it {
            return;
        }
        let Some(running) = process.running.remove(subject) else {
            return;
        };
        let Reconciling::Workspace { object, .. } = running.what else {
            return;
        };
        let view = process.view(now, &object);
        let uid = &view.object.uid;
        let again = if process.is_stored(&object) {
            let urgency = token_secret::urgency(&view);
            let memory = process.memories.entry(uid.clone()).or_default();
            memory.lost_track(now, view.recorded_id().cloned());
            let at = memory.rest_after_loss(view.uptime(), |aspect| view.cause(aspect), urgency, uid);
            millis_until(now, view.by_the_wall_clock(at)) + TIMER_SLACK
        } else {
            let winners = process.forget(uid);
            process.wake_all(&winners);
            0
        };
        self.tell(|_| format!("      {number} times out"));
        self.ended(subject.clone(), Some(self.now + again));
    }
}
