//! Orphans: workspaces that our issue created under a name that had just moved.

use crate::lifecycle::effect::EngineCall;
use crate::lifecycle::findings;
use crate::lifecycle::judge::{drift, orphan};
use crate::lifecycle::progress::Remote;
use crate::lifecycle::step::{Ending, Step};
use crate::lifecycle::view::{Record, View};

/// After an issue without an answer, if the recorded workspace has another name now, or is gone. It is no attempt at the
/// token: a failure delays no renewal.
pub fn look_for_an_orphan(view: &View, record: &Record) -> Option<Step> {
    if view.progress.token.issued().is_some() || view.progress.failures.sync.is_some() {
        return None;
    }
    orphan::suspected(view, record).map(Step::call)
}

/// The token at hand opens another workspace: an orphan of ours, or a workspace of others.
pub fn drop_a_token_of_another(view: &View, record: &Record) -> Option<Step> {
    let (_, scope) = view.progress.token.verified()?;
    if scope.workspace_id == record.id {
        return None;
    }
    let id = scope.workspace_id.clone();
    let Some(seen) = orphan::other(view, &id) else {
        return Some(Step::token_call(EngineCall::Get(id)));
    };
    let ours = match seen {
        Remote::Present(row) => orphan::is_ours(view, record, row),
        Remote::Gone => false,
    };
    if ours {
        return Some(Step::token_call(EngineCall::Delete(id)));
    }
    let issued_for = drift::current(view, record).name;
    let finding = findings::token_opens_another(record, &issued_for, &id);
    Some(Step::Settle(Ending::TokenBlocked(finding)))
}
