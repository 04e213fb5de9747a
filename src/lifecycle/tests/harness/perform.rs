//! Runs reconciles in the world of the tests, effect by effect in virtual time, with the faults that were asked for.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::object::{Deletion, Finalizer};
use crate::domain::remote::{Answer, Deleted, Failure, FailureClass};
use crate::domain::time::{elapsed, later};
use crate::lifecycle::effect::{
    ClusterEffect, ClusterOutcome, Effect, EngineAnswer, EngineCall, IssuedToken, LiveSecret, ObjectState,
    Outcome, Replace,
};
use crate::lifecycle::facts::{Content, Kept, Ownership, Patchable, SecretFacts};
use crate::lifecycle::reconcile::{Next, Reconcile, Settled, SharedList};
use crate::lifecycle::tests::harness::fake_engine::failure;
use crate::lifecycle::tests::harness::telling;
use crate::lifecycle::tests::harness::world::{Fault, LateIssue, Object, Secret, SentFor, World};

/// Whether the organization's list is taken when a reconcile wants it.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Lists {
    WhenWanted,
    Never,
}

/// The answer arrives at `now`, however long ago it was true.
fn answered_at(outcome: Outcome, now: Timestamp) -> Outcome {
    let Outcome::Engine(answer) = outcome else {
        return outcome;
    };
    Outcome::Engine(match answer {
        EngineAnswer::Searched(answer) => EngineAnswer::Searched(taken_at(answer, now)),
        EngineAnswer::Got(answer) => EngineAnswer::Got(taken_at(answer, now)),
        EngineAnswer::Issued(answer) => EngineAnswer::Issued(taken_at(answer, now)),
        EngineAnswer::Verified(answer) => EngineAnswer::Verified(taken_at(answer, now)),
        EngineAnswer::Updated(answer) => EngineAnswer::Updated(taken_at(answer, now)),
        EngineAnswer::Deleted(answer) => EngineAnswer::Deleted(taken_at(answer, now)),
    })
}

fn taken_at<T>(answer: Answer<T>, now: Timestamp) -> Answer<T> {
    Answer {
        took: elapsed(answer.started(), now),
        finished: now,
        ..answer
    }
}

impl World {
    /// One reconcile to its end. Nothing where the process died in it.
    pub(in crate::lifecycle::tests) fn reconcile(&mut self, object: &str) -> Option<Settled> {
        for name in self.objects.keys().cloned().collect::<Vec<_>>() {
            let view = self.view(&name);
            self.claims
                .observe(&Reconcile::new(view.clone()).claimant(), view.standing_claims());
        }
        let mut reconcile = Reconcile::new(self.view(object));
        let claimant = reconcile.claimant();
        let mut version = self.objects[object].version;
        let mut outcome = None;
        let mut known = Vec::new();
        self.tell_beginning();
        for _ in 0..200 {
            reconcile.keep_time(self.now, self.process_began);
            match reconcile.next(self.now, &mut self.claims, &mut self.limiter, outcome.take()) {
                Next::Wait(until) => self.now = until,
                Next::Perform { rule, effect } => {
                    let came = self.perform(object, &mut version, &effect);
                    if self.told.is_some() {
                        let facts = telling::facts(reconcile.view());
                        let new: Vec<String> = facts
                            .iter()
                            .filter(|fact| !known.contains(*fact))
                            .cloned()
                            .collect();
                        self.tell_step(&new, rule, &effect, came.as_ref());
                        known = facts;
                    }
                    if came.is_none() {
                        self.restart();
                        return None;
                    }
                    outcome = came;
                }
                Next::Settled(settled) => {
                    self.tell_end(&settled);
                    self.events
                        .extend(settled.events.iter().map(|event| event.reason));
                    if self.objects.contains_key(object) {
                        self.memory.insert(claimant.uid.clone(), settled.memory.clone());
                    }
                    self.claims
                        .release(&reconcile.claimant(), reconcile.view().standing_claims());
                    if settled.list == SharedList::Wanted {
                        self.list();
                    }
                    return Some(*settled);
                }
            }
        }
        panic!("a reconcile that never ends: {:?}", self.kinds());
    }

