//! An outage of Agent Engine in virtual time: how long until every token is new after its end, and how many calls that takes.

use std::num::NonZeroUsize;

use super::Millis;
use super::agent_engine::{KeptNames, Knobs};
use super::history::{Act, History, Setup, Timed};
use super::weather::Weather;
use super::world::{SETTLED, World};

/// Until then the objects are created and every token is in its Secret.
const BEGINS: Millis = 600_000;

/// After its end it is watched for so long.
const WATCHED: Millis = 900_000;

/// What goes away, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    pub objects: usize,
    /// How long Agent Engine fails every request, in milliseconds.
    pub lasts: Millis,
    /// In milliseconds.
    pub token_life: Millis,
    /// `spec.requestsPerSecond`.
    pub requests_per_second: Option<i32>,
}

/// What came after it.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// When each token was new, after the end of the outage, in order.
    pub renewed: Vec<Millis>,
    /// Objects without a new token at the end.
    pub late: usize,
    /// Calls in each ten seconds after the end of the outage.
    pub calls: Vec<usize>,
    /// Calls during the outage.
    pub calls_in_vain: usize,
}

impl Outage {
    /// That of the bar: 15 minutes, in which every token ends.
    pub fn of_the_bar(objects: usize, requests_per_second: Option<i32>) -> Self {
        Self {
            objects,
            lasts: 900_000,
            token_life: 600_000,
            requests_per_second,
        }
    }

    /// Lives through it, and watches until every token is new.
    pub fn live(self) -> Recovery {
        let history = self.history();
        let mut world = World::new(&history, false);
        let begins = SETTLED + BEGINS;
        let ends = begins + self.lasts;
        self.run_until(&mut world, &history, ends);
        let old = world.engine.tokens.len();
        let mut renewed = Vec::new();
        let mut now = ends;
        while renewed.len() < self.objects && now < ends + WATCHED {
            now += 1_000;
            self.run_until(&mut world, &history, now);
            let new = world.new_tokens(old);
            renewed.resize(new.max(renewed.len()), now - ends);
        }
        let at: Vec<Millis> = world.engine.organizations[0]
            .calls
            .iter()
            .map(|(at, ..)| *at)
            .collect();
        let mut calls = Vec::new();
        for at in at.iter().filter(|at| **at > ends) {
            let slot = usize::try_from((at - ends) / 10_000).unwrap_or_default();
            calls.resize(calls.len().max(slot + 1), 0);
            calls[slot] += 1;
        }
        Recovery {
            late: self.objects - renewed.len(),
            calls_in_vain: at.iter().filter(|at| (begins..ends).contains(*at)).count(),
            renewed,
            calls,
        }
    }

    fn run_until(self, world: &mut World, history: &History, until: Millis) {
        while let Some(((at, _), (_, event))) = world.events.pop_first() {
            if at > until {
                world.at(at, event);
                break;
            }
            world.now = world.now.max(at);
            world.happen(history, event);
        }
        world.now = world.now.max(until);
    }

    fn history(self) -> History {
        let weather = |after, weather| Timed {
            after,
            act: Act::Weather {
                organization: 0,
                weather,
            },
        };
        History {
            setup: Setup {
                seed: 1,
                knobs: Knobs {
                    tells_created_at: true,
                    tells_date: true,
                    folds_names: false,
                    keeps_names: KeptNames::AsGiven,
                    shows_tombstones: false,
                    lists_tombstones: false,
                    names_organization: true,
                    newest_first: false,
                    list_lag: 0,
                    page_size: 100,
                    token_life: self.token_life,
                    ahead: 0,
                },
                organizations: 1,
                namespaces: 1,
                concurrency: NonZeroUsize::new(64).unwrap_or(NonZeroUsize::MIN),
                requests_per_second: self.requests_per_second,
                objects: self.objects,
                siege: None,
                store_lag: 5,
                clocks: vec![0],
            },
            acts: vec![
                weather(BEGINS, Weather::Unavailable),
                weather(self.lasts, Weather::Calm),
                Timed {
                    after: WATCHED,
                    act: Act::Wait,
                },
            ],
        }
    }
}

impl World {
    /// Secrets that hold a token that was issued after so many.
    fn new_tokens(&self, old: usize) -> usize {
        let secrets = self.cluster.secrets.values();
        let token = |token: u64| usize::try_from(token).is_ok_and(|n| n >= old);
        secrets.filter(|secret| secret.token.is_some_and(token)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: rule.away
    #[test]
    fn after_an_outage_every_token_is_new_as_soon_as_the_rate_allows() {
        let outage = Outage::of_the_bar(300, Some(50));
        let recovery = outage.live();
        assert_eq!(recovery.late, 0);
        // 900 calls at 50 a second, and the next probe.
        let last = recovery.renewed.last().copied().unwrap_or_default();
        assert!(last <= 18_000 + 5_000 + 2_000, "{last} ms: {:?}", recovery.calls);
        let probes = usize::try_from(outage.lasts / 5_000).unwrap();
        assert!(
            recovery.calls_in_vain <= probes + 40,
            "{}",
            recovery.calls_in_vain
        );
    }
}
