//! Has an Organization judged, lets passes see the judgement, and stores its status.

use kube::api::Patch;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};

use super::Held;
use crate::api::Organization;
use crate::api::conditions::READY;
use crate::api::ids::Uid;
use crate::api::marks;
use crate::api::reason::Weight;
use crate::api::remote::{Failure, FailureClass};
use crate::controller::announce::announce;
use crate::controller::context::Context;
use crate::controller::{observe, write};
use crate::lifecycle::verdict::Finding;
use crate::lifecycle::view::Verification;
use crate::organization::{Credential, Facts, Judgement, judge};
use crate::turns::pace::DEFAULT_REQUESTS_PER_SECOND;

/// Judges, lets passes see it, and wakes those who waited where something changed for them.
pub(super) fn publish(
    object: &Organization,
    context: &Context,
    held: &mut Held,
    users: usize,
    deleting: bool,
) -> Judgement {
    let name = object.name_any();
    let stored = object.status.clone().unwrap_or_default();
    let waiting = Credential::Refused(Failure {
        class: FailureClass::Transient,
        status: None,
        detail: "it was not asked yet".to_owned(),
    });
    let judgement = {
        let mut shared = context.shared();
        let state = shared.organizations.entry(name.clone()).or_default();
        let facts = Facts {
            name: &name,
            namespace: &context.settings.operator_namespace,
            generation: object.metadata.generation.unwrap_or_default(),
            reconcile_at: object.annotations().get(marks::RECONCILE_AT).map(String::as_str),
            spec: &object.spec,
            stored: &stored,
            credential: held.credential.as_ref().unwrap_or(&waiting),
            listing: &held.listing,
            users: deleting.then_some(users),
            counts: state.counts,
        };
        let judgement = judge(&facts, context.now());
        let generation = object.metadata.generation.unwrap_or_default();
        let healed = judgement.reason.weight() == Weight::Fine
            && state.reason.is_some_and(|r| r.weight() != Weight::Fine);
        let changed = state.verification != judgement.verification
            || state.vanishing != judgement.vanishing
            || held.generation != generation
            || healed;
        held.generation = generation;
        state.pace.set_rate(rate(object));
        name_organization(held, &judgement.verification);
        state.engine = held.engine.clone();
        state.verification = judgement.verification.clone();
        state.vanishing = judgement.vanishing;
        state.reason = Some(judgement.reason);
        if changed {
            state.revision += 1;
        }
        (judgement, changed)
    };
    if judgement.1 {
        wake_users(context, &name);
    }
    judgement.0
}

/// Once the organisation is known, every call names it.
fn name_organization(held: &mut Held, verification: &Verification) {
    let (Verification::Verified(id), None, Some(engine)) = (verification, &held.names, &held.engine) else {
        return;
    };
    match engine.within(id) {
        Ok(engine) => {
            held.engine = Some(engine);
            held.names = Some(id.clone());
        }
        Err(error) => tracing::warn!(%error, "the organisation's id cannot be sent along"),
    }
}

fn rate(object: &Organization) -> u32 {
    object
        .spec
        .requests_per_second
        .and_then(|rate| u32::try_from(rate).ok())
        .unwrap_or(DEFAULT_REQUESTS_PER_SECOND)
}

/// Everybody's claims are known before anybody is woken: who comes first must not depend on who is woken first.
pub(super) fn wake_users(context: &Context, name: &str) {
    let users = context.users_of(name);
    for user in users.iter().filter_map(|user| user.0.as_ref().ok()) {
        observe::claims_of(context, user);
    }
    for user in &users {
        context.wake(ObjectRef::from_obj(&**user));
    }
}

pub(super) async fn store(object: &Organization, context: &Context, judgement: &Judgement) {
    let stored = object.status.clone().unwrap_or_default();
    if judgement.status == stored {
        return;
    }
    let name = object.name_any();
    let version = object.resource_version();
    let patch = match write::status_patch(version.as_deref(), object.status.as_ref(), &judgement.status) {
        Ok(patch) => patch,
        Err(error) => return tracing::error!(%error, "a status cannot be written"),
    };
    match api(context)
        .patch_status(&name, &write::params(), &Patch::Merge(patch))
        .await
    {
        Ok(written) => {
            let uid = Uid::new(object.uid().unwrap_or_default());
            context
                .shared()
                .wrote(&uid, written.resource_version().as_deref());
            let before = stored
                .conditions
                .iter()
                .find(|c| c.type_ == READY)
                .map(|c| c.reason.as_str());
            if before != Some(judgement.reason.as_str()) {
                let finding = Finding::new(judgement.reason, judgement.message.clone());
                announce(context, object, &finding).await;
            }
        }
        Err(error) => report_failure(&name, &error),
    }
}

pub(super) fn api(context: &Context) -> Api<Organization> {
    Api::namespaced(context.client.clone(), &context.settings.operator_namespace)
}

pub(super) fn report_failure(name: &str, error: &kube::Error) {
    match error {
        kube::Error::Api(status) if status.is_conflict() || status.is_not_found() => {}
        error => tracing::warn!(organization = name, %error, "the Organization could not be written"),
    }
}
