//! Laws asked when all has been calm for long enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::state::are_near;
use super::{ALL_IS_SETTLED, FEW_CALLS, LEAVES_NO_ORPHAN, NOT_ITS_OWN_RIVAL, ONE_EACH, QUIET_WHEN_CALM};
use crate::crd::conditions::{self, READY, SYNCED, TOKEN_READY};
use crate::domain::ids::{Uid, WorkspaceName};
use crate::domain::reason::{Kstatus, Reason};
use crate::simulation::cluster::{Key, WorkspaceObject};
use crate::simulation::world::World;
use crate::simulation::{Millis, wall};

/// The part of the calm in which nothing may be written any more.
const LAST: Millis = 20 * 60_000;

/// Calls of one object in the last hour: six renewals of three calls, and four refused attempts of two; or five renewals, and four
/// renames of three that the API makes another name of.
const CALLS_AN_HOUR: usize = 27;

/// The same in the first hour of an object that fails: 20 calls beside its renewals.
const CALLS_IN_A_FIRST_HOUR: usize = CALLS_AN_HOUR + 11;

/// What stopped at a person's word may wait for it.
fn waits_for_a_person(reason: Reason) -> bool {
    reason == Reason::ManyWorkspacesMissing || reason.kstatus() == Kstatus::Stalled
}

/// The name of the creation in flight, or the declared one.
fn intended(object: &WorkspaceObject) -> &WorkspaceName {
    let intent = object.status.creation.as_ref();
    intent.map_or(&object.spec.name, |intent| &intent.name)
}

impl World {
    pub(in crate::simulation) fn look_at_the_end(&mut self) {
        self.look();
        let objects: Vec<Arc<WorkspaceObject>> = self.cluster.workspaces.values().cloned().collect();
        for object in &objects {
            self.is_settled(object);
        }
        self.has_one_each();
        self.leaves_no_orphan();
        self.is_quiet();
        self.makes_few_calls();
    }

    fn is_settled(&mut self, object: &WorkspaceObject) {
        let key = &object.key;
        let ready = conditions::find(&object.status.conditions, READY).cloned();
        let Some(ready) = ready else {
            return self.break_law(ALL_IS_SETTLED, |_| format!("{key:?} says nothing"));
        };
        let reason = Reason::parse(&ready.reason);
        let settled = reason.is_some_and(|reason| match reason.kstatus() {
            Kstatus::Ready => object.metadata.deletion.is_none(),
            Kstatus::Stalled => true,
            Kstatus::Reconciling => false,
        });
        if !settled && !reason.is_some_and(waits_for_a_person) && !object.spec.is_suspended() {
            return self.break_law(ALL_IS_SETTLED, |_| {
                format!("{key:?} is {}: {}", ready.reason, ready.message)
            });
        }
        let rival = match reason {
            // Whether the API made that of the name, or somebody else a near-equal one, nothing tells.
            Some(Reason::CreationUncertain) if self.is_kept_otherwise(object) => None,
            Some(Reason::AlreadyExists | Reason::SimilarNameExists | Reason::CreationUncertain) => {
                self.own_rival(object)
            }
            Some(Reason::WorkspaceNotFound) => self.is_there_after_all(object),
            Some(Reason::DeletionBlocked) => self.blocked_without_cause(object, &ready.message),
            _ => None,
        };
        if let Some(rival) = rival {
            self.break_law(NOT_ITS_OWN_RIVAL, |_| {
                format!("{key:?} is {}: {rival}", ready.reason)
            });
        }
    }

    /// A live workspace of this object's making that stands in its way, and none of others does.
    fn own_rival(&self, object: &WorkspaceObject) -> Option<String> {
        if !self.windows_mean_something() {
            return None;
        }
        let uid = &object.metadata.uid;
        let rows = self
            .engine
            .organizations
            .iter()
            .flat_map(|remote| remote.rows.values());
        let near: Vec<_> = rows
            .filter(|row| row.deleted.is_none() && are_near(&row.workspace.name, &object.spec.name))
            .filter(|row| object.recorded() != Some(&row.workspace.id))
            .collect();
        let own = near
            .iter()
            .find(|row| row.maker.as_ref() == Some(uid) && row.touched.is_none())?;
        let others = near.iter().any(|row| row.maker.as_ref() != Some(uid));
        let excused = others || self.made_beside_its_own(uid);
        (!excused).then(|| format!("{} is of its own making", own.workspace.id))
    }

    /// The server keeps the name that the object asks for in another form.
    fn is_kept_otherwise(&self, object: &WorkspaceObject) -> bool {
        let intended = intended(object);
        self.engine.knobs.keeps_names.form(intended) != *intended
    }

