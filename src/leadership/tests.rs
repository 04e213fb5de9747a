//! The election: what one process does, as a reader learns it, and what holds of many, whatever is lost, late or paused.

use std::time::Duration;

use futures::FutureExt;
use proptest::prelude::*;

use super::{Act, Elector, Fence, Heard, Lease, NOBODY, Right, Standing, Terms, TermsError};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn lease(version: u64, holder: &str) -> Lease {
    Lease {
        version: version.to_string(),
        holder: (!holder.is_empty()).then(|| holder.to_owned()),
        duration: at(30),
    }
}

fn replace(version: u64) -> Act {
    Act::Replace {
        version: version.to_string(),
    }
}

fn standing_by(seen: Lease) -> Elector {
    let mut elector = Elector::new("a", Terms::default());
    elector.heard(&Act::Read, at(0), at(0), Heard::Lease(seen));
    elector
}

fn leader() -> Elector {
    let mut elector = standing_by(lease(1, ""));
    elector.heard(&replace(1), at(0), at(1), Heard::Lease(lease(2, "a")));
    elector
}

fn leads(elector: &Elector, now: Duration) -> bool {
    matches!(elector.standing(now), Standing::Leads { .. })
}

/// Somebody may have deleted one that its holder counts on.
#[test]
fn a_process_that_finds_no_lease_creates_it_for_nobody() {
    let mut elector = Elector::new("a", Terms::default());
    assert_eq!(elector.next(at(0)), Act::Read);
    elector.heard(&Act::Read, at(0), at(1), Heard::Absent);
    assert_eq!(elector.next(at(1)), Act::Create);
    elector.heard(&Act::Create, at(1), at(3), Heard::Lease(lease(1, NOBODY)));
    assert!(!leads(&elector, at(3)));
    assert_eq!(elector.next(at(32)), Act::Read);
    assert_eq!(elector.next(at(33)), replace(1));
    elector.heard(&replace(1), at(33), at(35), Heard::Lease(lease(2, "a")));
    let leads = Standing::Leads {
        begins_until: at(33 + 20),
        ends: at(33 + 30),
    };
    assert_eq!(elector.standing(at(35)), leads, "counted from when it was asked");
    assert_eq!(elector.next(at(35)), Act::WaitUntil(at(33 + 5)));
    assert_eq!(elector.next(at(38)), replace(2));
}

#[test]
fn a_lease_is_taken_once_it_was_seen_unchanged_for_its_duration() {
    let mut elector = standing_by(lease(1, "b"));
    let holder = Some("b".to_owned());
    assert_eq!(elector.standing(at(29)), Standing::StandsBy { holder });
    assert_eq!(elector.next(at(29)), Act::Read);
    assert_eq!(elector.next(at(30)), replace(1));
    elector.heard(&Act::Read, at(29), at(29), Heard::Lease(lease(2, "b")));
    assert_eq!(
        elector.next(at(58)),
        Act::Read,
        "it was renewed, whatever its times say"
    );
    assert_eq!(elector.next(at(59)), replace(2));
}

#[test]
fn a_released_lease_is_taken_at_once() {
    assert_eq!(standing_by(lease(1, "")).next(at(0)), replace(1));
}

/// A container that was started again in its Pod: the one before is dead.
#[test]
fn a_lease_of_the_same_identity_is_taken_at_once() {
    assert_eq!(standing_by(lease(1, "a")).next(at(0)), replace(1));
}

/// The log would say that it stands by for itself.
#[test]
fn no_other_leads_where_the_lease_has_our_identity() {
    let elector = standing_by(lease(1, "a"));
    assert_eq!(elector.standing(at(0)), Standing::StandsBy { holder: None });
}

#[test]
fn a_leader_that_cannot_renew_stops_before_the_lease_ends() {
    let mut elector = leader();
    for second in 5..30 {
        let now = at(second);
        match elector.next(now) {
            Act::WaitUntil(_) => {}
            act => elector.heard(&act, now, now, Heard::Failed),
        }
        assert_eq!(leads(&elector, now), second < 20, "{second}");
    }
    assert_eq!(elector.standing(at(30)), Standing::Lost);
}

/// A write without an answer may have changed the version.
#[test]
fn after_a_failed_renewal_the_lease_is_read_first() {
    let mut elector = leader();
    elector.heard(&replace(2), at(5), at(6), Heard::Failed);
    assert_eq!(elector.next(at(7)), Act::Read);
    elector.heard(&Act::Read, at(7), at(7), Heard::Lease(lease(3, "a")));
    assert_eq!(elector.next(at(7)), replace(3));
    assert!(!leads(&elector, at(21)), "reading it renews nothing");
}

#[test]
fn a_leader_that_reads_another_holder_has_lost_at_once() {
    for (heard, why) in [(Heard::Lease(lease(3, "b")), "taken"), (Heard::Absent, "deleted")] {
        let mut elector = leader();
        elector.heard(&replace(2), at(5), at(5), Heard::Conflict);
        assert_eq!(elector.next(at(6)), Act::Read, "{why}");
        elector.heard(&Act::Read, at(6), at(6), heard);
        assert_eq!(elector.standing(at(6)), Standing::Lost, "{why}");
    }
}

