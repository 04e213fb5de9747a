//! What is true of an Organization, from what its credential, its token and its list said.

use jiff::Timestamp;

use crate::crd::conditions::{self, ConditionDraft, ConditionStatus, READY, RECONCILING, STALLED};
use crate::crd::organization::{OrganizationSpec, OrganizationStatus, WorkspaceCounts};
use crate::domain::ids::OrganizationId;
use crate::domain::reason::{Kstatus, Reason};
use crate::domain::remote::{Failure, FailureClass};
use crate::domain::verification::{Missing, Verification};

/// Everything that a judgement depends on.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub generation: i64,
    pub reconcile_at: Option<&'a str>,
    pub spec: &'a OrganizationSpec,
    pub stored: &'a OrganizationStatus,
    pub credential: &'a Credential,
    pub listing: &'a Listing,
    /// Workspace objects that name this Organization, while it is being deleted.
    pub users: Option<usize>,
}

/// How far the credential got.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Credential {
    /// There is no client to ask with.
    NoClient(NoClient),
    /// It was not exchanged yet.
    #[default]
    Unasked,
    /// The exchange for an application token failed.
    Refused(Failure),
    /// It works; the token may say whose it is.
    Accepted { organization_id: Option<OrganizationId> },
}

/// Why there is no client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NoClient {
    /// The Secret, or a key of it, is missing. `what` says which.
    Missing { what: String },
    /// The Secret could not be read; whether it is there is not known.
    Unread { why: String },
    /// The spec cannot be used as it is.
    Unusable { why: String },
}

/// How the shared list stands. A list that fails takes nothing back of what the last whole one said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listing {
    pub whole: Option<Whole>,
    /// Why the latest one failed.
    pub failure: Option<Failure>,
}

/// What a whole list said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Whole {
    /// As the rows name it, where they agree.
    pub organization_id: Option<OrganizationId>,
    pub vanishing: Missing,
    pub missing: usize,
    pub counts: WorkspaceCounts,
}

/// What is so.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    pub verification: Verification,
    pub vanishing: Missing,
    pub reason: Reason,
    pub message: String,
    /// Equal to the stored one where nothing has changed.
    pub status: OrganizationStatus,
}

impl Judgement {
    /// The organization that it is verified to be.
    pub fn verified(&self) -> Option<&OrganizationId> {
        match &self.verification {
            Verification::Verified(id) => Some(id),
            Verification::Pending { .. } | Verification::Changed { .. } => None,
        }
    }
}

/// Judges. Pure and total.
pub fn judge(facts: &Facts<'_>, now: Timestamp) -> Judgement {
    let (verification, verdict) = verify(facts);
    let vanishing = vanishing(facts);
    let (reason, message) = in_use(facts)
        .or(verdict)
        .or_else(|| trouble(facts))
        .unwrap_or_else(|| {
            (
                Reason::Verified,
                "the credential works and belongs to the organization".to_owned(),
            )
        });
    let pinned = match &verification {
        Verification::Verified(id) => Some(id.clone()),
        Verification::Pending { .. } | Verification::Changed { .. } => facts.stored.organization_id.clone(),
    };
    let status = OrganizationStatus {
        observed_generation: Some(facts.generation),
        organization_id: pinned,
        workspaces: facts
            .listing
            .whole
            .as_ref()
            .map(|whole| whole.counts)
            .or(facts.stored.workspaces),
        last_handled_reconcile_at: facts.reconcile_at.map(str::to_owned),
        conditions: conditions::set_conditions(
            &facts.stored.conditions,
            &drafts(reason, &message),
            facts.generation,
            now,
        ),
    };
    Judgement {
        verification,
        vanishing,
        reason,
        message,
        status,
    }
}

type Said = Option<(Reason, String)>;

fn verify(facts: &Facts<'_>) -> (Verification, Said) {
    let pending =
        |reason: Reason, why: String| (Verification::Pending { why: why.clone() }, Some((reason, why)));
    let token_says = match facts.credential {
        Credential::NoClient(NoClient::Missing { what }) => {
            return pending(Reason::CredentialsMissing, what.clone());
        }
        Credential::NoClient(NoClient::Unread { why }) => {
            return pending(Reason::KubernetesApiError, why.clone());
        }
        Credential::NoClient(NoClient::Unusable { why }) => {
            return pending(Reason::InvalidConfiguration, why.clone());
        }
        Credential::Unasked => {
            let why = "the credential was not exchanged yet; Agent Engine is asked when its turn comes";
            return pending(Reason::ApiUnavailable, why.to_owned());
        }
        Credential::Refused(failure) => {
            let (reason, why) = refused(failure, facts.spec);
            return pending(reason, why);
        }
        Credential::Accepted { organization_id } => organization_id.as_ref(),
    };
    let rows_say = facts
        .listing
        .whole
        .as_ref()
        .and_then(|whole| whole.organization_id.as_ref());
    let Some(found) = token_says.or(rows_say) else {
        return match &facts.listing.failure {
            Some(failure) => {
                let (reason, why) = list_failed(failure, facts.spec);
                pending(reason, why)
            }
            None => pending(
                Reason::OrganizationUnknown,
                "neither the token's answer nor the workspaces listed name the organization; nothing is done in it".to_owned(),
            ),
        };
    };
    let pinned = facts
        .spec
        .organization_id
        .as_ref()
        .or(facts.stored.organization_id.as_ref());
    match pinned.filter(|pinned| *pinned != found) {
        Some(pinned) => {
            let message = format!(
                "the credential belongs to organization {found}, but this Organization is {pinned}; nothing was asked of {found}. \
                 Restore the credential of {pinned}, or make another Organization for {found}; where spec.organizationId is wrong, \
                 delete this Organization and create it anew"
            );
            let changed = Verification::Changed {
                pinned: pinned.clone(),
                found: found.clone(),
            };
            (changed, Some((Reason::OrganizationMismatch, message)))
        }
        None => (Verification::Verified(pinned.unwrap_or(found).clone()), None),
    }
}

