//! An object that waits without a verdict, for the rate limiter or for its Organization: whether what is stored still holds,
//! and when another word is due. It is written at once where a token has ended beside a True condition, else after a minute.

use std::time::Duration;

use jiff::Timestamp;

use crate::crd::conditions::{self, READY, TOKEN_READY, is_true, reason};
use crate::crd::workspace::WorkspaceStatus;
use crate::domain::reason::{Kstatus, Reason};
use crate::domain::time::later;
use crate::lifecycle::judge::{identity, token_life};
use crate::lifecycle::view::View;

/// An object that is served within this time spends no write on its waiting.
pub const SAID_WITHIN: Duration = Duration::from_secs(50);

/// Since when it waits. One that has said nothing yet has waited since it was created, and one that is Ready and differs since
/// the list was taken.
pub fn since(view: &View) -> Timestamp {
    let since = view.memory.waits_since.unwrap_or(view.now);
    let record = view.record();
    let ready = is_true(&view.stored.conditions, READY);
    let differing = record.filter(|record| ready && identity::differs_in_the_list(view, record));
    let listed = differing.and_then(|_| identity::listed(view));
    let taken_at = listed.map(|listed| listed.requested_at);
    // A list of before the clock was set back does not tell for how long.
    let taken_at = taken_at.filter(|at| *at > Timestamp::MIN);
    let since = taken_at.map_or(since, |at| since.min(at));
    match conditions::find(&view.stored.conditions, READY) {
        Some(_) => since,
        None => since.min(view.object.created),
    }
}

/// When `status`, which is true now, is to be written. Never, while the stored one holds as well.
pub fn said_at(view: &View, status: &WorkspaceStatus, since: Timestamp) -> Option<Timestamp> {
    let falls = [READY, TOKEN_READY]
        .into_iter()
        .any(|kind| is_true(&view.stored.conditions, kind) && !is_true(&status.conditions, kind));
    if falls && !token_life::lasts(view) {
        return Some(view.now);
    }
    (falls || is_unsaid(view, status)).then(|| later(since, SAID_WITHIN))
}

/// Whether nothing was said of this generation, or the reason of an earlier wait is another one.
fn is_unsaid(view: &View, status: &WorkspaceStatus) -> bool {
    let (said, now) = (
        reason(&view.stored.conditions, READY),
        reason(&status.conditions, READY),
    );
    let waited = said.and_then(Reason::parse).map(Reason::kstatus) == Some(Kstatus::Reconciling);
    said.is_none()
        || view.stored.observed_generation != Some(view.object.generation)
        || (waited && said != now)
}
