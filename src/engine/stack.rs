//! The layers around the leaf, in their one order. Order is meaning: see the comment on each.

use std::sync::Arc;

use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::util::BoxCloneSyncService;

use super::application_token::Account;
use super::authorize::Authorize;
use super::config::ClientConfig;
use super::instrument::observed;
use super::request::Requests;
use super::retry::RepeatOnce;
use super::transport::{Http, tracking_sends};

/// Everything between a typed call and the wire.
pub(super) fn stack(config: &ClientConfig, requests: &Requests, leaf: Http) -> Http {
    // Innermost: a slot and a limit of time per attempt, for calls and exchanges alike. Waiting for the slot is not on
    // the attempt's time but on the call's.
    let attempt = BoxCloneSyncService::new(
        ServiceBuilder::new()
            .timeout(config.timeouts.attempt)
            .layer(GlobalConcurrencyLimitLayer::new(config.concurrency))
            .service(tracking_sends(
                leaf,
                config.fence.clone(),
                config.timeouts.attempt,
            )),
    );
    let exchanges = BoxCloneSyncService::new(
        ServiceBuilder::new()
            .retry(RepeatOnce::Fresh)
            .service(attempt.clone()),
    );
    let account = Account::new(config.credentials.clone(), requests.clone(), config.clock.clone());
    let authorize = Authorize {
        calls: attempt,
        exchanges: observed(exchanges, Arc::clone(&config.observer)),
        account: Arc::new(account),
    };
    let call = ServiceBuilder::new()
        // Over everything that can take time, waiting included.
        .timeout(config.timeouts.total)
        // Outside of authorisation: a repeat carries whatever token is good by then.
        .retry(RepeatOnce::Fresh)
        .service(authorize);
    // Outermost: one line and one count per call, however many attempts it took.
    observed(BoxCloneSyncService::new(call), Arc::clone(&config.observer))
}