    /// A deletion is blocked, and no person need change anything for it.
    fn blocked_without_cause(&self, object: &WorkspaceObject, why: &str) -> Option<String> {
        let held_back = why.contains("claimed by") || why.contains("many workspaces");
        let undecided = why.contains("nothing can tell") && self.is_undecidable(object, why);
        let beside = self.made_beside_its_own(&object.metadata.uid);
        let lawful = held_back || undecided || beside || self.opens_another(object);
        (!lawful).then(|| why.to_owned())
    }

    /// Nothing tells this object's workspaces from those of others, or the one named is indeed of others.
    fn is_undecidable(&self, object: &WorkspaceObject, why: &str) -> bool {
        let intended = intended(object);
        let mut rows = self
            .engine
            .organizations
            .iter()
            .flat_map(|remote| remote.rows.values());
        !self.windows_mean_something()
            || self.is_kept_otherwise(object)
            || rows.any(|row| {
                let own = row.maker.as_ref() == Some(&object.metadata.uid) && row.touched.is_none();
                let named = why.contains(&format!("({})", row.workspace.id));
                // Of two that were made within the window, either may be named.
                let beside = are_near(&row.workspace.name, intended);
                row.deleted.is_none() && !own && (named || beside)
            })
    }

    /// The credential opens another organization than its Organization was verified for, or than the object's workspace is in.
    fn opens_another(&self, object: &WorkspaceObject) -> bool {
        let name = object.spec.organization_name();
        let Some(organization) = self.cluster.organizations.get(name) else {
            return false;
        };
        let pinned = organization.status.organization_id.as_ref();
        let opens = self
            .cluster
            .credentials
            .get(&organization.spec.credentials_secret_ref.name)
            .map(|credential| format!("org-{}", credential.opens));
        let intended = object.status.creation.as_ref().map(|of| &of.organization_id);
        let bound = object.status.organization_id.as_ref().or(intended);
        opens.is_some_and(|opens| {
            let mut meant = pinned.into_iter().chain(bound);
            meant.any(|organization| organization.as_str() != opens)
        })
    }

    fn is_there_after_all(&self, object: &WorkspaceObject) -> Option<String> {
        let id = object.recorded()?;
        let n = self
            .engine
            .organizations
            .iter()
            .position(|remote| remote.rows.contains_key(id))?;
        let own = format!("org{n}") == object.spec.organization_name();
        (own && self.engine.live(n, id).is_some()).then(|| format!("{id} is there"))
    }

    fn leaves_no_orphan(&mut self) {
        if !self.windows_mean_something() {
            return;
        }
        let mut orphans = Vec::new();
        for remote in &self.engine.organizations {
            for row in remote
                .rows
                .values()
                .filter(|row| row.deleted.is_none() && row.touched.is_none())
            {
                let Some(maker) = &row.maker else { continue };
                let recorded = self.recorder(&row.workspace.id).is_some();
                // A tenant may have lost its record by its own hand, or have kept the workspace on purpose; so may one that had
                // adopted it meanwhile.
                let mut holders = row.recorded_by.iter().chain([maker]);
                let let_go = holders
                    .any(|uid| self.laws.let_go_by_hand.contains(uid) || self.laws.may_leave.contains(uid))
                    || self.made_beside_its_own(maker);
                let uncertain = self.owner(maker).is_some_and(|owner| {
                    // One that is suspended searches no more, and cannot say what stopped it before.
                    let near = remote.rows.values().any(|other| {
                        let of_others = other.maker.as_ref() != Some(maker) && other.deleted.is_none();
                        of_others && are_near(&other.workspace.name, &row.workspace.name)
                    });
                    let rests = owner.spec.is_suspended() && (near || owner.status.creation.is_some());
                    rests
                        || conditions::reason(&owner.status.conditions, READY)
                            .and_then(Reason::parse)
                            .is_some_and(waits_for_a_person)
                });
                if !recorded && !let_go && !uncertain {
                    orphans.push((
                        row.workspace.id.clone(),
                        row.workspace.name.clone(),
                        maker.clone(),
                    ));
                }
            }
        }
        if let Some((id, name, maker)) = orphans.first() {
            let there = self.owner(maker).is_some();
            self.break_law(LEAVES_NO_ORPHAN, |_| {
                format!(
                    "{id} ({:?}), made by {maker}, is recorded by no object; its object is there: {there}",
                    name.as_str()
                )
            });
        }
    }

    fn has_one_each(&mut self) {
        if !self.windows_mean_something() {
            return;
        }
        let remotes = self.engine.organizations.iter();
        let mut left = BTreeMap::<&Uid, usize>::new();
        for row in remotes.flat_map(|remote| remote.rows.values()) {
            if let Some(maker) = row.maker.as_ref().filter(|maker| row.stands_as_made_by(maker)) {
                *left.entry(maker).or_default() += 1;
            }
        }
        let excused = |uid: &Uid| self.laws.may_leave.contains(uid) || self.made_beside_its_own(uid);
        let several = left
            .into_iter()
            .find(|(uid, count)| *count > 1 && self.owner(uid).is_some() && !excused(uid));
        if let Some((uid, count)) = several.map(|(uid, count)| (uid.clone(), count)) {
            self.break_law(ONE_EACH, |_| {
                format!("{uid} is left with {count} workspaces of its making")
            });
        }
    }

