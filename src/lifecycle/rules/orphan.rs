//! Our own stray: created by our issue under a name that had just moved. Empty, ours, and deleted by its id; what cannot be
//! told for ours is named and left alone.

use crate::domain::finding::Finding;
use crate::domain::ids::{WorkspaceId, WorkspaceName};
use crate::domain::reason::Reason;
use crate::domain::remote::RemoteWorkspace;
use crate::lifecycle::effect::{Effect, EngineCall};
use crate::lifecycle::memory::Unproven;
use crate::lifecycle::plan::{Step, token};
use crate::lifecycle::report;
use crate::lifecycle::rules::{naming, state};
use crate::lifecycle::verdict::Aspect;
use crate::lifecycle::view::{Record, Remote, View};

/// The token at hand opens another workspace: a orphan, or somebody else's.
pub fn drop_a_token_of_another(view: &View) -> Option<Step> {
    let record = view.record()?;
    let proof = view
        .progress
        .proof
        .as_ref()
        .filter(|proof| proof.workspace_id != record.id)?;
    let Some(seen) = other(view, &proof.workspace_id) else {
        return token(Effect::Engine(EngineCall::Get(proof.workspace_id.clone())));
    };
    let made_by_us = match seen {
        Remote::Present(row) => is_ours(view, &record, row),
        Remote::Gone => false,
    };
    if made_by_us {
        return token(Effect::Engine(EngineCall::Delete(proof.workspace_id.clone())));
    }
    let finding = Finding::new(
        Reason::IdentityMismatch,
        format!(
            "a token issued for {:?} opens the workspace {}, recorded is {}; the token was dropped and nothing handed out. \
             Find out who renamed or replaced the workspace",
            state::current(view, &record).name.as_str(),
            proof.workspace_id,
            record.id
        ),
    );
    Some(Step::Settle(report::token_failed(view, finding)))
}

/// An issue, or its proof, was not answered, and now the recorded workspace is seen under another name, or gone: what the
/// issue made, if anything, bears the name that it was sent with.
pub fn look_for_an_orphan(view: &View) -> Option<Step> {
    let record = view.record()?;
    if view.progress.issued.is_some() || view.rests(Aspect::Token) {
        return None;
    }
    let mut suspects = view
        .memory
        .unproven
        .iter()
        .filter(|unproven| !bears(view, &record, &unproven.name));
    suspects.find_map(|unproven| token(look_or_remove(view, &record, unproven)?))
}

/// What is to be known of strays before the recorded workspace is deleted, and nobody is left who would look for them.
pub enum Orphans {
    Nothing,
    Act(Effect),
    /// One may still come to light.
    Wait,
}

/// An issue that was not answered is settled before the object goes: its stray goes first, and what is still under way has
/// the workspace to open.
pub fn settle_issues(view: &View, record: &Record) -> Orphans {
    let mut issues = view.memory.unproven.iter();
    match issues.find_map(|unproven| look_or_remove(view, record, unproven)) {
        Some(effect) => Orphans::Act(effect),
        None if view.memory.unresolved_at(view.now).is_some() => Orphans::Wait,
        None => Orphans::Nothing,
    }
}

/// The next step towards the removal of what an issue may have made. Nothing, once a look under its name shows nothing of ours.
fn look_or_remove(view: &View, record: &Record, unproven: &Unproven) -> Option<Effect> {
    let Some(search) = view.search(&unproven.name) else {
        return Some(Effect::Engine(EngineCall::Search(unproven.name.clone())));
    };
    let mut rows = search.rows.iter();
    let row = rows.find(|row| row.name == unproven.name && is_ours(view, record, row))?;
    match other(view, &row.id) {
        None => Some(Effect::Engine(EngineCall::Get(row.id.clone()))),
        Some(Remote::Present(row)) if is_ours(view, record, row) => {
            Some(Effect::Engine(EngineCall::Delete(row.id.clone())))
        }
        Some(Remote::Present(_) | Remote::Gone) => None,
    }
}

/// Whether the recorded workspace is there and has that name, as far as this reconcile knows.
fn bears(view: &View, record: &Record, name: &WorkspaceName) -> bool {
    let gone = view
        .observed(&record.id)
        .is_some_and(|seen| seen.remote == Remote::Gone);
    !gone && state::current(view, record).name == *name
}

/// Another workspace than the recorded one, as this reconcile's GET by id showed it.
fn other<'a>(view: &'a View, id: &WorkspaceId) -> Option<&'a Remote> {
    let seen = view.progress.other.as_ref().filter(|seen| seen.id == *id)?;
    Some(&seen.remote)
}

/// Created within an issue of ours, and nobody's.
fn is_ours(view: &View, record: &Record, row: &RemoteWorkspace) -> bool {
    let within = |at| {
        view.memory
            .unproven
            .iter()
            .any(|unproven| unproven.window.contains(at))
    };
    row.id != record.id
        && !row.tombstone
        && row.created_at.is_some_and(within)
        && naming::id_claimed_by_other(view, &record.organization_id, &row.id).is_none()
}