    /// Lives on: reconciles at the instants that they name, and a moment after each of their own writes to the object.
    pub(in crate::lifecycle::tests) fn live(&mut self, object: &str, span: Duration) {
        self.lives(object, span, Lists::WhenWanted);
    }

    /// The same where no list is taken. Returns how many reconciles there were.
    pub(in crate::lifecycle::tests) fn live_unlisted(&mut self, object: &str, span: Duration) -> usize {
        self.lives(object, span, Lists::Never)
    }

    /// As [`World::live_unlisted`]; `look` sees the world at the last instant before each reconcile, and at the end.
    pub(in crate::lifecycle::tests) fn live_watched(
        &mut self,
        object: &str,
        span: Duration,
        mut look: impl FnMut(&World),
    ) {
        let end = later(self.now, span);
        while self.now < end && self.objects.contains_key(object) {
            let before = self.objects[object].version;
            let listed = self.snapshot.clone();
            let Some(settled) = self.reconcile(object) else {
                continue;
            };
            self.snapshot = listed;
            let own_event = self.objects.get(object).is_some_and(|o| o.version != before);
            let soon = later(self.now, Duration::from_millis(10));
            let wake = if own_event {
                soon
            } else {
                settled.requeue.at.max(soon)
            };
            self.now = crate::domain::time::earlier(wake.min(end), Duration::from_millis(1)).max(self.now);
            look(self);
            self.now = wake.min(end);
        }
    }

    fn lives(&mut self, object: &str, span: Duration, lists: Lists) -> usize {
        let end = later(self.now, span);
        let mut wake = self.now;
        let mut reconciles = 0;
        while wake <= end {
            self.now = self.now.max(wake);
            let Some(before) = self.objects.get(object).map(|stored| stored.version) else {
                break;
            };
            let listed = self.snapshot.clone();
            let requeue_at = self.reconcile(object).map(|settled| settled.requeue.at);
            reconciles += 1;
            if lists == Lists::Never {
                self.snapshot = listed;
            }
            let Some(after) = self.objects.get(object).map(|stored| stored.version) else {
                break;
            };
            let soon = later(self.now, Duration::from_millis(10));
            wake = match requeue_at {
                Some(at) if before == after => at.max(soon),
                Some(_) | None => soon,
            };
        }
        self.now = self.now.max(end);
        self.land();
        reconciles
    }

    fn perform(&mut self, object: &str, version: &mut u64, effect: &Effect) -> Option<Outcome> {
        let kind = effect.kind();
        while let Some(index) = self.meanwhile.iter().position(|(on, _)| *on == kind) {
            let (_, what) = self.meanwhile.remove(index);
            what(self);
        }
        let started = self.now;
        let slow = self.slow.iter().position(|(on, _)| *on == kind);
        let latency = slow.map(|index| self.slow.remove(index).1);
        let usual = Duration::from_millis(if matches!(effect, Effect::Engine(_)) {
            100
        } else {
            5
        });
        self.now = later(self.now, latency.map_or(usual, |latency| latency.until_done));
        self.land();
        let mut fault = self
            .faults
            .iter_mut()
            .find(|(on, _, times)| *on == kind && *times > 0)
            .map(|f| {
                f.2 -= 1;
                f.1
            });
        let crash = self.crash_at.filter(|(n, _)| *n == self.journal.len());
        if let Some((_, crash)) = crash {
            fault = Some(crash);
            self.crash_at = None;
        }
        self.journal.push((started, kind));
        let outcome = self.befalls(fault, object, version, effect, started);
        if crash.is_some() {
            return None;
        }
        if let Some(latency) = latency {
            self.now = later(self.now, latency.until_answered);
        }
        outcome.map(|outcome| answered_at(outcome, self.now))
    }

