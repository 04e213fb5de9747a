//! Every sentence about an Organization for people. Which of them is said is judged elsewhere.

use crate::crd::metadata_keys::{CONFIRM_MISSING, FINALIZER};
use crate::crd::organization::OrganizationSpec;
use crate::domain::finding::Finding;
use crate::domain::ids::OrganizationId;
use crate::domain::reason::Reason;
use crate::organization::judge::demand::Shortage;
use crate::organization::judge::readiness::Readiness;
use crate::organization::judge::trouble::Trouble;
use crate::organization::judge::verification::Unknown;
use crate::organization::memory::NoClient;

const SLOW_DOWN: &str = "Agent Engine asked to slow down";

/// What Ready says.
pub(super) fn ready(readiness: Readiness<'_>, spec: &OrganizationSpec, pinned_by: PinnedBy) -> Finding {
    let message = match readiness {
        Readiness::InUse => in_use(),
        Readiness::Unknown(unknown) => unverified(unknown, spec),
        Readiness::Changed { pinned, found } => changed(pinned, found, pinned_by),
        Readiness::ManyMissing(count) => many_missing(count),
        Readiness::ListFailed(trouble) => list_failed(trouble, spec),
        Readiness::RateTooLow(Shortage { declared, needed }) => format!(
            "the credential works and belongs to the organization, but spec.requestsPerSecond: {declared} is too low for the \
             workspaces of this Organization: to renew their tokens takes about {needed} calls a second. Raise it, or tokens \
             end before their renewal"
        ),
        Readiness::Verified => "the credential works and belongs to the organization".to_owned(),
    };
    Finding::new(readiness.reason(), message)
}

/// Why it is not known to which organization the credential belongs.
pub(super) fn unverified(unknown: Unknown<'_>, spec: &OrganizationSpec) -> String {
    match unknown {
        Unknown::NoClient(NoClient::Missing { what }) => what.clone(),
        Unknown::NoClient(NoClient::Unread { why } | NoClient::Unusable { why }) => why.clone(),
        Unknown::NotExchanged => "waiting to exchange the credential (rate limit)".to_owned(),
        Unknown::Paused => format!("{SLOW_DOWN}: waiting to exchange the credential"),
        Unknown::ExchangeFailed(trouble) => exchange_failed(trouble, spec),
        Unknown::ListFailed(trouble) => list_failed(trouble, spec),
        Unknown::Unnamed => {
            "neither the answer to the token exchange nor a listed workspace names the organization; the \
                             operator does nothing in it. Set spec.organizationId"
                .to_owned()
        }
    }
}

/// An Organization that cannot be decoded is being deleted while Workspaces name it.
pub(super) fn undecodable_in_use(error: &str) -> Finding {
    Finding::new(
        Reason::InUse,
        format!(
            "it is being deleted, but Workspaces still name it. Delete them, or correct it first: this version cannot read \
             it ({error}), so it can only retain workspaces"
        ),
    )
}

/// An Organization that cannot be decoded.
pub(super) fn undecodable(error: &str) -> Finding {
    Finding::new(
        Reason::InvalidObject,
        format!(
            "this version cannot read the object: {error}. It grants nothing and withdraws nothing: tokens in use stay, and \
             none is renewed. Correct it"
        ),
    )
}

/// Without the number of Workspaces: each that goes would be a write of its own.
fn in_use() -> String {
    format!(
        "it is being deleted, but Workspaces still name it: kubectl get workspaces --all-namespaces -o wide shows them. If they \
         are to go too, delete them; with spec.deletionPolicy: Retain, their workspaces stay at Agent Engine. To keep them, \
         take the finalizer {FINALIZER} off this Organization and apply it again: they wait for it"
    )
}

/// What holds the Workspaces of an Organization that is being deleted, and with them the Organization.
pub(super) fn held_in_use(cause: Finding) -> Finding {
    Finding::new(
        cause.reason,
        format!(
            "{}. It is being deleted, but Workspaces still name it; those that are to be deleted at Agent Engine wait for this, \
             others need spec.deletionPolicy: Retain",
            cause.message
        ),
    )
}

