//! Who has a name or an id. One table for the process, kept in memory: it is asked and answered synchronously,
//! before anything is written or sent.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::names::CanonicalName;
use crate::api::ids::{OrganizationId, Uid, WorkspaceId};

/// What can be claimed, always within a verified organisation.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum ClaimKey {
    Name(OrganizationId, CanonicalName),
    Id(OrganizationId, WorkspaceId),
}

/// Why one claims: the order is the precedence.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Basis {
    /// The object's record says so.
    Recorded,
    /// A creation in flight says so.
    Intended,
    /// Its spec wishes so.
    Desired,
}

/// An object that claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claimant {
    pub uid: Uid,
    pub namespace: String,
    pub name: String,
    pub created: Timestamp,
}

/// Which of the wanted keys another object has, and who.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    pub lost: BTreeMap<ClaimKey, Claimant>,
}

impl Standing {
    /// Whether the key, if it was wanted, was won.
    pub fn holds(&self, key: &ClaimKey) -> bool {
        !self.lost.contains_key(key)
    }
}

/// All claims that this process knows of.
#[derive(Clone, Debug, Default)]
pub struct Claims {}

impl Claims {
    /// What the stored object says it claims; replaces what an earlier event said. Never frees what a running pass
    /// holds. Returns the others that now win what they did not win before.
    pub fn observe(&mut self, _claimant: &Claimant, _facts: BTreeMap<ClaimKey, Basis>) -> Vec<Claimant> {
        Vec::new()
    }

    /// The object is gone; this also ends its holds. Returns the others that now win what they did not win before.
    pub fn forget(&mut self, _uid: &Uid) -> Vec<Claimant> {
        Vec::new()
    }

    /// A running pass claims; what it wins it holds until [`Claims::release`], whoever comes. Replaces what the same
    /// pass held before.
    pub fn take(&mut self, _claimant: &Claimant, _wanted: BTreeMap<ClaimKey, Basis>) -> Standing {
        Standing::default()
    }

    /// The pass is over: what it knows its object to claim now replaces facts and holds. Returns the others that now
    /// win what they did not win before.
    pub fn release(&mut self, _claimant: &Claimant, _facts: BTreeMap<ClaimKey, Basis>) -> Vec<Claimant> {
        Vec::new()
    }

    /// Who has the key.
    pub fn winner(&self, _key: &ClaimKey) -> Option<&Claimant> {
        None
    }

    /// Who would have the key next, in order.
    pub fn waiting_for(&self, _key: &ClaimKey) -> impl Iterator<Item = &Claimant> {
        std::iter::empty()
    }

    /// How many objects lose at least one key of this organisation.
    pub fn losers(&self, _organization: &OrganizationId) -> usize {
        0
    }
}
