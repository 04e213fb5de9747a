//! Hostile facts and hostile answers, drawn from a row of numbers so that a failing case shrinks to few of them.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::crd::conditions::{ConditionDraft, ConditionStatus, READY, SYNCED, TOKEN_READY, set_conditions};
use crate::crd::holder::{Hold, Holder};
use crate::crd::metadata_keys;
use crate::crd::workspace::{
    AdoptionPolicy, Creation, CreationClock, DeletionPolicy, MissingWorkspace, Origin, TokenSecret,
    WorkspaceSpec, WorkspaceStatus,
};
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::reason::Reason;
use crate::domain::remote::{
    Answer, Deleted, Failure, FailureClass, RemoteState, RemoteWorkspace, TokenScope, WorkspaceState,
};
use crate::domain::time::Uptime;
use crate::domain::verification::{Missing, Verification};
use crate::lifecycle::effect::{
    ClusterEffect, ClusterOutcome, CrdState, Effect, EngineAnswer, EngineCall, IssuedToken, LiveSecret,
    ObjectState, Outcome, Replace, TokenSlot,
};
use crate::lifecycle::facts::{
    Content, Kept, ListEntry, ObjectFacts, OrganizationFacts, Ownership, Patchable, SecretContent,
    SecretFacts,
};
use crate::lifecycle::schedule::TokenTimes;
use crate::lifecycle::tests::harness::world::{OPERATOR, World, at, org, spec};
use crate::lifecycle::view::View;
use crate::limits::{Pressure, RateLimiter};

/// A row of numbers, read one by one; at its end there are only noughts.
pub(in crate::lifecycle::tests) struct Dice {
    numbers: std::vec::IntoIter<u8>,
}

impl Dice {
    pub(in crate::lifecycle::tests) fn new(numbers: Vec<u8>) -> Self {
        Self {
            numbers: numbers.into_iter(),
        }
    }

