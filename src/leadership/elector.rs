//! One process's part in the election. A lease is ours from the instant at which a write was *asked* that took effect, and
//! another's until it has been seen unchanged for its whole duration, by our own monotonic time: times of other machines are
//! never compared. Where there is none, somebody may have deleted one that its holder counts on: who finds that creates it for
//! nobody, and waits as for any other.

use std::time::Duration;

use super::terms::Terms;

/// Holds a Lease that was never released: no identity is so.
pub const NOBODY: &str = "(nobody)";

/// The Lease as the Kubernetes API stores it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// Its resource version: each write names the one that it replaces.
    pub version: String,
    /// None: released. [`NOBODY`]: free once it was seen so for its duration.
    pub holder: Option<String>,
    /// For how long its holder counts on it.
    pub duration: Duration,
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Act {
    /// Read the lease.
    Read,
    /// Create it, held by [`NOBODY`].
    Create,
    /// Make it ours, or renew it, if it still has this version.
    Replace { version: String },
    /// Nothing before this instant.
    WaitUntil(Duration),
}

/// What came of an act.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Heard {
    /// The lease as it is read, or after our write.
    Lease(Lease),
    /// There is none.
    Absent,
    /// Another write came first.
    Conflict,
    /// No answer, or a refusal: a write may have taken effect.
    Failed,
}

/// Whether this process leads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    Leads {
        /// It begins nothing from then on.
        begins_until: Duration,
        /// Nobody else leads before.
        ends: Duration,
    },
    /// It led, and does so no longer.
    Lost,
    /// It has not led yet. Another process holds the lease, if one is known to.
    StandsBy { holder: Option<String> },
}

/// The lease as this process last saw it.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Seen {
    Lease {
        lease: Lease,
        /// When this version was first seen.
        since: Duration,
    },
    Absent,
}

/// One process's part in the election. All instants are of one monotonic clock of the process.
#[derive(Clone, Debug)]
pub struct Elector {
    identity: String,
    terms: Terms,
    seen: Option<Seen>,
    /// After a failure, what was seen may be outdated by a write of our own.
    reads_first: bool,
    /// When the last write was asked that made the lease ours.
    held_from: Option<Duration>,
    has_led: bool,
    /// It led once and does so no longer, for good: what it remembers may be outdated.
    lost: bool,
    next_at: Duration,
}

impl Elector {
    /// A process that has asked nothing yet. A process of the same identity is taken for dead: its lease is ours at once.
    pub fn new(identity: impl Into<String>, terms: Terms) -> Self {
        Self {
            identity: identity.into(),
            terms,
            seen: None,
            reads_first: true,
            held_from: None,
            has_led: false,
            lost: false,
            next_at: Duration::ZERO,
        }
    }

    /// What to do now.
    pub fn next(&self, now: Duration) -> Act {
        // One that lost takes no lease again, also where it slept through its end.
        if self.standing(now) == Standing::Lost {
            return Act::WaitUntil(now.saturating_add(self.terms.poll_every()));
        }
        if now < self.next_at {
            // The end of a leadership is told when it comes.
            let ends = self.begins_until().filter(|at| now < *at);
            return Act::WaitUntil(ends.map_or(self.next_at, |at| at.min(self.next_at)));
        }
        match &self.seen {
            Some(Seen::Lease { lease, since }) if !self.reads_first => {
                let taken = |lease: &Lease| Act::Replace {
                    version: lease.version.clone(),
                };
                match &lease.holder {
                    Some(holder) if *holder == self.identity => taken(lease),
                    Some(_) if now < since.saturating_add(lease.duration) => Act::Read,
                    Some(_) | None => taken(lease),
                }
            }
            Some(Seen::Absent) if !self.reads_first => Act::Create,
            Some(_) | None => Act::Read,
        }
    }

    /// For how long an answer is waited for that is asked now: a leader waits for none beyond its end.
    pub fn patience(&self, now: Duration) -> Duration {
        let within = self.terms.answered_within();
        match self.standing(now) {
            Standing::Leads { begins_until, .. } => within.min(begins_until.saturating_sub(now)),
            Standing::Lost | Standing::StandsBy { .. } => within,
        }
    }

    fn begins_until(&self) -> Option<Duration> {
        self.held_from
            .map(|from| from.saturating_add(self.terms.give_up_after()))
    }

    /// Takes what came of `act`, which was asked and answered at these instants.
    pub fn heard(&mut self, act: &Act, asked: Duration, answered: Duration, heard: Heard) {
        self.lost |= self.has_led && !self.leads(answered);
        self.take(act, asked, answered, heard);
        self.lost |= self.has_led && !self.leads(answered);
    }

    fn take(&mut self, act: &Act, asked: Duration, answered: Duration, heard: Heard) {
        match (act, heard) {
            (Act::Replace { .. }, Heard::Lease(lease)) => {
                self.reads_first = false;
                self.see(lease, answered);
                self.held_from = Some(asked);
                self.has_led = true;
                self.next_at = asked.saturating_add(self.terms.renew_every());
            }
            (_, Heard::Lease(lease)) => {
                self.reads_first = false;
                let ours = lease.holder.as_ref() == Some(&self.identity);
                if !ours {
                    self.held_from = None;
                }
                let free = ours || lease.holder.is_none();
                let ends = self.see(lease, answered);
                let polled = answered.saturating_add(self.terms.poll_every());
                self.next_at = if free {
                    answered
                } else {
                    polled.min(ends.max(answered))
                };
            }
            (_, Heard::Absent) => {
                self.held_from = None;
                self.reads_first = false;
                self.seen = Some(Seen::Absent);
                self.next_at = answered;
            }
            (_, Heard::Conflict | Heard::Failed) => {
                self.reads_first = true;
                self.next_at = answered.saturating_add(self.terms.poll_every());
            }
        }
    }

    /// Whether this process leads now.
    pub fn standing(&self, now: Duration) -> Standing {
        let holds = self.held_from.map(|from| {
            let begins_until = from.saturating_add(self.terms.give_up_after());
            (begins_until, from.saturating_add(self.terms.duration()))
        });
        match (holds, &self.seen) {
            (_, _) if self.lost => Standing::Lost,
            (Some((begins_until, ends)), _) if now < begins_until => Standing::Leads { begins_until, ends },
            (Some(_) | None, _) if self.has_led => Standing::Lost,
            (Some(_) | None, Some(Seen::Lease { lease, .. })) => Standing::StandsBy {
                holder: lease.holder.clone().filter(|holder| *holder != self.identity),
            },
            (Some(_) | None, Some(Seen::Absent) | None) => Standing::StandsBy { holder: None },
        }
    }

    fn leads(&self, now: Duration) -> bool {
        matches!(self.standing(now), Standing::Leads { .. })
    }

    /// The version to replace for a release of the lease; none where it is not ours.
    pub fn releases(&self) -> Option<&str> {
        match (&self.seen, self.held_from) {
            (Some(Seen::Lease { lease, .. }), Some(_)) => Some(&lease.version),
            (Some(_) | None, _) => None,
        }
    }

    /// Keeps the instant at which this version was first seen. Returns when the lease ends if it stays as it is.
    fn see(&mut self, lease: Lease, answered: Duration) -> Duration {
        let since = match &self.seen {
            Some(Seen::Lease { lease: known, since }) if known.version == lease.version => *since,
            Some(_) | None => answered,
        };
        let ends = since.saturating_add(lease.duration);
        self.seen = Some(Seen::Lease { lease, since });
        ends
    }
}
