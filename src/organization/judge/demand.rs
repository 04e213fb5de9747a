//! Whether the declared rate suffices to renew the tokens of what is managed.

use crate::organization::view::View;

/// A GET, an issue and a verification.
const CALLS_PER_RENEWAL: u64 = 3;

/// A token of the documented life is renewed after 11 to 13 minutes.
const RENEWED_EVERY_SECONDS: u64 = 11 * 60;

/// What the renewals need, where the declared rate is lower: tokens then end before their renewal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shortage {
    pub declared: u64,
    /// Calls per second, rounded up.
    pub needed: u64,
}

/// The shortage, if a rate is declared and too low. A rate that is not declared is found out.
pub fn shortage(view: &View) -> Option<Shortage> {
    let declared = u64::try_from(view.declared.requests_per_second?).ok()?;
    let managed = view.memory.listing.complete.as_ref()?.counts.managed;
    let calls = u64::try_from(managed).ok()? * CALLS_PER_RENEWAL;
    let needed = calls.div_ceil(RENEWED_EVERY_SECONDS);
    (needed > declared).then_some(Shortage { declared, needed })
}
