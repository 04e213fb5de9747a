//! What a tenant does not learn: the name of a workspace that its namespace was not granted, whatever is stored, listed and
//! answered.

use std::time::Duration;

use proptest::prelude::*;

use crate::domain::ids::WorkspaceName;
use crate::lifecycle::effect::{ClusterEffect, Effect};
use crate::lifecycle::reconcile::{Next, Reconcile};
use crate::lifecycle::tests::harness::dice::Dice;
use crate::lifecycle::view::View;
use crate::tenancy::Claims;

/// A name that workspaces bear, and that no pattern but `*` grants.
const SECRET: &str = "theirs";

/// Whether the object has to do with that name itself: it is granted, declared, recorded, intended, or borne by its own workspace.
fn is_known(view: &View) -> bool {
    let secret = WorkspaceName::from(SECRET);
    let access = view.readable().map(|organization| &organization.access);
    let own = view
        .record()
        .and_then(|record| view.row(&record.id).map(|row| row.name.clone()));
    access.is_none_or(|access| access.grant(&secret).is_some())
        || view.declared.name == secret
        || view.stored.name.as_ref() == Some(&secret)
        || view
            .stored
            .creation
            .as_ref()
            .is_some_and(|begun| begun.name == secret)
        || own.is_some_and(|name| name == secret)
}

fn told(view: &View, effect: &Effect) -> Option<String> {
    match effect {
        Effect::Cluster(ClusterEffect::WriteStatus(status)) if !is_known(view) => {
            // Its own workspace, renamed by another client.
            let its = status.workspace_id.as_ref().and_then(|id| view.row(id));
            let text = format!("{status:?}");
            let tells = text.contains(SECRET) && its.is_none_or(|row| row.name.as_str() != SECRET);
            tells.then_some(text)
        }
        Effect::Cluster(_) | Effect::Engine(_) => None,
    }
}

proptest! {
    #![proptest_config(crate::domain::testing::cases(4_000))]

    /// Promise: rule.name-of-others
    #[test]
    fn no_status_tells_a_name_that_is_not_granted(numbers in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut dice = Dice::new(numbers);
        let view = dice.view();
        let (mut claims, mut limiter) = (Claims::default(), dice.limiter(view.uptime()));
        let (mut now, mut outcome, mut knew) = (view.now, None, false);
        let mut reconcile = Reconcile::new(view);
        let settled = loop {
            match reconcile.next(now, &mut claims, &mut limiter, outcome.take()) {
                Next::Wait(until) => now = until,
                Next::Settled(settled) => break settled,
                Next::Perform { effect, .. } => {
                    knew |= is_known(reconcile.view());
                    let told = told(reconcile.view(), &effect).filter(|_| !knew);
                    prop_assert_eq!(told, None);
                    now = now.checked_add(Duration::from_millis(100)).unwrap();
                    outcome = Some(dice.outcome(reconcile.view(), &effect));
                }
            }
        };
        let events = format!("{:?}", settled.events);
        prop_assert!(knew || is_known(reconcile.view()) || !events.contains(SECRET), "{}", events);
    }
}
