//! Folds what came of an effect into the view.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::crd::conditions::READY;
use crate::crd::organization::{OrganizationStatus, WorkspaceCounts};
use crate::domain::finding::Finding;
use crate::domain::ids::OrganizationId;
use crate::domain::remote::{Answer, Failure, FailureClass, Page, Rest};
use crate::domain::time::later;
use crate::domain::verification::Missing;
use crate::organization::effect::{Effect, Outcome, Part, Records};
use crate::organization::judge::{Credential, Listing, NoClient, Whole};
use crate::organization::snapshot::{Managed, Snapshot};
use crate::organization::view::{Attempt, Exchange, List, View};
use crate::tenancy::Claims;

/// How long a list waits for the store to have seen our own writes. Where they never end, it is compared as it is.
pub(super) const RECORDS_AWAITED: Duration = Duration::from_secs(3);

/// How often it is looked whether it has.
const RECORDS_AGAIN: Duration = Duration::from_millis(250);

/// Folds `outcome` of `effect` into the view. An outcome that no such effect has says nothing.
pub(super) fn absorb(view: &mut View, claims: &Claims, effect: Effect, outcome: Outcome) {
    match outcome {
        Outcome::Done => done(view, effect),
        Outcome::NotDone => not_done(view, &effect),
        Outcome::Client(client) => connected(view, client),
        Outcome::Exchanged(answer) => match effect {
            Effect::ExchangeUnnamed => asked_whose_it_is(view, answer.result),
            _ => exchanged(view, answer.result),
        },
        Outcome::Listed(answer) => listed(view, &effect, answer),
        Outcome::Records(records) if lags(view, &records) => {
            view.progress.records_again_at = Some(later(view.now, RECORDS_AGAIN));
        }
        Outcome::Records(records) => compare(view, claims, &records.managed),
    }
}

fn done(view: &mut View, effect: Effect) {
    match effect {
        Effect::AddFinalizer | Effect::RemoveFinalizer => view.progress.finalizer = Attempt::Done,
        Effect::NameOrganization(id) => {
            view.progress.naming = Attempt::Done;
            view.memory.names = Some(id);
            // The client at hand is another one than was published.
            view.progress.publication = Attempt::NotMade;
        }
        Effect::Publish(publication) => {
            view.progress.publication = Attempt::Done;
            view.progress.unpublished = None;
            view.progress.differing.clear();
            view.memory.generation = Some(view.object.generation);
            view.published = publication.published;
        }
        Effect::WriteStatus(status) => status_written(view, *status),
        Effect::Connect { .. }
        | Effect::Exchange
        | Effect::ExchangeUnnamed
        | Effect::List(_)
        | Effect::ReadRecords => {}
    }
}

fn not_done(view: &mut View, effect: &Effect) {
    let attempt = match effect {
        Effect::AddFinalizer | Effect::RemoveFinalizer => &mut view.progress.finalizer,
        Effect::NameOrganization(_) => &mut view.progress.naming,
        Effect::WriteStatus(_) => &mut view.progress.status,
        // Nobody is told of an Organization that was replaced: the reconcile over the new one does.
        Effect::Publish(_) => {
            view.progress.vanished = true;
            return;
        }
        Effect::Connect { .. }
        | Effect::Exchange
        | Effect::ExchangeUnnamed
        | Effect::List(_)
        | Effect::ReadRecords => return,
    };
    *attempt = Attempt::Failed;
}

/// There is one event for each change of the Ready reason: the status is the memory of what was told.
fn status_written(view: &mut View, status: OrganizationStatus) {
    let reason = |status: &OrganizationStatus| {
        let ready = status
            .conditions
            .iter()
            .find(|condition| condition.type_ == READY);
        ready.map(|condition| condition.reason.clone())
    };
    if reason(&status) != reason(&view.stored) {
        let judgement = view.judgement();
        view.progress
            .events
            .push(Finding::new(judgement.reason, judgement.message));
    }
    view.stored = status;
    view.progress.status = Attempt::Done;
}

/// A new client begins anew, but what vanished stays judged: a credential that sees nothing is no proof that nothing is
/// there.
fn connected(view: &mut View, client: Result<(), NoClient>) {
    view.memory.made_of = Some(view.ingredients());
    view.memory.names = view.declared.organization_id.clone();
    view.memory.listed_at = None;
    view.memory.listing.failure = None;
    if let Some(whole) = &mut view.memory.listing.whole {
        whole.organization_id = None;
    }
    view.progress.failed |= matches!(client, Err(NoClient::Unread { .. }));
    view.memory.credential = match client {
        Ok(()) => Credential::Unasked,
        Err(none) => Credential::NoClient(none),
    };
    view.progress.client = Attempt::Done;
    view.progress.publication = Attempt::NotMade;
}

