//! What layers tell one another in the extensions of requests and answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bytes::Bytes;
use http::Request;
use secrecy::SecretString;

/// The token that authorizes a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bearer {
    /// The application token (also for requests without this tag).
    Application,
    /// A token that the request carries already.
    Own,
    /// The request *is* an exchange, made whether or not a good token is at hand.
    Exchange,
}

/// On an answer: the token that its request carried, so that it can be redacted.
#[derive(Clone)]
pub(super) struct UsedBearer(pub(super) SecretString);

/// Whether a request may have reached the server, and how many were sent for it: itself, its repeats, and exchanges.
/// Travels with the request and its repeats, so that a timeout can tell.
#[derive(Clone, Debug, Default)]
pub(super) struct SendTracker {
    may_have_arrived: Arc<AtomicBool>,
    times: Arc<AtomicU32>,
}

impl SendTracker {
    /// The request's tracker, or a new one for a request without.
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    pub(super) fn may_have_happened(&self) -> bool {
        self.may_have_arrived.load(Ordering::SeqCst)
    }

    pub(super) fn requests_sent(&self) -> u32 {
        self.times.load(Ordering::SeqCst)
    }

    /// Of an exchange that is made for this request: counted with it, and no sign that it arrived itself.
    pub(super) fn of_its_exchange(&self) -> Self {
        Self {
            may_have_arrived: Arc::default(),
            times: self.times.clone(),
        }
    }

    /// The server has definitely refused what was sent so far.
    pub(super) fn clear(&self) {
        self.may_have_arrived.store(false, Ordering::SeqCst);
    }

    /// The request is being sent.
    pub(super) fn sent(&self) {
        self.may_have_arrived.store(true, Ordering::SeqCst);
        self.times.fetch_add(1, Ordering::SeqCst);
    }
}
