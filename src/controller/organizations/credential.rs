//! Whether the credential works, and whose it is. What that means is judged elsewhere.

use std::sync::Arc;

use super::{Held, client};
use crate::api::Organization;
use crate::api::remote::FailureClass;
use crate::controller::context::Context;
use crate::engine::{Authenticated, Engine};
use crate::organization::Credential;

/// Exchanges the credential. Where the declared organisation is refused to it, whose it is is asked without naming one.
pub(super) async fn exchange(
    object: &Organization,
    context: &Arc<Context>,
    held: &Held,
    engine: &Engine,
) -> Credential {
    let failure = match engine.authenticate().await.result {
        Ok(Authenticated { organization_id }) => return Credential::Accepted { organization_id },
        Err(failure) => failure,
    };
    if is_refusal(failure.class)
        && held.names.is_some()
        && let Ok(unnamed) = client::client(object, context, None).await
        && let Ok(Authenticated {
            organization_id: Some(other),
        }) = unnamed.authenticate().await.result
        && held.names.as_ref() != Some(&other)
    {
        return Credential::Accepted {
            organization_id: Some(other),
        };
    }
    Credential::Refused(failure)
}

/// A list that is denied may mean that the credential was taken back: then that is what is wrong.
pub(super) async fn doubt(object: &Organization, context: &Arc<Context>, held: &mut Held, engine: &Engine) {
    let denied = held.listing.failure.as_ref().map(|failure| failure.class) == Some(FailureClass::Denied);
    if denied && let refused @ Credential::Refused(_) = exchange(object, context, held, engine).await {
        held.credential = Some(refused);
    }
}

fn is_refusal(class: FailureClass) -> bool {
    match class {
        FailureClass::Denied | FailureClass::Rejected | FailureClass::Conflict | FailureClass::Missing => {
            true
        }
        FailureClass::Transient
        | FailureClass::Throttled(_)
        | FailureClass::Malformed
        | FailureClass::Unknown => false,
    }
}
