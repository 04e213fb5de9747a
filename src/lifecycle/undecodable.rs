//! A Workspace that this version cannot decode. The operator only lets it go on request, and only if its workspace is known
//! or retained.

use crate::crd::workspace::DeletionPolicy;
use crate::domain::finding::Finding;
use crate::domain::object::Deletion;
use crate::domain::reason::Reason;

/// What the operator does with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Undecodable {
    /// Leave it, and report this.
    Report(Finding),
    /// Its deletion was requested: treat it as any other.
    Release,
}

/// Judges by the decoding error, the deletion request, the fields that should name the workspace and were lost, and the
/// declared or recorded policy.
pub fn undecodable(
    error: &str,
    deletion: Deletion,
    lost: &[&'static str],
    policy: Option<DeletionPolicy>,
) -> Undecodable {
    let finding = match (deletion, lost, policy) {
        (Deletion::Requested, [], _) | (Deletion::Requested, _, Some(DeletionPolicy::Retain)) => {
            return Undecodable::Release;
        }
        (Deletion::Requested, lost, Some(DeletionPolicy::Delete) | None) => Finding::new(
            Reason::DeletionBlocked,
            format!(
                "the workspace was not deleted: which one it is cannot be read from status ({}; {error}). Correct the status; to \
                 let the object go and leave the workspace, set spec.deletionPolicy: Retain",
                lost.join(", ")
            ),
        ),
        (Deletion::NotRequested, _, _) => Finding::new(
            Reason::InvalidObject,
            format!(
                "this object cannot be read: {error}. Nothing is done for it, but what it has recorded stays its own, and its \
                 deletion is honoured; correct it"
            ),
        ),
    };
    Undecodable::Report(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICIES: [Option<DeletionPolicy>; 3] =
        [None, Some(DeletionPolicy::Delete), Some(DeletionPolicy::Retain)];

    fn said(deletion: Deletion, lost: &[&'static str], policy: Option<DeletionPolicy>) -> Option<Finding> {
        match undecodable("spec.suspend: no", deletion, lost, policy) {
            Undecodable::Report(finding) => Some(finding),
            Undecodable::Release => None,
        }
    }

    #[test]
    fn it_is_reported_whatever_can_be_read_of_it() {
        for policy in POLICIES {
            for lost in [&[][..], &["name"]] {
                let finding = said(Deletion::NotRequested, lost, policy).unwrap();
                assert_eq!(finding.reason, Reason::InvalidObject);
                assert!(
                    finding.message.contains("spec.suspend: no"),
                    "{}",
                    finding.message
                );
            }
        }
    }

    #[test]
    fn it_goes_on_request_if_it_is_readable_or_retained() {
        for policy in POLICIES {
            assert_eq!(said(Deletion::Requested, &[], policy), None, "{policy:?}");
            let held = said(Deletion::Requested, &["uid", "name"], policy);
            assert_eq!(
                held.is_none(),
                policy == Some(DeletionPolicy::Retain),
                "{policy:?}"
            );
        }
    }

    #[test]
    fn what_holds_it_is_named_with_the_way_out() {
        let finding = said(Deletion::Requested, &["uid", "name"], None).unwrap();
        assert_eq!(finding.reason, Reason::DeletionBlocked);
        for part in ["uid, name", "spec.suspend: no", "spec.deletionPolicy: Retain"] {
            assert!(finding.message.contains(part), "{}", finding.message);
        }
    }
}
