//! I2, I4: how a Workspace without a record gets one. Search, finalizer, intent, issue, verification, GET, Secret, record.

use crate::crd::conditions::SYNCED;
use crate::crd::organization::Permission;
use crate::crd::workspace::{Creation, Origin};
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, WorkspaceId, WorkspaceName};
use crate::domain::object::Finalizer;
use crate::domain::reason::Reason;
use crate::domain::remote::{RemoteWorkspace, TokenScope};
use crate::domain::verification::Missing;
use crate::lifecycle::aspect::{Aspect, Problem};
use crate::lifecycle::effect::{ClusterEffect, EngineCall};
use crate::lifecycle::findings;
use crate::lifecycle::judge::attribution::{Attribution, attribute};
use crate::lifecycle::judge::names::{self, Taken};
use crate::lifecycle::judge::{doubt, sight, token, token_secret, wish};
use crate::lifecycle::progress::{Issued, NameSearch, Remote, TokenProgress};
use crate::lifecycle::rules::token::publish;
use crate::lifecycle::step::{Change, Ending, Step};
use crate::lifecycle::view::{Record, View};
use crate::tenancy::{canonical, fallback_name, is_default, tidied};

/// Finishes a creation in flight under its own name, whatever spec says meanwhile; a rename follows. Without the grant, or
/// suspended, the operator searches but does not issue.
pub fn finish_what_was_begun(view: &View) -> Option<Step> {
    let intent = view.intent()?;
    match &view.progress.token {
        // This reconcile has verified that the workspace is ours: it is recorded, even beyond the intent's window.
        TokenProgress::Published(id) => {
            return Some(record(view, &intent.organization_id, id, Origin::Created));
        }
        TokenProgress::Issued(issued) => return Some(Step::call(EngineCall::Verify(issued.slot))),
        TokenProgress::Verified(issued, scope) => return Some(finish_issue(view, intent, issued, scope)),
        TokenProgress::MayIssue(of) if of == intent && view.is_void(intent) => {
            return Some(Step::Settle(Ending::Failed(too_late())));
        }
        TokenProgress::MayIssue(of) if of == intent && may_issue(view, intent) => {
            return Some(Step::call(EngineCall::Issue {
                name: intent.name.clone(),
                region: view.declared.region_id.clone(),
            }));
        }
        TokenProgress::MayIssue(_) | TokenProgress::NothingMade(_) | TokenProgress::None => {}
    }
    let Some(search) = view.search(&intent.name) else {
        return Some(call_or_rest(view, EngineCall::Search(intent.name.clone())));
    };
    let issue = doubt::issue_of(view, intent);
    Some(match attribute(search, &issue) {
        Attribution::Ours(row) => record(view, &intent.organization_id, &row.id, Origin::Created),
        Attribution::Theirs => Step::Store(Change::CreationVoid),
        Attribution::Ambiguous(row) => take_if_declared(view, intent, search, &row),
        // I4: a new attempt starts only when the last one is resolved. What an answer that took long cannot tell is asked again.
        Attribution::Unresolved if !issue.is_shown_by(view.now) => Step::blocked(in_flight(view, intent)),
        Attribution::Unresolved => call_or_rest(view, EngineCall::Search(intent.name.clone())),
        Attribution::NotFound => try_again(view).unwrap_or(Step::Store(Change::CreationVoid)),
    })
}

/// While what an issue may have made can still come to light, its refusal, or the workspace that its token opened, says more.
fn in_flight(view: &View, intent: &Creation) -> Finding {
    let in_flight = || findings::creation_in_flight(intent);
    let last = view.last_word(SYNCED, in_flight);
    match last.reason {
        Reason::PlanLimit | Reason::Rejected | Reason::CreationUncertain => last,
        _ => in_flight(),
    }
}

/// The permit came when the window of the intent could no longer tell what its issue makes.
fn too_late() -> Problem {
    Problem {
        aspect: Aspect::Sync,
        finding: findings::permit_too_late(),
    }
}

fn may_issue(view: &View, intent: &Creation) -> bool {
    !view.declared.is_suspended() && names::grant(view, &intent.name).is_some()
}

/// The next attempt, with a new intent. `None` if spec or access allow none now: the last intent is void, and its name is
/// free for others.
fn try_again(view: &View) -> Option<Step> {
    if view.declared.is_suspended() {
        return None;
    }
    let next = adopt_by_id(view).or_else(|| create_or_adopt_by_name(view));
    next.filter(|step| !matches!(step, Step::Settle(_)))
}

