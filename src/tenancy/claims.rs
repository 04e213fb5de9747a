//! Which object has a name or an id. One table for the process, kept in memory and read synchronously, before anything is
//! written or sent.
//!
//! Two objects claim one name if its canonical form ([`super::names`]) and its organization are the same; [`Claims::winner`]
//! has it: the object whose reconcile holds it, then by [`Basis`], then the oldest, then by uid.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::names::CanonicalName;
use crate::domain::ids::{OrganizationId, Uid, WorkspaceId};

/// What can be claimed, always within a verified organization.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum ClaimKey {
    Name(OrganizationId, CanonicalName),
    Id(OrganizationId, WorkspaceId),
}

/// Why an object claims. The order is the precedence.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum Basis {
    /// Its status records it.
    Recorded,
    /// A creation in flight is for it.
    Creating,
    /// Its spec names it.
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

/// The wanted keys that another object has, each with that object.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClaimResult {
    pub lost: BTreeMap<ClaimKey, Claimant>,
    /// Those of them whose holder wants a name that this object has: the two exchange names.
    pub exchanged: BTreeSet<ClaimKey>,
}

impl ClaimResult {
    /// Whether the key, if wanted, was won.
    pub fn holds(&self, key: &ClaimKey) -> bool {
        !self.lost.contains_key(key)
    }
}

/// All claims that this process knows of. Only an observed object keeps claims beyond its reconcile: those of an object
/// that was never observed, or is gone, end with the reconcile, so that no object waits for one that does not exist.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    ranks: HashMap<ClaimKey, BTreeSet<Rank>>,
    objects: HashMap<Uid, Object>,
    /// How many keys of an organization each object loses; never zero.
    lost: HashMap<OrganizationId, HashMap<Uid, usize>>,
}

/// One object's rank at one key: the least has the key.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
struct Rank {
    precedence: Precedence,
    uid: Uid,
}

/// What ranks an object before its uid does: its right, then when it was created.
type Precedence = (Right, Timestamp);

/// A running reconcile keeps what it won; all others rank by their basis.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd)]
enum Right {
    Held,
    Claimed(Basis),
}

#[derive(Clone, Debug)]
struct Object {
    claimant: Claimant,
    presence: Presence,
    facts: BTreeMap<ClaimKey, Basis>,
    /// What its running reconcile wants, won or not.
    wanted: BTreeMap<ClaimKey, Right>,
    /// Objects that won what the running reconcile gave up; woken when it ends.
    to_wake: Vec<Claimant>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Presence {
    Observed,
    /// Known only from its running reconcile.
    OnlyInReconcile,
}

impl Object {
    fn right(&self, key: &ClaimKey) -> Option<Right> {
        let fact = self.facts.get(key).map(|basis| Right::Claimed(*basis));
        self.wanted.get(key).copied().into_iter().chain(fact).min()
    }

    fn keys(&self) -> impl Iterator<Item = &ClaimKey> {
        self.facts.keys().chain(self.wanted.keys())
    }

    /// Its precedence at each of its keys, each key once.
    fn precedences(&self) -> Vec<(ClaimKey, Precedence)> {
        let only_wanted = self.wanted.keys().filter(|key| !self.facts.contains_key(key));
        let keys = self.facts.keys().chain(only_wanted);
        let precedence = |key: &ClaimKey| Some((key.clone(), (self.right(key)?, self.claimant.created)));
        keys.filter_map(precedence).collect()
    }
}

impl Claims {
    /// Takes in what the stored object claims, in place of what an earlier event said. Never frees what a running reconcile
    /// holds. Returns the other objects that win a key by it.
    pub fn observe(&mut self, claimant: &Claimant, facts: BTreeMap<ClaimKey, Basis>) -> Vec<Claimant> {
        let seen_so = |object: &Object| {
            object.presence == Presence::Observed && object.claimant == *claimant && object.facts == facts
        };
        if self.objects.get(&claimant.uid).is_some_and(seen_so) {
            return Vec::new();
        }
        self.change(claimant, |object| {
            object.presence = Presence::Observed;
            object.facts = facts;
        })
    }

    /// The object is gone; this also ends its holds. Returns the other objects that win a key by it.
    pub fn forget(&mut self, uid: &Uid) -> Vec<Claimant> {
        let Some(object) = self.objects.remove(uid) else {
            return Vec::new();
        };
        let mut woken = self.rerank(uid, object.precedences(), Vec::new());
        woken.extend(object.to_wake);
        once_each(woken)
    }