/// It may have begun nothing meanwhile, and what it remembers may be outdated.
#[test]
fn a_leader_whose_renewal_comes_too_late_has_lost_for_good() {
    let mut elector = leader();
    elector.heard(&replace(2), at(19), at(21), Heard::Lease(lease(3, "a")));
    assert_eq!(elector.standing(at(21)), Standing::Lost);
    assert!(matches!(elector.next(at(21)), Act::WaitUntil(_)));
}

/// Whoever held it last, another may have held it since: its holder counts on it still.
#[test]
fn a_lease_that_was_deleted_is_not_free_at_once() {
    for holder in ["b", "a", ""] {
        let mut elector = standing_by(lease(1, holder));
        elector.heard(&Act::Read, at(5), at(5), Heard::Absent);
        assert_eq!(elector.next(at(5)), Act::Create, "{holder:?}");
        elector.heard(&Act::Create, at(5), at(5), Heard::Conflict);
        elector.heard(&Act::Read, at(6), at(6), Heard::Lease(lease(2, NOBODY)));
        assert_eq!(elector.next(at(35)), Act::Read, "{holder:?}");
        assert_eq!(elector.next(at(36)), replace(2), "{holder:?}");
    }
}

#[test]
fn times_that_do_not_fit_are_refused() {
    let terms = |duration, renew, give_up| Terms::new(at(duration), at(renew), at(give_up), at(20));
    assert_eq!(terms(30, 5, 20), Ok(Terms::default()));
    for (duration, renew, give_up, why) in [
        (30, 11, 20, TermsError::RenewedTooRarely),
        (30, 5, 30, TermsError::GivenUpTooLate),
        (29, 5, 20, TermsError::ShorterThanARequest { needed: at(20) }),
    ] {
        assert_eq!(terms(duration, renew, give_up), Err(why));
    }
}

#[tokio::test(start_paused = true)]
async fn the_fence_closes_for_long_requests_before_short_ones() {
    let fence = Fence::closed();
    assert!(!fence.is_open() && !fence.covers(at(0)).await);
    fence.set(Right::Leads {
        begins_until: at(20),
        ends: at(30),
    });
    for (after, open) in [
        (0, (true, true, true)),
        (11, (true, false, true)),
        (9, (false, false, false)),
    ] {
        tokio::time::advance(at(after)).await;
        let covers = |seconds| fence.covers(at(seconds)).now_or_never() == Some(true);
        assert_eq!((fence.is_open(), covers(20), covers(5)), open);
    }
}

/// A healthy leader whose renewal is answered late has nothing to tell of Agent Engine.
#[tokio::test(start_paused = true)]
async fn a_long_request_waits_for_the_next_renewal() {
    let fence = Fence::closed();
    let leads_from = |second: u64| {
        fence.set(Right::Leads {
            begins_until: at(second + 20),
            ends: at(second + 30),
        });
    };
    leads_from(0);
    tokio::time::advance(at(12)).await;
    let renewal = async {
        tokio::time::sleep(at(2)).await;
        leads_from(14);
    };
    let (covers, ()) = tokio::join!(fence.covers(at(20)), renewal);
    assert!(covers);
    assert_eq!(fence.base().elapsed(), at(14));
    tokio::time::advance(at(11)).await;
    assert!(!fence.covers(at(20)).await, "no renewal comes");
    assert_eq!(fence.base().elapsed(), at(34), "no longer than it leads");
}

/// What befalls a request, and the process after it.
#[derive(Clone, Copy, Debug)]
struct Fate {
    arrives_after: u64,
    answers_after: u64,
    loss: u8,
    pause: u64,
    /// Somebody deletes the Lease just before the request arrives.
    lease_goes: bool,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let delay = || prop_oneof![6 => 1..200_u64, 2 => 200..5_000_u64, 1 => 5_000..40_000_u64];
    let pause = prop_oneof![8 => Just(0), 1 => 1..3_000_u64, 1 => 3_000..200_000_u64];
    let goes = prop::bool::weighted(0.05);
    let fate = (delay(), delay(), 0..10_u8, pause, goes);
    let fate = fate.prop_map(|(arrives_after, answers_after, loss, pause, lease_goes)| Fate {
        arrives_after,
        answers_after,
        loss,
        pause,
        lease_goes,
    });
    prop::collection::vec(fate, 20..150)
}

enum Doing {
    Sleeps {
        until: u64,
    },
    Asks {
        act: Act,
        asked: u64,
        arrives: u64,
        fate: Fate,
    },
    Awaits {
        act: Act,
        asked: u64,
        answers: u64,
        fate: Fate,
        heard: Heard,
    },
}

struct Process {
    elector: Elector,
    /// Its monotonic clock began so long before the first event.
    began: u64,
    doing: Doing,
    /// The latest end of a lease that it had.
    ends: u64,
}

impl Process {
    fn local(&self, now: u64) -> Duration {
        Duration::from_millis(self.began + now)
    }

