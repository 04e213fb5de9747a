//! A pause that Agent Engine asked for, as the status keeps it for the process after this one.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::crd::organization::PauseStatus;
use crate::domain::time::elapsed;
use crate::limits::LONG_PAUSE;
use crate::organization::view::View;

/// What is left of the pause that the status tells, by our own clock. Clocks of two processes differ, so it is never longer than
/// it was when it was written. A process that knows the server's time has been answered since, and needs no stored pause.
pub fn left_of_stored(view: &View) -> Duration {
    let rate = view.stored.request_rate.as_ref();
    let stored = rate.and_then(|rate| rate.pause.as_ref());
    stored.map_or(Duration::ZERO, |stored| {
        let seconds = u64::try_from(stored.seconds).unwrap_or_default();
        elapsed(view.now, stored.until.0).min(Duration::from_secs(seconds))
    })
}

/// Whether the pause that lasts is worth a write: what the status tells ends so much sooner that a process that begins meanwhile
/// would ask.
pub fn is_news(view: &View) -> bool {
    let untold = left(view).saturating_sub(left_of_stored(view));
    untold >= LONG_PAUSE
}

/// As the status tells it with the next write.
pub fn status(view: &View) -> Option<PauseStatus> {
    let seconds = left(view).as_millis().div_ceil(1000);
    lasting(view).map(|until| PauseStatus {
        until: MicroTime(until),
        seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
    })
}

fn left(view: &View) -> Duration {
    lasting(view).map_or(Duration::ZERO, |until| elapsed(view.now, until))
}

/// Until when this process keeps to a pause.
pub fn lasting(view: &View) -> Option<Timestamp> {
    view.progress.paused_until.filter(|until| *until > view.now)
}
