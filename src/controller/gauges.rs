//! Gauges that are counted from the stores in intervals, rather than with every event.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;

use super::context::Context;
use super::others_leases;
use crate::crd::AnyWorkspace;
use crate::crd::conditions::{self, READY};
use crate::domain::ids::{OperatorId, Uid};
use crate::domain::rate::{RateReason, RequestRate};
use crate::domain::reason::Reason;

/// Shorter than any common scrape interval.
const COUNT_INTERVAL: Duration = Duration::from_secs(10);

/// Counts until dropped.
pub(super) async fn keep_counting(context: Arc<Context>) {
    loop {
        count(&context);
        tokio::time::sleep(COUNT_INTERVAL).await;
    }
}

fn count(context: &Context) {
    let mut by_reason = BTreeMap::<Reason, i64>::new();
    let mut uids = HashSet::new();
    let operators = context.operators();
    let mut by_holder = BTreeMap::<OperatorId, usize>::new();
    for workspace in context.workspaces.state() {
        uids.extend(workspace.uid().map(Uid::new));
        *by_reason.entry(reason(&workspace)).or_default() += 1;
        let holder = workspace.holder().map(|holder| &holder.lease);
        let other = holder.filter(|holder| **holder != operators.ours && holder.lease().is_some());
        if let Some(other) = other {
            *by_holder.entry(other.clone()).or_default() += 1;
        }
    }
    // Those of Organizations are known, and not counted.
    for organization in context.organizations.state() {
        let holder = organization.holder().map(|holder| &holder.lease);
        let other = holder.filter(|holder| **holder != operators.ours);
        if let Some(other) = other {
            by_holder.entry(other.clone()).or_default();
        }
    }
    others_leases::found(context, &by_holder);
    let mut rates = BTreeMap::<RateReason, i64>::new();
    for state in context.shared().organizations.values() {
        let RequestRate { per_second, reason } = state.limiter.rate();
        *rates.entry(reason).or_default() += i64::from(per_second);
    }
    let metrics = &context.admin.metrics;
    metrics.set_request_rates(&rates);
    metrics.set_workspaces(&by_reason);
    metrics.set_first_token_expiry(
        context
            .shared()
            .secrets
            .first_expiry(&uids)
            .map(jiff::Timestamp::as_second),
    );
}

fn reason(workspace: &AnyWorkspace) -> Reason {
    let workspace = match workspace {
        AnyWorkspace::Whole(workspace) => workspace,
        AnyWorkspace::Salvaged(_) => return Reason::InvalidObject,
    };
    let status = workspace.status.as_ref();
    status
        .and_then(|status| conditions::reason(&status.conditions, READY))
        .and_then(Reason::parse)
        .unwrap_or(Reason::Creating)
}
