//! Permits at a rate, with a burst after quiet: the generic cell rate algorithm, in instants.

use std::time::Duration;

use crate::domain::time::Uptime;

/// A sequence of instants, one each `every`, of which those within `burst` may come at once after quiet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gcra {
    every: Duration,
    burst: Duration,
    /// When the next permit would be due without the burst.
    due: Uptime,
}

impl Default for Gcra {
    fn default() -> Self {
        Self {
            every: Duration::ZERO,
            burst: Duration::ZERO,
            due: Uptime::default(),
        }
    }
}

impl Gcra {
    /// The burst holds one permit at least. At a higher rate, what was taken beyond the burst is paid back sooner.
    pub(super) fn set(&mut self, from: Uptime, every: Duration, burst: Duration) {
        let spent = from.later(burst);
        if every < self.every && self.due > spent {
            let beyond = self.due.since(spent).mul_f64(every.div_duration_f64(self.every));
            self.due = spent.later(beyond);
        }
        self.every = every;
        self.burst = burst.saturating_sub(every);
    }

    /// The next instant, not before `from`.
    pub(super) fn next(&self, from: Uptime) -> Uptime {
        self.due.earlier(self.burst).max(from)
    }

    /// Takes the next instant.
    pub(super) fn take(&mut self, from: Uptime) -> Uptime {
        let at = self.next(from);
        self.due = self.due.max(from).later(self.every);
        at
    }

    /// No burst from here on: one each `every`.
    pub(super) fn spend_burst(&mut self, from: Uptime) {
        self.due = self.due.max(from.later(self.burst));
    }

    /// Gives back what was taken ahead of `from`, but no burst.
    pub(super) fn restart(&mut self, from: Uptime) {
        self.due = self.due.min(from.later(self.burst));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Uptime {
        Uptime::new(Duration::from_millis(millis))
    }

    /// Ten a second, ten at once.
    fn ten() -> Gcra {
        let mut gcra = Gcra::default();
        gcra.set(at(0), Duration::from_millis(100), Duration::from_secs(1));
        gcra
    }

    fn next_after(gcra: &mut Gcra, taken: usize) -> Uptime {
        (0..taken).for_each(|_| _ = gcra.take(at(0)));
        gcra.next(at(0))
    }

    #[test]
    fn a_burst_goes_at_once_and_then_one_after_the_other() {
        let next = [9, 10, 12].map(|taken| next_after(&mut ten(), taken));
        assert_eq!(next, [at(0), at(100), at(300)]);
    }

    /// Half of the time for what is beyond the burst.
    #[test]
    fn at_twice_the_rate_the_next_comes_in_half_of_the_time() {
        let mut gcra = ten();
        next_after(&mut gcra, 20);
        gcra.set(at(0), Duration::from_millis(50), Duration::from_secs(1));
        assert_eq!(
            gcra.next(at(0)),
            at(550),
            "half of the second, and one within the burst"
        );
        let mut slower = ten();
        next_after(&mut slower, 20);
        slower.set(at(0), Duration::from_millis(200), Duration::from_secs(1));
        assert_eq!(slower.next(at(0)), at(1_200), "what is taken stays taken");
        let mut within = ten();
        next_after(&mut within, 5);
        within.set(at(0), Duration::from_millis(50), Duration::from_secs(1));
        assert_eq!(within.next(at(0)), at(0));
    }

    #[test]
    fn a_restart_gives_back_what_was_taken_ahead_and_no_burst() {
        let mut gcra = ten();
        next_after(&mut gcra, 50);
        gcra.restart(at(1_000));
        let given: Vec<Uptime> = (0..3).map(|_| gcra.take(at(1_000))).collect();
        assert_eq!(given, [at(1_000), at(1_100), at(1_200)]);
    }
}