    fn due(&self) -> u64 {
        match &self.doing {
            Doing::Sleeps { until } => *until,
            Doing::Asks { arrives, .. } => *arrives,
            Doing::Awaits { answers, .. } => *answers,
        }
    }

    fn leads(&self, now: u64) -> bool {
        leads(&self.elector, self.local(now))
    }
}

/// The Kubernetes API: one lease, each write with a version of its own.
#[derive(Default)]
struct Api {
    lease: Option<Lease>,
    version: u64,
}

impl Api {
    fn carry_out(&mut self, by: &str, act: &Act) -> Heard {
        let as_stored = |lease: &Option<Lease>| lease.clone().map_or(Heard::Absent, Heard::Lease);
        let expected = match act {
            Act::Read | Act::WaitUntil(_) => return as_stored(&self.lease),
            Act::Create => None,
            Act::Replace { version } => Some(version),
        };
        if self.lease.as_ref().map(|lease| &lease.version) != expected {
            return Heard::Conflict;
        }
        self.version += 1;
        let holder = if *act == Act::Create { NOBODY } else { by };
        self.lease = Some(lease(self.version, holder));
        as_stored(&self.lease)
    }
}

/// One event of one process.
fn advance(
    api: &mut Api,
    process: &mut Process,
    name: &str,
    now: u64,
    fates: &mut impl Iterator<Item = Fate>,
) {
    let asleep = Doing::Sleeps { until: u64::MAX };
    process.doing = match std::mem::replace(&mut process.doing, asleep) {
        Doing::Sleeps { .. } => match process.elector.next(process.local(now)) {
            Act::WaitUntil(at) => {
                let at = u64::try_from(at.as_millis()).unwrap() - process.began;
                Doing::Sleeps {
                    until: at.max(now + 1),
                }
            }
            act => {
                let fate = fates.next().unwrap();
                Doing::Asks {
                    act,
                    asked: now,
                    arrives: now + fate.arrives_after,
                    fate,
                }
            }
        },
        Doing::Asks { act, asked, fate, .. } => {
            if fate.lease_goes {
                api.lease = None;
            }
            let heard = match fate.loss {
                0 => Heard::Failed,
                _ => api.carry_out(name, &act),
            };
            Doing::Awaits {
                act,
                asked,
                answers: now + fate.answers_after,
                fate,
                heard,
            }
        }
        Doing::Awaits {
            act,
            asked,
            fate,
            heard,
            ..
        } => {
            let heard = if fate.loss == 1 { Heard::Failed } else { heard };
            let (asked, answered) = (process.local(asked), process.local(now));
            process.elector.heard(&act, asked, answered, heard);
            Doing::Sleeps {
                until: now + fate.pause,
            }
        }
    };
    if let Standing::Leads { ends, .. } = process.elector.standing(process.local(now)) {
        process.ends = u64::try_from(ends.as_millis()).unwrap() - process.began;
    }
}

proptest! {
    /// Promise: rule.one-leader: At any instant at most one process leads, and none does before the lease of the one before has ended or was released
    #[test]
    fn at_most_one_process_leads_at_any_instant(fates in fates(), began in prop::collection::vec(0..10_000_000_u64, 3)) {
        let names = ["a", "b", "c"];
        let mut api = Api::default();
        let mut processes: Vec<Process> = names.iter().zip(&began).map(|(name, began)| Process {
            elector: Elector::new(*name, Terms::default()),
            began: *began,
            doing: Doing::Sleeps { until: 0 },
            ends: 0,
        }).collect();
        // In the end all goes well, and one process is left.
        let well = Fate { arrives_after: 1, answers_after: 1, loss: 9, pause: 0, lease_goes: false };
        let mut events = fates.len() * 3;
        let mut fates = fates.into_iter().chain(std::iter::repeat(well));
        let mut now = 0;
        while events > 0 {
            events -= 1;
            let (at, next) = processes.iter().enumerate().map(|(n, process)| (process.due(), n)).min().unwrap();
            now = at;
            let led = processes[next].leads(now);
            advance(&mut api, &mut processes[next], names[next], now, &mut fates);
            prop_assert!(processes.iter().filter(|process| process.leads(now)).count() <= 1);
            if processes[next].leads(now) && !led {
                let others = processes.iter().enumerate().filter(|(n, _)| *n != next);
                for (n, other) in others {
                    prop_assert!(other.ends <= now, "{} leads at {now}, {} until {}", names[next], names[n], other.ends);
                }
            }
        }
        let survivor = &mut processes[0];
        // Longer than what is under way may take, and a lease.
        let end = now.max(survivor.due()) + 600_000;
        let mut fates = std::iter::repeat(well);
        let mut seen_leading = false;
        while survivor.due() < end {
            let now = survivor.due();
            advance(&mut api, survivor, "a", now, &mut fates);
            seen_leading |= survivor.leads(now);
        }
        let has_lost = survivor.elector.standing(survivor.local(end)) == Standing::Lost;
        prop_assert!(seen_leading || has_lost, "the one that is left leads in the end");
    }
}
