//! Reads the Leases of the other operators that hold objects, in intervals, and says what has become of them. Decides nothing about
//! who lives; [`crate::leadership::Sighting`] does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use tokio::time::{sleep, timeout};

use super::context::Context;
use super::error_text::error_text;
use super::lease;
use super::others::Life;
use crate::crd::holder::Holder;
use crate::domain::ids::OperatorId;
use crate::leadership::Sight;

/// Much shorter than any lease.
const ASK_INTERVAL: Duration = Duration::from_secs(5);

const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Takes how many stored Workspaces each other operator holds, and says so.
pub(super) fn found(context: &Context, holders: &BTreeMap<OperatorId, usize>) {
    let (new, known, gone) = {
        let mut shared = context.shared();
        let new = shared.others.found(holders);
        (new, shared.others.known(), shared.others.gone())
    };
    for operator in &new {
        let count = holders.get(operator);
        tracing::info!(
            %operator,
            count,
            "the operator {operator} holds objects: they are left alone while its Lease is held"
        );
    }
    let mut alive = holders.clone();
    alive.retain(|operator, _| known.contains(operator) && !gone.contains(operator));
    alive.retain(|_, count| *count > 0);
    context.admin.metrics.set_workspaces_of_others(&alive);
    let notes = alive.iter().map(|(operator, count)| {
        format!("{count} Workspaces are held by the operator {operator} and left alone")
    });
    context.admin.readiness.note(notes.collect());
}

/// Asks until dropped.
pub(super) async fn keep_asking(context: Arc<Context>) {
    let mut unreadable = BTreeSet::new();
    loop {
        let known = context.shared().others.known();
        unreadable.retain(|operator| known.contains(operator));
        let reads = join_all(known.iter().map(|operator| ask(&context, operator))).await;
        for (operator, read) in known.iter().zip(reads) {
            if let Err(why) = &read.sight
                && unreadable.insert(operator.clone())
            {
                tracing::warn!(
                    %operator,
                    "the Lease of the operator {operator} cannot be read, so its Workspaces are left alone: {why}"
                );
            }
            let sight = read.sight.unwrap_or(Sight::Unreadable);
            let life = context.shared().others.saw(operator, read.times, sight);
            if let Some(life) = life {
                tell(&context, operator, life);
            }
        }
        sleep(ASK_INTERVAL).await;
    }
}

struct Read {
    times: [Duration; 2],
    sight: Result<Sight, String>,
}

async fn ask(context: &Context, operator: &OperatorId) -> Read {
    let asked = context.age();
    let sight = match operator.lease() {
        // It can have none, and holds nothing.
        None => Ok(Sight::Absent),
        Some((namespace, name)) => {
            let leases: Api<Lease> = Api::namespaced(context.client.clone(), namespace);
            match timeout(ANSWERED_WITHIN, leases.get_opt(name)).await {
                Ok(Ok(Some(stored))) => Ok(Sight::Lease(lease::read(&stored))),
                Ok(Ok(None)) => Ok(Sight::Absent),
                Ok(Err(error)) => Err(error_text(&error)),
                Err(late) => Err(late.to_string()),
            }
        }
    };
    Read {
        times: [asked, context.age()],
        sight,
    }
}

/// The objects of an operator that is gone are reconciled at once.
fn tell(context: &Context, operator: &OperatorId, life: Life) {
    match life {
        Life::Back => {
            tracing::info!(%operator, "the operator {operator} lives: its Workspaces are left alone");
        }
        Life::Gone => {
            tracing::info!(
                %operator,
                "the operator {operator} is gone, for its Lease is held no more: its Workspaces are taken over"
            );
            let is_theirs = |holder: &Holder| holder.lease == *operator;
            let held = context
                .workspaces
                .state_filter(|workspace| workspace.holder().is_some_and(is_theirs));
            for workspace in held {
                context.wake(ObjectRef::from_obj(&*workspace));
            }
            for organization in context.organizations.state() {
                if organization.holder().is_some_and(is_theirs) {
                    context.wake_organization(&organization.name_any());
                }
            }
        }
    }
}
