//! What the stored Workspaces claim, told to the claims table. Whose claim wins is decided in [`crate::tenancy`].

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::observe;
use crate::controller::context::Context;
use crate::crd::AnyWorkspace;

/// Tells the claims table what the stored object claims, and wakes who wins by it.
pub(in crate::controller) fn observe_claims(context: &Context, workspace: &AnyWorkspace) {
    let view = observe::view(context, workspace.object());
    let claims = match workspace {
        AnyWorkspace::Whole(_) => view.claims(),
        AnyWorkspace::Salvaged(_) => view.recorded_claims(),
    };
    let object = &view.object;
    let claimant = object.claimant();
    let mut shared = context.shared();
    let behind = shared
        .written
        .is_newer_than(&object.uid, workspace.resource_version().as_deref());
    // One that has gone, or has changed, since it was read from the store would leave a claim that nobody ends.
    let winners = if behind || !context.is_newest(workspace.object()) {
        Vec::new()
    } else {
        shared.claims.observe(&claimant, claims)
    };
    drop(shared);
    context.wake_all(&winners);
}

/// Everybody's claims are known before anybody is woken: who comes first must not depend on who is woken first.
pub(in crate::controller) fn wake_users(context: &Context, name: &str) {
    let users = context.users_of(name);
    for user in &users {
        observe_claims(context, user);
    }
    for user in &users {
        context.wake(ObjectRef::from_obj(&**user));
    }
}
