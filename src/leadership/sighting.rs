//! Whether another operator lives, by what is seen of its Lease. Judged by our own monotonic time: times of other machines are
//! never compared, and what cannot be read shows nothing.

use std::time::Duration;

use super::elector::Lease;

/// An operator that is upgraded, or started again, takes its Lease back within this.
pub const GRACE: Duration = Duration::from_secs(60);

/// The lease of an operator whose Lease was never there to be read.
const UNSTATED: Duration = Duration::from_secs(30);

/// What one read of the Lease showed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sight {
    Lease(Lease),
    /// There is none.
    Absent,
    /// No answer, or a refusal.
    Unreadable,
}

/// What is known of one other operator. It counts as alive until it was seen to be gone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sighting {
    quiet: Option<Quiet>,
    is_gone: bool,
}

/// A Lease that no process was seen to renew or take.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Quiet {
    /// The version that its holder wrote last. None: it has no holder, or is not there.
    held_as: Option<String>,
    /// When it was first seen so.
    since: Duration,
    /// For how long its holder counts on it.
    lasts: Duration,
}

impl Sighting {
    /// Whether nobody holds the Lease, and nobody took it back.
    pub fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// Takes what a read showed that was asked and answered at these instants.
    pub fn saw(&mut self, asked: Duration, answered: Duration, sight: Sight) {
        let (held_as, lasts) = match sight {
            Sight::Lease(lease) => (lease.holder.map(|_| lease.version), lease.duration),
            Sight::Absent => (None, self.quiet.as_ref().map_or(UNSTATED, |quiet| quiet.lasts)),
            Sight::Unreadable => {
                self.is_gone = false;
                // It may have been taken and released meanwhile, which no version shows.
                self.quiet = self.quiet.take().filter(|quiet| quiet.held_as.is_some());
                return;
            }
        };
        match &self.quiet {
            Some(quiet) if quiet.held_as == held_as => {
                let ends = quiet.since.saturating_add(quiet.lasts).saturating_add(GRACE);
                self.is_gone = asked >= ends;
            }
            Some(_) | None => {
                self.is_gone = false;
                self.quiet = Some(Quiet {
                    held_as,
                    since: answered,
                    lasts,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: u64 = 30;

    fn lease(version: &str, holder: &str) -> Sight {
        Sight::Lease(Lease {
            version: version.to_owned(),
            holder: (!holder.is_empty()).then(|| holder.to_owned()),
            duration: Duration::from_secs(LASTS),
        })
    }

    /// Whether it is gone after these reads, each asked at a second and answered at once.
    fn is_gone(reads: &[(u64, Sight)]) -> bool {
        let mut sighting = Sighting::default();
        for (second, sight) in reads {
            let at = Duration::from_secs(*second);
            sighting.saw(at, at, sight.clone());
        }
        sighting.is_gone()
    }

    #[test]
    fn an_operator_is_gone_when_its_lease_was_quiet_for_long() {
        let ends = LASTS + GRACE.as_secs();
        for quiet in [lease("1", "a"), lease("1", ""), Sight::Absent] {
            let until = |second| is_gone(&[(0, quiet.clone()), (5, quiet.clone()), (second, quiet.clone())]);
            assert!(!until(ends - 1), "{quiet:?}");
            assert!(until(ends), "{quiet:?}");
        }
    }

    #[test]
    fn an_operator_that_is_not_known_yet_lives() {
        assert!(!Sighting::default().is_gone());
        assert!(!is_gone(&[(1000, lease("1", ""))]), "it was seen once");
        assert!(!is_gone(&[(1000, Sight::Absent)]), "it was seen once");
    }

    #[test]
    fn a_renewal_begins_the_wait_over() {
        let renewed = [
            (0, lease("1", "a")),
            (80, lease("2", "a")),
            (100, lease("2", "a")),
        ];
        assert!(!is_gone(&renewed));
        let released = [(0, lease("1", "a")), (80, lease("2", "")), (100, lease("2", ""))];
        assert!(!is_gone(&released), "its holder lived until then");
        let back = [(0, lease("1", "")), (95, lease("1", "")), (100, lease("2", "a"))];
        assert!(is_gone(&back[..2]) && !is_gone(&back));
    }

    #[test]
    fn a_label_on_a_lease_without_a_holder_is_no_sign_of_life() {
        assert!(is_gone(&[
            (0, lease("1", "")),
            (50, lease("2", "")),
            (90, lease("3", ""))
        ]));
        assert!(is_gone(&[
            (0, lease("1", "")),
            (50, Sight::Absent),
            (90, Sight::Absent)
        ]));
    }

    /// Promise: rule.one-operator
    #[test]
    fn what_cannot_be_read_counts_as_alive() {
        let unreadable: Vec<_> = (0..1000).map(|second| (second, Sight::Unreadable)).collect();
        assert!(!is_gone(&unreadable));
        let lost = [(0, Sight::Absent), (90, Sight::Absent), (95, Sight::Unreadable)];
        assert!(is_gone(&lost[..2]) && !is_gone(&lost));
        let again = [(0, Sight::Absent), (50, Sight::Unreadable), (95, Sight::Absent)];
        assert!(!is_gone(&again), "it may have been held between the reads");
        let same = [
            (0, lease("1", "a")),
            (50, Sight::Unreadable),
            (95, lease("1", "a")),
        ];
        assert!(is_gone(&same), "it was not renewed between the reads");
    }

    #[test]
    fn only_a_read_that_was_asked_late_enough_shows_it() {
        let mut sighting = Sighting::default();
        let at = Duration::from_secs;
        sighting.saw(at(0), at(4), Sight::Absent);
        sighting.saw(at(93), at(99), Sight::Absent);
        assert!(!sighting.is_gone());
        sighting.saw(at(94), at(95), Sight::Absent);
        assert!(sighting.is_gone());
    }
}
