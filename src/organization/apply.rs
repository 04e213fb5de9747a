//! Folds what came of an effect into the view.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::crd::organization::{OrganizationStatus, WorkspaceCounts};
use crate::domain::ids::OrganizationId;
use crate::domain::remote::{Answer, Failure, Page, Rest};
use crate::domain::server_time::ServerTime;
use crate::domain::time::{Uptime, later};
use crate::organization::effect::{
    ClusterEffect, ClusterOutcome, Connected, Effect, EngineAnswer, EngineCall, Outcome, Part, Records,
};
use crate::organization::judge::listing::missing_in;
use crate::organization::judge::trouble::Trouble;
use crate::organization::memory::{CompleteList, Credential, Listing, NoClient};
use crate::organization::progress::{Attempt, Begun, Exchange, Incarnation, List, NewList, Store};
use crate::organization::rules::list::STORE_AGAIN;
use crate::organization::snapshot::{Managed, Snapshot};
use crate::organization::status;
use crate::organization::view::View;
use crate::tenancy::Claims;

/// How long a list waits for the store to see our own writes. If they never end, it is compared with the store as it is.
const STORE_AWAITED: Duration = Duration::from_secs(3);

/// Folds `outcome` of `effect` into the view. An outcome that no such effect has is ignored.
pub(super) fn apply(view: &mut View, claims: &Claims, effect: Effect, outcome: Outcome) {
    match (effect, outcome) {
        (Effect::Cluster(effect), Outcome::Cluster(outcome)) => cluster(view, claims, effect, outcome),
        (Effect::Engine(call), Outcome::Engine(answer)) => engine(view, call, answer),
        (Effect::Cluster(_), Outcome::Engine(_)) | (Effect::Engine(_), Outcome::Cluster(_)) => {}
    }
}

/// The rate limiter has no permit before `at`, which is far: the reconcile says what it knows and ends. A part of a list
/// says nothing.
pub(super) fn permit_is_far(view: &mut View, at: Timestamp) {
    view.progress.permit_at = Some(at);
    if matches!(view.progress.list, List::Partial { .. }) {
        view.progress.list = List::NotBegun;
    }
}

fn cluster(view: &mut View, claims: &Claims, effect: ClusterEffect, outcome: ClusterOutcome) {
    match outcome {
        ClusterOutcome::Done => done(view, effect),
        ClusterOutcome::NotDone => not_done(view, &effect),
        ClusterOutcome::Client(client) => connected(view, client),
        ClusterOutcome::Records(records) => recorded(view, claims, &records),
    }
}

fn engine(view: &mut View, call: EngineCall, answer: EngineAnswer) {
    view.memory.server_time = match &answer {
        EngineAnswer::Exchanged(answer) | EngineAnswer::ExchangedUnnamed { answer, .. } => {
            learn(view, answer)
        }
        EngineAnswer::Listed(answer) => learn(view, answer),
    };
    match (call, answer) {
        (EngineCall::Exchange, EngineAnswer::Exchanged(answer)) => exchanged(view, answer.result),
        (EngineCall::ExchangeUnnamed, EngineAnswer::ExchangedUnnamed { keys, answer }) => {
            match keys.filter(|keys| view.memory.keys.as_ref() != Some(keys)) {
                None => exchanged_unnamed(view, answer.result),
                Some(_) => keys_changed(view),
            }
        }
        (EngineCall::List(part), EngineAnswer::Listed(answer)) => listed(view, part, answer),
        (_, EngineAnswer::Exchanged(_) | EngineAnswer::ExchangedUnnamed { .. } | EngineAnswer::Listed(_)) => {
        }
    }
}

fn learn<T>(view: &View, answer: &Answer<T>) -> Option<ServerTime> {
    ServerTime::learn(view.memory.server_time, answer, view.process_began)
}

