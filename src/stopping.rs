//! How those who run are told to stop.

use tokio::sync::watch;

/// Says when to stop. Clones share it.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Receiver<Phase>);

/// Tells all [`Stopping`] of its pair.
#[derive(Debug)]
pub struct Stop(watch::Sender<Phase>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Running,
    Stopping,
}

/// One who tells, and one who is told.
pub fn channel() -> (Stop, Stopping) {
    let (tell, told) = watch::channel(Phase::Running);
    (Stop(tell), Stopping(told))
}

impl Stop {
    /// No new work may begin from now on.
    pub fn begin(&self) {
        self.0.send_replace(Phase::Stopping);
    }
}

impl Stopping {
    /// Waits until no new reconcile may begin.
    pub async fn begun(&mut self) {
        // An error means that whoever could say so is gone, which says the same.
        let _ = self.0.wait_for(|phase| *phase == Phase::Stopping).await;
    }
}