    fn befalls(
        &mut self,
        fault: Option<Fault>,
        object: &str,
        version: &mut u64,
        effect: &Effect,
        started: Timestamp,
    ) -> Option<Outcome> {
        match fault {
            None => Some(self.carry_out(object, version, effect, started)),
            Some(Fault::CrashBefore) => None,
            Some(Fault::CrashAfter) => {
                self.carry_out(object, version, effect, started);
                None
            }
            Some(Fault::Forbidden) => Some(Outcome::Cluster(ClusterOutcome::Forbidden {
                detail: "forbidden".to_owned(),
            })),
            Some(Fault::Unpatchable) => Some(Outcome::Cluster(ClusterOutcome::SecretUnpatchable)),
            Some(Fault::Refused) => Some(Outcome::Cluster(ClusterOutcome::KubernetesFailed {
                detail: "refused".to_owned(),
            })),
            Some(Fault::AnswerLost) => {
                self.carry_out(object, version, effect, started);
                if matches!(effect, Effect::Cluster(_)) {
                    return Some(Outcome::Cluster(ClusterOutcome::KubernetesFailed {
                        detail: "no answer".to_owned(),
                    }));
                }
                Some(self.fails(effect, started, failure(FailureClass::Unknown, 504)))
            }
            Some(Fault::DoneThough(class, status)) => {
                self.carry_out(object, version, effect, started);
                Some(self.fails(effect, started, failure(class, status)))
            }
            Some(Fault::CarriedOutAfter(seconds)) => {
                let Effect::Engine(EngineCall::Issue { name, .. }) = effect else {
                    return Some(self.carry_out(object, version, effect, started));
                };
                let recorded = self.objects[object].status.workspace_id.is_some();
                self.late.push(LateIssue {
                    at: later(started, Duration::from_secs(seconds)),
                    name: name.clone(),
                    sent_for: if recorded {
                        SentFor::Record
                    } else {
                        SentFor::Creation
                    },
                });
                Some(self.fails(effect, started, failure(FailureClass::Unknown, 504)))
            }
            Some(Fault::Answers(class, status)) => Some(self.fails(effect, started, failure(class, status))),
        }
    }

    pub(in crate::lifecycle::tests) fn answer<T>(
        &self,
        started: Timestamp,
        result: Result<T, Failure>,
    ) -> Answer<T> {
        Answer {
            finished: self.now,
            took: elapsed(started, self.now),
            date: self.engine.date(self.now),
            requests: self.requests,
            result,
        }
    }

    pub(in crate::lifecycle::tests) fn fails(
        &self,
        effect: &Effect,
        started: Timestamp,
        failure: Failure,
    ) -> Outcome {
        match effect {
            Effect::Engine(EngineCall::Search(_)) => {
                Outcome::Engine(EngineAnswer::Searched(self.answer(started, Err(failure))))
            }
            Effect::Engine(EngineCall::Get(_)) => {
                Outcome::Engine(EngineAnswer::Got(self.answer(started, Err(failure))))
            }
            Effect::Engine(EngineCall::Issue { .. }) => {
                Outcome::Engine(EngineAnswer::Issued(self.answer(started, Err(failure))))
            }
            Effect::Engine(EngineCall::Verify(_)) => {
                Outcome::Engine(EngineAnswer::Verified(self.answer(started, Err(failure))))
            }
            Effect::Engine(EngineCall::Update { .. }) => {
                Outcome::Engine(EngineAnswer::Updated(self.answer(started, Err(failure))))
            }
            Effect::Engine(EngineCall::Delete(_)) => {
                // As the client tells it.
                let result = match failure.class {
                    FailureClass::Missing => Ok(Deleted::AlreadyGone),
                    _ => Err(failure),
                };
                Outcome::Engine(EngineAnswer::Deleted(self.answer(started, result)))
            }
            other => panic!("{} is not remote", other.kind()),
        }
    }