    /// A running reconcile claims. It holds what it wins until [`Claims::release`], against any claim. Replaces what the same
    /// reconcile held before.
    pub fn take(&mut self, claimant: &Claimant, wanted: BTreeMap<ClaimKey, Basis>) -> ClaimResult {
        let wants_more = !self.wants_already(claimant, &wanted);
        let woken = if wants_more {
            self.want(claimant, wanted)
        } else {
            Vec::new()
        };
        let (lost, wins) = match self.objects.get(&claimant.uid) {
            Some(object) => {
                let lost = self.held_by(&claimant.uid, object.wanted.keys());
                let mut wanted = object.wanted.iter();
                let wins = wanted.any(|(key, right)| *right != Right::Held && !lost.contains_key(key));
                (lost, wins)
            }
            None => (BTreeMap::new(), false),
        };
        if wins || !woken.is_empty() {
            self.change(claimant, |object| {
                for (key, right) in &mut object.wanted {
                    if !lost.contains_key(key) {
                        *right = Right::Held;
                    }
                }
                object.to_wake.extend(woken);
            });
        }
        let wants_ours = |holder: &Claimant| {
            let holder = self.objects.get(&holder.uid);
            let mut keys = holder.into_iter().flat_map(Object::keys);
            keys.any(|key| {
                matches!(key, ClaimKey::Name(..))
                    && self.winner(key).is_some_and(|winner| winner.uid == claimant.uid)
            })
        };
        let exchanged = lost.iter().filter(|(_, holder)| wants_ours(holder));
        let exchanged = exchanged.map(|(key, _)| key.clone()).collect();
        ClaimResult { lost, exchanged }
    }

    /// Whether the running reconcile wants just this already, as each of its steps does.
    fn wants_already(&self, claimant: &Claimant, wanted: &BTreeMap<ClaimKey, Basis>) -> bool {
        self.objects.get(&claimant.uid).is_some_and(|object| {
            let same = |((key, right), (of, basis)): ((&ClaimKey, &Right), (&ClaimKey, &Basis))| {
                key == of && (*right == Right::Held || *right == Right::Claimed(*basis))
            };
            object.claimant == *claimant
                && object.wanted.len() == wanted.len()
                && object.wanted.iter().zip(wanted).all(same)
        })
    }

    fn want(&mut self, claimant: &Claimant, wanted: BTreeMap<ClaimKey, Basis>) -> Vec<Claimant> {
        self.change(claimant, |object| {
            let held = |key: &ClaimKey| object.wanted.get(key) == Some(&Right::Held);
            let right = |key: &ClaimKey, basis| {
                if held(key) {
                    Right::Held
                } else {
                    Right::Claimed(basis)
                }
            };
            object.wanted = wanted
                .into_iter()
                .map(|(key, basis)| (key.clone(), right(&key, basis)))
                .collect();
        })
    }

    /// Those of the keys that other objects have. Claims nothing.
    pub fn held_by_others(&self, uid: &Uid, keys: Vec<ClaimKey>) -> BTreeMap<ClaimKey, Claimant> {
        self.held_by(uid, keys.iter())
    }

    fn held_by<'a>(
        &self,
        uid: &Uid,
        keys: impl Iterator<Item = &'a ClaimKey>,
    ) -> BTreeMap<ClaimKey, Claimant> {
        let held = keys.filter_map(|key| {
            let winner = self.winner(key).filter(|winner| winner.uid != *uid)?;
            Some((key.clone(), winner.clone()))
        });
        held.collect()
    }

    /// The reconcile is over: `facts`, what its object claims now, replace earlier facts and holds. Returns the other
    /// objects that win a key by it.
    pub fn release(&mut self, claimant: &Claimant, facts: BTreeMap<ClaimKey, Basis>) -> Vec<Claimant> {
        match self.objects.get(&claimant.uid).map(|object| object.presence) {
            None | Some(Presence::OnlyInReconcile) => self.forget(&claimant.uid),
            Some(Presence::Observed) => {
                let mut to_wake = Vec::new();
                let mut woken = self.change(claimant, |object| {
                    object.facts = facts;
                    object.wanted.clear();
                    to_wake = std::mem::take(&mut object.to_wake);
                });
                woken.extend(to_wake);
                once_each(woken)
            }
        }
    }

    /// The object that has the key.
    pub fn winner(&self, key: &ClaimKey) -> Option<&Claimant> {
        self.in_order(key).next()
    }

    /// The objects that would have the key next, in order.
    #[cfg(test)]
    fn waiting_for(&self, key: &ClaimKey) -> impl Iterator<Item = &Claimant> {
        self.in_order(key).skip(1)
    }

