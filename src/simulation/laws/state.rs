//! Laws asked of what is stored. The opposite of a law may stand for a moment; the law is broken when it lasts while the
//! process is able to do its work.

use std::sync::Arc;

use super::{
    CONFIRMS_A_LOSS, DELETION_SHOWS, Law, NO_FALSE_ALARM, READY_AS_DECLARED, READY_AS_SEEN, READY_HAS_LIFE,
    SAYS_SOMETHING, SPEAKS_OF_ITS_GENERATION, TOKEN_IN_TIME, TOKEN_READY_HAS_LIFE, are_many,
};
use crate::crd::conditions::{self, ConditionStatus, READY, TOKEN_READY};
use crate::domain::ids::{Uid, WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::{RemoteState, WorkspaceState};
use crate::simulation::agent_engine::Token;
use crate::simulation::cluster::{Key, WorkspaceObject};
use crate::simulation::history::organization;
use crate::simulation::reconciles::RECONCILE_TIMEOUT;
use crate::simulation::weather::Weather;
use crate::simulation::world::World;
use crate::simulation::{Millis, namespace_labels};
use crate::tenancy::Access;

/// Watches that bring nothing for so long hinder the process.
const LONG_LAG: Millis = 10_000;

const HOUR: Millis = 60 * 60_000;

/// The bar: of a failing object in its first hour.
const CALLS_OF_FIRST_HOUR: usize = 20;

/// Of the costliest reconcile: one is begun only while they fit.
const CALLS_OF_A_RECONCILE: usize = 8;

/// A reconcile of slow calls says what it has seen at its end.
const SLOW_RECONCILE: Millis = RECONCILE_TIMEOUT;

/// The longest rest after an attempt of five calls, at six calls an hour and with jitter.
const REFUSED: Millis = 55 * 60_000;

/// Someone may delete a Secret twice, each time just before the laws are asked.
const ONCE_MORE: Millis = 10_000;

/// What a token has to have left.
const FIVE_MINUTES: Millis = 300_000;

impl World {
    /// Asks all laws of what is stored now.
    pub(in crate::simulation) fn look(&mut self) {
        self.notes_hindrance();
        let objects: Vec<Arc<WorkspaceObject>> = self.cluster.workspaces.values().cloned().collect();
        for object in &objects {
            self.look_at(object);
        }
        for n in 0..self.setup.organizations {
            self.look_at_organization(n);
        }
        self.stores_pauses();
    }

    /// Asks the laws of one object between two looks: what lasted may have ended for a moment.
    pub(in crate::simulation) fn look_between(&mut self, key: &Key) {
        self.notes_hindrance();
        if let Some(object) = self.cluster.workspaces.get(key).cloned() {
            self.look_at(&object);
        }
    }

    fn notes_hindrance(&mut self) {
        if self.is_hindered() {
            self.laws.able_since = self.laws.able_since.max(self.now);
        }
    }

    pub(super) fn is_hindered(&self) -> bool {
        let feeds = [
            (
                self.cluster.workspace_feed.dead_until,
                self.cluster.workspace_feed.lag,
            ),
            (self.cluster.secret_feed.dead_until, self.cluster.secret_feed.lag),
            (
                self.cluster.organization_feed.dead_until,
                self.cluster.organization_feed.lag,
            ),
            (
                self.cluster.credential_feed.dead_until,
                self.cluster.credential_feed.lag,
            ),
        ];
        let late = feeds.iter().any(|(dead, lag)| dead.is_some() || *lag > LONG_LAG);
        self.process.is_none()
            || self.now < self.paused_until
            || self.now < self.writes_refused_until
            || self.now < self.another_until
            || late
            || !self.is_led()
    }

    /// Breaks the law if its opposite has lasted for `grace` while the process was able.
    pub(super) fn unless(&mut self, law: Law, key: &Key, opposite: Option<String>, grace: Millis) {
        let Some(what) = opposite else {
            if let Some(lasting) = self.laws.lasts_since.get_mut(law.name) {
                lasting.remove(key);
                if lasting.is_empty() {
                    self.laws.lasts_since.remove(law.name);
                }
            }
            return;
        };
        let object = self.cluster.workspaces.get(key);
        let uid = object.map(|object| object.metadata.uid.clone());
        let now = self.now;
        let lasting = self.laws.lasts_since.entry(law.name).or_default();
        let (of, since) = lasting.entry(key.clone()).or_insert((uid.clone(), now));
        if *of != uid {
            (*of, *since) = (uid, now);
        }
        let since = (*since).max(self.laws.able_since);
        if now - since > grace {
            self.break_law(law, |_| format!("{key:?} for {} s: {what}", (now - since) / 1000));
        }
    }

    fn look_at(&mut self, object: &WorkspaceObject) {
        let key = &object.key;
        let ready_condition = conditions::find(&object.status.conditions, READY);
        let reason = ready_condition.map_or("", |ready| ready.reason.as_str());
        let ready = ready_condition.is_some_and(|ready| ready.status == ConditionStatus::True.as_str());
        let token_ready = conditions::is_true(&object.status.conditions, TOKEN_READY);
        let current = object.status.observed_generation == Some(object.metadata.generation);
        let wanted = wants_token(object);

        let silent = ready_condition.is_none().then(|| "it says nothing".to_owned());
        self.unless(SAYS_SOMETHING, key, silent, 60_000);
        let outdated = (!current && ready_condition.is_some())
            .then(|| format!("it speaks of generation {:?}", object.status.observed_generation));
        self.unless(SPEAKS_OF_ITS_GENERATION, key, outdated, 180_000);

        let ends = self.living_token(object).map(|token| token.ends);
        // Of an earlier generation it says nothing of a token that is wanted only since.
        let says_so = wanted && (current || token_ready);
        let ended =
            (ready && says_so && ends.is_none()).then(|| "Ready=True without a living token".to_owned());
        self.unless(READY_HAS_LIFE, key, ended, SLOW_RECONCILE);
        let ended =
            (token_ready && ends.is_none()).then(|| "TokenReady=True without a living token".to_owned());
        self.unless(TOKEN_READY_HAS_LIFE, key, ended, SLOW_RECONCILE);

        let other = (ready && current).then(|| self.seen_otherwise(object)).flatten();
        self.unless(READY_AS_SEEN, key, other, SLOW_RECONCILE);

        let undeclared =
            ready && current && wanted && !self.cluster.secrets.contains_key(object.secret_key());
        self.unless(
            READY_AS_DECLARED,
            key,
            undeclared.then(|| "the declared Secret is missing".to_owned()),
            SLOW_RECONCILE,
        );

        let goes = object.metadata.deletion.is_some();
        self.unless(
            DELETION_SHOWS,
            key,
            (goes && ready).then(|| "Ready=True while it is deleted".to_owned()),
            150_000,
        );

        let unconfirmed = reason == Reason::NotFoundUnconfirmed.as_str() && self.lists_end(object);
        self.unless(
            CONFIRMS_A_LOSS,
            key,
            unconfirmed.then(|| "still not confirmed".to_owned()),
            1_200_000,
        );

        let left = ends.map_or(0, |ends| ends - self.now);
        let ends_soon = self.ends_soon(object, reason, left);
        self.unless(TOKEN_IN_TIME, key, ends_soon, ONCE_MORE);
    }

    /// Whether lists of the object's organization come to their end, show something, and are trusted.
    fn lists_end(&self, object: &WorkspaceObject) -> bool {
        self.remote_of(object).is_some_and(|n| {
            let remote = &self.engine.organizations[n];
            matches!(remote.weather, Weather::Calm | Weather::Slow(_))
                && remote.rows.values().any(|row| row.deleted.is_none())
                && !self.is_asked_to_wait(n)
                && !self.is_alarmed(n)
        })
    }

    /// The token in the declared Secret of the object, or in the one in use, if it opens the recorded workspace and lives.
    fn living_token(&self, object: &WorkspaceObject) -> Option<&Token> {
        // A clock that was set back shows a token that has ended as living, and nothing tells the process.
        let seen_at = self.now - self.set_back_by();
        let recorded = object.recorded()?;
        let living = |key: &Key| {
            let token = self.cluster.secrets.get(key)?.token?;
            let token = self.engine.tokens.get(usize::try_from(token).ok()?)?;
            (token.workspace == *recorded && token.ends > seen_at).then_some(token)
        };
        let declared = object.secret_key();
        let used = object.status.token_secret_name.as_deref();
        living(declared).or_else(|| {
            let used = used.filter(|name| **name != *declared.1)?;
            living(&(object.key.0.clone(), used.into()))
        })
    }

    /// The last GET that the object's reconciles had answered, or the last list of its Organization, contradicts what it says.
    fn seen_otherwise(&self, object: &WorkspaceObject) -> Option<String> {
        let seen = self.laws.seen.get(&object.metadata.uid)?;
        let organization = self.cluster.organizations.get(object.spec.organization_name());
        let stands = |by: &Uid| organization.is_some_and(|organization| organization.metadata.uid == *by);
        if Some(&seen.id) != object.recorded() || !seen.listed_by.as_ref().is_none_or(stands) {
            return None;
        }
        let ago = (self.now - seen.at) / 1000;
        match &seen.row {
            None => Some(format!("{} was seen missing {ago} s ago", seen.id)),
            Some(_) if object.spec.is_suspended() => None,
            Some(row) if row.name != object.spec.name => {
                Some(format!("{} was seen named {:?}", seen.id, row.name.as_str()))
            }
            Some(row) => {
                let declared = object.spec.status.map(RemoteState::Known);
                declared
                    .is_some_and(|declared| declared != row.state)
                    .then(|| format!("{} was seen {:?}", seen.id, row.state))
            }
        }
    }

    pub(super) fn remote_of(&self, object: &WorkspaceObject) -> Option<usize> {
        (0..self.setup.organizations).find(|n| organization(*n) == object.spec.organization_name())
    }

    /// The token has under five minutes, though nothing has kept the operator from renewing it for long enough.
    fn ends_soon(&self, object: &WorkspaceObject, reason: &str, left: Millis) -> Option<String> {
        if left >= FIVE_MINUTES {
            return None;
        }
        if object.metadata.deletion.is_some() || !wants_token(object) || self.jumped != 0 {
            return None;
        }
        let n = self.remote_of(object)?;
        let remote = &self.engine.organizations[n];
        if remote.weather != Weather::Calm {
            return None;
        }
        let well_since = self.laws.weather_since.get(&n).copied().unwrap_or_default();
        let asked = self.laws.asked_to_wait.get(&n).copied().unwrap_or_default();
        // Nothing tells when what was refused is allowed again: what waited for it is served from then on.
        let (refused_until, patience) = if self.was_refused(n) {
            (0, REFUSED)
        } else {
            let until = self.laws.refused_until.get(&n).copied().unwrap_or_default();
            (until, 2 * FIVE_MINUTES)
        };
        let since = well_since
            .max(asked)
            .max(refused_until)
            .max(self.laws.able_since)
            .max(self.laws.touched.get(&object.key).copied().unwrap_or_default());
        if self.now - since < patience {
            return None;
        }
        // Without a `Date` nothing tells a leader that the clock which marked a token was another.
        let agree = self.setup.clocks.iter().all(|clock| *clock == 0);
        if !agree && !self.engine.knobs.tells_date {
            return None;
        }
        if !self.is_served(n, object) {
            return None;
        }
        if self.fails_and_has_used_up_its_calls(n, object) {
            return None;
        }
        let id = object.recorded()?;
        // Whoever changes a name frees or takes it, and the operator sees that with the next list.
        let touched = remote.rows.values().filter_map(|row| row.touched).max();
        if touched.is_some_and(|at| self.now - at < 3 * FIVE_MINUTES) {
            return None;
        }
        Some(format!(
            "the token for {id} has {} s left; Ready is {reason}",
            left / 1000
        ))
    }

    /// The organization rests after a refusal of its credential. Nothing tells when that is allowed again.
    fn was_refused(&self, n: usize) -> bool {
        let stored = self.cluster.organizations.get(organization(n));
        let reason = stored
            .and_then(|stored| conditions::reason(&stored.status.conditions, READY))
            .and_then(Reason::parse);
        matches!(reason, Some(Reason::CredentialsRejected | Reason::AccessDenied))
    }

    /// The bar of a failing object leaves no calls for another reconcile in this hour.
    fn fails_and_has_used_up_its_calls(&self, n: usize, object: &WorkspaceObject) -> bool {
        let token = conditions::reason(&object.status.conditions, TOKEN_READY).and_then(Reason::parse);
        match token {
            Some(Reason::TokenVerified) => return false,
            // Nothing tells when what was refused is allowed again.
            Some(Reason::AccessDenied | Reason::Rejected | Reason::IdentityMismatch) => return true,
            _ => {}
        }
        // Jitter adds up to a tenth.
        let from = self.now - HOUR * 11 / 10;
        let calls = self.engine.organizations[n]
            .calls
            .iter()
            .filter(|(at, who, _)| *at > from && *who == object.metadata.uid);
        calls.count() + CALLS_OF_A_RECONCILE > CALLS_OF_FIRST_HOUR
    }

    /// Nothing but the operator itself stands between this object and its token.
    fn is_served(&self, n: usize, object: &WorkspaceObject) -> bool {
        let Some(id) = object.recorded() else { return false };
        let Some(row) = self.engine.live(n, id) else {
            return false;
        };
        let Some(stored) = self.cluster.organizations.get(organization(n)) else {
            return false;
        };
        let credential = self
            .cluster
            .credentials
            .get(&stored.spec.credentials_secret_ref.name);
        let own = &self.engine.organizations[n].id;
        // Nobody is served in an Organization that declares another one's id.
        let declared = stored.spec.organization_id.as_ref();
        let pinned =
            stored.status.organization_id.as_ref() == Some(own) && declared.is_none_or(|id| id == own);
        let active = row.workspace.state == RemoteState::Known(WorkspaceState::Active);
        let opens = credential.is_some_and(|credential| credential.opens == n);
        if !active || !pinned || !opens {
            return false;
        }
        let access = Access::resolve(
            &stored.spec.access,
            &object.key.0,
            namespace_labels(&object.key.0),
        );
        let same_name = self.engine.organizations[n]
            .rows
            .values()
            .filter(|other| other.deleted.is_none() && are_near(&other.workspace.name, &row.workspace.name));
        let rivals = self.cluster.workspaces.values().filter(|other| {
            let intended = other.status.creation.as_ref().map(|intent| &intent.name);
            let names = [Some(&other.spec.name), other.status.name.as_ref(), intended];
            let claims = |name: &WorkspaceName| are_near(name, &row.workspace.name);
            other.recorded() == Some(id) || names.into_iter().flatten().any(claims)
        });
        let secret = self.cluster.secrets.get(object.secret_key());
        let own_secret = secret.is_none_or(|secret| {
            secret
                .controller
                .as_ref()
                .is_none_or(|owner| *owner == object.metadata.uid)
        });
        own_secret
            && access.grant(&row.workspace.name).is_some()
            && access.grant(&object.spec.name).is_some()
            && same_name.count() == 1
            && rivals.count() <= 1
    }

    fn look_at_organization(&mut self, n: usize) {
        let name = organization(n);
        if self.was_refused(n) {
            self.laws.refused_until.insert(n, self.now);
        }
        let credential_is_right = || self.credential_opens(n) == Some(n);
        // A list without any row, not even the fallback workspace, is doubted however few are missing.
        let mut rows = self.engine.organizations[n].rows.values();
        let shows_any = rows.any(|row| row.deleted.is_none());
        let false_alarm = (shows_any && self.is_alarmed(n) && self.is_calm_for(n) && credential_is_right())
            .then(|| self.lost(n))
            .filter(|(lost, managed)| !are_many(*lost, *managed))
            .map(|(lost, managed)| format!("ManyWorkspacesMissing, and {lost} of {managed} are"));
        let place = ("".into(), name.into());
        // The next list comes after the renewals, which may have to share one call a second, or what a 429 has left of it.
        let stored = self.cluster.organizations.get(name);
        let rate = stored.and_then(|stored| stored.spec.requests_per_second);
        let within = if rate == Some(1) { 1_200_000 } else { 600_000 };
        self.unless(NO_FALSE_ALARM, &place, false_alarm, within);
    }

    /// How many recorded workspaces of the organization are missing, except for those that the operator may delete and those
    /// that it has reported; and how many are recorded.
    fn lost(&self, n: usize) -> (usize, usize) {
        let users = self.cluster.workspaces.values();
        let recorded: Vec<_> = users
            .filter(|object| object.spec.organization_name() == organization(n) && !object.is_let_go())
            .filter_map(|object| Some((object, object.recorded()?)))
            .collect();
        let lost = recorded.iter().filter(|(object, id)| {
            let stays = object.metadata.deletion.is_none() && !object.reports_its_loss();
            stays && self.engine.live(n, id).is_none()
        });
        (lost.count(), recorded.len())
    }

    /// Many workspaces are missing at once: nothing is confirmed until a person says so.
    fn is_alarmed(&self, n: usize) -> bool {
        self.cluster
            .organizations
            .get(organization(n))
            .is_some_and(|stored| {
                let reason = conditions::reason(&stored.status.conditions, READY);
                reason == Some(Reason::ManyWorkspacesMissing.as_str())
            })
    }

    fn credential_opens(&self, n: usize) -> Option<usize> {
        let stored = self.cluster.organizations.get(organization(n))?;
        let credential = self
            .cluster
            .credentials
            .get(&stored.spec.credentials_secret_ref.name)?;
        Some(credential.opens)
    }

    fn is_calm_for(&self, n: usize) -> bool {
        self.engine.organizations[n].weather == Weather::Calm && !self.is_asked_to_wait(n)
    }

    fn is_asked_to_wait(&self, n: usize) -> bool {
        self.laws
            .asked_to_wait
            .get(&n)
            .is_some_and(|until| *until > self.now)
    }

    /// The object that records a workspace.
    pub(super) fn recorder(&self, id: &WorkspaceId) -> Option<&Uid> {
        let mut objects = self.cluster.workspaces.values();
        objects
            .find(|object| object.recorded() == Some(id))
            .map(|object| &object.metadata.uid)
    }
}

/// Whether two names differ in case and in the blanks around them at most.
pub(super) fn are_near(a: &WorkspaceName, b: &WorkspaceName) -> bool {
    let (a, b) = (a.as_str().trim(), b.as_str().trim());
    if a.is_ascii() && b.is_ascii() {
        a.eq_ignore_ascii_case(b)
    } else {
        a.to_lowercase() == b.to_lowercase()
    }
}

/// Whether the object is to have a token.
pub(super) fn wants_token(object: &WorkspaceObject) -> bool {
    object.spec.token_enabled()
        && object.spec.status != Some(WorkspaceState::Inactive)
        && object.status.state == Some(WorkspaceState::Active)
        && object.recorded().is_some()
}