    pub(in crate::lifecycle::tests) fn carry_out(
        &mut self,
        object: &str,
        version: &mut u64,
        effect: &Effect,
        started: Timestamp,
    ) -> Outcome {
        match effect {
            Effect::Cluster(ClusterEffect::ReadObject) => self.read(object, version),
            Effect::Cluster(ClusterEffect::AddFinalizer) => {
                self.write(object, version, |o| o.facts.finalizer = Finalizer::Present)
            }
            Effect::Cluster(ClusterEffect::RemoveFinalizer) => {
                self.write(object, version, |o| o.facts.finalizer = Finalizer::Absent)
            }
            Effect::Cluster(ClusterEffect::WriteStatus(status)) => {
                self.write(object, version, |o| o.status = (**status).clone())
            }
            Effect::Cluster(ClusterEffect::ReadSecret { name }) => {
                Outcome::Cluster(ClusterOutcome::Secret(match self.secrets.get(name) {
                    Some(secret) => {
                        LiveSecret::Present(self.secret_facts(&self.objects[object].facts, secret))
                    }
                    None => LiveSecret::Absent,
                }))
            }
            Effect::Cluster(ClusterEffect::TrySecret { name }) => {
                Outcome::Cluster(if self.secrets.contains_key(name) {
                    ClusterOutcome::Conflict
                } else {
                    ClusterOutcome::SecretPossible
                })
            }
            Effect::Cluster(ClusterEffect::WriteSecret(draft)) => {
                let there = self
                    .secrets
                    .get(&draft.name)
                    .map(|secret| &secret.facts.resource_version);
                let fits = match &draft.replace {
                    Replace::Nothing => there.is_none(),
                    Replace::Version(version) => there == Some(version),
                };
                if !fits {
                    return Outcome::Cluster(ClusterOutcome::Conflict);
                }
                self.versions += 1;
                let before = self.secrets.get(&draft.name).map(|secret| &secret.facts);
                if before.is_some_and(|facts| facts.patchable == Patchable::No) {
                    return Outcome::Cluster(ClusterOutcome::SecretUnpatchable);
                }
                let mut facts = SecretFacts {
                    name: draft.name.clone(),
                    resource_version: self.versions.to_string(),
                    ownership: Ownership::Ours,
                    content: Content::Whole(draft.content.clone()),
                    times: Some(draft.times),
                    patchable: Patchable::Yes,
                    labels: draft.decoration.labels.clone(),
                    annotations: draft.decoration.annotations.clone(),
                    kept: Kept::All,
                    decoration_mark: Some(draft.decoration.mark),
                };
                if let Some(admission) = self.admission {
                    admission(&mut facts);
                }
                let controller = Some(self.objects[object].facts.uid.clone());
                self.secrets.insert(
                    draft.name.clone(),
                    Secret {
                        facts: facts.clone(),
                        controller,
                    },
                );
                Outcome::Cluster(ClusterOutcome::SecretWritten(facts))
            }
            Effect::Cluster(ClusterEffect::DecorateSecret(decorated)) => {
                let (version, admission) = (self.versions + 1, self.admission);
                let Some(secret) = self.secrets.get_mut(&decorated.name) else {
                    return Outcome::Cluster(ClusterOutcome::Conflict);
                };
                if secret.facts.resource_version != decorated.resource_version {
                    return Outcome::Cluster(ClusterOutcome::Conflict);
                }
                self.versions = version;
                secret.facts.resource_version = version.to_string();
                secret.facts.labels.extend(decorated.decoration.labels.clone());
                secret
                    .facts
                    .annotations
                    .extend(decorated.decoration.annotations.clone());
                secret.facts.decoration_mark = Some(decorated.decoration.mark);
                if let Some(admission) = admission {
                    admission(&mut secret.facts);
                }
                Outcome::Cluster(ClusterOutcome::SecretDecorated(SecretFacts {
                    ownership: Ownership::Ours,
                    ..secret.facts.clone()
                }))
            }
            Effect::Cluster(ClusterEffect::DeleteSecret {
                name,
                resource_version,
            }) => match self.secrets.get(name) {
                Some(secret) if secret.facts.resource_version != *resource_version => {
                    Outcome::Cluster(ClusterOutcome::Conflict)
                }
                Some(_) | None => {
                    self.secrets.remove(name);
                    Outcome::Cluster(ClusterOutcome::SecretDeleted { name: name.clone() })
                }
            },
            Effect::Cluster(ClusterEffect::ReadCrd) => {
                Outcome::Cluster(ClusterOutcome::Crd(self.crd.clone()))
            }
            Effect::Engine(EngineCall::Search(name)) => Outcome::Engine(EngineAnswer::Searched(
                self.answer(started, Ok(self.engine.search(self.now, name))),
            )),
            Effect::Engine(EngineCall::Get(id)) => {
                let row = self.engine.row(id).cloned();
                Outcome::Engine(EngineAnswer::Got(self.answer(started, Ok(row))))
            }
            Effect::Engine(EngineCall::Issue { name, region }) => {
                self.issued_regions.push(region.clone());
                self.issued_names.push(name.as_str().to_owned());
                let before = self.engine.rows.len();
                let slot = self.engine.issue(self.now, name);
                if self.objects[object].status.workspace_id.is_some() {
                    let made = self.engine.rows.iter().skip(before);
                    self.orphans.extend(made.map(|row| row.workspace.id.clone()));
                }
                let lifetime = self.engine.token_life;
                Outcome::Engine(EngineAnswer::Issued(
                    self.answer(started, Ok(IssuedToken { slot, lifetime })),
                ))
            }
            Effect::Engine(EngineCall::Verify(slot)) => Outcome::Engine(EngineAnswer::Verified(
                self.answer(started, Ok(self.engine.verify(*slot))),
            )),
            Effect::Engine(EngineCall::Update { id, change }) => {
                let result = self.engine.update(id, change);
                Outcome::Engine(EngineAnswer::Updated(self.answer(started, result)))
            }
            Effect::Engine(EngineCall::Delete(id)) => {
                let result = Ok(self.engine.delete(id));
                Outcome::Engine(EngineAnswer::Deleted(self.answer(started, result)))
            }
        }
    }