    /// How many objects lose at least one key of this organization.
    pub fn losers(&self, organization: &OrganizationId) -> usize {
        self.lost.get(organization).map_or(0, HashMap::len)
    }

    fn in_order(&self, key: &ClaimKey) -> impl Iterator<Item = &Claimant> {
        let ranks = self.ranks.get(key).into_iter().flatten();
        ranks.filter_map(|rank| self.objects.get(&rank.uid).map(|object| &object.claimant))
    }

    /// Changes one object and the ranks at its keys. The cost depends on what this object claims, not on the others.
    fn change(&mut self, claimant: &Claimant, how: impl FnOnce(&mut Object)) -> Vec<Claimant> {
        let mut object = self.objects.remove(&claimant.uid).unwrap_or_else(|| Object {
            claimant: claimant.clone(),
            presence: Presence::OnlyInReconcile,
            facts: BTreeMap::new(),
            wanted: BTreeMap::new(),
            to_wake: Vec::new(),
        });
        let before = object.precedences();
        if object.claimant != *claimant {
            object.claimant = claimant.clone();
        }
        how(&mut object);
        let woken = self.rerank(&claimant.uid, before, object.precedences());
        self.objects.insert(claimant.uid.clone(), object);
        woken
    }

    /// Moves one object, which is not among the others now, to its new ranks. Returns the others that win by it.
    fn rerank(
        &mut self,
        uid: &Uid,
        before: Vec<(ClaimKey, Precedence)>,
        mut after: Vec<(ClaimKey, Precedence)>,
    ) -> Vec<Claimant> {
        let mut woken = Vec::new();
        let mut replace = |key: &ClaimKey, old, new| {
            let winner = self.replace(key, uid, old, new);
            let winner = winner.and_then(|uid| self.objects.get(&uid));
            woken.extend(winner.map(|object| object.claimant.clone()));
        };
        for (key, old) in before {
            let stays = after.iter().position(|(of, _)| *of == key);
            replace(&key, Some(old), stays.map(|at| after.swap_remove(at).1));
        }
        for (key, new) in after {
            replace(&key, None, Some(new));
        }
        once_each(woken)
    }

    /// Replaces one object's rank at one key and keeps the count of losers. Returns another that wins by it.
    fn replace(
        &mut self,
        key: &ClaimKey,
        uid: &Uid,
        old: Option<Precedence>,
        new: Option<Precedence>,
    ) -> Option<Uid> {
        if old == new {
            return None;
        }
        let rank = |precedence| Rank {
            precedence,
            uid: uid.clone(),
        };
        let ranks = self.ranks.entry(key.clone()).or_default();
        let first = |ranks: &BTreeSet<Rank>| ranks.first().map(|rank| rank.uid.clone());
        let winner_before = first(ranks);
        if let Some(old) = old {
            ranks.remove(&rank(old));
        }
        if let Some(new) = new {
            ranks.insert(rank(new));
        }
        let winner = first(ranks);
        if ranks.is_empty() {
            self.ranks.remove(key);
        }
        let lost_before = old.is_some() && winner_before.as_ref() != Some(uid);
        let loses = new.is_some() && winner.as_ref() != Some(uid);
        self.count(key, uid, lost_before, loses);
        if winner == winner_before {
            return None;
        }
        if let Some(beaten) = winner_before.filter(|other| other != uid) {
            self.count(key, &beaten, false, true);
        }
        let risen = winner.filter(|other| other != uid)?;
        self.count(key, &risen, true, false);
        Some(risen)
    }

    fn count(&mut self, key: &ClaimKey, uid: &Uid, lost: bool, loses: bool) {
        if lost == loses {
            return;
        }
        let (ClaimKey::Name(organization, _) | ClaimKey::Id(organization, _)) = key;
        let of_organization = self.lost.entry(organization.clone()).or_default();
        let keys = of_organization.entry(uid.clone()).or_default();
        *keys = (*keys + usize::from(loses)).saturating_sub(usize::from(lost));
        if *keys == 0 {
            of_organization.remove(uid);
        }
        if of_organization.is_empty() {
            self.lost.remove(organization);
        }
    }
}

/// The same claimants, each once, in the order of their uids.
fn once_each(mut claimants: Vec<Claimant>) -> Vec<Claimant> {
    claimants.sort_by(|a, b| a.uid.cmp(&b.uid));
    claimants.dedup_by(|a, b| a.uid == b.uid);
    claimants
}

#[cfg(test)]
mod tests;
