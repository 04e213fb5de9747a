//! The calls of the API: their names in logs and metrics, and which of them are safe to repeat.

use strum::IntoStaticStr;

use crate::domain::remote::WorkspaceState;

/// A call of the API.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Ord, PartialOrd, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Operation {
    /// The exchange of client credentials for an application token.
    Exchange,
    /// An exchange that verifies the credentials; contains an [`Operation::Exchange`].
    Authenticate,
    List,
    Get,
    /// Scoped token for a name; creates the workspace when there is none of that name.
    Issue,
    /// What a scoped token opens; carries that token, not ours.
    Verify,
    Update,
    Delete,
}

impl Operation {
    /// All operations, in the order in which they are documented.
    pub const ALL: [Self; 8] = [
        Self::Exchange,
        Self::Authenticate,
        Self::List,
        Self::Get,
        Self::Issue,
        Self::Verify,
        Self::Update,
        Self::Delete,
    ];

    /// The name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Safe in the sense of RFC 9110: the request asks for no change, so it may be sent again. An unsafe one without a good
    /// answer may have been carried out.
    pub(super) fn is_safe(self) -> bool {
        match self {
            Self::Exchange | Self::Authenticate | Self::List | Self::Get | Self::Verify => true,
            Self::Issue | Self::Update | Self::Delete => false,
        }
    }
}

/// What to list; unset means everything.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ListFilter<'a> {
    /// A substring, matched by the server without regard to case.
    pub name_contains: Option<&'a str>,
    pub state: Option<WorkspaceState>,
}
