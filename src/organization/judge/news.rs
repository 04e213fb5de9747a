//! What Workspaces do not know yet.

use crate::domain::reason::Kstatus;
use crate::domain::verification::Verification;
use crate::organization::judge::listing::missing;
use crate::organization::judge::readiness::readiness;
use crate::organization::judge::verification::{Owner, owner};
use crate::organization::view::View;

/// How what is known now differs from what was published last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum News {
    /// In nothing that a Workspace waits for.
    None,
    /// The Organization is ready and was not.
    Recovered,
    /// Something changed that an attempt of a Workspace depends on.
    Changed,
}

/// What Workspaces do not know yet. A change outranks a recovery.
pub fn news(view: &View) -> News {
    let changed = !is_owner_as_published(view)
        || view.published.missing != missing(view)
        || view.memory.generation != Some(view.object.generation);
    if changed {
        News::Changed
    } else if has_recovered(view) {
        News::Recovered
    } else {
        News::None
    }
}

/// A pending verification with the same reason in other words is no news: an outage has many words.
fn is_owner_as_published(view: &View) -> bool {
    match (&view.published.verification, owner(view)) {
        (Verification::Pending { .. }, Owner::Unknown(_)) => {
            view.published.reason == Some(readiness(view).reason())
        }
        (Verification::Verified(before), Owner::Verified(now)) => before == now,
        (Verification::Changed { pinned, found }, Owner::Changed { pinned: p, found: f }) => {
            (pinned, found) == (p, f)
        }
        (
            Verification::Pending { .. } | Verification::Verified(_) | Verification::Changed { .. },
            Owner::Unknown(_) | Owner::Verified(_) | Owner::Changed { .. },
        ) => false,
    }
}

fn has_recovered(view: &View) -> bool {
    let is_ready = readiness(view).reason().kstatus() == Kstatus::Ready;
    let before = view.published.reason;
    is_ready && before.is_some_and(|reason| reason.kstatus() != Kstatus::Ready)
}
