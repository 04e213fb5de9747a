//! Whatever befell a Workspace, its Organization and its server, once all is well again it ends as declared, alone and
//! quiet; and meanwhile nothing was asked of an organization that is not its own.

use proptest::prelude::*;

use crate::domain::remote::WorkspaceState;
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::ordeals::{Ordeal, ordeal, server};
use crate::lifecycle::tests::harness::tried::Tried;
use crate::lifecycle::tests::harness::world::spec;

proptest! {
    #![proptest_config(crate::domain::testing::cases(100))]

    /// Promise: rule.ends-well
    /// Whatever befell it and its Organization, it ends as declared, alone and quiet.
    #[test]
    fn after_any_ordeal_a_workspace_ends_as_declared_and_quiet(
        server in server(),
        ordeals in prop::collection::vec(ordeal(), 0..14),
    ) {
        let mut tried = Tried::new(server);
        tried.world.apply("acme", spec("acme"));
        for ordeal in ordeals {
            tried.befall(ordeal);
            let content = tried.world.token_opens("acme-token").or(tried.world.token_opens("fresh"));
            let recorded = tried.world.id("acme");
            prop_assert!(content.is_none() || recorded.is_none() || content == recorded, "I1");
        }
        tried.end();
        // An edit would end every back-off.
        if tried.world.objects["acme"].spec.suspend.is_some() {
            tried.befall(Ordeal::Suspend(None));
        }
        tried.live_on();
        let uncertain = tried.world.ready("acme") == "CreationUncertain";
        if uncertain {
            let engine = &tried.world.engine;
            let untold = engine.created_at == Told::No || engine.date == Told::No;
            prop_assert!(untold, "a time decides");
            prop_assert_eq!(tried.left().len(), 1, "no twin");
            return Ok(());
        }
        let object = &tried.world.objects["acme"];
        prop_assert_eq!(tried.world.ready("acme"), "AsDeclared", "{:?}", object.status.conditions);
        prop_assert_eq!(tried.world.engine.names(), [object.spec.name.as_str()]);
        prop_assert_eq!(tried.world.id("acme"), Some(tried.left()[0].id.clone()));
        let last_token = object.spec.token_enabled() && object.status.state == Some(WorkspaceState::Active);
        prop_assert_eq!(tried.world.secrets.len(), usize::from(last_token));
        tried.world.forget_journal();
        let settled = tried.world.reconcile("acme").unwrap();
        let again = tried.world.reconcile("acme").unwrap();
        prop_assert!(tried.world.count("Issue") <= 1, "settled means settled: {:?}", tried.world.kinds());
        prop_assert_eq!(again.calls, 0);
        prop_assert!(again.requeue.at >= settled.requeue.at || settled.calls == 0);
    }
}
