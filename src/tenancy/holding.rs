//! Which of several operators does anything for an object: the one that holds it, while it lives.

use crate::crd::holder::{Hold, Holder};
use crate::domain::ids::OperatorId;
use crate::domain::operators::Operators;

/// Whether an object whose status names this holder is left to it. `ours` is the hold that this operator would have: one that
/// can serve the object takes it from one that cannot. Of two that can, or cannot, the first keeps it.
pub fn is_left_to_another(stored: Option<&Holder>, ours: Hold, operators: &Operators) -> bool {
    let Some(holder) = stored.filter(|holder| operators.is_another_alive(&holder.lease)) else {
        return false;
    };
    match (holder.hold, ours) {
        (Hold::Provisional, Hold::Firm) => false,
        (Hold::Firm, Hold::Firm | Hold::Provisional) | (Hold::Provisional, Hold::Provisional) => true,
    }
}

/// Whether a status is to replace the stored one, which names this holder. A version without the field left the holder out: that
/// is no news by itself.
pub fn is_news<S: Clone + PartialEq>(
    holder: Option<&Holder>,
    stored: &S,
    status: &S,
    leave_out: fn(&mut S),
) -> bool {
    if holder.is_some() {
        return status != stored;
    }
    let mut unheld = status.clone();
    leave_out(&mut unheld);
    unheld != *stored
}

/// Whether an object that names an Organization means ours of that name. An operator of another namespace has its own, with
/// which it serves what it holds.
pub fn uses_our_organizations(stored: Option<&Holder>, operators: &Operators) -> bool {
    let namespace = |operator: &OperatorId| operator.lease().map(|(namespace, _)| namespace.to_owned());
    stored.is_none_or(|holder| {
        holder.hold == Hold::Provisional
            || !operators.is_another_alive(&holder.lease)
            || namespace(&holder.lease) == namespace(&operators.ours)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn held(lease: &str, hold: Hold) -> Holder {
        Holder {
            lease: lease.into(),
            hold,
        }
    }

    /// Whether it is left by `home/ours`, which knows that `a/gone` is gone.
    fn is_left(stored: Option<&Holder>, ours: Hold) -> bool {
        let operators = Operators {
            ours: "home/ours".into(),
            gone: Arc::new(["a/gone".into()].into()),
        };
        is_left_to_another(stored, ours, &operators)
    }

    #[test]
    fn an_object_is_left_to_another_operator_while_that_lives() {
        use Hold::{Firm, Provisional};
        for (lease, hold, by_firm, by_provisional) in [
            ("a/alive", Firm, true, true),
            ("a/alive", Provisional, false, true),
            ("a/gone", Firm, false, false),
            ("home/ours", Firm, false, false),
            ("home/ours", Provisional, false, false),
        ] {
            let holder = held(lease, hold);
            assert_eq!(is_left(Some(&holder), Firm), by_firm, "{holder:?}");
            assert_eq!(is_left(Some(&holder), Provisional), by_provisional, "{holder:?}");
        }
        assert!(!is_left(None, Firm) && !is_left(None, Provisional));
    }

    #[test]
    fn an_object_uses_the_organizations_of_its_holders_namespace() {
        let operators = Operators {
            ours: "home/ours".into(),
            gone: Arc::new(["a/gone".into()].into()),
        };
        let uses = |lease, hold| uses_our_organizations(Some(&held(lease, hold)), &operators);
        assert!(uses_our_organizations(None, &operators));
        assert!(uses("home/ours", Hold::Firm) && uses("home/another", Hold::Firm));
        assert!(uses("a/gone", Hold::Firm) && uses("a/alive", Hold::Provisional));
        assert!(!uses("a/alive", Hold::Firm));
    }

    /// Where a status was forged, or restored from elsewhere.
    #[test]
    fn a_holder_that_can_have_no_lease_holds_nothing() {
        for lease in [
            "",
            "a",
            "/a",
            "a/",
            "a/b/c",
            "a/../secrets",
            "a/b?x=1",
            "A/b",
            "a.b/c",
            "a/-b",
            "a/b..c",
            "a /b",
        ] {
            assert!(!is_left(Some(&held(lease, Hold::Firm)), Hold::Firm), "{lease:?}");
        }
        assert!(is_left(Some(&held("a/b.c-1", Hold::Firm)), Hold::Firm));
    }
}
