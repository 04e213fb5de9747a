//! What is true of an object that waits for a slot of the process, told without a reconcile. Pure: by what is stored. Only
//! conditions change.

use std::time::Duration;

use jiff::Timestamp;

use crate::crd::conditions::{self, READY, TOKEN_READY, is_true};
use crate::crd::workspace::WorkspaceStatus;
use crate::domain::finding::Finding;
use crate::domain::object::Deletion;
use crate::domain::time::{elapsed, later};
use crate::lifecycle::findings;
use crate::lifecycle::judge::waiting::{self, SAID_WITHIN};
use crate::lifecycle::judge::{holding, identity, token_life};
use crate::lifecycle::status;
use crate::lifecycle::step::Ending;
use crate::lifecycle::view::View;

/// Whether the stored status holds while the object waits for a slot.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// Until this instant at least, or until the object changes.
    Holds(Option<Timestamp>),
    /// It says nothing of the object as it is, or what is no longer true.
    Fails(Box<Word>),
}

/// What is to be stored instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub status: WorkspaceStatus,
    pub finding: Finding,
}

/// Asked of an object that has waited for so long. What a token's end makes untrue is told at once, all else after a minute.
pub fn stored(view: &View, waited: Duration) -> Stored {
    if holding::is_left_to_another(view) {
        return Stored::Holds(None);
    }
    // It may have waited before, for the rate limiter or for its Organization.
    let waited = waited.max(elapsed(waiting::since(view), view.now));
    let short = SAID_WITHIN.checked_sub(waited).filter(|rest| !rest.is_zero());
    let due = is_unsaid(view) || goes_as_ready(view) || differs_as_ready(view);
    let fails = outlives_its_token(view) || (due && short.is_none());
    if !fails {
        let due_at = short.filter(|_| due).map(|rest| later(view.now, rest));
        return Stored::Holds(token_life::changes_at(view).into_iter().chain(due_at).min());
    }
    let finding = if view.object.is_let_go() {
        findings::released()
    } else {
        findings::no_slot()
    };
    let verdict = status::verdict(view, &Ending::Blocked(finding.clone()));
    let status = WorkspaceStatus {
        observed_generation: Some(view.object.generation),
        operator: Some(holding::ours(view)),
        conditions: status::status(view, &verdict).conditions,
        ..view.stored.clone()
    };
    Stored::Fails(Box::new(Word { status, finding }))
}

fn is_unsaid(view: &View) -> bool {
    conditions::find(&view.stored.conditions, READY).is_none()
        || view.stored.observed_generation != Some(view.object.generation)
}

fn goes_as_ready(view: &View) -> bool {
    view.object.deletion == Deletion::Requested && is_true(&view.stored.conditions, READY)
}

fn differs_as_ready(view: &View) -> bool {
    is_true(&view.stored.conditions, READY)
        && view
            .record()
            .is_some_and(|record| identity::is_unread(view, &record))
}

/// Ready=True where a token is wanted stands beside TokenReady=True only.
fn outlives_its_token(view: &View) -> bool {
    is_true(&view.stored.conditions, TOKEN_READY) && !token_life::lasts(view)
}