fn exchanged(view: &mut View, result: Result<Option<OrganizationId>, Failure>) {
    view.progress.exchange = Exchange::Over;
    view.memory.exchanged_at = Some(view.now);
    view.memory.credential = match result {
        Ok(organization_id) => Credential::Accepted {
            // One that was doubted and holds still belongs to whom it belonged.
            organization_id: organization_id.or_else(|| known_owner(view).cloned()),
        },
        Err(failure) => {
            if is_refusal(failure.class) && view.memory.names.is_some() {
                view.progress.exchange = Exchange::Refused;
            }
            view.progress.failed = true;
            Credential::Refused(failure)
        }
    };
}

fn known_owner(view: &View) -> Option<&OrganizationId> {
    match &view.memory.credential {
        Credential::Accepted { organization_id } => organization_id.as_ref(),
        Credential::NoClient(_) | Credential::Unasked | Credential::Refused(_) => None,
    }
}

/// Only an answer that names another organization says more than the refusal did.
fn asked_whose_it_is(view: &mut View, result: Result<Option<OrganizationId>, Failure>) {
    view.progress.exchange = Exchange::Over;
    if let Ok(Some(other)) = result
        && view.memory.names.as_ref() != Some(&other)
    {
        view.progress.failed = false;
        view.memory.credential = Credential::Accepted {
            organization_id: Some(other),
        };
    }
}

fn is_refusal(class: FailureClass) -> bool {
    match class {
        FailureClass::Denied | FailureClass::Rejected | FailureClass::Conflict | FailureClass::Missing => {
            true
        }
        FailureClass::Transient
        | FailureClass::Throttled(_)
        | FailureClass::Malformed
        | FailureClass::Unknown => false,
    }
}

/// A list that fails takes nothing back of what the last whole one said.
fn listed(view: &mut View, effect: &Effect, answer: Answer<Page>) {
    let (begun_at, mut rows) = match (effect, std::mem::take(&mut view.progress.list)) {
        (Effect::List(Part::Next), List::Partial { begun_at, rows }) => (begun_at, rows),
        _ => (answer.started, Vec::new()),
    };
    view.progress.list = match answer.result {
        Ok(page) => {
            rows.extend(page.rows);
            match page.rest {
                Rest::More => List::Partial { begun_at, rows },
                Rest::Nothing => List::Complete { begun_at, rows },
            }
        }
        Err(failure) => {
            list_ended(view, begun_at);
            view.memory.listing.failure = Some(failure);
            view.progress.failed = true;
            List::Over
        }
    };
}

fn list_ended(view: &mut View, begun_at: Timestamp) {
    view.memory.listed_at = Some(begun_at);
    view.memory.listed_for = view.object.reconcile_at.clone();
}

/// A store that has not seen our own last writes lacks what is missing from the list too: fewer would seem to vanish than
/// do. It is given a little time to see them.
fn lags(view: &mut View, records: &Records) -> bool {
    let until = *view
        .progress
        .records_awaited_until
        .get_or_insert(later(view.now, RECORDS_AWAITED));
    records.behind > 0 && view.now < until
}

/// Holds the list against what is recorded. What is recorded in another organization is not missing from this one.
fn compare(view: &mut View, claims: &Claims, managed: &[Managed]) {
    let List::Complete { begun_at, rows } = std::mem::replace(&mut view.progress.list, List::Over) else {
        return;
    };
    list_ended(view, begun_at);
    let verified = view.published.verified();
    let snapshot = Snapshot::new(begun_at, rows);
    let comparison = snapshot.compare(
        managed
            .iter()
            .filter(|one| verified.is_none_or(|id| one.organization_id.as_ref() == Some(id))),
    );
    let believed = view.object.confirm_missing == Some(comparison.missing);
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    view.memory.listing = Listing {
        whole: Some(Whole {
            organization_id: snapshot.owner().cloned(),
            vanishing: if comparison.is_mass() && !believed {
                Missing::Many
            } else {
                Missing::Few
            },
            missing: comparison.missing,
            counts: WorkspaceCounts {
                managed: number(comparison.managed),
                unmanaged: number(comparison.unmanaged),
                // Nobody claims anything in an organization that was not verified.
                in_conflict: number(verified.map_or(0, |id| claims.losers(id))),
            },
        }),
        failure: None,
    };
    view.progress.differing = comparison.differing;
    view.progress.unpublished = Some(Arc::new(snapshot));
}
