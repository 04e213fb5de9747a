//! Organizations: where they are read from, what becomes of broken credentials and a broken API, and that waiting is quiet.

mod credentials;
mod life;
mod outages;

use serde_json::json;

use crate::support::Stage;

/// What only a reconcile can say, so that the reconcile is known to have been made.
async fn reconcile_of(stage: &Stage, name: &str, token: &str) {
    stage
        .annotate(name, json!({"agentengine.airbyte.com/reconcile-at": token}))
        .await;
    stage
        .until(name, &format!("{name} to echo {token}"), |workspace| {
            workspace
                .status
                .as_ref()
                .and_then(|s| s.last_handled_reconcile_at.as_deref())
                == Some(token)
        })
        .await;
}
