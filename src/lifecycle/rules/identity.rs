//! I3, I5: the recorded id is the identity. A missing workspace is reported, and not created again until the user allows it.

use crate::crd::conditions::READY;
use crate::domain::object::Finalizer;
use crate::domain::reason::Reason;
use crate::lifecycle::effect::{ClusterEffect, EngineCall};
use crate::lifecycle::findings;
use crate::lifecycle::judge::orphan::{self, Orphans};
use crate::lifecycle::judge::{doubt, identity, names, token_secret};
use crate::lifecycle::progress::Remote;
use crate::lifecycle::step::{Change, Step};
use crate::lifecycle::view::{Record, View};

/// Puts our finalizer back if a user removed it.
pub fn hold_by_finalizer(view: &View, _: &Record) -> Option<Step> {
    match view.object.finalizer {
        Finalizer::Present => None,
        Finalizer::Absent => Some(Step::sync(ClusterEffect::AddFinalizer)),
    }
}

/// A difference or an absence in the shared list only schedules a GET by id, never an effect. A requested reconcile asks
/// for such a GET too.
pub fn read_what_differs(view: &View, record: &Record) -> Option<Step> {
    (identity::is_unread(view, record) && identity::may_read(view))
        .then(|| Step::call(EngineCall::Get(record.id.clone())))
}

/// A workspace is missing after a 404 or a tombstone on GET by id. The recreate annotation with its id allows a new one,
/// once.
pub fn report_what_is_missing(view: &View, record: &Record) -> Option<Step> {
    let read = match view.observed(&record.id).map(|seen| &seen.remote) {
        Some(Remote::Present(_)) => return None,
        Some(Remote::Gone) => true,
        None => false,
    };
    let missing = identity::missing(view, record)?;
    // It stays missing until a GET by id says otherwise.
    if !read && identity::may_read(view) {
        return Some(Step::call(EngineCall::Get(record.id.clone())));
    }
    if !missing.confirmed {
        return Some(Step::blocked(findings::unconfirmed(record)));
    }
    if let Some(deletion) = token_secret::next_to_delete(view) {
        return Some(Step::token(deletion));
    }
    // The workspace may have come back: only a GET of this reconcile drops its record, and only when no issue for it can
    // take effect beside the new creation.
    let allowed = view.object.recreate.as_ref() == Some(&record.id) && !view.declared.is_suspended();
    let free = allowed && doubt::unresolved_until(view, record).is_none();
    if read && free && view.progress.failures.sync.is_none() {
        return Some(replace(view, record));
    }
    // What a read found in the way of the replacement stands until the next read.
    let not_found = || findings::not_found(view, record);
    let last = Some(view.last_word(READY, not_found));
    let finding = last.filter(|last| allowed && last.reason == Reason::WorkspaceNotFound);
    Some(Step::blocked(finding.unwrap_or_else(not_found)))
}

/// What an issue in doubt has made of the lost name is found first: a replacement under another name would stand beside it. One
/// under that name meets it as every creation does.
fn replace(view: &View, record: &Record) -> Step {
    match orphan::before_its_record_goes(view, record) {
        Orphans::Next(call) => Step::call(call),
        Orphans::Uncertain(row) if row.name != view.declared.name => {
            Step::blocked(findings::not_replaced(record, &row))
        }
        Orphans::None | Orphans::Wait | Orphans::Uncertain(_) => search_for_the_replacement(view, record),
    }
}

/// The search goes first, so that one write drops the record and stores the intent.
fn search_for_the_replacement(view: &View, record: &Record) -> Step {
    let name = &view.declared.name;
    let is_needed = view.declared.workspace_id.is_none()
        && names::may_use(view, &record.organization_id, name).is_ok()
        && view.search(name).is_none();
    if is_needed {
        Step::call(EngineCall::Search(name.clone()))
    } else {
        Step::Store(Change::Replaced(record.clone()))
    }
}

/// Does nothing for a workspace that a read attributed to another organization, until a GET by id says otherwise.
pub fn refuse_another_identity(view: &View, record: &Record) -> Option<Step> {
    let other = identity::other_organization(view, record)?;
    let read = view.present(&record.id).is_some();
    Some(if !read && identity::may_read(view) {
        Step::call(EngineCall::Get(record.id.clone()))
    } else {
        Step::blocked(findings::another_organization(record, &other))
    })
}
