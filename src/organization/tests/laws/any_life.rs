//! What holds in any life of an Organization.

use std::time::Duration;

use proptest::prelude::*;

use crate::domain::remote::FailureClass;
use crate::domain::time::{elapsed, later};
use crate::organization::NoClient;
use crate::organization::tests::harness::given::{ours, row, theirs};
use crate::organization::tests::harness::world::{Exchange, World};

/// What may happen between two reconciles.
#[derive(Clone, Debug)]
enum Happens {
    Nothing,
    Rotation,
    Secret(bool),
    Reading(bool),
    ExchangeAnswers(Answers),
    UnnamedAnswers(Answers),
    Rows(usize),
    ListFails(FailureClass),
    Wanted,
    Asked,
    Confirmed(usize),
    Writes(bool),
}

#[derive(Clone, Copy, Debug)]
enum Answers {
    Ours,
    Theirs,
    Nobody,
    Fails(FailureClass),
}

fn class() -> impl Strategy<Value = FailureClass> {
    prop_oneof![
        Just(FailureClass::Transient),
        Just(FailureClass::Denied),
        Just(FailureClass::Missing),
        Just(FailureClass::Malformed),
        (0..700u64).prop_map(|s| FailureClass::Throttled(Duration::from_secs(s))),
    ]
}

fn answers() -> impl Strategy<Value = Answers> {
    prop_oneof![
        3 => Just(Answers::Ours),
        1 => Just(Answers::Theirs),
        1 => Just(Answers::Nobody),
        1 => class().prop_map(Answers::Fails),
    ]
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        Just(Happens::Nothing),
        Just(Happens::Rotation),
        any::<bool>().prop_map(Happens::Secret),
        any::<bool>().prop_map(Happens::Reading),
        answers().prop_map(Happens::ExchangeAnswers),
        answers().prop_map(Happens::UnnamedAnswers),
        (0..30usize).prop_map(Happens::Rows),
        class().prop_map(Happens::ListFails),
        Just(Happens::Wanted),
        Just(Happens::Asked),
        (0..30usize).prop_map(Happens::Confirmed),
        any::<bool>().prop_map(Happens::Writes),
    ]
}

fn told(answers: Answers) -> Exchange {
    match answers {
        Answers::Ours => Ok(Some(ours())),
        Answers::Theirs => Ok(Some(theirs())),
        Answers::Nobody => Ok(None),
        Answers::Fails(class) => Err(class),
    }
}

fn happen(world: &mut World, nth: usize, event: Happens) {
    match event {
        Happens::Nothing => {}
        Happens::Rotation => world.rotate(),
        Happens::Secret(there) => world.secret = there.then_some(1),
        Happens::Reading(works) => {
            world.readable = if works {
                Ok(())
            } else {
                Err(NoClient::Unread {
                    why: "forbidden".to_owned(),
                })
            };
        }
        Happens::ExchangeAnswers(answers) => world.exchange = told(answers),
        Happens::UnnamedAnswers(answers) => world.exchange_unnamed = told(answers),
        Happens::Rows(count) => world.rows = Ok((0..count).map(row).collect()),
        Happens::ListFails(class) => world.rows = Err(class),
        Happens::Wanted => world.wanted_at = Some(world.uptime()),
        Happens::Asked => world.object.reconcile_at = Some(nth.to_string()),
        Happens::Confirmed(count) => world.object.confirm_missing = Some(count),
        Happens::Writes(fail) => world.writes_fail = fail,
    }
}

proptest! {
    #![proptest_config(crate::domain::testing::cases(256))]

    /// Every reconcile ends, none is due at once again, none is forgotten, and nothing is asked during a pause. Beside that,
    /// the world checks each call against the view that it was decided on.
    /// Promise: input.waiting
    #[test]
    fn every_reconcile_ends_and_in_the_end_all_heals(
        life in proptest::collection::vec((happens(), 0..400u64), 1..40),
        pinned in any::<bool>(),
    ) {
        let mut world = World::with_workspaces(20);
        if pinned {
            world.spec.organization_id = Some(ours());
            world.object.generation += 1;
        }
        world.reconcile();
        let mut paused = world.limiter.paused_until(world.uptime());
        for (nth, (event, seconds)) in life.into_iter().enumerate() {
            world.advance(Duration::from_secs(seconds));
            world.done();
            happen(&mut world, nth, event.clone());
            let (began, uptime) = (world.now, world.uptime());
            let next = world.reconcile();
            let calls = world.calls();
            prop_assert!(next > world.now, "{event:?}: due at once again");
            prop_assert!(elapsed(began, next) <= Duration::from_secs(3700), "{event:?}: forgotten until {next}");
            if paused.is_some_and(|until| uptime < until) {
                prop_assert!(calls.is_empty(), "{event:?}: {calls:?} during a pause");
            }
            paused = world.limiter.paused_until(world.uptime());
        }
        // Whatever was: once all is well, and what rests has rested, all is well.
        world.secret = Some(world.secret.unwrap_or_default() + 1);
        (world.readable, world.writes_fail) = (Ok(()), false);
        (world.exchange, world.exchange_unnamed) = (Ok(Some(ours())), Ok(Some(ours())));
        world.rows = Ok((0..20).map(row).collect());
        world.now = later(world.now, Duration::from_secs(3600));
        world.reconcile();
        prop_assert_eq!(world.reason(), "Verified", "{}", world.message());
    }
}