fn done(view: &mut View, effect: ClusterEffect) {
    match effect {
        ClusterEffect::AddFinalizer | ClusterEffect::RemoveFinalizer => {
            view.progress.finalizer = Attempt::Done;
        }
        ClusterEffect::NameOrganization(id) => {
            view.progress.naming = Attempt::Done;
            view.memory.names = Some(id);
            // The client at hand is not the one that was published.
            view.progress.publication = Attempt::NotMade;
        }
        ClusterEffect::Publish(publication) => {
            view.progress.publication = Attempt::Done;
            view.progress.new_list = None;
            view.memory.generation = Some(view.object.generation);
            view.published = publication.published;
        }
        ClusterEffect::WriteStatus(status) => status_written(view, *status),
        ClusterEffect::Connect { .. } | ClusterEffect::ReadRecords => {}
    }
}

fn not_done(view: &mut View, effect: &ClusterEffect) {
    match effect {
        ClusterEffect::AddFinalizer | ClusterEffect::RemoveFinalizer => {
            view.progress.finalizer = Attempt::Failed;
        }
        ClusterEffect::NameOrganization(_) => view.progress.naming = Attempt::Failed,
        ClusterEffect::WriteStatus(_) => view.progress.status = Attempt::Failed,
        ClusterEffect::Publish(_) => view.progress.object = Incarnation::Replaced,
        ClusterEffect::Connect { .. } | ClusterEffect::ReadRecords => {}
    }
}

fn status_written(view: &mut View, written: OrganizationStatus) {
    let event = status::event(view, &written);
    view.progress.events.extend(event);
    view.progress.status = Attempt::Done;
    view.memory.rate_written_at = Some(view.uptime());
    view.stored = written;
}

/// Another client starts over, but missing workspaces stay judged: a credential that sees nothing does not show that
/// nothing is there.
fn connected(view: &mut View, client: Result<Connected, NoClient>) {
    view.memory.made_of = Some(view.ingredients());
    if let Ok(Connected::Same) = client {
        view.progress.client = Attempt::Done;
        return;
    }
    view.memory.names = view.declared.organization_id.clone();
    view.memory.listed_at = None;
    view.memory.listing.failure = None;
    if let Some(list) = &mut view.memory.listing.complete {
        list.organization_id = None;
    }
    view.progress.client = match client {
        Err(NoClient::Unread { .. }) => Attempt::Failed,
        Err(NoClient::Missing { .. } | NoClient::Unusable { .. }) | Ok(_) => Attempt::Done,
    };
    (view.memory.keys, view.memory.credential) = match client {
        Ok(Connected::New(keys)) => (Some(keys), Credential::NotExchanged),
        Ok(Connected::Same) => (view.memory.keys.take(), Credential::NotExchanged),
        // What the Secret holds is not known, so it is not known to have changed: back-off stands.
        Err(none @ NoClient::Unread { .. }) => (view.memory.keys.take(), Credential::NoClient(none)),
        Err(none) => (None, Credential::NoClient(none)),
    };
    view.progress.publication = Attempt::NotMade;
}

fn exchanged(view: &mut View, result: Result<Option<OrganizationId>, Failure>) {
    view.memory.exchanged_at = Some(view.uptime());
    (view.progress.exchange, view.memory.credential) = match result {
        Ok(organization_id) => {
            // One that was doubted and holds still belongs to the organization that it belonged to.
            let organization_id = organization_id.or_else(|| named_before(&view.memory.credential));
            (Exchange::Done, Credential::Accepted { organization_id })
        }
        Err(failure) => {
            let refused = matches!(Trouble::of_exchange(&failure), Trouble::Refused(_));
            let exchange = if refused && view.memory.names.is_some() {
                Exchange::Refused
            } else {
                Exchange::Failed
            };
            (exchange, Credential::Refused(failure))
        }
    };
}

fn named_before(credential: &Credential) -> Option<OrganizationId> {
    match credential {
        Credential::Accepted { organization_id } => organization_id.clone(),
        Credential::NoClient(_) | Credential::NotExchanged | Credential::Refused(_) => None,
    }
}

