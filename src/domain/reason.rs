//! The one table of reasons, for conditions, events, metrics and docs.

/// How a reason reads to tools that wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Kstatus {
    /// All is as declared.
    Ready,
    /// The operator goes on by itself: `Reconciling`.
    Reconciling,
    /// A person must change something: `Stalled`.
    Stalled,
}

macro_rules! reasons {
    ($($(#[doc = $meaning:literal])+ $name:ident: $kstatus:ident, $remedy:literal;)+) => {
        /// Why a condition is as it is.
        #[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Reason {
            /// Every reason, in the order of the docs.
            pub const ALL: &[Reason] = &[$(Reason::$name,)+];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Reason::$name => stringify!($name),)+ }
            }

            /// How it reads to tools that wait.
            pub const fn kstatus(self) -> Kstatus {
                match self { $(Reason::$name => Kstatus::$kstatus,)+ }
            }

            /// The reason of that name.
            pub fn parse(name: &str) -> Option<Reason> {
                match name {
                    $(stringify!($name) => Some(Reason::$name),)+
                    _ => None,
                }
            }

            /// What it means, for the docs.
            pub const fn meaning(self) -> &'static str {
                match self { $(Reason::$name => concat!($($meaning,)+),)+ }
            }

            /// What to do about it, for the docs.
            pub const fn remedy(self) -> &'static str {
                match self { $(Reason::$name => $remedy,)+ }
            }
        }
    };
}

