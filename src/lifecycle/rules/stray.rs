//! Our own stray: created by our issue under a name that had just moved. Empty, ours, and deleted by its id; what cannot be
//! told for ours is named and left alone.

use crate::api::ids::WorkspaceId;
use crate::api::remote::RemoteWorkspace;
use crate::lifecycle::effect::Effect;
use crate::lifecycle::memory::Unproven;
use crate::lifecycle::plan::{Step, token};
use crate::lifecycle::reason::Reason;
use crate::lifecycle::report;
use crate::lifecycle::rules::state;
use crate::lifecycle::verdict::Finding;
use crate::lifecycle::view::{Look, Record, Remote, View};
use crate::tenancy::ClaimKey;

/// The token at hand opens another workspace: a stray, or somebody else's.
pub fn drop_a_token_of_another(view: &View) -> Option<Step> {
    let record = view.record()?;
    let proof = view
        .found
        .proof
        .as_ref()
        .filter(|proof| proof.workspace_id != record.id)?;
    let Some(seen) = other(view, &proof.workspace_id) else {
        return token(Effect::Get(proof.workspace_id.clone()));
    };
    let made_by_us = match (seen, &view.memory.unproven) {
        (Remote::Present(row), Some(unproven)) => is_ours(view, &record, unproven, row),
        (Remote::Present(_) | Remote::Gone, _) => false,
    };
    if made_by_us {
        return token(Effect::Delete(proof.workspace_id.clone()));
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

/// An issue, or its proof, was not answered, and now the recorded workspace is seen under another name: what the issue
/// made, if anything, bears the old one.
pub fn look_for_a_stray(view: &View) -> Option<Step> {
    let record = view.record()?;
    let unproven = view.memory.unproven.as_ref()?;
    let waits = |at| at > view.now;
    if view.found.issued.is_some()
        || state::current(view, &record).name == unproven.name
        || view.memory.token.not_before(view.cause()).is_some_and(waits)
    {
        return None;
    }
    let Some(look) = view.look(&unproven.name) else {
        return token(Effect::Look(unproven.name.clone()));
    };
    token(removal(view, &record, unproven, look)?)
}

/// What is to be known of strays before the recorded workspace is deleted, and nobody is left who would look for them.
pub enum Last {
    Nothing,
    Act(Effect),
    /// One may still come to light.
    Wait,
}

/// An issue that was not answered is settled before the object goes: its stray goes first.
pub fn last_of_its_issues(view: &View, record: &Record) -> Last {
    let Some(unproven) = &view.memory.unproven else {
        return Last::Nothing;
    };
    let Some(look) = view.look(&unproven.name) else {
        return Last::Act(Effect::Look(unproven.name.clone()));
    };
    let mut rows = look.rows.iter();
    let opened_it = rows.any(|row| row.id == record.id && row.name == unproven.name);
    match removal(view, record, unproven, look) {
        Some(effect) => Last::Act(effect),
        None if !opened_it && view.now < unproven.resolved_at => Last::Wait,
        None => Last::Nothing,
    }
}

/// The next step towards the removal of the stray that a look under the issue's name shows, if it shows one.
fn removal(view: &View, record: &Record, unproven: &Unproven, look: &Look) -> Option<Effect> {
    let row = look
        .rows
        .iter()
        .find(|row| row.name == unproven.name && is_ours(view, record, unproven, row))?;
    match other(view, &row.id) {
        None => Some(Effect::Get(row.id.clone())),
        Some(Remote::Present(row)) if is_ours(view, record, unproven, row) => {
            Some(Effect::Delete(row.id.clone()))
        }
        Some(Remote::Present(_) | Remote::Gone) => None,
    }
}

/// Another workspace than the recorded one, as this pass's GET by id showed it.
fn other<'a>(view: &'a View, id: &WorkspaceId) -> Option<&'a Remote> {
    let seen = view.found.other.as_ref().filter(|seen| seen.id == *id)?;
    Some(&seen.remote)
}

/// Created within our issue, and nobody's.
fn is_ours(view: &View, record: &Record, unproven: &Unproven, row: &RemoteWorkspace) -> bool {
    let claim = ClaimKey::Id(record.organization_id.clone(), row.id.clone());
    row.id != record.id
        && !row.tombstone
        && row.created_at.is_some_and(|at| unproven.window.contains(at))
        && !view.standing.lost.contains_key(&claim)
}
