//! How a call can end without an answer. Known to every layer, and knows none of them.

use jiff::Timestamp;
use tower::BoxError;

use crate::domain::remote::Failure;

/// The most that is read of an answer: as many answers as there are slots may be read at once. A page of 100 workspaces is
/// about 40 KiB; twenty-five times that is not the API's.
pub(super) const BODY_LIMIT: usize = 1024 * 1024;

/// Why no whole answer came.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum TransportError {
    #[error("no connection could be made: {0}")]
    NotConnected(String),
    #[error("nothing was sent: this process may lead no longer")]
    Fenced,
    #[error("the connection was lost before the answer was complete: {cause}")]
    Lost { cause: String, date: Option<Timestamp> },
    #[error("the answer was larger than {} MiB", BODY_LIMIT / 1024 / 1024)]
    TooLarge { date: Option<Timestamp> },
}

/// All errors that the stack returns.
pub(super) enum Fault<'a> {
    Transport(&'a TransportError),
    TimedOut,
    Exchange(&'a ExchangeFailed),
    /// An error that no layer is known to return; treated as a lost answer.
    Other,
}

impl<'a> Fault<'a> {
    pub(super) fn of(error: &'a BoxError) -> Self {
        if let Some(error) = error.downcast_ref::<TransportError>() {
            Self::Transport(error)
        } else if let Some(error) = error.downcast_ref::<ExchangeFailed>() {
            Self::Exchange(error)
        } else if error.is::<tower::timeout::error::Elapsed>() {
            Self::TimedOut
        } else {
            Self::Other
        }
    }
}

/// There was no application token to make the call with.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no application token: {}", failure.detail)]
pub(super) struct ExchangeFailed {
    pub(super) failure: Failure,
    pub(super) date: Option<Timestamp>,
}
