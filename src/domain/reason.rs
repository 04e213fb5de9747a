//! The one table of reasons, for conditions, events, metrics and docs.

/// How a reason reads to tools that wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Kstatus {
    /// All is as declared.
    Ready,
    /// Goes on by itself: `Reconciling`.
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
                Self::ALL.iter().copied().find(|reason| reason.as_str() == name)
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
    /// Of an Organization: its credential works, and belongs to the organization.
    Verified: Ready, "Nothing.";
    /// `spec.suspend` is set: nothing is created, renamed or switched; a recorded workspace's token is renewed.
    Suspended: Ready, "Remove `spec.suspend` to go on.";
    /// A token proven to belong to the recorded workspace is in the Secret.
    TokenVerified: Ready, "Nothing.";
    /// `spec.tokenSecret.enabled` is false: no Secret is kept.
    TokenDisabled: Ready, "Nothing, or enable it.";
    /// The workspace is inactive, or declared so: nobody is handed access.
    WorkspaceInactive: Ready, "Set `spec.status: active` to have a token.";

    /// The object went, and its workspace was left at Agent Engine.
    Retained: Ready, "Nothing; the id is in the event.";
    /// An issue of ours created a workspace beside the recorded one; it was empty and was deleted by its id.
    OrphanRemoved: Ready, "Find out who renames the workspace behind the operator's back.";

    /// The workspace is being created.
    Creating: Reconciling, "Wait.";
    /// The answer to a creation was lost; whether it took effect is being found out.
    CreationInFlight: Reconciling, "Wait: it is looked for until its deadline has passed, then tried anew.";
    /// The remote workspace is being brought to what is declared.
    Updating: Reconciling, "Wait.";
    /// A token is being issued or proven.
    TokenPending: Reconciling, "Wait.";
    /// No Organization of that name is in the operator's namespace.
    OrganizationNotFound: Reconciling, "Create the Organization in the namespace that the message names, or delete the Workspace and create it anew with the right `spec.organization`, which cannot be changed.";
    /// The Organization cannot be used yet: its credential or its id is not verified.
    OrganizationNotReady: Reconciling, "See the conditions of the Organization.";
    /// Many workspaces of the organization vanished at once; nothing is done about any of them.
    ManyWorkspacesMissing: Reconciling, "Check the organization and its credential; see the conditions of the Organization.";
    /// The workspace is not found by its id; the organization's list is taken before that is believed.
    NotFoundUnconfirmed: Reconciling, "Wait.";
    /// The API did not answer as it should.
    ApiUnavailable: Reconciling, "Nothing if it passes; else check endpoint, network and proxy.";
    /// The API asked to slow down.
    Throttled: Reconciling, "Wait, or lower `requestsPerSecond` of the Organization.";
    /// The API refused the operator's credential for this call.
    AccessDenied: Reconciling, "Give the application credential administrator rights in the organization.";
    /// The Kubernetes API did not carry out a write or a read.
    KubernetesApiError: Reconciling, "See the message; check the operator's permissions and admission policies.";
    /// The reconcile over this object crashed.
    InternalError: Reconciling, "Report it with the operator's log.";
    /// The object is being deleted.
    Deleting: Reconciling, "Wait.";

    /// Of an Organization: the Secret with the credential, or one of its keys, is missing.
    CredentialsMissing: Reconciling, "Create the Secret with the keys `client_id` and `client_secret` in the Organization's namespace.";
    /// Of an Organization: nothing that the API answers names the organization.
    OrganizationUnknown: Reconciling, "Set `spec.organizationId`; check the credential's rights.";
    /// Of an Organization that is being deleted: Workspaces still use it.
    InUse: Reconciling, "Delete those Workspaces; with `deletionPolicy: Retain` what they manage stays at Agent Engine.";

    /// Of an Organization: the API refuses the credential.
    CredentialsRejected: Stalled, "Put a valid pair into the credential Secret.";
    /// Of an Organization: something in its spec cannot be used.
    InvalidConfiguration: Stalled, "Change what the message names.";
    /// The namespace is not granted this name. No token is handed out; a workspace that there is, is left as it is.
    NameNotGranted: Stalled, "Choose a name that is granted, or ask the operator's administrator for the `access` entry in the message.";
    /// Another object claims this name or this workspace. Names that differ only in case, blanks or Unicode form are one.
    NameClaimed: Stalled, "Choose another name, or delete the other object.";
    /// A workspace of this name exists, and adopting it was not both declared and allowed.
    AlreadyExists: Stalled, "Set `adoptionPolicy: ByName` (and have `adoption: Allowed` granted), or choose another name.";
    /// A workspace exists whose name differs only in case, blanks or Unicode form.
    SimilarNameExists: Stalled, "Declare the name exactly as it exists, or choose one that cannot be confused.";
    /// A workspace of this name appeared, and nothing can tell whether our creation made it.
    CreationUncertain: Stalled, "Look at it; adopt it with `adoptionPolicy: ByName`, or delete it at Agent Engine.";
    /// A token opened, or an id named, another workspace than the recorded one.
    IdentityMismatch: Stalled, "Find out who renamed or replaced the workspace; nothing was handed out.";
    /// The Organization is verified as another organization than the recorded one.
    OrganizationMismatch: Stalled, "Restore the credential of the recorded organization; where a new Organization has a wrong `spec.organizationId`, create it anew.";
    /// The workspace is gone at Agent Engine. It is not made anew by itself.
    WorkspaceNotFound: Stalled, "Delete the object, or annotate it with `agentengine.airbyte.com/recreate: <lost id>`. Where `spec.workspaceId` named it, create another object with the right one.";
    /// A Secret of that name exists and is not this object's.
    SecretNotOwned: Stalled, "Remove that Secret, or choose another `spec.tokenSecret.name`.";
    /// The organization refuses further workspaces.
    PlanLimit: Stalled, "Raise the plan, or remove workspaces.";
    /// The API, or a rule of the operator, refuses what is declared.
    Rejected: Stalled, "Change what the message names.";
    /// The deletion cannot be carried out.
    DeletionBlocked: Stalled, "Remove the cause in the message, or set `deletionPolicy: Retain` to let the workspace be. It is tried again by itself, so a cause that passes, such as an API that does not answer, needs nobody.";
    /// The stored object cannot be read by this version.
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
