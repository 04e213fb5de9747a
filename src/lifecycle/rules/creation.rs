//! I2, I4: how a Workspace without a record gets one. Gates, search, finalizer, intent, issue, proof, GET, Secret, record.

use crate::crd::conditions::SYNCED;
use crate::crd::organization::Permission;
use crate::crd::workspace::{Creation, Origin};
use crate::domain::finding::Finding;
use crate::domain::ids::{OrganizationId, WorkspaceId};
use crate::domain::object::Finalizer;
use crate::domain::reason::Reason;
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::creation_window::ServerClock;
use crate::lifecycle::effect::{ClusterEffect, Effect, EngineCall};
use crate::lifecycle::plan::Step;
use crate::lifecycle::report;
use crate::lifecycle::rules::attribution::{Attribution, attribute};
use crate::lifecycle::rules::creation_findings::{
    in_flight, just_gone, moved, never_default, several, uncertain,
};
use crate::lifecycle::rules::naming::{self, Taken};
use crate::lifecycle::rules::{preconditions, state, token};
use crate::lifecycle::verdict::Aspect;
use crate::lifecycle::view::{Record, Remote, View};
use crate::tenancy::{canonical, is_default};

fn act(effect: Effect) -> Step {
    Step::Act(Aspect::Sync, effect)
}

fn stop(view: &View, finding: Finding) -> Step {
    Step::Settle(report::blocked(view, finding))
}

/// A creation in flight is finished under its own name, whatever spec says meanwhile; it is renamed afterwards. With the
/// grant withdrawn, or suspended, it searches but does not issue.
pub fn finish_what_was_begun(view: &View) -> Option<Step> {
    if view.record().is_some() {
        return None;
    }
    let intent = view.intent()?;
    // What this reconcile has proven to be ours and handed out is recorded, whatever the intent's window says.
    if let Some(id) = &view.progress.published {
        return Some(record(view, &intent.organization_id, id, Origin::Created));
    }
    if view.progress.issued.is_some() {
        return Some(finish_issue(view, intent));
    }
    let may_issue = !view.declared.is_suspended() && naming::granted(view, &intent.name).is_ok();
    if view.progress.stamped && may_issue {
        return Some(act(Effect::Engine(EngineCall::Issue {
            name: intent.name.clone(),
            region: view.declared.region_id.clone(),
        })));
    }
    let Some(search) = view.search(&intent.name) else {
        return Some(look_or_rest(
            view,
            Effect::Engine(EngineCall::Search(intent.name.clone())),
        ));
    };
    match attribute(search, ServerClock::window_of(intent)) {
        Attribution::Ours(row) => Some(record(view, &intent.organization_id, &row.id, Origin::Created)),
        Attribution::Theirs => Some(forget(view)),
        Attribution::Ambiguous(row) => Some(take_if_declared(view, &row)),
        // I4: a new attempt starts only when the last one is resolved.
        Attribution::NotFound if view.now < view.progress.clock.resolved_at(intent) => {
            Some(stop(view, in_flight(intent)))
        }
        Attribution::NotFound => Some(try_anew(view).unwrap_or_else(|| forget(view))),
    }
}

/// The next attempt, which stamps the intent anew. Where what is declared now allows for none, the last one is forgotten,
/// and claims its name no more.
fn try_anew(view: &View) -> Option<Step> {
    if view.declared.is_suspended() {
        return None;
    }
    let next = adopt_by_id(view).or_else(|| create_or_adopt_by_name(view));
    next.filter(|step| !matches!(step, Step::Settle(_)))
}

/// Nothing can tell whose it is; only adoption, declared and allowed, can make it ours.
fn take_if_declared(view: &View, row: &RemoteWorkspace) -> Step {
    let grant = naming::granted(view, &row.name);
    let ceiling = grant
        .as_ref()
        .map_or(Permission::Forbidden, |grant| grant.adoption);
    match grant.and_then(|grant| naming::may_adopt(view, &grant, row)) {
        Ok(()) => forget(view),
        Err(_) => stop(view, uncertain(row, ceiling)),
    }
}

/// The creation is over, and made nothing that is ours.
fn forget(view: &View) -> Step {
    act(Effect::Cluster(ClusterEffect::WriteStatus(Box::new(
        report::without_intent(view),
    ))))
}

