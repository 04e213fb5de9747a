//! Laws asked when an effect is about to happen, or has just happened.

use std::sync::Arc;
use std::time::Duration;

use super::state::are_near;
use super::{
    CHANGES_ITS_OWN, DELETES_AS_DECLARED_NOW, DELETES_ITS_OWN, ISSUES_WHEN_DUE, NO_FALSE_ALARM, ONE_EACH,
    RECORDS_WHAT_IT_MADE, Seen, TOKEN_OF_ITS_RECORD, TWO_STATUSES, are_many,
};
use crate::crd::conditions::{self, READY};
use crate::crd::organization::Permission;
use crate::crd::workspace::{DeletionPolicy, Origin};
use crate::domain::ids::{Uid, WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::WorkspaceState;
use crate::lifecycle::effect::{EngineCall, SecretDraft};
use crate::lifecycle::facts::Content;
use crate::organization::Snapshot;
use crate::simulation::agent_engine::Row;
use crate::simulation::cluster::{Key, WorkspaceObject};
use crate::simulation::process::{Reconciling, Subject};
use crate::simulation::requests::What;
use crate::simulation::world::World;
use crate::simulation::{Millis, namespace_labels, wall};
use crate::tenancy::{Access, tidied};

/// What a live read before an effect may take, with the answers before it.
const MOMENT: Millis = 10_000;

/// A window of an issue, with the slack of two machines' clocks.
const ONE_WINDOW: Millis = 65_000;

/// Marks of a token are off by no more: an issue takes so long at most.
const MARKS_OFF: Duration = Duration::from_secs(30);

/// A renewal begins when a third of the life is left, up to a tenth earlier.
const LEFT_AT_RENEWAL: f64 = 0.45;

/// Since the process was able for so long, its stores know what was done.
const STORES_KNOW: Millis = 60_000;

/// What somebody changed so recently may ask for another token.
const RECENTLY: Millis = 180_000;

impl World {
    fn object_of(&self, uid: &Uid) -> Option<Arc<WorkspaceObject>> {
        let mut objects = self.cluster.workspaces.values();
        objects.find(|object| object.metadata.uid == *uid).cloned()
    }

    pub(in crate::simulation) fn count_call(&mut self, remote: usize, who: &Uid, kind: &&'static str) {
        let now = self.now;
        self.engine.organizations[remote]
            .calls
            .push((now, who.clone(), kind));
    }

    /// A running reconcile has stored a status. What meets a newer object stores nothing, and does not count.
    pub(in crate::simulation) fn count_status_write(&mut self, subject: &Subject) {
        let running = self
            .process
            .as_mut()
            .and_then(|process| process.running.get_mut(subject));
        let Some(running) = running else { return };
        running.status_writes += 1;
        let writes = running.status_writes;
        // A deletion may be asked for in the middle of a creation, what is declared inactive is made first, the intent of a
        // former reconcile may be void as well, a loss may be told before it is replaced, and what was held provisionally is held
        // firmly first. Who else claims its name may change with each write.
        let more = match &running.what {
            Reconciling::Workspace { object, .. } => {
                let switches = object.spec.status == Some(WorkspaceState::Inactive);
                let names = [Some(&object.spec.name), object.status.name.as_ref()];
                let contested = self.cluster.workspaces.values().any(|other| {
                    let theirs = [Some(&other.spec.name), other.status.name.as_ref()];
                    let same = |name: &WorkspaceName| {
                        let mut theirs = theirs.iter().flatten();
                        theirs.any(|their| are_near(their, name))
                    };
                    other.key != object.key && names.iter().flatten().any(|name| same(name))
                });
                // One that has gone may be claimed by in a store that is late.
                let live = self.cluster.workspaces.get(&object.key);
                let reason = live.and_then(|live| conditions::reason(&live.status.conditions, READY));
                running.contested |= contested || reason == Some(Reason::NameClaimed.as_str());
                let deleted = object.metadata.deletion.is_some();
                let replaces = object.recreate.is_some();
                let excused = [
                    deleted,
                    switches,
                    replaces,
                    running.found_provisional,
                    running.found_intent,
                    running.contested,
                ];
                excused.into_iter().map(u32::from).sum()
            }
            Reconciling::Organization { .. } => 0,
        };
        if writes > 3 + more {
            self.break_law(TWO_STATUSES, |_| {
                format!("{subject:?} writes its status {writes} times in one reconcile")
            });
        }
    }

    /// A call is about to be sent.
    pub(in crate::simulation) fn about_to_call(&mut self, object: &Arc<WorkspaceObject>, call: &EngineCall) {
        if let EngineCall::Issue { name, .. } = call {
            let issue = (object.metadata.uid.clone(), name.clone(), self.now);
            self.laws.issues.push(issue);
        }
        let Some(live) = self.cluster.workspaces.get(&object.key).cloned() else {
            return;
        };
        if live.metadata.uid != object.metadata.uid {
            return;
        }
        match call {
            EngineCall::Delete(id) if live.recorded() == Some(id) => {
                self.note_retention(&live);
                let since = self.laws.retained_since.get(&live.metadata.uid).copied();
                if since.is_some_and(|since| self.now - since > MOMENT)
                    && self.now - self.paused_until > MOMENT
                {
                    self.break_law(DELETES_AS_DECLARED_NOW, |world| {
                        let ago = (world.now - since.unwrap_or_default()) / 1000;
                        format!(
                            "{:?} or its Organization says Retain for {ago} s, and {id} is being deleted",
                            live.key
                        )
                    });
                }
            }
            EngineCall::Issue { .. } if live.recorded().is_some() => self.is_due(&live),
            _ => {}
        }
    }

    fn is_due(&mut self, live: &WorkspaceObject) {
        let key = live.secret_key();
        let recently = |at: Option<&Millis>| at.is_some_and(|at| self.now - at < RECENTLY);
        if recently(self.laws.touched.get(&live.key)) || self.jumped != 0 {
            return;
        }
        let Some(secret) = self.cluster.secrets.get(key) else {
            return;
        };
        let Some(token) = secret
            .token
            .and_then(|n| self.engine.tokens.get(usize::try_from(n).ok()?))
        else {
            return;
        };
        let row = self
            .engine
            .organizations
            .iter()
            .find_map(|remote| remote.rows.get(&token.workspace));
        let opens = Some(&token.workspace) == live.recorded() && row.is_some_and(|row| row.touched.is_none());
        let names_it = match &secret.content {
            Content::Whole(content) => Some(&content.workspace_name) == live.status.name.as_ref(),
            Content::Damaged => false,
        };
        let left = (token.ends - self.now) as f64 / self.engine.knobs.token_life as f64;
        // The marks are the schedule, and the operator's clock may have been wrong when it wrote them.
        let marked_right = secret.times.is_some_and(|times| {
            times.expires_at.duration_since(wall(token.ends)).unsigned_abs() < MARKS_OFF
        });
        if opens
            && names_it
            && marked_right
            && left > LEFT_AT_RENEWAL
            && live.status.name.as_ref() == Some(&live.spec.name)
            && secret.is_labelled()
        {
            self.break_law(ISSUES_WHEN_DUE, |_| {
                format!(
                    "{:?}: another token while {:.0} % of the last one is left",
                    live.key,
                    left * 100.0
                )
            });
        }
    }

    /// Others made a workspace within the window of an issue, and it bears or bore exactly that issue's name, or the form in which
    /// an API that tidies keeps it, or a near-equal one that the API takes for it, renamed before anybody read it: nothing in the
    /// contract tells the two apart.
    fn looks_like_its_own(&self, uid: &Uid, row: &Row) -> bool {
        let folds = self.engine.knobs.folds_names;
        let bears = |of: &WorkspaceName| {
            let renamed = !are_near(&row.workspace.name, of);
            row.names()
                .any(|name| name == of || *name == tidied(of) || (folds && renamed && are_near(name, of)))
        };
        let mut issues = self.laws.issues.iter();
        // Without a time of creation the search before the issue decides, and a list may lag.
        let knobs = &self.engine.knobs;
        let lags = |touched: Millis| self.now - touched < knobs.list_lag + ONE_WINDOW;
        let unseen = !knobs.tells_created_at && row.touched.is_some_and(lags);
        row.maker.as_ref() != Some(uid)
            && issues.any(|(who, of, sent)| {
                who == uid && bears(of) && (unseen || (row.made - sent).abs() < ONE_WINDOW)
            })
    }

    pub(in crate::simulation) fn updates(&mut self, remote: usize, who: &Uid, id: &WorkspaceId) {
        let Some(row) = self.engine.live(remote, id) else {
            return;
        };
        if !row.recorded_by.contains(who) {
            let name = row.workspace.name.clone();
            self.break_law(CHANGES_ITS_OWN, |_| {
                format!("{who} changes {id} ({name}), which it never recorded")
            });
        }
    }

    pub(in crate::simulation) fn deletes(&mut self, remote: usize, who: &Uid, id: &WorkspaceId) {
        let Some(row) = self.engine.live(remote, id) else {
            return;
        };
        let own = row.maker.as_ref() == Some(who)
            || row.recorded_by.contains(who)
            || self.looks_like_its_own(who, row);
        if !own {
            let name = row.workspace.name.clone();
            let maker = row.maker.clone();
            self.break_law(DELETES_ITS_OWN, |_| {
                format!("{who} deletes {id} ({name:?}), made by {maker:?}")
            });
        }
    }

    /// An issue made a workspace. Where windows mean nothing, a lost creation may stay uncertain, and another is declared.
    pub(in crate::simulation) fn makes(&mut self, who: &Uid, made: &WorkspaceId) {
        if !self.windows_mean_something() || self.made_beside_its_own(who) {
            return;
        }
        let remotes = self.engine.organizations.iter();
        let mut rows = remotes.flat_map(|remote| remote.rows.values());
        let other = rows.find(|row| row.stands_as_made_by(who) && row.workspace.id != *made);
        if let Some(other) = other.map(|row| row.workspace.id.clone()) {
            self.break_law(ONE_EACH, |_| format!("{who} makes {made} beside {other}"));
        }
    }

    /// A status was stored.
    pub(in crate::simulation) fn status_written(&mut self, object: &Arc<WorkspaceObject>) {
        self.laws.status_writes.push((self.now, object.key.clone()));
        self.note_retention(object);
        let uid = &object.metadata.uid;
        if let Some(creation) = &object.status.creation {
            self.laws
                .issues
                .push((uid.clone(), creation.name.clone(), self.now));
        }
        let Some(id) = object.recorded().cloned() else {
            return;
        };
        let mut organizations = self.engine.organizations.iter_mut();
        let row = organizations.find_map(|remote| remote.rows.get_mut(&id));
        let known = row.is_some_and(|row| !row.recorded_by.insert(uid.clone()));
        if known {
            return;
        }
        let row = self
            .engine
            .organizations
            .iter()
            .find_map(|remote| remote.rows.get(&id));
        if row.is_some_and(|row| self.looks_like_its_own(uid, row)) {
            return;
        }
        let maker = row.and_then(|row| row.maker.clone());
        if object.status.origin == Some(Origin::Created) && maker.as_ref() != Some(uid) {
            self.break_law(RECORDS_WHAT_IT_MADE, |_| {
                format!(
                    "{:?} ({uid}) records {id} as created; it was made by {maker:?}",
                    object.key
                )
            });
        }
    }

    /// Agent Engine asked for no requests, for so many seconds.
    pub(in crate::simulation) fn asked_to_wait(&mut self, remote: usize, seconds: u64) {
        self.asked_to_wait_until(
            remote,
            self.now + Millis::try_from(seconds).unwrap_or(Millis::MAX / 4) * 1000,
        );
    }

    pub(in crate::simulation) fn asked_to_wait_until(&mut self, remote: usize, until: Millis) {
        let known = self.laws.asked_to_wait.entry(remote).or_default();
        *known = until.max(*known);
    }

    /// A list was published: what it shows truly, the process has seen.
    pub(in crate::simulation) fn listed(&mut self, name: &str, organization: &Uid, list: &Snapshot) {
        let objects: Vec<_> = self.cluster.workspaces.values().cloned().collect();
        for object in objects
            .iter()
            .filter(|object| object.spec.organization_name() == name)
        {
            let Some(id) = object.recorded() else { continue };
            let Some((shown, asked)) = list.on(id).map(|listed| (listed.row, listed.requested_at)) else {
                continue;
            };
            let truly = self
                .engine
                .organizations
                .iter()
                .find_map(|remote| remote.rows.get(id));
            // What was asked before the last change shows it only by chance.
            let changed = truly.and_then(|row| row.touched);
            if changed.is_some_and(|at| asked < wall(at + self.jumped)) {
                continue;
            }
            let truly = truly
                .filter(|row| row.deleted.is_none())
                .map(|row| &row.workspace);
            if shown == truly {
                let seen = Seen {
                    at: self.now,
                    listed_by: Some(organization.clone()),
                    id: id.clone(),
                    row: shown.cloned(),
                };
                self.laws.seen.insert(object.metadata.uid.clone(), seen);
            }
        }
    }

    /// A list was doubted because it lacks many. What the operator deleted itself, and what it has reported, is none of them.
    pub(in crate::simulation) fn doubted(&mut self, name: &str, list: &Snapshot) {
        // A store that lags does not know yet what was done.
        let is_behind = self.cluster.workspace_feed.is_behind();
        if is_behind || self.is_hindered() || self.now - self.laws.able_since < STORES_KNOW {
            return;
        }
        let (mut managed, mut lost) = (0, 0);
        let users = self.cluster.workspaces.values();
        for object in users.filter(|object| object.spec.organization_name() == name) {
            let Some(id) = object.recorded().filter(|_| !object.is_let_go()) else {
                continue;
            };
            managed += 1;
            let lacks = list.on(id).is_some_and(|listed| listed.row.is_none());
            let mut remotes = self.engine.organizations.iter();
            let row = remotes.find_map(|remote| remote.rows.get(id));
            let by_itself = row.is_some_and(|row| row.deleted.is_some() && row.touched.is_none());
            lost += usize::from(lacks && !by_itself && !object.reports_its_loss());
        }
        // A list without a row is doubted for any that it lacks: even `default` is hidden.
        let is_empty = list.on(&"any".into()).is_some_and(|listed| listed.length == 0);
        let may_be_doubted = are_many(lost, managed) || (is_empty && lost > 0);
        if !may_be_doubted {
            self.break_law(NO_FALSE_ALARM, |_| {
                format!("a list of {name} is doubted, and lacks {lost} of {managed} that the operator did not delete")
            });
        }
    }

    /// A Secret is about to be written.
    pub(in crate::simulation) fn about_to_publish(
        &mut self,
        object: &Arc<WorkspaceObject>,
        token: u64,
        _: &SecretDraft,
    ) {
        let Some(token) = usize::try_from(token)
            .ok()
            .and_then(|n| self.engine.tokens.get(n))
        else {
            return;
        };
        let opens = token.workspace.clone();
        let uid = &object.metadata.uid;
        let row = self
            .engine
            .organizations
            .iter()
            .find_map(|remote| remote.rows.get(&opens));
        let lawful = match object.recorded() {
            Some(id) => *id == opens,
            None => {
                row.is_some_and(|row| row.maker.as_ref() == Some(uid) || self.looks_like_its_own(uid, row))
            }
        };
        if !lawful {
            let maker = row.and_then(|row| row.maker.clone());
            self.break_law(TOKEN_OF_ITS_RECORD, |_| {
                format!(
                    "{:?} ({uid}) is handed a token for {opens}, made by {maker:?}",
                    object.key
                )
            });
        }
    }

    /// The finalizer is about to come off.
    pub(in crate::simulation) fn about_to_release(&mut self, key: &Key, version: u64) {
        let Some(live) = self
            .cluster
            .workspaces
            .get(key)
            .filter(|live| live.metadata.version == version)
        else {
            return;
        };
        let live = live.clone();
        self.note_retention(&live);
    }

    /// Whether the object's workspace would be retained if the object went now, as it is stored.
    pub(super) fn retains(&self, object: &WorkspaceObject) -> bool {
        if self.cluster.definition_goes {
            return true;
        }
        let organization = self.cluster.organizations.get(object.spec.organization_name());
        let default = organization.and_then(|o| o.spec.defaults.as_ref()?.deletion_policy);
        let by_origin = match object.status.origin {
            Some(Origin::Adopted) => DeletionPolicy::Retain,
            Some(Origin::Created) | None => DeletionPolicy::Delete,
        };
        let policy = object
            .spec
            .deletion_policy
            .or(default)
            .or(object.status.deletion_policy)
            .unwrap_or(by_origin);
        if policy == DeletionPolicy::Retain {
            return true;
        }
        let name = object.status.name.as_ref().or(object
            .status
            .creation
            .as_ref()
            .map(|creation| &creation.name));
        organization.zip(name).is_some_and(|(organization, name)| {
            let access = Access::resolve(
                &organization.spec.access,
                &object.key.0,
                namespace_labels(&object.key.0),
            );
            access
                .grant(name)
                .is_none_or(|grant| grant.deletion == Permission::Forbidden)
        })
    }

    pub(in crate::simulation) fn note_retentions(&mut self) {
        let objects: Vec<_> = self.cluster.workspaces.values().cloned().collect();
        objects.iter().for_each(|object| self.note_retention(object));
    }

    /// Keeps since when an object says Retain, and whether it said so at some time during its deletion.
    pub(in crate::simulation) fn note_retention(&mut self, object: &WorkspaceObject) {
        let uid = object.metadata.uid.clone();
        let goes = object.metadata.deletion.is_some();
        let retains = self.retains(object);
        if goes && retains {
            self.laws.may_leave.insert(uid.clone());
        }
        if retains {
            let now = self.now;
            self.laws.retained_since.entry(uid).or_insert(now);
        } else {
            self.laws.retained_since.remove(&uid);
        }
    }

    /// The process dies: what its calls on their way make, only what is stored can tell.
    pub(in crate::simulation) fn note_issues_that_die(&mut self) {
        let issues = self.calls.values().filter(|call| {
            call.run == self.run && matches!(call.what, What::Workspace(EngineCall::Issue { .. }, _))
        });
        self.laws.died_issuing.extend(issues.map(|call| call.who.clone()));
    }

    /// An issue of the object died with its process, and others changed the workspace that it was for: nothing that is
    /// stored tells what the issue made beside it.
    pub(super) fn made_beside_its_own(&self, uid: &Uid) -> bool {
        let mut rows = self
            .engine
            .organizations
            .iter()
            .flat_map(|remote| remote.rows.values());
        self.laws.died_issuing.contains(uid)
            && rows.any(|row| row.recorded_by.contains(uid) && row.touched.is_some())
    }

    pub(super) fn owner(&self, uid: &Uid) -> Option<Arc<WorkspaceObject>> {
        self.object_of(uid)
    }
}
