//! Resource versions of our own last writes, so that a store which has not seen one is told from a store that has. A plain
//! value; [`super::lag`] asks it.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::ids::Uid;
use crate::domain::time::elapsed;

/// No watch that works lags for longer. The object is read live then, and again after the same time.
pub(crate) const LIVE_READ_AFTER: Duration = Duration::from_secs(60);

/// Resource versions of our own last writes.
#[derive(Debug, Default)]
pub(crate) struct OwnWrites(HashMap<Uid, OwnWrite>);

#[derive(Debug)]
struct OwnWrite {
    version: u64,
    behind_since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lag {
    None,
    Short,
    TooLong,
}

impl OwnWrites {
    /// Remembers that the object has at least this version.
    pub(crate) fn wrote(&mut self, uid: &Uid, resource_version: Option<&str>) {
        if let Some(version) = resource_version.and_then(|text| text.parse().ok()) {
            self.put(uid, version);
        }
    }

    /// Remembers that the object is gone: every store that still has it lags.
    pub(crate) fn ended(&mut self, uid: &Uid) {
        self.put(uid, u64::MAX);
    }

    fn put(&mut self, uid: &Uid, version: u64) {
        let write = OwnWrite {
            version,
            behind_since: None,
        };
        self.0.insert(uid.clone(), write);
    }

    /// The API server went back to this revision: it has lost our younger writes.
    pub(crate) fn lost_after(&mut self, revision: u64) {
        self.0.retain(|_, write| write.version <= revision);
    }

    pub(crate) fn forget(&mut self, uid: &Uid) {
        self.0.remove(uid);
    }

    /// Whether our own last write is newer than this version. Resource versions of one kind are ordered (KEP-5504).
    pub(crate) fn is_newer_than(&self, uid: &Uid, resource_version: Option<&str>) -> bool {
        let seen = resource_version.and_then(|text| text.parse::<u64>().ok());
        matches!((seen, self.0.get(uid)), (Some(seen), Some(write)) if seen < write.version)
    }

    pub(crate) fn lag(&mut self, uid: &Uid, resource_version: Option<&str>, now: Timestamp) -> Lag {
        if !self.is_newer_than(uid, resource_version) {
            return Lag::None;
        }
        let Some(write) = self.0.get_mut(uid) else {
            return Lag::None;
        };
        if elapsed(*write.behind_since.get_or_insert(now), now) < LIVE_READ_AFTER {
            return Lag::Short;
        }
        write.behind_since = Some(now);
        Lag::TooLong
    }
}
