//! The operators of a cluster, as one of them knows the others.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ids::OperatorId;

/// This operator, and the others that are known to be gone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operators {
    pub ours: OperatorId,
    /// Their Leases are held no more. Any other operator that can have a Lease counts as alive.
    pub gone: Arc<BTreeSet<OperatorId>>,
}

impl Operators {
    /// This operator, which knows of no other yet.
    pub fn only(ours: OperatorId) -> Self {
        Self {
            ours,
            gone: Arc::default(),
        }
    }

    /// Whether that is another operator, and may be alive.
    pub fn is_another_alive(&self, operator: &OperatorId) -> bool {
        *operator != self.ours && operator.lease().is_some() && !self.gone.contains(operator)
    }
}