/// The workspace cannot be attributed. Only an adoption, declared and allowed, can make it ours. The intent stays until the write
/// that records it, and where none would follow: it may be what our issue made.
fn take_if_declared(view: &View, intent: &Creation, search: &NameSearch, row: &RemoteWorkspace) -> Step {
    let is_the_one = match names::taken(search, None) {
        Taken::Exactly(rows) => rows.len() == 1,
        // Another form of the intended name is meant once it is declared itself.
        Taken::Nearly(_) => row.name == view.declared.name && names::near(search, None).len() == 1,
        Taken::Free => false,
    };
    match names::granted(view, &row.name).and_then(|grant| names::may_adopt(view, &grant, row)) {
        // No adoption follows while suspended.
        Ok(()) if is_the_one && view.declared.is_suspended() => Step::blocked(findings::suspended_creation()),
        Ok(()) if is_the_one => {
            adoption_of(view, &intent.organization_id, row).unwrap_or(Step::Store(Change::CreationVoid))
        }
        Ok(()) if row.name == intent.name || row.name == view.declared.name => {
            Step::blocked(findings::uncertain_among_others(row))
        }
        Ok(()) | Err(_) => Step::blocked(unattributed(view, intent, row)),
    }
}

/// The next step of adopting this workspace, whose name is granted, if it is the one that spec declares by id or by name.
fn adoption_of(view: &View, organization: &OrganizationId, row: &RemoteWorkspace) -> Option<Step> {
    match &view.declared.workspace_id {
        Some(id) if *id == row.id => adopt_by_id(view),
        None if row.name == view.declared.name => {
            let claimed = names::claimed_by_other(view, organization, &row.name);
            Some(claimed.map_or_else(|| adopt_found(view, organization, row), Step::blocked))
        }
        Some(_) | None => None,
    }
}

/// Nothing tells whether our issue made the workspace. One that has another form of the intended name may be what the API made
/// of it.
fn unattributed(view: &View, intent: &Creation, row: &RemoteWorkspace) -> Finding {
    let adoption = names::grant(view, &row.name).map_or(Permission::Forbidden, |grant| grant.adoption);
    let is_near = canonical(&row.name) == canonical(&intent.name);
    if row.name == intent.name || row.name == view.declared.name || !is_near {
        findings::uncertain(row, adoption)
    } else {
        findings::uncertain_in_another_form(&intent.name, row, adoption)
    }
}

/// The token is verified: read the workspace, and keep it only if our issue made it.
fn finish_issue(view: &View, intent: &Creation, issued: &Issued, scope: &TokenScope) -> Step {
    let Some(seen) = view.observed(&scope.workspace_id) else {
        return Step::call(EngineCall::Get(scope.workspace_id.clone()));
    };
    let row = match &seen.remote {
        Remote::Present(row) => row,
        Remote::Gone => return Step::blocked(findings::creation_in_flight(intent)),
    };
    let foreign = |id: &Option<OrganizationId>| id.as_ref().is_some_and(|id| *id != intent.organization_id);
    if foreign(&scope.organization_id) || foreign(&row.organization_id) {
        return Step::blocked(findings::token_of_another_organization(&intent.name));
    }
    match maker(view, intent, issued, scope, row) {
        Maker::Us => {}
        Maker::Others => return Step::Store(Change::CreationVoid),
        // Declared and allowed, an adoption needs no attribution.
        Maker::Unclear => {
            return view.search(&intent.name).map_or_else(
                || Step::blocked(unattributed(view, intent, row)),
                |search| take_if_declared(view, intent, search, row),
            );
        }
    }
    if let Some(claimed) = names::id_claimed_by_other(view, &intent.organization_id, &row.id) {
        return Step::blocked(claimed);
    }
    let found = found_record(&intent.organization_id, row, Origin::Created);
    if token::wanted(view, &found).is_ok()
        && names::may_use(view, &intent.organization_id, &row.name).is_ok()
        && let Some(step) = publish(view, &found, &row.name)
    {
        return step;
    }
    Step::Store(Change::Recorded(found))
}

/// Who made the workspace that the token of our issue opens.
enum Maker {
    Us,
    Others,
    Unclear,
}