/// The issue was answered: prove the token, read the workspace, and keep it only if our issue made it.
fn finish_issue(view: &View, intent: &Creation) -> Step {
    let Some(issued) = &view.progress.issued else {
        return rest(view);
    };
    let Some(proof) = &view.progress.proof else {
        return act(Effect::Engine(EngineCall::Verify(issued.slot)));
    };
    let Some(seen) = view.observed(&proof.workspace_id) else {
        return act(Effect::Engine(EngineCall::Get(proof.workspace_id.clone())));
    };
    let row = match &seen.remote {
        Remote::Present(row) => row,
        Remote::Gone => return stop(view, in_flight(intent)),
    };
    let foreign = |id: &Option<OrganizationId>| id.as_ref().is_some_and(|id| *id != intent.organization_id);
    if foreign(&proof.organization_id) || foreign(&row.organization_id) {
        let message = format!(
            "the token issued for {:?} opens a workspace of another organization; it was dropped",
            intent.name.as_str()
        );
        return stop(view, Finding::new(Reason::IdentityMismatch, message));
    }
    let window = view
        .progress
        .clock
        .live_window(issued.started, issued.finished, issued.date);
    if !row
        .created_at
        .map_or_else(|| looked_free(view, intent, row), |at| window.contains(at))
    {
        return forget(view);
    }
    if let Some(finding) = naming::id_claimed_by_other(view, &intent.organization_id, &row.id) {
        return stop(view, finding);
    }
    let found = found_record(&intent.organization_id, row, Origin::Created);
    if token::wanted(view, &found).is_ok()
        && naming::granted(view, &row.name).is_ok()
        && let Some(step) = token::publish(view, &found, &row.name)
    {
        return step;
    }
    act(Effect::Cluster(ClusterEffect::WriteStatus(Box::new(
        report::recorded(view, &found),
    ))))
}

/// Without a creation time the look made moments before, in this very reconcile, decides: the name was free.
fn looked_free(view: &View, intent: &Creation, made: &RemoteWorkspace) -> bool {
    view.search(&intent.name).is_some_and(|search| {
        search
            .rows
            .iter()
            .all(|row| row.id == made.id || canonical(&row.name) != canonical(&intent.name))
    })
}

/// While suspended nothing is created, adopted or looked for, and no Secret of ours stays that no record backs.
pub fn rest_while_suspended(view: &View) -> Option<Step> {
    if view.record().is_some() || !view.declared.is_suspended() {
        return None;
    }
    let rests = "spec.suspend is set: nothing is created. Remove it to go on";
    Some(
        preconditions::remove_left_over(view)
            .unwrap_or_else(|| stop(view, Finding::new(Reason::Suspended, rests))),
    )
}

/// Adoption of exactly one workspace: declared by id, or wished for by a status that came from another object.
pub fn adopt_by_id(view: &View) -> Option<Step> {
    if view.record().is_some() {
        return None;
    }
    let id = view.declared.workspace_id.as_ref().or(view.wish())?;
    let organization = view.verified()?;
    let gates = naming::may_use(view, organization, &view.declared.name);
    if let Err(finding) = gates.and_then(|_| wished_for_here(view, organization)) {
        return Some(stop(view, finding));
    }
    match view.observed(id).map(|seen| &seen.remote) {
        None => Some(look_or_rest(view, Effect::Engine(EngineCall::Get(id.clone())))),
        Some(Remote::Present(row)) => Some(adopt(view, organization, row)),
        // A wish that cannot come true is forgotten; a declaration is not.
        Some(Remote::Gone) => view.declared.workspace_id.as_ref().map(|id| {
            let message =
                format!(
                    "spec.workspaceId names {id}, which is not in organization {organization}; nothing was created. Delete this \
                     object and create another with the right id"
                );
            stop(view, Finding::new(Reason::WorkspaceNotFound, message))
        }),
    }
}

/// What a status from elsewhere names is in the organization that it names too: in another one it would read as gone, and
/// an empty twin be made there.
fn wished_for_here(view: &View, organization: &OrganizationId) -> Result<(), Finding> {
    let wish = view.wish().filter(|_| view.declared.workspace_id.is_none());
    let (Some(id), Some(its)) = (wish, &view.stored.organization_id) else {
        return Ok(());
    };
    if its == organization {
        return Ok(());
    }
    let message = format!(
        "the status that this object came with names the workspace {id} of organization {its}, but the Organization's \
         credential belongs to {organization}; nothing was created. Restore the credential of {its}; or, for a new workspace \
         in {organization}, delete this object and create it anew without that status"
    );
    Err(Finding::new(Reason::OrganizationMismatch, message))
}

