//! The other operators that hold objects, and which of them are gone. A plain value; [`super::others_leases`] feeds it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::ids::OperatorId;
use crate::leadership::{Sight, Sighting};

/// More operators than any cluster has. Of further ones, which forged statuses may name, no Lease is read: they count as alive.
const MOST: usize = 32;

/// The other operators that hold objects.
#[derive(Debug, Default)]
pub(super) struct Others {
    known: BTreeMap<OperatorId, Sighting>,
    gone: Arc<BTreeSet<OperatorId>>,
}

impl Others {
    /// Those that are gone.
    pub(super) fn gone(&self) -> Arc<BTreeSet<OperatorId>> {
        self.gone.clone()
    }

    /// Those whose Leases are read.
    pub(super) fn known(&self) -> Vec<OperatorId> {
        self.known.keys().cloned().collect()
    }

    /// Forgets those that hold nothing any more, and adds new ones, which it returns: those with most objects first.
    pub(super) fn found(&mut self, holders: &BTreeMap<OperatorId, usize>) -> Vec<OperatorId> {
        self.known.retain(|operator, _| holders.contains_key(operator));
        let mut new: Vec<_> = holders
            .iter()
            .filter(|(operator, _)| !self.known.contains_key(*operator))
            .collect();
        new.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        new.truncate(MOST.saturating_sub(self.known.len()));
        let new: Vec<_> = new.into_iter().map(|(operator, _)| operator.clone()).collect();
        for operator in &new {
            self.known.insert(operator.clone(), Sighting::default());
        }
        self.gather();
        new
    }

    /// Takes what a read of the Lease showed. Returns whether the operator lives, if that has changed.
    pub(super) fn saw(
        &mut self,
        operator: &OperatorId,
        [asked, answered]: [Duration; 2],
        sight: Sight,
    ) -> Option<Life> {
        let sighting = self.known.get_mut(operator)?;
        let was_gone = sighting.is_gone();
        sighting.saw(asked, answered, sight);
        let now = match (was_gone, sighting.is_gone()) {
            (false, true) => Life::Gone,
            (true, false) => Life::Back,
            (false, false) | (true, true) => return None,
        };
        self.gather();
        Some(now)
    }

    fn gather(&mut self) {
        let gone = self.known.iter().filter(|(_, sighting)| sighting.is_gone());
        self.gone = Arc::new(gone.map(|(operator, _)| operator.clone()).collect());
    }
}

/// What has become of another operator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Life {
    Gone,
    Back,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> [Duration; 2] {
        [Duration::from_secs(seconds); 2]
    }

    #[test]
    fn each_operator_is_told_of_once_when_it_goes_and_comes_back() {
        let (mut others, a) = (Others::default(), OperatorId::from("a/a"));
        let holders = BTreeMap::from([(a.clone(), 3)]);
        assert_eq!(others.found(&holders), std::slice::from_ref(&a));
        assert!(others.found(&holders).is_empty());
        let told: Vec<_> = [0, 5, 90, 95]
            .into_iter()
            .filter_map(|second| others.saw(&a, at(second), Sight::Absent))
            .collect();
        assert_eq!(told, [Life::Gone]);
        assert_eq!(*others.gone(), BTreeSet::from([a.clone()]));
        assert_eq!(others.saw(&a, at(100), Sight::Unreadable), Some(Life::Back));
        assert!(others.gone().is_empty());
    }

    #[test]
    fn who_holds_nothing_any_more_is_forgotten() {
        let (mut others, a) = (Others::default(), OperatorId::from("a/a"));
        others.found(&BTreeMap::from([(a.clone(), 3)]));
        others.saw(&a, at(0), Sight::Absent);
        others.saw(&a, at(90), Sight::Absent);
        others.found(&BTreeMap::new());
        assert!(others.gone().is_empty() && others.known.is_empty());
        assert_eq!(others.saw(&a, at(95), Sight::Absent), None);
    }

    /// Statuses that were forged name many.
    #[test]
    fn the_leases_of_a_bounded_number_of_operators_are_read() {
        let mut others = Others::default();
        let of = |n: usize| OperatorId::new(format!("a/{n}"));
        let mut holders: BTreeMap<_, _> = (0..1000).map(|n| (of(n), 1)).collect();
        holders.insert(OperatorId::from("z/z"), 7);
        let new = others.found(&holders);
        assert_eq!((new.len(), &new[0]), (MOST, &OperatorId::from("z/z")));
        assert!(others.found(&holders).is_empty());
    }
}
