//! Whatever befell a Workspace before and during its deletion, it takes its own workspace along and touches no other.

use std::time::Duration;

use proptest::prelude::*;

use crate::crd::workspace::DeletionPolicy;
use crate::domain::reason::Reason;
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::ordeals::{Ordeal, Trouble, crowded_ordeal, server};
use crate::lifecycle::tests::harness::tried::Tried;
use crate::lifecycle::tests::harness::world::spec;

proptest! {
    #![proptest_config(crate::domain::testing::cases(100))]

    /// Promise: rule.ends-well: Whatever befell it, a deleted Workspace leaves nothing behind and touches no other; a retained one stays; any other ends as declared
    /// Whatever befell it, a deleted Workspace leaves nothing behind and touches no workspace of others.
    #[test]
    fn a_deleted_workspace_leaves_nothing_and_touches_no_other(
        server in server(),
        before in prop::collection::vec(crowded_ordeal(), 0..10),
        during in prop::collection::vec(crowded_ordeal(), 0..6),
    ) {
        let mut tried = Tried::new(server);
        tried.world.apply("acme", spec("acme"));
        for ordeal in before {
            tried.befall(ordeal);
        }
        tried.end();
        tried.world.delete("acme");
        let withdrawn = |ordeal: &Ordeal| matches!(ordeal, Ordeal::Organization(Trouble::NotGranted));
        let may_stay = during.iter().any(withdrawn);
        for ordeal in during {
            tried.befall(ordeal);
        }
        tried.end();
        tried.live_on();
        if tried.world.objects.contains_key("acme") {
            // The workspace cannot be attributed: the condition says so, and Retain lets the object go.
            let engine = &tried.world.engine;
            let untold = engine.created_at == Told::No || engine.date == Told::No;
            prop_assert!(untold || tried.is_nearly_named);
            prop_assert_eq!(tried.world.ready("acme"), "DeletionBlocked");
            tried.world.edit("acme", |o| o.spec.deletion_policy = Some(DeletionPolicy::Retain));
            tried.live_on();
        } else {
            let left = tried.left();
            let stays = may_stay && tried.world.events.contains(&Reason::Retained);
            prop_assert!(left.is_empty() || stays, "{:?} after {:?}", left, tried.world.kinds());
        }
        prop_assert!(!tried.world.objects.contains_key("acme"));
        prop_assert!(tried.world.secrets.is_empty());
        prop_assert_eq!(&tried.of_others(), &tried.others, "{:?}", tried.world.kinds());
    }

    /// Promise: rule.ends-well
    /// Whatever befell it, a workspace that is retained stays as it was, and costs no call.
    #[test]
    fn a_retained_workspace_stays_as_it_was(
        server in server(),
        before in prop::collection::vec(crowded_ordeal(), 0..10),
    ) {
        let mut tried = Tried::new(server);
        let mut declared = spec("acme");
        declared.deletion_policy = Some(DeletionPolicy::Retain);
        tried.world.apply("acme", declared);
        for ordeal in before {
            tried.befall(ordeal);
        }
        let recorded = tried.world.id("acme");
        let row = recorded.as_ref().and_then(|id| tried.world.engine.row(id).cloned());
        tried.world.delete("acme");
        tried.world.forget_journal();
        tried.world.heal();
        tried.world.live("acme", Duration::from_secs(1800));
        prop_assert!(!tried.world.objects.contains_key("acme"), "whatever the Organization says");
        prop_assert_eq!(tried.world.calls(), 0);
        let after = recorded.as_ref().and_then(|id| tried.world.engine.row(id).cloned());
        prop_assert_eq!(row, after);
        prop_assert_eq!(&tried.of_others(), &tried.others);
    }
}
