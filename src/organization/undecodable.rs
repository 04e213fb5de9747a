//! What follows for an Organization that this version cannot decode: it grants nothing and withdraws nothing, and its
//! deletion is honoured once no Workspace names it.

use crate::domain::finding::Finding;
use crate::domain::object::{Deletion, Finalizer};
use crate::organization::findings;

/// What follows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Undecodable {
    /// It stays, and its status says this.
    Report(Finding),
    /// Take our finalizer off.
    Release,
    /// It is released, and someone else's finalizer holds it.
    Released,
}

/// Judges by what can be known: why it cannot be decoded, whether its deletion was requested, and how many Workspaces may
/// name it.
pub fn undecodable(error: &str, deletion: Deletion, finalizer: Finalizer, users: usize) -> Undecodable {
    let finding = match (deletion, users) {
        (Deletion::Requested, 0) => {
            return match finalizer {
                Finalizer::Present => Undecodable::Release,
                Finalizer::Absent => Undecodable::Released,
            };
        }
        (Deletion::Requested, _) => findings::undecodable_in_use(error),
        (Deletion::NotRequested, _) => findings::undecodable(error),
    };
    Undecodable::Report(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reason::Reason;

    fn said(deletion: Deletion, users: usize) -> Option<(Reason, String)> {
        match undecodable("no field", deletion, Finalizer::Present, users) {
            Undecodable::Report(finding) => Some((finding.reason, finding.message)),
            Undecodable::Release | Undecodable::Released => None,
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
        let fate = |finalizer| undecodable("no field", Deletion::Requested, finalizer, 0);
        assert_eq!(fate(Finalizer::Present), Undecodable::Release);
        assert_eq!(fate(Finalizer::Absent), Undecodable::Released);
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
