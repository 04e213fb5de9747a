//! Which calls there are, what repeating them would mean, and what they are called in logs and metrics.

/// A call of the API.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Ord, PartialOrd)]
pub enum Operation {
    /// The exchange of client credentials for an application token.
    Exchange,
    /// An exchange asked for to verify the credentials; contains an [`Operation::Exchange`].
    Authenticate,
    List,
    Get,
    /// Scoped token for a name; creates the workspace when there is none of that name.
    Issue,
    /// What a scoped token opens; carries that token, not ours.
    Prove,
    Update,
    Delete,
}

/// What an attempt without a good answer may have left behind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Nature {
    /// Nothing: asking again is harmless.
    Read,
    /// Perhaps the effect.
    Write,
}

impl Operation {
    /// All operations, in the order in which they are documented.
    pub const ALL: [Self; 8] = [
        Self::Exchange,
        Self::Authenticate,
        Self::List,
        Self::Get,
        Self::Issue,
        Self::Prove,
        Self::Update,
        Self::Delete,
    ];

    /// The name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Authenticate => "authenticate",
            Self::List => "list",
            Self::Get => "get",
            Self::Issue => "issue",
            Self::Prove => "prove",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    pub(super) fn nature(self) -> Nature {
        match self {
            Self::Exchange | Self::Authenticate | Self::List | Self::Get | Self::Prove => Nature::Read,
            Self::Issue | Self::Update | Self::Delete => Nature::Write,
        }
    }
}