/// The ordinary way: search, and create what is free or adopt what may be adopted.
pub fn create_or_adopt_by_name(view: &View) -> Option<Step> {
    if view.record().is_some() {
        return None;
    }
    let organization = view.verified()?;
    let name = &view.declared.name;
    if let Err(finding) = naming::may_use(view, organization, name) {
        return Some(stop(view, finding));
    }
    let Some(search) = view.search(name) else {
        return Some(look_or_rest(
            view,
            Effect::Engine(EngineCall::Search(name.clone())),
        ));
    };
    Some(match naming::taken(search, None) {
        Taken::Nearly(row) => stop(view, naming::similar(name, &row)),
        Taken::Exactly(rows) => match rows.as_slice() {
            [row] => adopt_found(view, organization, row),
            _ => stop(view, several(view, rows.len())),
        },
        Taken::Free if is_default(name) => stop(view, never_default()),
        Taken::Free if view.progress.issues > 0 => stop(view, moved(name)),
        Taken::Free if view.object.finalizer == Finalizer::Absent => {
            act(Effect::Cluster(ClusterEffect::AddFinalizer))
        }
        Taken::Free => act(Effect::Cluster(ClusterEffect::WriteStatus(Box::new(
            report::stamped(view, organization),
        )))),
    })
}

/// A row of a list is no ground for an effect: it is read by id first.
fn adopt_found(view: &View, organization: &OrganizationId, row: &RemoteWorkspace) -> Step {
    match view.observed(&row.id).map(|seen| &seen.remote) {
        Some(Remote::Present(row)) => adopt(view, organization, row),
        Some(Remote::Gone) => stop(view, just_gone(&row.id)),
        None => match naming::granted(view, &row.name).and_then(|grant| naming::may_adopt(view, &grant, row))
        {
            Ok(()) => act(Effect::Engine(EngineCall::Get(row.id.clone()))),
            Err(finding) => stop(view, finding),
        },
    }
}

/// Every gate once more, on the workspace as read by id.
fn adopt(view: &View, organization: &OrganizationId, row: &RemoteWorkspace) -> Step {
    let gates =
        naming::may_use(view, organization, &row.name).and_then(|grant| naming::may_adopt(view, &grant, row));
    match (gates, &row.organization_id) {
        (Err(finding), _) => stop(view, finding),
        (Ok(()), Some(other)) if other != organization => {
            let message = format!(
                "the workspace {} belongs to organization {other}, not to {organization}; it was left alone",
                row.id
            );
            stop(view, Finding::new(Reason::IdentityMismatch, message))
        }
        (Ok(()), _) => record(view, organization, &row.id, Origin::Adopted),
    }
}

/// Records the workspace of that id, once it was read by id, is nobody else's, and the object is held.
fn record(view: &View, organization: &OrganizationId, id: &WorkspaceId, origin: Origin) -> Step {
    match view.observed(id).map(|seen| &seen.remote) {
        None => act(Effect::Engine(EngineCall::Get(id.clone()))),
        Some(Remote::Gone) => stop(view, just_gone(id)),
        Some(Remote::Present(row)) => match naming::id_claimed_by_other(view, organization, id) {
            Some(claimed) => stop(view, claimed),
            None if view.object.finalizer == Finalizer::Absent => {
                act(Effect::Cluster(ClusterEffect::AddFinalizer))
            }
            None => {
                let found = found_record(organization, row, origin);
                act(Effect::Cluster(ClusterEffect::WriteStatus(Box::new(
                    report::recorded(view, &found),
                ))))
            }
        },
    }
}

fn found_record(organization: &OrganizationId, row: &RemoteWorkspace, origin: Origin) -> Record {
    Record {
        id: row.id.clone(),
        organization_id: organization.clone(),
        name: row.name.clone(),
        state: state::known(row),
        origin,
    }
}

/// Asks, unless the last attempt failed so recently that this aspect rests.
fn look_or_rest(view: &View, effect: Effect) -> Step {
    if view.rests(Aspect::Sync) {
        rest(view)
    } else {
        act(effect)
    }
}

/// The last word on this object stands until its next attempt.
fn rest(view: &View) -> Step {
    let finding = view
        .stored_finding(SYNCED)
        .filter(|finding| !finding.is_ready())
        .unwrap_or_else(|| Finding::new(Reason::Creating, "waiting for the next attempt"));
    stop(view, finding)
}
