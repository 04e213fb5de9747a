//! Whatever befell a Workspace, once all is well again it ends as declared.

use std::time::Duration;

use proptest::prelude::*;

use crate::crd::metadata_keys;
use crate::crd::workspace::TokenSecret;
use crate::domain::ids::WorkspaceName;
use crate::domain::remote::{FailureClass, WorkspaceState};
use crate::lifecycle::tests::harness::world::{Fault, World, spec};

/// Things that befall a Workspace.
#[derive(Clone, Copy, Debug)]
enum Event {
    Rename(&'static str),
    State(Option<WorkspaceState>),
    RenamedRemotely(&'static str),
    LoseSecret,
    LoseLabel,
    NameSecret(&'static str),
    Fault(&'static str, Fault),
    Crash(usize, Fault),
    List,
    Restart,
    Live(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let operation = prop::sample::select(vec!["Search", "Get", "Issue", "Verify", "Update"]);
    let of_kubernetes = vec![
        "WriteStatus",
        "WriteSecret",
        "AddFinalizer",
        "DeleteSecret",
        "ReadSecret",
    ];
    let fault = prop::sample::select(vec![
        Fault::AnswerLost,
        Fault::Answers(FailureClass::Transient, 503),
        Fault::Answers(FailureClass::Unknown, 504),
        Fault::Answers(FailureClass::Denied, 403),
        Fault::Answers(FailureClass::Throttled(Duration::from_secs(7)), 429),
    ]);
    let crash = prop::sample::select(vec![Fault::CrashBefore, Fault::CrashAfter]);
    prop_oneof![
        prop::sample::select(vec!["acme", "zenith", "nadir"]).prop_map(Event::Rename),
        prop::sample::select(vec![
            None,
            Some(WorkspaceState::Active),
            Some(WorkspaceState::Inactive)
        ])
        .prop_map(Event::State),
        prop::sample::select(vec!["moved", "zenith"]).prop_map(Event::RenamedRemotely),
        Just(Event::LoseSecret),
        Just(Event::LoseLabel),
        prop::sample::select(vec!["acme-token", "fresh"]).prop_map(Event::NameSecret),
        (operation, fault).prop_map(|(on, fault)| Event::Fault(on, fault)),
        (
            prop::sample::select(of_kubernetes),
            prop::sample::select(vec![Fault::Refused, Fault::AnswerLost])
        )
            .prop_map(|(on, fault)| Event::Fault(on, fault)),
        (0usize..10, crash).prop_map(|(n, fault)| Event::Crash(n, fault)),
        Just(Event::List),
        Just(Event::Restart),
        (1u64..1500).prop_map(Event::Live),
    ]
}

fn befall(world: &mut World, event: Event) {
    match event {
        Event::Rename(name) => world.edit("acme", |o| o.spec.name = WorkspaceName::from(name)),
        Event::State(state) => world.edit("acme", |o| o.spec.status = state),
        Event::RenamedRemotely(name) => {
            // Renamed before it was recorded, a creation whose answer was lost cannot be told from another's workspace.
            if let Some(id) = world.id("acme")
                && let Some(row) = world.engine.row(&id)
            {
                row.name = WorkspaceName::from(name);
            }
        }
        Event::LoseSecret => world.secrets.clear(),
        Event::LoseLabel => {
            let recorded = world.status("acme").token_secret_name.clone();
            if let Some(secret) = recorded.and_then(|name| world.secrets.get_mut(&name)) {
                secret.facts.labels.remove(metadata_keys::WORKSPACE_LABEL);
            }
        }
        Event::NameSecret(name) => world.edit("acme", |o| {
            o.spec.token_secret = Some(TokenSecret {
                name: Some(name.to_owned()),
                ..TokenSecret::default()
            });
        }),
        Event::Fault(on, fault) => world.fault(on, fault, 1),
        Event::Crash(n, fault) => world.crash_at(n, fault),
        Event::List => world.list(),
        Event::Restart => world.restart(),
        Event::Live(seconds) => world.live("acme", Duration::from_secs(seconds)),
    }
}

proptest! {
    #![proptest_config(crate::domain::testing::cases(100))]

    /// Whatever befell it a workspace ends as declared alone and quiet.
    #[test]
    fn after_any_event_a_workspace_ends_as_declared_and_quiet(
        events in prop::collection::vec(event(), 0..12),
    ) {
        let mut world = World::new();
        world.apply("acme", spec("acme"));
        for event in events {
            befall(&mut world, event);
        }
        world.heal();
        for _ in 0..8 {
            world.live("acme", Duration::from_secs(1800));
            world.remove_orphans_of_crashes();
            world.list();
        }
        world.live("acme", Duration::from_secs(1800));
        let object = &world.objects["acme"];
        prop_assert_eq!(world.ready("acme"), "AsDeclared", "{:?}", object.status.conditions);
        prop_assert_eq!(world.engine.names(), [object.spec.name.as_str()]);
        prop_assert_eq!(world.id("acme"), Some(world.engine.rows[0].workspace.id.clone()));
        let secrets = usize::from(object.status.state == Some(WorkspaceState::Active));
        prop_assert_eq!(world.secrets.len(), secrets);
        world.forget_journal();
        let settled = world.reconcile("acme").unwrap();
        let again = world.reconcile("acme").unwrap();
        prop_assert!(world.count("Issue") <= 1, "settled means settled: {:?}", world.kinds());
        prop_assert_eq!(again.calls, 0);
        prop_assert!(again.requeue.at >= settled.requeue.at || settled.calls == 0);
    }
}