/// Our issue made the workspace if its creation time lies in the window. Without a creation time, the search of this reconcile
/// decides: the name was free. Where that says so and only our own clock speaks against it, it is unclear. It is unclear under
/// another form of the intended name, too, which the verification told or the GET: the API may keep the name so, or it takes the
/// two for one and another client made that one a moment before.
fn maker(
    view: &View,
    intent: &Creation,
    issued: &Issued,
    scope: &TokenScope,
    row: &RemoteWorkspace,
) -> Maker {
    let is_intended = |name: &WorkspaceName| *name == intent.name || *name == tidied(&intent.name);
    let is_near = |name: &WorkspaceName| !is_intended(name) && canonical(name) == canonical(&intent.name);
    let mut told = scope.workspace_name.iter().chain([&row.name]);
    let clock = &view.progress.clock;
    let window = clock.live_window(issued.finished, issued.took, issued.date);
    let was_free = || {
        view.search(&intent.name).is_some_and(|search| {
            let mut rows = search.rows.iter();
            search.asked_at <= issued.started()
                && rows.all(|other| other.id == row.id || canonical(&other.name) != canonical(&intent.name))
        })
    };
    match row.created_at.map_or_else(was_free, |at| window.contains(at)) {
        false if row.created_at.is_some() && !clock.is_known() && was_free() => Maker::Unclear,
        false => Maker::Others,
        true if told.any(is_near) => Maker::Unclear,
        true => Maker::Us,
    }
}

/// While suspended, the operator creates, adopts and searches nothing, and deletes a Secret of ours without a record.
pub fn rest_while_suspended(view: &View) -> Option<Step> {
    if !view.declared.is_suspended() {
        return None;
    }
    let left_over = token_secret::left_over(view).map(Step::token);
    Some(left_over.unwrap_or_else(|| Step::blocked(findings::suspended_creation())))
}

/// Adopts exactly one workspace: `spec.workspaceId`, or the id in a status that came from another object.
pub fn adopt_by_id(view: &View) -> Option<Step> {
    let id = view.declared.workspace_id.as_ref().or(view.wish())?;
    let organization = view.verified()?;
    let name = &view.declared.name;
    let gates = names::granted(view, name)
        .and_then(|_| names::id_claimed_in_sight(view, organization, id).map_or(Ok(()), Err))
        .and_then(|()| names::may_use(view, organization, name))
        .and_then(|_| wished_for_here(view, organization));
    if let Err(finding) = gates {
        return Some(Step::blocked(finding));
    }
    match view.observed(id).map(|seen| &seen.remote) {
        None => Some(call_or_rest(view, EngineCall::Get(id.clone()))),
        Some(Remote::Present(row)) => Some(adopt(view, organization, row)),
        Some(Remote::Gone) => match &view.declared.workspace_id {
            Some(id) => Some(Step::blocked(findings::declared_id_not_found(id, organization))),
            None => keep_the_wish(view, id, organization),
        },
    }
}

/// A wish is dropped when its workspace is missing for certain, and is not one of many.
fn keep_the_wish(view: &View, id: &WorkspaceId, organization: &OrganizationId) -> Option<Step> {
    let readable = view.readable()?;
    if readable.missing == Missing::Many {
        return Some(Step::blocked(findings::wish_among_many(
            id,
            organization,
            &readable.name,
        )));
    }
    let missing = wish::missing(view)?;
    if !missing.confirmed {
        return Some(Step::blocked(findings::wish_unconfirmed(id)));
    }
    // An organization that hides its workspaces says the same of each.
    let fallback = fallback_name();
    match view.search(&fallback) {
        _ if sight::shows_any(view) || sight::lists_others_since(view, &missing) => None,
        None => Some(call_or_rest(view, EngineCall::Search(fallback))),
        Some(_) => Some(Step::blocked(findings::wish_hidden(id))),
    }
}

/// A foreign status names a workspace and its organization. Another organization would answer "not found", and the operator
/// would create an empty twin there.
fn wished_for_here(view: &View, organization: &OrganizationId) -> Result<(), Finding> {
    let wish = view.wish().filter(|_| view.declared.workspace_id.is_none());
    match (wish, &view.stored.organization_id) {
        (Some(id), Some(its)) if its != organization => Err(findings::foreign_status(id, its, organization)),
        (_, _) => Ok(()),
    }
}

