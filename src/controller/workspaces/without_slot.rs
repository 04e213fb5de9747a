//! Tells in the status of a Workspace that it waits for a slot. [`crate::lifecycle::without_slot`] decides whether.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use tokio::time::timeout;

use super::observe;
use super::perform::Performer;
use crate::admin::metrics::Kind;
use crate::controller::context::Context;
use crate::controller::events::publish;
use crate::controller::lag::LAG_RETRY;
use crate::controller::patch::WRITE_TIMEOUT;
use crate::controller::runner::Told;
use crate::crd::conditions::{self, READY};
use crate::crd::{AnyWorkspace, Workspace};
use crate::domain::ids::Uid;
use crate::domain::time::elapsed;
use crate::lifecycle::Effect;
use crate::lifecycle::effect::{ClusterEffect, ClusterOutcome, Outcome};
use crate::lifecycle::without_slot::{Stored, Word, stored};

/// What is to be told of a Workspace that has waited for a slot for so long.
pub(super) fn tell(context: &Arc<Context>, workspace: &AnyWorkspace, waited: Duration) -> Told {
    let AnyWorkspace::Whole(object) = workspace else {
        return Told::Nothing(None);
    };
    let uid = Uid::new(object.uid().unwrap_or_default());
    let version = object.resource_version();
    if context.shared().written.is_newer_than(&uid, version.as_deref()) {
        return Told::Nothing(Some(LAG_RETRY));
    }
    let view = observe::view(context, object);
    match stored(&view, waited) {
        Stored::Holds(until) => Told::Nothing(until.map(|until| elapsed(view.now, until))),
        Stored::Fails(word) => Told::Word(Box::pin(write(context.clone(), object.clone(), *word))),
    }
}

/// A word that cannot be written is written later, if it is true then.
async fn write(context: Arc<Context>, object: Workspace, word: Word) {
    let said = object
        .status
        .as_ref()
        .and_then(|status| conditions::reason(&status.conditions, READY))
        .map(str::to_owned);
    let effect = Effect::from(ClusterEffect::WriteStatus(Box::new(word.status)));
    let kind = effect.kind();
    let mut performer = Performer::new(context.clone(), object.clone());
    let Ok(outcome) = timeout(WRITE_TIMEOUT, performer.perform(effect)).await else {
        return;
    };
    let metrics = &context.admin.metrics;
    metrics.effect_ended(Kind::Workspace, kind, super::counted(&outcome));
    let written = matches!(outcome, Outcome::Cluster(ClusterOutcome::Object(_)));
    if written && said.as_deref() != Some(word.finding.reason.as_str()) {
        publish(&context, &object, &word.finding).await;
    }
}
