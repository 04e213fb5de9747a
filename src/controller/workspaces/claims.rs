//! Enters the claims of stored Workspaces into the claims table. [`crate::tenancy`] decides which claim wins.

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::observe;
use crate::controller::context::Context;
use crate::crd::AnyWorkspace;

/// Enters the claims of a stored object, and wakes the Workspaces that win by it.
pub(in crate::controller) fn observe_claims(context: &Context, workspace: &AnyWorkspace) {
    let view = observe::view(context, workspace.object());
    let claims = match workspace {
        AnyWorkspace::Whole(_) => view.standing_claims(),
        AnyWorkspace::Salvaged(_) => view.recorded_claims(),
    };
    let object = &view.object;
    let claimant = object.claimant();
    let mut shared = context.shared();
    let behind = shared
        .written
        .is_newer_than(&object.uid, workspace.resource_version().as_deref());
    // An object that has gone or changed since it was read would leave a claim that nothing ends.
    let winners = if behind || !context.is_newest(workspace.object()) {
        Vec::new()
    } else {
        shared.claims.observe(&claimant, claims)
    };
    drop(shared);
    context.wake_all(&winners);
}

/// Wakes the Workspaces that name an Organization. All claims are entered first: which of two wins must not depend on which
/// is woken first.
pub(in crate::controller) fn wake_users(context: &Context, name: &str) {
    let users = context.users_of(name);
    for user in &users {
        observe_claims(context, user);
    }
    for user in &users {
        context.wake(ObjectRef::from_obj(&**user));
    }
}
