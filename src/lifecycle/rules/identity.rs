//! I3, I5: the recorded id is the identity; a workspace that is gone is reported and stays gone until the user says otherwise.

use crate::domain::object::Finalizer;
use crate::lifecycle::effect::{ClusterEffect, EngineCall};
use crate::lifecycle::findings;
use crate::lifecycle::judge::{identity, token_secret};
use crate::lifecycle::progress::Remote;
use crate::lifecycle::step::{Change, Step};
use crate::lifecycle::view::{Record, View};

/// A recorded workspace is held, even if our finalizer was taken away.
pub fn hold_by_finalizer(view: &View, _: &Record) -> Option<Step> {
    match view.object.finalizer {
        Finalizer::Present => None,
        Finalizer::Absent => Some(Step::sync(ClusterEffect::AddFinalizer)),
    }
}

/// A difference or an absence in the shared list only schedules a GET by id, never an effect. A requested reconcile asks
/// for such a GET too.
pub fn read_what_differs(view: &View, record: &Record) -> Option<Step> {
    let reason = identity::differs_in_the_list(view, record) || identity::is_asked_for(view);
    let unread = view.observed(&record.id).is_none() && view.row(&record.id).is_none();
    (reason && unread && identity::may_read(view, record))
        .then(|| Step::call(EngineCall::Get(record.id.clone())))
}

/// Gone is a 404 or a tombstone on GET by id. The way back is an annotation that names the lost id, good once.
pub fn report_what_is_missing(view: &View, record: &Record) -> Option<Step> {
    let read = match view.observed(&record.id).map(|seen| &seen.remote) {
        Some(Remote::Present(_)) => return None,
        Some(Remote::Gone) => true,
        None => false,
    };
    let missing = identity::missing(view, record)?;
    // It stays missing until a GET by id says otherwise.
    if !read && identity::may_read(view, record) {
        return Some(Step::call(EngineCall::Get(record.id.clone())));
    }
    if !missing.confirmed {
        return Some(Step::blocked(findings::unconfirmed(record)));
    }
    if let Some(deletion) = token_secret::next_to_delete(view) {
        return Some(Step::token(deletion));
    }
    // It may have come back: only a GET of this very reconcile lets its record go.
    if read && view.object.recreate.as_ref() == Some(&record.id) && !view.declared.is_suspended() {
        return Some(Step::Store(Change::Replaced(record.clone())));
    }
    Some(Step::blocked(findings::not_found(view, record)))
}

/// An id that suddenly belongs to another organization is not acted on, until a GET by id says otherwise.
pub fn refuse_another_identity(view: &View, record: &Record) -> Option<Step> {
    let other = identity::other_organization(view, record)?;
    let read = view.present(&record.id).is_some();
    Some(if !read && identity::may_read(view, record) {
        Step::call(EngineCall::Get(record.id.clone()))
    } else {
        Step::blocked(findings::another_organization(record, &other))
    })
}