/// What says which organization it stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PinnedBy {
    /// It is declared, and was never verified.
    Spec,
    /// It was verified.
    Status,
}

fn changed(pinned: &OrganizationId, found: &OrganizationId, pinned_by: PinnedBy) -> String {
    let remedy = match pinned_by {
        PinnedBy::Spec => {
            format!(
                "Put the credential of {pinned} into the Secret, or correct or remove spec.organizationId"
            )
        }
        PinnedBy::Status => {
            format!("Restore the credential of {pinned}, or make another Organization for {found}")
        }
    };
    format!(
        "the credential belongs to organization {found}, but this Organization is {pinned}; nothing was asked of {found}. {remedy}"
    )
}

fn many_missing(count: usize) -> String {
    let missing = match count {
        1 => "1 workspace is missing from a list that shows none at all".to_owned(),
        _ => format!("{count} workspaces are missing from the list at once"),
    };
    format!(
        "{missing}, so nothing is changed. Check the organization, the rights of the \
         credential, and whether the workspaces are enabled for Agents: the list shows no others. If they were really deleted, \
         annotate this Organization with {CONFIRM_MISSING}={count}, and remove the annotation afterwards: if it stays, it also \
         confirms the next {count}"
    )
}

fn exchange_failed(trouble: Trouble<'_>, spec: &OrganizationSpec) -> String {
    match trouble {
        Trouble::Refused(failure) => format!(
            "Agent Engine refuses the credential: {}. Put a valid pair into the Secret",
            failure.detail
        ),
        Trouble::Throttled => SLOW_DOWN.to_owned(),
        // What refuses a credential is not documented, so a refusal in words that are not the API's may be one.
        Trouble::Unreached(failure) => {
            let suspect = match failure.status {
                Some(400..=499) => "the pair in the Secret (a refusal of it may be worded so), ",
                Some(_) | None => "",
            };
            format!(
                "Agent Engine did not exchange the credential: {}; {}",
                failure.detail,
                unreached(suspect, spec)
            )
        }
    }
}

fn list_failed(trouble: Trouble<'_>, spec: &OrganizationSpec) -> String {
    match trouble {
        Trouble::Refused(failure) => format!(
            "the credential may not list workspaces: {}. It needs administrator rights; a 403 can also mean that the organization \
             is not enabled for Agents: check that at Agent Engine",
            failure.detail
        ),
        Trouble::Throttled => SLOW_DOWN.to_owned(),
        Trouble::Unreached(failure) => format!(
            "Agent Engine did not list the workspaces: {}; {}",
            failure.detail,
            unreached("", spec)
        ),
    }
}

/// Where it was asked, and what to check if that does not pass.
fn unreached(suspect: &str, spec: &OrganizationSpec) -> String {
    format!(
        "the operator tries again. If that does not pass, check {suspect}spec.endpoint ({}), network and proxy",
        spec.endpoint()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::remote::{Failure, FailureClass};

    /// It is not known in which words Agent Engine refuses a credential: 400 with a page may be such a refusal, or a proxy's.
    #[test]
    fn a_refusal_in_unknown_words_names_the_credential_too() {
        let spec = serde_json::json!({"credentialsSecretRef": {"name": "credential"}, "access": []});
        let spec: OrganizationSpec = serde_json::from_value(spec).unwrap();
        for (status, suspect) in [
            (Some(400), true),
            (Some(422), true),
            (Some(503), false),
            (Some(200), false),
            (None, false),
        ] {
            let failure = Failure {
                class: FailureClass::Malformed,
                status,
                detail: "as told".to_owned(),
            };
            let said = exchange_failed(Trouble::of_exchange(&failure), &spec);
            assert_eq!(said.contains("check the pair in the Secret"), suspect, "{said}");
            assert!(said.contains("spec.endpoint"), "{said}");
        }
    }
}