/// The ordinary way: searches for the name, then creates the workspace, or adopts the one that is there.
pub fn create_or_adopt_by_name(view: &View) -> Option<Step> {
    let organization = view.verified()?;
    let name = &view.declared.name;
    if let Err(finding) = names::may_use(view, organization, name) {
        return Some(Step::blocked(finding));
    }
    let Some(search) = view.search(name) else {
        // Another name was declared while a creation of this reconcile came to nothing: it is the next reconcile's.
        if view.progress.issues > 0 {
            return Some(rest(view));
        }
        return Some(call_or_rest(view, EngineCall::Search(name.clone())));
    };
    Some(match names::taken(search, None) {
        Taken::Nearly(row) => Step::blocked(findings::similar(name, &row)),
        Taken::Exactly(rows) => match rows.as_slice() {
            [row] => adopt_found(view, organization, row),
            _ => Step::blocked(findings::several(name, rows.len())),
        },
        Taken::Free if is_default(name) => Step::blocked(findings::never_create_default()),
        Taken::Free if view.progress.issues > 0 => Step::blocked(findings::name_held_for_a_moment(name)),
        // A stamp of our own clock would tell another process nothing.
        Taken::Free if view.progress.clock.can_learn() => {
            call_or_rest(view, EngineCall::Search(name.clone()))
        }
        Taken::Free if view.object.finalizer == Finalizer::Absent => Step::sync(ClusterEffect::AddFinalizer),
        Taken::Free => Step::Store(Change::CreationBegins(organization.clone())),
    })
}

/// Reads the workspace by id before it acts: a row of a search is not enough.
fn adopt_found(view: &View, organization: &OrganizationId, row: &RemoteWorkspace) -> Step {
    match view.observed(&row.id).map(|seen| &seen.remote) {
        Some(Remote::Present(row)) => adopt(view, organization, row),
        Some(Remote::Gone) => Step::blocked(findings::just_gone(&row.id)),
        None => {
            let may = names::granted(view, &row.name).and_then(|grant| names::may_adopt(view, &grant, row));
            may.map_or_else(Step::blocked, |()| Step::call(EngineCall::Get(row.id.clone())))
        }
    }
}

/// Checks every precondition again, on the workspace as read by id.
fn adopt(view: &View, organization: &OrganizationId, row: &RemoteWorkspace) -> Step {
    // A namespace does not learn the name of a workspace that it was not granted.
    let grant = names::grant(view, &row.name).ok_or_else(|| findings::id_not_granted(view, &row.id));
    let gates = grant.and_then(|grant| {
        let claimed = names::claimed_by_other(view, organization, &row.name);
        claimed.map_or_else(|| names::may_adopt(view, &grant, row), Err)
    });
    match (gates, &row.organization_id) {
        (Err(finding), _) => Step::blocked(finding),
        (Ok(()), Some(other)) if other != organization => {
            Step::blocked(findings::belongs_elsewhere(&row.id, other, organization))
        }
        (Ok(()), _) => record(view, organization, &row.id, Origin::Adopted),
    }
}

/// Records the workspace once it was read by id, no other object claims it, and our finalizer is on.
fn record(view: &View, organization: &OrganizationId, id: &WorkspaceId, origin: Origin) -> Step {
    let Some(seen) = view.observed(id) else {
        return Step::call(EngineCall::Get(id.clone()));
    };
    let Remote::Present(row) = &seen.remote else {
        return Step::blocked(findings::just_gone(id));
    };
    match names::id_claimed_by_other(view, organization, id) {
        Some(claimed) => Step::blocked(claimed),
        None if view.object.finalizer == Finalizer::Absent => Step::sync(ClusterEffect::AddFinalizer),
        None => Step::Store(Change::Recorded(found_record(organization, row, origin))),
    }
}

pub(super) fn found_record(organization: &OrganizationId, row: &RemoteWorkspace, origin: Origin) -> Record {
    Record {
        id: row.id.clone(),
        organization_id: organization.clone(),
        name: row.name.clone(),
        state: row.known_state(),
        origin,
    }
}

/// Calls, unless the last attempt failed so recently that this aspect rests.
fn call_or_rest(view: &View, call: EngineCall) -> Step {
    if view.rests(Aspect::Sync) {
        rest(view)
    } else {
        Step::call(call)
    }
}

/// The stored condition stands until the next attempt.
fn rest(view: &View) -> Step {
    Step::blocked(view.last_word(SYNCED, findings::waits_for_the_next_attempt))
}