    /// The first is the tame one.
    pub(in crate::lifecycle::tests) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        let number = usize::from(self.numbers.next().unwrap_or_default());
        of[number % of.len()].clone()
    }

    fn odds(&mut self, one_in: u8) -> bool {
        self.numbers.next().unwrap_or_default() % one_in == one_in - 1
    }

    fn maybe<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.odds(2).then(|| what(self))
    }

    fn instant(&mut self) -> Timestamp {
        let seconds = self.pick(&[0, -1, -20, -59, -61, -100, -700, -900, -5000, 1, 31, 9000]);
        self.pick(&[
            at(seconds),
            at(seconds),
            at(seconds),
            Timestamp::MIN,
            Timestamp::MAX,
        ])
    }

    fn name(&mut self) -> WorkspaceName {
        WorkspaceName::from(self.pick(&["acme", "zenith", "ACME", " acme", "default", "theirs"]))
    }

    fn id(&mut self) -> WorkspaceId {
        WorkspaceId::from(self.pick(&["ws-1", "ws-2", "ws-3"]))
    }

    fn organization_id(&mut self) -> OrganizationId {
        OrganizationId::from(self.pick(&["org-1", "org-1", "org-1", "org-2"]))
    }

    fn uid(&mut self) -> Uid {
        Uid::from(self.pick(&["uid-1", "uid-1", "uid-1", "uid-2"]))
    }

    fn state(&mut self) -> WorkspaceState {
        self.pick(&[WorkspaceState::Active, WorkspaceState::Inactive])
    }

    fn row(&mut self) -> RemoteWorkspace {
        let state = RemoteState::Known(self.state());
        RemoteWorkspace {
            id: self.id(),
            name: self.name(),
            organization_id: self.maybe(Self::organization_id),
            state: self.pick(&[state, state, state, RemoteState::Unknown]),
            tombstone: self.odds(8),
            created_at: self.maybe(Self::instant),
        }
    }

    fn declared(&mut self) -> WorkspaceSpec {
        let mut declared = spec(self.name().as_str());
        declared.status = self.maybe(Self::state);
        declared.deletion_policy =
            self.pick(&[None, Some(DeletionPolicy::Delete), Some(DeletionPolicy::Retain)]);
        declared.adoption_policy = self.pick(&[None, Some(AdoptionPolicy::ByName)]);
        declared.workspace_id = self.odds(6).then(|| self.id());
        declared.suspend = self.odds(6).then_some(true);
        declared.token_secret = self.pick(&[
            None,
            None,
            Some(TokenSecret {
                enabled: Some(false),
                ..TokenSecret::default()
            }),
            Some(TokenSecret {
                name: Some("other".to_owned()),
                ..TokenSecret::default()
            }),
        ]);
        declared
    }

    fn stored(&mut self) -> WorkspaceStatus {
        let clock = self.pick(&[
            CreationClock::Server,
            CreationClock::Estimated,
            CreationClock::Local,
        ]);
        WorkspaceStatus {
            operator: self.holder(),
            observed_generation: self.maybe(|_| 1),
            uid: self.maybe(Self::uid).or(Some(Uid::from("uid-1"))),
            workspace_id: self.maybe(Self::id),
            organization_id: Some(self.organization_id()),
            name: Some(self.name()),
            state: self.maybe(Self::state),
            origin: self.pick(&[Some(Origin::Created), Some(Origin::Adopted), None]),
            deletion_policy: self.pick(&[None, Some(DeletionPolicy::Delete), Some(DeletionPolicy::Retain)]),
            creation: self.maybe(|dice| Creation {
                uid: dice.uid(),
                organization_id: dice.organization_id(),
                name: dice.name(),
                at: k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime(dice.instant()),
                clock,
            }),
            missing: self.odds(6).then(|| MissingWorkspace {
                since: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(self.instant()),
                confirmed: self.odds(2),
            }),
            observed_organization_id: self.odds(8).then(|| self.organization_id()),
            token_secret_name: self.maybe(|dice| dice.pick(&["acme-token", "other", "third"]).to_owned()),
            last_handled_reconcile_at: None,
            conditions: self.odds(2).then(Self::all_well).unwrap_or_default(),
        }
    }

    /// Mostly this operator, which knows that `a/gone` is gone.
    fn holder(&mut self) -> Option<Holder> {
        let lease = self.pick(&[OPERATOR, OPERATOR, OPERATOR, "", "a/gone", "a/alive"]);
        let hold = self.pick(&[Hold::Firm, Hold::Firm, Hold::Provisional]);
        (!lease.is_empty()).then(|| Holder {
            lease: lease.into(),
            hold,
        })
    }

    /// What a reconcile stored that found all well.
    fn all_well() -> Vec<Condition> {
        let told = [
            (READY, Reason::AsDeclared),
            (SYNCED, Reason::AsDeclared),
            (TOKEN_READY, Reason::TokenVerified),
        ];
        let drafts = told.map(|(kind, reason)| ConditionDraft {
            kind,
            status: ConditionStatus::True,
            reason: reason.as_str(),
            message: String::new(),
        });
        set_conditions(&[], &drafts, 1, at(-900))
    }

    /// A rate limiter, which may be paused.
    pub(in crate::lifecycle::tests) fn limiter(&mut self, now: Uptime) -> RateLimiter {
        let mut limiter = RateLimiter::new(1000);
        if self.odds(4) {
            limiter.observe(now, Pressure::Throttled(Duration::from_secs(3600)));
        }
        limiter
    }

    fn object(&mut self) -> ObjectFacts {
        let going = self.odds(4);
        ObjectFacts {
            uid: Uid::from("uid-1"),
            namespace: "team".to_owned(),
            name: "acme".to_owned(),
            created: at(-9000),
            generation: self.pick(&[1, 2]),
            deletion: if going {
                Deletion::Requested
            } else {
                Deletion::NotRequested
            },
            finalizer: self.pick(&[Finalizer::Present, Finalizer::Absent]),
            reconcile_at: None,
            recreate: self.odds(4).then(|| self.id()),
        }
    }

    fn secret(&mut self, name: &str) -> SecretFacts {
        let content = SecretContent {
            workspace_id: self.id(),
            workspace_name: self.name(),
            organization_id: self.organization_id(),
            api_url: crate::lifecycle::tests::harness::world::API_URL.to_owned(),
        };
        let watched = [(metadata_keys::WORKSPACE_LABEL.to_owned(), "acme".to_owned())].into();
        SecretFacts {
            name: name.to_owned(),
            resource_version: "7".to_owned(),
            ownership: self.pick(&[Ownership::Ours, Ownership::Orphaned, Ownership::Foreign]),
            content: self.pick(&[
                Content::Whole(content.clone()),
                Content::Whole(content),
                Content::Damaged,
            ]),
            times: self.maybe(|dice| TokenTimes {
                server_ahead: None,
                issued_at: dice.instant(),
                expires_at: dice.instant(),
            }),
            patchable: self.pick(&[Patchable::Yes, Patchable::Yes, Patchable::No]),
            labels: self.pick(&[watched, Default::default()]),
            annotations: Default::default(),
            kept: self.pick(&[Kept::All, Kept::Part]),
            decoration_mark: None,
        }
    }

    pub(in crate::lifecycle::tests) fn view(&mut self) -> View {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        let adoption = self.pick(&["", ", adoption: Allowed", ", deletion: Forbidden"]);
        let names = self.pick(&["'*'", "acme", "acme, zenith", ""]);
        let held = self.pick(&[
            "",
            ", {namespaces: {names: [team]}, workspaceNames: [acme, theirs], deletion: Forbidden}",
        ]);
        world.grant(&format!(
            "[{{namespaces: {{names: [team]}}, workspaceNames: [{names}]{adoption}}}{held}]"
        ));
        world.readable().missing = self.pick(&[Missing::Few, Missing::Few, Missing::Few, Missing::Many]);
        let pending = Verification::Pending { why: "?".to_owned() };
        world.readable().verification = self.pick(&[
            Verification::Verified(org()),
            Verification::Verified(org()),
            Verification::Verified(OrganizationId::from("org-2")),
            pending,
        ]);
        let mut view = world.view("acme");
        view.object = self.object();
        view.declared = self.declared();
        view.stored = self.stored();
        if self.odds(10) {
            view.organization = OrganizationFacts::Unreadable {
                name: "default".to_owned(),
            };
        }
        let target = view.target_name();
        view.secrets.target = self.maybe(|dice| dice.secret(&target));
        view.secrets.others = self
            .maybe(|dice| SecretFacts {
                ownership: Ownership::Ours,
                ..dice.secret("third")
            })
            .into_iter()
            .collect();
        // It is looked up by the id in the stored status.
        let listed = view.stored.workspace_id.clone();
        view.listed = self.maybe(|dice| {
            let requested_at = dice.instant();
            let row = dice.maybe(Self::row).zip(listed);
            let row = row.map(|(row, id)| RemoteWorkspace { id, ..row });
            ListEntry {
                requested_at,
                // A list keeps no row of what is deleted.
                row: row.filter(|row| !row.tombstone),
                begun_at: requested_at,
                name_is_shared: dice.odds(4),
                length: usize::from(!dice.odds(4)),
            }
        });
        view.memory.lists_count_after.present = self.maybe(Self::instant);
        view.memory.lists_count_after.absent = self.maybe(Self::instant);
        view.operators.gone = Arc::new(["a/gone".into()].into());
        view.process_began = self.pick(&[at(-9000), at(-9000), at(-20), at(-61), at(0)]);
        view.memory.rename_unclear_at = self.odds(6).then(|| self.instant());
        view
    }

    fn answer<T>(&mut self, now: Timestamp, what: impl FnOnce(&mut Self) -> T) -> Answer<T> {
        let finished = now;
        let classes = [
            (FailureClass::Transient, 503),
            (FailureClass::Throttled(Duration::from_secs(5)), 429),
            (FailureClass::Denied, 403),
            (FailureClass::Rejected, 422),
            (FailureClass::Conflict, 409),
            (FailureClass::Missing, 404),
            (FailureClass::Malformed, 200),
            (FailureClass::Unknown, 504),
        ];
        let result = if self.odds(8) {
            let (class, status) = self.pick(&classes);
            Err(Failure {
                class,
                status: Some(status),
                detail: "so it is".to_owned(),
            })
        } else {
            Ok(what(self))
        };
        let date = self.instant();
        let date = self.pick(&[Some(now), Some(now), Some(date), None]);
        Answer {
            finished,
            took: Duration::from_millis(100),
            date,
            requests: 1,
            result,
        }
    }

    /// Any answer that fits the effect in kind; what Kubernetes stores it stores faithfully.
    pub(in crate::lifecycle::tests) fn outcome(&mut self, view: &View, effect: &Effect) -> Outcome {
        let now = view.now;
        if matches!(effect, Effect::Cluster(_)) && self.odds(10) {
            let refused = Outcome::Cluster(ClusterOutcome::KubernetesFailed {
                detail: "refused".to_owned(),
            });
            return self.pick(&[refused, Outcome::Cluster(ClusterOutcome::Conflict)]);
        }
        let mut state = ObjectState {
            object: view.object.clone(),
            declared: view.declared.clone(),
            stored: view.stored.clone(),
            organization: None,
        };
        match effect {
            Effect::Cluster(ClusterEffect::ReadObject) => {
                if self.odds(3) {
                    state.declared = self.declared();
                    state.object.generation += 1;
                }
                // Another process has written.
                if self.odds(3) {
                    state.stored = self.stored();
                }
                // An administrator may have changed the Organization.
                let changed = OrganizationFacts::Unreadable {
                    name: "default".to_owned(),
                };
                let live = if self.odds(10) {
                    changed
                } else {
                    view.organization.clone()
                };
                state.organization = Some(live);
                Outcome::Cluster(ClusterOutcome::Object(Box::new(state)))
            }
            Effect::Cluster(ClusterEffect::AddFinalizer) => {
                state.object.finalizer = Finalizer::Present;
                Outcome::Cluster(ClusterOutcome::Object(Box::new(state)))
            }
            Effect::Cluster(ClusterEffect::RemoveFinalizer) => Outcome::Cluster(ClusterOutcome::Gone),
            Effect::Cluster(ClusterEffect::WriteStatus(status)) => {
                state.stored = (**status).clone();
                Outcome::Cluster(ClusterOutcome::Object(Box::new(state)))
            }
            Effect::Cluster(ClusterEffect::ReadSecret { name }) => Outcome::Cluster(ClusterOutcome::Secret(
                match self.maybe(|dice| dice.secret(name)) {
                    Some(facts) => LiveSecret::Present(facts),
                    None => LiveSecret::Absent,
                },
            )),
            Effect::Cluster(ClusterEffect::TrySecret { .. }) => {
                Outcome::Cluster(ClusterOutcome::SecretPossible)
            }
            Effect::Cluster(ClusterEffect::WriteSecret(draft)) => {
                if draft.replace != Replace::Nothing && self.odds(8) {
                    return Outcome::Cluster(ClusterOutcome::SecretUnpatchable);
                }
                let content = Content::Whole(draft.content.clone());
                Outcome::Cluster(ClusterOutcome::SecretWritten(SecretFacts {
                    name: draft.name.clone(),
                    resource_version: "8".to_owned(),
                    ownership: Ownership::Ours,
                    content: self.pick(&[content.clone(), content.clone(), content, Content::Damaged]),
                    times: Some(draft.times),
                    patchable: Patchable::Yes,
                    labels: self.pick(&[draft.decoration.labels.clone(), Default::default()]),
                    annotations: draft.decoration.annotations.clone(),
                    kept: Kept::All,
                    decoration_mark: Some(draft.decoration.mark),
                }))
            }
            Effect::Cluster(ClusterEffect::DecorateSecret(decorated)) => {
                let facts = self.secret(&decorated.name);
                Outcome::Cluster(ClusterOutcome::SecretDecorated(SecretFacts {
                    ownership: Ownership::Ours,
                    ..facts
                }))
            }
            Effect::Cluster(ClusterEffect::DeleteSecret { name, .. }) => {
                Outcome::Cluster(ClusterOutcome::SecretDeleted { name: name.clone() })
            }
            Effect::Cluster(ClusterEffect::ReadCrd) => {
                let unreadable = CrdState::Unreadable { why: "?".to_owned() };
                Outcome::Cluster(ClusterOutcome::Crd(self.pick(&[
                    CrdState::Serving,
                    CrdState::Serving,
                    CrdState::Going,
                    unreadable,
                ])))
            }
            Effect::Engine(EngineCall::Search(_)) => {
                Outcome::Engine(EngineAnswer::Searched(self.answer(now, |dice| {
                    let row = dice.row();
                    let other = dice.row();
                    dice.pick(&[vec![], vec![row.clone()], vec![row, other]])
                })))
            }
            Effect::Engine(EngineCall::Get(id)) => {
                let id = id.clone();
                Outcome::Engine(EngineAnswer::Got(self.answer(now, |dice| {
                    let row = RemoteWorkspace { id, ..dice.row() };
                    dice.pick(&[Some(row.clone()), Some(row.clone()), Some(row), None])
                })))
            }
            Effect::Engine(EngineCall::Issue { .. }) => {
                Outcome::Engine(EngineAnswer::Issued(self.answer(now, |dice| IssuedToken {
                    slot: TokenSlot(1),
                    lifetime: Duration::from_secs(dice.pick(&[1200, 0, 5, u64::MAX])),
                })))
            }
            Effect::Engine(EngineCall::Verify(_)) => {
                Outcome::Engine(EngineAnswer::Verified(self.answer(now, |dice| TokenScope {
                    workspace_id: dice.id(),
                    organization_id: dice.maybe(Self::organization_id),
                    workspace_name: None,
                })))
            }
            Effect::Engine(EngineCall::Update { id, .. }) => {
                let id = id.clone();
                Outcome::Engine(EngineAnswer::Updated(
                    self.answer(now, |dice| RemoteWorkspace { id, ..dice.row() }),
                ))
            }
            Effect::Engine(EngineCall::Delete(_)) => {
                Outcome::Engine(EngineAnswer::Deleted(self.answer(now, |_| Deleted::Removed)))
            }
        }
    }
}