    fn is_quiet(&mut self) {
        // What was stamped ahead ends late.
        if self.set_back_by() > 30 * 60_000 {
            return;
        }
        let from = self.now - LAST;
        let mut late = BTreeMap::<Key, usize>::new();
        for (_, key) in self.laws.status_writes.iter().filter(|(at, _)| *at > from) {
            *late.entry(key.clone()).or_default() += 1;
        }
        // Back-off may end as late as this, and what it tried then is told once; a creation stores its intent before, a loss is
        // told before it is confirmed, and a rename before the token that it allows. What another object's rename has changed for
        // this one is told, too, and what its own has, once the name that rested was free.
        let lawful = |key: &Key| {
            let twice = self.made_its_own_since(key, from)
                || self.misses_it_since(key, from)
                || self.any_changed_since(key, from)
                || [SYNCED, TOKEN_READY]
                    .iter()
                    .all(|kind| self.is_true_since(key, kind, from));
            1 + usize::from(twice)
        };
        if let Some((key, count)) = late.into_iter().find(|(key, count)| *count > lawful(key)) {
            self.break_law(QUIET_WHEN_CALM, |_| {
                format!("{count} statuses of {key:?} are still written")
            });
        }
    }

    /// Whether the Organization is ready, and was not at that time.
    fn is_ready_since(&self, n: usize, from: Millis) -> bool {
        let organization = self.cluster.organizations.get(&format!("org{n}"));
        organization.is_some_and(|of| self.turned_true_since(&of.status.conditions, READY, from))
    }

    fn is_true_since(&self, key: &Key, kind: &str, from: Millis) -> bool {
        let object = self.cluster.workspaces.get(key);
        object.is_some_and(|of| self.turned_true_since(&of.status.conditions, kind, from))
    }

    fn turned_true_since(&self, all: &[Condition], kind: &str, from: Millis) -> bool {
        conditions::find(all, kind).is_some_and(|condition| {
            condition.status == "True" && condition.last_transition_time.0 > wall(from + self.jumped)
        })
    }

    /// Whether a workspace of its organization was changed: all is calm, so one of our objects did.
    fn any_changed_since(&self, key: &Key, from: Millis) -> bool {
        let object = self.cluster.workspaces.get(key);
        let remote = object.and_then(|object| self.remote_of(object));
        remote.is_some_and(|n| {
            let mut rows = self.engine.organizations[n].rows.values();
            rows.any(|row| row.changed_since(from))
        })
    }

    fn misses_it_since(&self, key: &Key, from: Millis) -> bool {
        let object = self.cluster.workspaces.get(key);
        let missing = object.and_then(|object| object.status.missing.as_ref());
        missing.is_some_and(|missing| missing.since.0 > wall(from + self.jumped))
    }

    fn made_its_own_since(&self, key: &Key, from: Millis) -> bool {
        let Some(object) = self.cluster.workspaces.get(key) else {
            return false;
        };
        let mut rows = self
            .engine
            .organizations
            .iter()
            .flat_map(|remote| remote.rows.values());
        rows.any(|row| row.made > from && row.maker.as_ref() == Some(&object.metadata.uid))
    }

    fn makes_few_calls(&mut self) {
        let from = self.now - 60 * 60_000;
        for n in 0..self.setup.organizations {
            let mut calls = BTreeMap::<&Uid, BTreeMap<&'static str, usize>>::new();
            for (_, who, kind) in self.engine.organizations[n]
                .calls
                .iter()
                .filter(|(at, ..)| *at > from)
            {
                *calls.entry(who).or_default().entry(kind).or_default() += 1;
            }
            // Who was asked to wait until then, or had no Organization that was ready, has its first hour of failures only now; so has
            // one that something new stands in the way of.
            let waited = self.laws.asked_to_wait.get(&n).is_some_and(|until| *until > from)
                || self.is_ready_since(n, from);
            let tells_anew = |key: &Key| {
                let mut writes = self.laws.status_writes.iter();
                writes.any(|(at, of)| *at > from && of == key)
            };
            let most = |object: &WorkspaceObject| match waited || tells_anew(&object.key) {
                true => CALLS_IN_A_FIRST_HOUR,
                false => CALLS_AN_HOUR,
            };
            let mut objects = self.cluster.workspaces.values();
            let dear = objects.find_map(|object| {
                let kinds = calls.remove(&object.metadata.uid)?;
                let sum = kinds.values().sum::<usize>();
                (sum > most(object)).then(|| (object.metadata.uid.clone(), kinds))
            });
            if let Some((who, kinds)) = dear {
                self.break_law(FEW_CALLS, |_| {
                    format!("{who} makes these calls in the last hour: {kinds:?}")
                });
            }
        }
    }
}
