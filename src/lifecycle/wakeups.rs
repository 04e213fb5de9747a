//! When a reconcile is due again, and why. Pure: instants with their reasons; the earliest is the next reconcile.

use std::time::Duration;

use jiff::Timestamp;
use strum::IntoStaticStr;

use crate::domain::reason::Reason;
use crate::domain::time::later;
use crate::lifecycle::aspect::Aspect;
use crate::lifecycle::judge::token_secret::Target;
use crate::lifecycle::judge::{doubt, token, token_life, token_secret};
use crate::lifecycle::progress::{ObjectProgress, PermitProgress};
use crate::lifecycle::schedule::Freshness;
use crate::lifecycle::status::{self, Verdict};
use crate::lifecycle::view::View;
use crate::limits::Fault;

/// No object waits longer for a reconcile: a missed event heals by then.
const POLL_INTERVAL: Duration = Duration::from_secs(30 * 60);

/// An object that waits for something else (a grant, a claim, an Organization) is woken by it; this is for a missed event.
const MISSED_EVENT_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// No event tells what becomes of a Secret without our label: one of others under our Secret's name, or ours where others keep
/// the label off. A read of it costs one request to Kubernetes, and no call to Agent Engine.
const UNWATCHED_SECRET_INTERVAL: Duration = Duration::from_secs(60);

/// Until a status that could not be stored is tried again; doubled each time.
const STATUS_INTERVAL: Duration = Duration::from_secs(15);

/// The instant of the next reconcile, with its reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wakeup {
    pub at: Timestamp,
    pub why: Why,
}

/// Why an object is reconciled again without an event.
#[derive(Clone, Copy, Debug, Eq, IntoStaticStr, PartialEq)]
#[strum(serialize_all = "snake_case")]
pub enum Why {
    /// Nothing is due; a missed event heals by then.
    Poll,
    /// An event is expected that may be missed.
    WaitsForOthers,
    /// The token is to be renewed.
    TokenDue,
    /// The token is about to end, and its renewal is more urgent from then on.
    TokenEnds,
    /// A rename whose answer was lost has settled by then.
    RenameSettles,
    /// A Secret that another client keeps changing may be restored again.
    SecretRestored,
    /// An issue whose answer was lost can make nothing any more.
    IssueResolves,
    /// The Secret's declared name may be free.
    SecretNameMayBeFree,
    /// The Secret lacks our label, and may have been changed or deleted.
    SecretUnwatched,
    /// Name, state or existence failed and is tried again.
    RetrySync,
    /// The token failed and is tried again.
    RetryToken,
    /// The status could not be stored.
    StatusUnwritten,
    /// The rate limiter permits a call.
    PermitGranted,
    /// The object has waited so long that its status says so.
    WaitIsSaid,
}

impl Why {
    /// Stable name for logs.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Wakeup {
    pub fn new(at: Timestamp, why: Why) -> Self {
        Self { at, why }
    }

    /// For an event that may be missed.
    pub fn waits_for_others(now: Timestamp) -> Self {
        Self::new(later(now, MISSED_EVENT_INTERVAL), Why::WaitsForOthers)
    }
}

/// The earliest instant at which something that this view shows can change, or a failed attempt is repeated.
pub fn next(view: &View, verdict: &Verdict, retries: Vec<Wakeup>) -> Wakeup {
    let poll = Wakeup::new(later(view.now, POLL_INTERVAL), Why::Poll);
    wakeups(view, verdict).chain(retries).fold(poll, earlier)
}

fn wakeups(view: &View, verdict: &Verdict) -> impl Iterator<Item = Wakeup> {
    let now = view.now;
    let name_taken = [&verdict.main, &verdict.token]
        .iter()
        .any(|finding| finding.reason == Reason::SecretNotOwned);
    [
        token_change(view),
        doubt::rename_settles_at(view).map(|at| Wakeup::new(at, Why::RenameSettles)),
        token::restored_at(view).map(|at| Wakeup::new(at, Why::SecretRestored)),
        doubt::waits_until(view).map(|at| Wakeup::new(at, Why::IssueResolves)),
        may_be_relieved(view),
        may_be_alone(view, verdict),
        status_unwritten(view, verdict),
        unwatched(view),
        name_taken.then(|| Wakeup::new(later(now, UNWATCHED_SECRET_INTERVAL), Why::SecretNameMayBeFree)),
    ]
    .into_iter()
    .flatten()
}

