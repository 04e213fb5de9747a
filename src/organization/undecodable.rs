//! What follows for an Organization that this version cannot decode: it grants nothing and withdraws nothing, and its
//! deletion is honoured once no Workspace names it. One that another operator holds is left to that.

use crate::crd::holder::{Hold, Holder};
use crate::domain::finding::Finding;
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::operators::Operators;
use crate::organization::findings;
use crate::tenancy::holding;

/// What follows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Undecodable {
    /// It stays, and its status says this.
    Report(Finding),
    /// Take our finalizer off.
    Release,
    /// Nothing is written to it: it is released, and someone else's finalizer holds it, or another operator does.
    Leave,
}

/// Which operator holds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeldBy {
    Us,
    /// It may serve Workspaces with it that this one does not see.
    Another,
}

impl HeldBy {
    /// By the holder that the stored status names.
    pub fn of(stored: Option<&Holder>, operators: &Operators) -> Self {
        // This operator cannot serve it.
        match holding::is_left_to_another(stored, Hold::Provisional, operators) {
            true => Self::Another,
            false => Self::Us,
        }
    }
}

/// Judges by what can be known: why it cannot be decoded, whether its deletion was requested, how many Workspaces may name it,
/// and who holds it.
pub fn undecodable(
    error: &str,
    deletion: Deletion,
    finalizer: Finalizer,
    users: usize,
    held_by: HeldBy,
) -> Undecodable {
    if held_by == HeldBy::Another {
        return Undecodable::Leave;
    }
    let finding = match (deletion, users) {
        (Deletion::Requested, 0) => {
            return match finalizer {
                Finalizer::Present => Undecodable::Release,
                Finalizer::Absent => Undecodable::Leave,
            };
        }
        (Deletion::Requested, _) => findings::undecodable_in_use(error),
        (Deletion::NotRequested, _) => findings::undecodable(error),
    };
    Undecodable::Report(finding)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::reason::Reason;

    fn said(deletion: Deletion, users: usize) -> Option<(Reason, String)> {
        match undecodable("no field", deletion, Finalizer::Present, users, HeldBy::Us) {
            Undecodable::Report(finding) => Some((finding.reason, finding.message)),
            Undecodable::Release | Undecodable::Leave => None,
        }
    }

    #[test]
    fn it_goes_once_it_is_asked_to_and_no_workspace_names_it() {
        assert_eq!(said(Deletion::Requested, 0), None);
        let (reason, message) = said(Deletion::Requested, 2).unwrap();
        assert_eq!(reason, Reason::InUse);
        assert!(
            message.contains("Workspaces still name it") && message.contains("no field"),
            "{message}"
        );
        let later = said(Deletion::Requested, 1).unwrap();
        assert_eq!(later, (reason, message), "the same words are not written again");
    }

    #[test]
    fn it_is_released_once_although_others_hold_it_longer() {
        let fate = |finalizer| undecodable("no field", Deletion::Requested, finalizer, 0, HeldBy::Us);
        assert_eq!(fate(Finalizer::Present), Undecodable::Release);
        assert_eq!(fate(Finalizer::Absent), Undecodable::Leave);
    }

    /// That one may be of a version that can decode it, and serve Workspaces that this one does not see.
    #[test]
    fn it_is_left_to_another_operator_while_that_lives() {
        let operators = Operators {
            ours: "home/ours".into(),
            gone: Arc::new(["a/gone".into()].into()),
        };
        for (lease, hold, left) in [
            ("home/another", Hold::Firm, true),
            ("home/another", Hold::Provisional, true),
            ("a/gone", Hold::Firm, false),
            ("home/ours", Hold::Firm, false),
        ] {
            let lease = lease.into();
            let held_by = HeldBy::of(Some(&Holder { lease, hold }), &operators);
            for deletion in [Deletion::Requested, Deletion::NotRequested] {
                let fate = undecodable("no field", deletion, Finalizer::Present, 0, held_by);
                assert_eq!(fate == Undecodable::Leave, left, "{held_by:?} {deletion:?}");
            }
        }
        assert_eq!(HeldBy::of(None, &operators), HeldBy::Us);
    }

    #[test]
    fn it_is_reported_and_withdraws_nothing_whoever_names_it() {
        for users in [0, 2] {
            let (reason, message) = said(Deletion::NotRequested, users).unwrap();
            assert_eq!(reason, Reason::InvalidObject);
            assert!(
                message.contains("no field") && message.contains("withdraws nothing"),
                "{message}"
            );
        }
    }
}
