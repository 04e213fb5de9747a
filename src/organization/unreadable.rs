//! What follows for an Organization that this version cannot decode: it grants nothing and withdraws nothing, and its
//! deletion is honoured once nobody names it.

use crate::api::reason::Reason;
use crate::lifecycle::verdict::Finding;
use crate::lifecycle::view::{Deletion, Finalizer};

/// What follows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It stays, and this is said of it.
    Stays(Finding),
    /// Our finalizer is taken off.
    Goes,
    /// It is let go, and somebody else still holds it.
    IsLetGo,
}

/// Judges by what can be known: why it cannot be decoded, whether somebody asked for it to go, and how many Workspaces
/// may name it.
pub fn unreadable(error: &str, deletion: Deletion, finalizer: Finalizer, users: usize) -> Fate {
    let finding = match (deletion, users) {
        (Deletion::Asked, 0) => {
            return match finalizer {
                Finalizer::Present => Fate::Goes,
                Finalizer::Absent => Fate::IsLetGo,
            };
        }
        (Deletion::Asked, _) => Finding::new(
            Reason::InUse,
            format!(
                "it is being deleted, but Workspaces still name it; delete them, or correct it first: it cannot be read \
                 ({error}), so that workspaces can only be retained"
            ),
        ),
        (Deletion::NotAsked, _) => Finding::new(
            Reason::Undecodable,
            format!(
                "this object cannot be read: {error}. It grants nothing and withdraws nothing: tokens in use stay, and none \
                 is renewed; correct it"
            ),
        ),
    };
    Fate::Stays(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(deletion: Deletion, users: usize) -> Option<(Reason, String)> {
        match unreadable("no field", deletion, Finalizer::Present, users) {
            Fate::Stays(finding) => Some((finding.reason, finding.message)),
            Fate::Goes | Fate::IsLetGo => None,
        }
    }

    #[test]
    fn it_goes_once_it_is_asked_to_and_nobody_names_it() {
        assert_eq!(said(Deletion::Asked, 0), None);
        let (reason, message) = said(Deletion::Asked, 2).unwrap();
        assert_eq!(reason, Reason::InUse);
        assert!(
            message.contains("Workspaces still name it") && message.contains("no field"),
            "{message}"
        );
        let later = said(Deletion::Asked, 1).unwrap();
        assert_eq!(
            later,
            (reason, message),
            "what is said as before is not written anew"
        );
    }

    #[test]
    fn it_is_let_go_once_although_somebody_else_holds_it_longer() {
        let fate = |finalizer| unreadable("no field", Deletion::Asked, finalizer, 0);
        assert_eq!(fate(Finalizer::Present), Fate::Goes);
        assert_eq!(fate(Finalizer::Absent), Fate::IsLetGo);
    }

    #[test]
    fn it_is_reported_and_withdraws_nothing_whoever_names_it() {
        for users in [0, 2] {
            let (reason, message) = said(Deletion::NotAsked, users).unwrap();
            assert_eq!(reason, Reason::Undecodable);
            assert!(
                message.contains("no field") && message.contains("withdraws nothing"),
                "{message}"
            );
        }
    }
}