/// What could not be stored is true all the same, and storing it takes no call. The more often while the stored status says
/// True of what is not.
fn status_unwritten(view: &View, verdict: &Verdict) -> Option<Wakeup> {
    let most = if status::misleads(view, verdict) { 2 } else { 5 };
    let doublings = view.memory.unwritten_statuses.min(most);
    let rest = STATUS_INTERVAL.saturating_mul(1 << doublings);
    let unwritten = view.progress.object == ObjectProgress::Unwritable;
    unwritten.then(|| Wakeup::new(later(view.now, rest), Why::StatusUnwritten))
}

/// The server may be well again before the rest is over.
fn may_be_relieved(view: &View) -> Option<Wakeup> {
    [Aspect::Sync, Aspect::Token]
        .into_iter()
        .any(|aspect| view.rests(aspect) && view.memory.backoff(aspect).fault() == Fault::Server)
        .then(|| Wakeup::waits_for_others(view.now))
}

/// Others keep our label off the Secret that holds the token.
fn unwatched(view: &View) -> Option<Wakeup> {
    let at = later(view.now, UNWATCHED_SECRET_INTERVAL);
    match token_secret::target(view) {
        Target::Ours(facts) if !token_secret::is_watched(facts) => {
            Some(Wakeup::new(at, Why::SecretUnwatched))
        }
        Target::Ours(_) | Target::Free | Target::Unread | Target::Foreign => None,
    }
}

/// The next list may show that no other workspace has the name any more.
fn may_be_alone(view: &View, verdict: &Verdict) -> Option<Wakeup> {
    (verdict.token.reason == Reason::IdentityMismatch).then(|| Wakeup::waits_for_others(view.now))
}

/// A renewal that is due and was not made waits for what stopped it, but no longer than the token lives: then another
/// status is true.
fn token_change(view: &View) -> Option<Wakeup> {
    let at = token_life::changes_at(view)?;
    let fresh = token_secret::times(view)
        .is_some_and(|times| times.freshness(&view.object.uid, view.now) == Freshness::Fresh);
    Some(Wakeup::new(
        at,
        if fresh { Why::TokenDue } else { Why::TokenEnds },
    ))
}

/// The earliest of two.
fn earlier(first: Wakeup, second: Wakeup) -> Wakeup {
    if second.at < first.at { second } else { first }
}

/// While the object waits: for a permit, or for the end of a rest, but not beyond the instant at which its status is to
/// be written, or its token changes.
pub fn after_waiting(view: &View, said_at: Option<Timestamp>) -> Wakeup {
    let said = said_at.filter(|at| *at > view.now);
    let said = said.map(|at| Wakeup::new(at, Why::WaitIsSaid));
    [token_change(view), said]
        .into_iter()
        .flatten()
        .fold(after_leaving(view), earlier)
}

/// After a reconcile that left the stored status as it is.
pub fn after_leaving(view: &View) -> Wakeup {
    if let PermitProgress::NotBefore(at) = view.progress.permit {
        return Wakeup::new(at, Why::PermitGranted);
    }
    let rests = [(Aspect::Sync, Why::RetrySync), (Aspect::Token, Why::RetryToken)]
        .into_iter()
        .filter_map(|(aspect, why)| Some(Wakeup::new(view.not_before(aspect)?, why)))
        .filter(|wakeup| wakeup.at > view.now);
    rests
        .chain(may_be_relieved(view))
        .min_by_key(|wakeup| wakeup.at)
        .unwrap_or_else(|| Wakeup::waits_for_others(view.now))
}
