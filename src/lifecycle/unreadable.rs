//! What follows for a Workspace that this version cannot decode: nothing is done for it but its deletion, and that only
//! where what it manages can be told, or is retained.

use super::facts::Deletion;
use super::reason::Reason;
use super::verdict::Finding;
use crate::api::workspace::DeletionPolicy;

/// What follows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It is left as it is, and this is said of it.
    Stays(Finding),
    /// It was asked to go, and goes as any other.
    Goes,
}

/// Judges by what can be known: why it cannot be decoded, whether somebody asked for it to go, which fields would say what
/// it manages and cannot be read, and what is declared, or recorded, to become of that.
pub fn unreadable(
    error: &str,
    deletion: Deletion,
    lost: &[&'static str],
    policy: Option<DeletionPolicy>,
) -> Fate {
    let finding = match (deletion, lost, policy) {
        (Deletion::Asked, [], _) | (Deletion::Asked, _, Some(DeletionPolicy::Retain)) => return Fate::Goes,
        (Deletion::Asked, lost, Some(DeletionPolicy::Delete) | None) => Finding::new(
            Reason::DeletionBlocked,
            format!(
                "the workspace was not deleted: which one it is cannot be read from status ({}; {error}). Correct the status; to \
                 let the object go and leave the workspace, set spec.deletionPolicy: Retain",
                lost.join(", ")
            ),
        ),
        (Deletion::NotAsked, _, _) => Finding::new(
            Reason::Undecodable,
            format!(
                "this object cannot be read: {error}. Nothing is done for it, but what it has recorded stays its own, and its \
                 deletion is honoured; correct it"
            ),
        ),
    };
    Fate::Stays(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICIES: [Option<DeletionPolicy>; 3] =
        [None, Some(DeletionPolicy::Delete), Some(DeletionPolicy::Retain)];

    fn said(deletion: Deletion, lost: &[&'static str], policy: Option<DeletionPolicy>) -> Option<Finding> {
        match unreadable("spec.suspend: no", deletion, lost, policy) {
            Fate::Stays(finding) => Some(finding),
            Fate::Goes => None,
        }
    }

    #[test]
    fn it_is_reported_whatever_can_be_read_of_it() {
        for policy in POLICIES {
            for lost in [&[][..], &["name"]] {
                let finding = said(Deletion::NotAsked, lost, policy).unwrap();
                assert_eq!(finding.reason, Reason::Undecodable);
                assert!(
                    finding.message.contains("spec.suspend: no"),
                    "{}",
                    finding.message
                );
            }
        }
    }

    #[test]
    fn it_goes_when_asked_to_where_what_it_manages_can_be_told_or_is_retained() {
        for policy in POLICIES {
            assert_eq!(said(Deletion::Asked, &[], policy), None, "{policy:?}");
            let held = said(Deletion::Asked, &["uid", "name"], policy);
            assert_eq!(
                held.is_none(),
                policy == Some(DeletionPolicy::Retain),
                "{policy:?}"
            );
        }
    }

    #[test]
    fn what_holds_it_is_named_with_the_way_out() {
        let finding = said(Deletion::Asked, &["uid", "name"], None).unwrap();
        assert_eq!(finding.reason, Reason::DeletionBlocked);
        for part in ["uid, name", "spec.suspend: no", "spec.deletionPolicy: Retain"] {
            assert!(finding.message.contains(part), "{}", finding.message);
        }
    }
}