/// Only an answer that names another organization says more than the refusal did. It also explains a list that failed.
fn exchanged_unnamed(view: &mut View, result: Result<Option<OrganizationId>, Failure>) {
    match result {
        Ok(Some(other)) if view.memory.names.as_ref() != Some(&other) => {
            view.progress.exchange = Exchange::Done;
            if view.progress.list == List::Failed {
                view.progress.list = List::Done;
            }
            view.memory.credential = Credential::Accepted {
                organization_id: Some(other),
            };
        }
        Ok(_) | Err(_) => view.progress.exchange = Exchange::Failed,
    }
}

/// The answer is of other keys than those of the client at hand: another client is made of them, and asked.
fn keys_changed(view: &mut View) {
    view.memory.made_of = None;
    view.progress.exchange = match view.progress.client {
        Attempt::NotMade => Exchange::NotMade,
        // It is made once a reconcile.
        Attempt::Done | Attempt::Failed => Exchange::Failed,
    };
}

/// A list that fails takes nothing back of what the last complete one said.
fn listed(view: &mut View, part: Part, answer: Answer<Page>) {
    let (begun, mut rows) = match (part, std::mem::take(&mut view.progress.list)) {
        (Part::Next, List::Partial { begun, rows }) => (begun, rows),
        _ => {
            let at = answer.started();
            // No later than it was asked for, also where the clock was set meanwhile: what was wished for since is not answered.
            let uptime = Uptime::at(at, view.process_began).min(view.uptime().earlier(answer.took));
            (Begun { at, uptime }, Vec::new())
        }
    };
    view.progress.list = match answer.result {
        Ok(page) => {
            rows.extend(page.rows);
            match page.rest {
                Rest::More => List::Partial { begun, rows },
                Rest::Nothing => List::Complete {
                    begun,
                    rows,
                    store: Store::NotAsked,
                },
            }
        }
        Err(failure) => {
            list_ended(view, begun);
            view.memory.listing.failure = Some(failure);
            List::Failed
        }
    };
}

fn list_ended(view: &mut View, begun: Begun) {
    view.memory.listed_at = Some(begun.uptime);
    view.memory.listed_for = view.object.reconcile_at.clone();
}

/// A store that has not seen our own last writes lacks workspaces that the list may lack too: fewer would seem to be
/// missing than are. It is given a little time to see them.
fn recorded(view: &mut View, claims: &Claims, records: &Records) {
    let now = view.now;
    let List::Complete { store, .. } = &mut view.progress.list else {
        return;
    };
    let until = match *store {
        Store::NotAsked => later(now, STORE_AWAITED),
        Store::Behind { until, .. } => until,
    };
    if records.behind > 0 && now < until {
        let again_at = later(now, STORE_AGAIN);
        *store = Store::Behind { again_at, until };
    } else {
        compare(view, claims, &records.managed);
    }
}

/// Compares the list with the records. A workspace that is recorded in another organization is not missing from this one.
fn compare(view: &mut View, claims: &Claims, managed: &[Managed]) {
    let List::Complete { begun, rows, .. } = std::mem::replace(&mut view.progress.list, List::Done) else {
        return;
    };
    list_ended(view, begun);
    view.memory.answered = view.object.reconcile_at.clone();
    let verified = view.published.verified();
    let snapshot = Snapshot::new(begun.at, rows);
    let comparison = snapshot.compare(
        managed
            .iter()
            .filter(|one| verified.is_none_or(|id| one.organization_id.as_ref() == Some(id))),
    );
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    view.memory.listing = Listing {
        complete: Some(CompleteList {
            organization_id: snapshot.owner().cloned(),
            missing: missing_in(&comparison, view.object.confirm_missing),
            missing_count: comparison.missing,
            counts: WorkspaceCounts {
                managed: number(comparison.managed),
                unmanaged: number(comparison.unmanaged),
                // There are no claims in an organization that was not verified.
                in_conflict: number(verified.map_or(0, |id| claims.losers(id))),
            },
        }),
        failure: None,
    };
    view.progress.new_list = Some(NewList {
        snapshot: Arc::new(snapshot),
        differing: comparison.differing,
    });
}