    pub(in crate::lifecycle::tests) fn read(&mut self, object: &str, version: &mut u64) -> Outcome {
        let Some(stored) = self.objects.get(object) else {
            return Outcome::Cluster(ClusterOutcome::Gone);
        };
        *version = stored.version;
        Outcome::Cluster(ClusterOutcome::Object(Box::new(ObjectState {
            object: stored.facts.clone(),
            declared: stored.spec.clone(),
            stored: stored.status.clone(),
            organization: Some(self.organization.clone()),
        })))
    }

    pub(in crate::lifecycle::tests) fn write(
        &mut self,
        object: &str,
        version: &mut u64,
        how: impl FnOnce(&mut Object),
    ) -> Outcome {
        let Some(stored) = self.objects.get_mut(object) else {
            return Outcome::Cluster(ClusterOutcome::Gone);
        };
        if stored.version != *version {
            return Outcome::Cluster(ClusterOutcome::Conflict);
        }
        self.versions += 1;
        stored.version = self.versions;
        how(stored);
        let held = self.held_by_others.contains(object);
        if stored.facts.deletion == Deletion::Requested
            && stored.facts.finalizer == Finalizer::Absent
            && !held
        {
            self.remove(object);
            return Outcome::Cluster(ClusterOutcome::Gone);
        }
        match self.read(object, version) {
            Outcome::Cluster(ClusterOutcome::Object(state)) => {
                Outcome::Cluster(ClusterOutcome::Object(Box::new(ObjectState {
                    organization: None,
                    ..*state
                })))
            }
            other => other,
        }
    }
}
