//! How long a lease lasts, and when it is given up.

use std::time::Duration;

/// The longest that one request to the Kubernetes API about the lease may take. A renewal that takes longer is asked again.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// The times of a lease, which fit each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Terms {
    duration: Duration,
    renew_every: Duration,
    give_up_after: Duration,
}

/// Why times do not fit each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TermsError {
    #[error(
        "the lease must be renewed at least twice before it is given up: choose a shorter renewal or a later end"
    )]
    RenewedTooRarely,
    #[error("the lease must be given up before it ends: choose an earlier end or a longer lease")]
    GivenUpTooLate,
    #[error(
        "beside a renewal and its answer the lease must outlast a request of {} s to Agent Engine: choose a longer lease",
        needed.as_secs()
    )]
    ShorterThanARequest { needed: Duration },
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(30),
            renew_every: Duration::from_secs(5),
            give_up_after: Duration::from_secs(20),
        }
    }
}

impl Terms {
    /// Terms for a process whose longest request takes `request`.
    ///
    /// # Errors
    /// When the times do not fit each other, or a healthy leader would often have too little time left for a request.
    pub fn new(
        duration: Duration,
        renew_every: Duration,
        give_up_after: Duration,
        request: Duration,
    ) -> Result<Self, TermsError> {
        if renew_every.saturating_mul(2) > give_up_after {
            return Err(TermsError::RenewedTooRarely);
        }
        if give_up_after >= duration {
            return Err(TermsError::GivenUpTooLate);
        }
        let terms = Self {
            duration,
            renew_every,
            give_up_after,
        };
        let busy = renew_every.saturating_add(terms.answered_within());
        if duration < busy.saturating_add(request) {
            return Err(TermsError::ShorterThanARequest { needed: request });
        }
        Ok(terms)
    }

    /// For how long nobody else leads after a renewal was asked for.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// How often the leader renews.
    pub fn renew_every(&self) -> Duration {
        self.renew_every
    }

    /// For how long the leader begins new work after its last renewal was asked for.
    pub fn give_up_after(&self) -> Duration {
        self.give_up_after
    }

    /// How often a process that does not lead reads the lease, and one that failed tries again: a clean hand-over waits for it.
    pub fn poll_every(&self) -> Duration {
        (self.renew_every / 5).clamp(Duration::from_millis(200), Duration::from_secs(2))
    }

    /// For how long an answer of the Kubernetes API about the lease is waited for.
    pub fn answered_within(&self) -> Duration {
        ANSWERED_WITHIN.min(self.renew_every)
    }
}