reasons! {
    /// The workspace is as declared.
    AsDeclared: Ready, "Nothing.";
    /// Of an Organization: its credential works and belongs to the organization.
    Verified: Ready, "Nothing.";
    /// Of an Organization: it is verified, but `spec.requestsPerSecond` is too low to renew the tokens of its workspaces in time.
    RateTooLow: Ready, "Raise `requestsPerSecond`, or unset it.";
    /// `spec.suspend` is set: the operator creates, renames, activates and deactivates nothing. It still renews the token of a recorded workspace.
    Suspended: Ready, "Remove `spec.suspend` to resume.";
    /// The Secret holds a token that Agent Engine has confirmed to open the recorded workspace.
    TokenVerified: Ready, "Nothing.";
    /// `spec.tokenSecret.enabled` is false: the object has no token Secret.
    TokenDisabled: Ready, "Nothing, or set it to true.";
    /// The workspace is inactive, or declared inactive: it has no token Secret.
    WorkspaceInactive: Ready, "Set `spec.status: active` to have a token.";

    /// The object was deleted, and its workspace stays at Agent Engine.
    Retained: Ready, "Nothing; the id is in the event.";
    /// A token request of the operator created an empty workspace beside the recorded one; the operator deleted it by its id.
    OrphanRemoved: Ready, "Find out who renames the workspace at Agent Engine.";

    /// The operator is creating the workspace.
    Creating: Reconciling, "Wait.";
    /// The answer to a creation was lost; the operator searches for the workspace.
    CreationInFlight: Reconciling, "Wait. After about a minute without a result the operator creates the workspace again.";
    /// The operator is changing the workspace to the declared name or status.
    Updating: Reconciling, "Wait.";
    /// The operator is issuing or verifying a token, or waits for its next attempt.
    TokenPending: Reconciling, "Wait.";
    /// The operator's namespace has no Organization of that name.
    OrganizationNotFound: Reconciling, "Create the Organization in the namespace that the message names, or delete the Workspace and create it again with the right `spec.organization`, which cannot be changed.";
    /// The credential or the id of the Organization is not verified yet.
    OrganizationNotReady: Reconciling, "See the conditions of the Organization.";
    /// Many workspaces of the organization are missing from its list at once, or the list has none at all, and a GET by id does not find this one; the operator does nothing for it.
    ManyWorkspacesMissing: Reconciling, "Check the organization and its credential; see the conditions of the Organization.";
    /// Agent Engine does not find the workspace by its id; the operator waits for the organization's next list to confirm it.
    NotFoundUnconfirmed: Reconciling, "Wait.";
    /// Agent Engine did not answer, or answered with an error.
    ApiUnavailable: Reconciling, "Wait; if it lasts, check endpoint, network and proxy.";
    /// The object waits for its share of the organization's rate limit, or for a slot.
    Queued: Reconciling, "Wait; if it lasts, raise `requestsPerSecond` of the Organization.";
    /// Agent Engine asked the operator to send fewer requests.
    Throttled: Reconciling, "Wait, or lower `requestsPerSecond` of the Organization.";
    /// Agent Engine refused the operator's credential for this call.
    AccessDenied: Reconciling, "Give the application credential administrator rights in the organization; check that the organization is enabled for Agents.";
    /// A read or write of the Kubernetes API failed or had no answer.
    KubernetesApiError: Reconciling, "See the message; check the operator's permissions and admission policies.";
    /// The reconcile of this object crashed.
    InternalError: Reconciling, "Report it with the operator's log.";
    /// The object is being deleted.
    Deleting: Reconciling, "Wait.";

    /// Of an Organization: the Secret with the credential, or one of its keys, is missing.
    CredentialsMissing: Reconciling, "Create the Secret with the keys `client_id` and `client_secret` in the Organization's namespace.";
    /// Of an Organization: no answer of Agent Engine names the organization.
    OrganizationUnknown: Reconciling, "Set `spec.organizationId`; check the credential's rights.";
    /// Of an Organization that is being deleted: Workspaces still use it.
    InUse: Reconciling, "Delete those Workspaces; with `deletionPolicy: Retain` their workspaces stay at Agent Engine. To keep them, take the finalizer off the Organization and apply it again.";

    /// Of an Organization: Agent Engine refuses the credential.
    CredentialsRejected: Stalled, "Put a valid pair into the credential Secret.";
    /// Of an Organization: a field of its spec cannot be used.
    InvalidConfiguration: Stalled, "Change what the message names.";
    /// The Organization does not grant this name to the namespace, or not to a workspace whose deletion it forbids. The operator hands out no token for it; it does not change an existing workspace.
    NameNotGranted: Stalled, "Choose a granted name, or ask the operator's administrator for the `access` entry in the message.";
    /// Another object claims this name or this workspace. Names that differ only in case, blanks or Unicode form count as one.
    NameClaimed: Stalled, "Choose another name, or have the other object give it up. Two objects exchange their names by way of a third.";
    /// A workspace of this name exists, and adoption is not requested, or not allowed.
    AlreadyExists: Stalled, "Set `adoptionPolicy: ByName` (and have `adoption: Allowed` granted), or choose another name.";
    /// A workspace exists whose name differs only in case, blanks or Unicode form.
    SimilarNameExists: Stalled, "Declare the name exactly as it exists, or choose a name that differs in more.";
    /// A workspace of this name appeared, and the operator cannot tell whether its own request created it.
    CreationUncertain: Stalled, "Inspect it; adopt it with `adoptionPolicy: ByName`, or delete it at Agent Engine.";
    /// A token opens another workspace than the recorded one, or an id names a workspace of another organization. The operator handed out no token.
    IdentityMismatch: Stalled, "Find out who renamed or replaced the workspace.";
    /// The Organization's credential belongs to another organization than the recorded one.
    OrganizationMismatch: Stalled, "Restore the credential of the recorded organization; if a new Organization has a wrong `spec.organizationId`, correct or remove it.";
    /// The workspace was deleted at Agent Engine, or is no longer enabled for Agents. The operator does not create it again by itself.
    WorkspaceNotFound: Stalled, "Enable the workspace at Agent Engine, delete the object, or annotate it with `agentengine.airbyte.com/recreate: <lost id>`. If `spec.workspaceId` names it, create another object with the right id.";
    /// A Secret of that name exists and belongs to another owner.
    SecretNotOwned: Stalled, "Choose another `spec.tokenSecret.name`, or delete that Secret if it is no other Workspace's.";
    /// The API server stores the token Secret otherwise than it was written, as where an admission policy changes it. The token in it is not vouched for.
    SecretAltered: Stalled, "Exempt the Secret from the policy, then delete it: it is made again at once.";
    /// The organization refuses further workspaces, with HTTP 402 or 403.
    PlanLimit: Stalled, "Upgrade the plan, or delete workspaces.";
    /// Agent Engine, or a rule of the operator, refuses a declared value.
    Rejected: Stalled, "Change what the message names; if it is the plan's limit, upgrade the plan, or delete workspaces.";
    /// The operator cannot delete the workspace.
    DeletionBlocked: Stalled, "Remove the cause in the message, or set `deletionPolicy: Retain` to keep the workspace. The operator tries again by itself, so a temporary cause, such as an outage, needs no action.";
    /// This version of the operator cannot decode the stored object.
    InvalidObject: Stalled, "Correct the fields in the message.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_fit_a_condition() {
        let mut seen = std::collections::BTreeSet::new();
        for reason in Reason::ALL {
            assert!(seen.insert(reason.as_str()));
            assert!(reason.as_str().chars().all(char::is_alphanumeric));
        }
    }
}