/// How many use it is not said: each that goes would be a write of its own.
fn in_use(facts: &Facts<'_>) -> Said {
    facts.users.filter(|users| *users > 0)?;
    let message = "it is being deleted, but Workspaces still name it: kubectl get workspaces --all-namespaces -o wide shows them. \
                   Delete them first; with spec.deletionPolicy: Retain what they manage stays at Agent Engine";
    Some((Reason::InUse, message.to_owned()))
}

/// Until a whole list says otherwise, what vanished is as it was left: also by the process before this one.
fn vanishing(facts: &Facts<'_>) -> Missing {
    match (&facts.listing.whole, said_before(facts)) {
        (Some(whole), _) => whole.vanishing,
        (None, Some(_)) => Missing::Many,
        (None, None) => Missing::Few,
    }
}

/// The stored word on a mass vanishing.
fn said_before(facts: &Facts<'_>) -> Option<String> {
    let mut stored = facts.stored.conditions.iter();
    let mass = Reason::ManyWorkspacesMissing.as_str();
    stored
        .find(|condition| condition.type_ == READY && condition.reason == mass)
        .map(|condition| condition.message.clone())
}

/// What is wrong beside the verification.
fn trouble(facts: &Facts<'_>) -> Said {
    let failed = || {
        facts
            .listing
            .failure
            .as_ref()
            .map(|failure| list_failed(failure, facts.spec))
    };
    mass_vanishing(facts).or_else(failed)
}

fn mass_vanishing(facts: &Facts<'_>) -> Said {
    let message = match &facts.listing.whole {
        None => said_before(facts)?,
        Some(Whole {
            vanishing: Missing::Few,
            ..
        }) => return None,
        Some(Whole {
            vanishing: Missing::Many,
            missing,
            ..
        }) => format!(
            "{missing} workspaces vanished at once; nothing is done about any of them. Check the organization and the \
             credential's rights. If they are truly gone, annotate this Organization with {}={missing}, and take the annotation away \
             when that is believed: left there, it believes the next {missing} that vanish as well",
            crate::crd::metadata_keys::CONFIRM_MISSING
        ),
    };
    Some((Reason::ManyWorkspacesMissing, message))
}

fn refused(failure: &Failure, spec: &OrganizationSpec) -> (Reason, String) {
    match failure.class {
        FailureClass::Denied | FailureClass::Rejected | FailureClass::Conflict | FailureClass::Missing => (
            Reason::CredentialsRejected,
            format!(
                "Agent Engine refuses the credential: {}. Put a valid pair into the Secret",
                failure.detail
            ),
        ),
        FailureClass::Throttled(_) => (Reason::Throttled, "Agent Engine asked to slow down".to_owned()),
        FailureClass::Transient | FailureClass::Malformed | FailureClass::Unknown => (
            Reason::ApiUnavailable,
            format!(
                "Agent Engine did not exchange the credential: {}; {}",
                failure.detail,
                unreached(spec)
            ),
        ),
    }
}

fn list_failed(failure: &Failure, spec: &OrganizationSpec) -> (Reason, String) {
    match failure.class {
        FailureClass::Denied => (
            Reason::AccessDenied,
            format!(
                "the credential may not list workspaces: {}. It needs administrator rights",
                failure.detail
            ),
        ),
        FailureClass::Throttled(_) => (Reason::Throttled, "Agent Engine asked to slow down".to_owned()),
        FailureClass::Transient
        | FailureClass::Rejected
        | FailureClass::Conflict
        | FailureClass::Missing
        | FailureClass::Malformed
        | FailureClass::Unknown => (
            Reason::ApiUnavailable,
            format!(
                "Agent Engine did not list the workspaces: {}; {}",
                failure.detail,
                unreached(spec)
            ),
        ),
    }
}

/// Where it was asked, and what can be looked at if that does not pass.
fn unreached(spec: &OrganizationSpec) -> String {
    format!(
        "it is tried again by itself. If that does not pass, check spec.endpoint ({}), network and proxy",
        spec.endpoint()
    )
}

fn drafts(reason: Reason, message: &str) -> Vec<ConditionDraft> {
    let draft = |kind, status| ConditionDraft {
        kind,
        status,
        reason: reason.as_str(),
        message: message.to_owned(),
    };
    match reason.kstatus() {
        Kstatus::Ready => vec![draft(READY, ConditionStatus::True)],
        Kstatus::Reconciling => vec![
            draft(READY, ConditionStatus::False),
            draft(RECONCILING, ConditionStatus::True),
        ],
        Kstatus::Stalled => vec![
            draft(READY, ConditionStatus::False),
            draft(STALLED, ConditionStatus::True),
        ],
    }
}
