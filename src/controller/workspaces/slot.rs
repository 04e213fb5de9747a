//! A slot of the process that a reconcile holds. [`crate::limits`] decides which reconcile gets one.

use std::sync::Arc;
use std::time::Duration;

use crate::controller::context::Context;
use crate::crd::Workspace;
use crate::limits::{Slot, Work};

/// Given back when dropped, however the reconcile ends.
pub(super) struct HeldSlot {
    context: Arc<Context>,
    organization: String,
    work: Work,
}

impl HeldSlot {
    /// Takes a slot, or returns after how long to ask again.
    pub(super) fn take(context: &Arc<Context>, object: &Workspace) -> Result<Self, Duration> {
        let organization = object.spec.organization_name().to_owned();
        let work = match object.metadata.deletion_timestamp {
            Some(_) => Work::Deletes,
            None => Work::Serves,
        };
        let slot = context.shared().slots.take(context.now(), &organization, work);
        match slot {
            Slot::Taken => Ok(Self {
                context: context.clone(),
                organization,
                work,
            }),
            Slot::Later(later) => Err(later),
        }
    }
}

impl Drop for HeldSlot {
    fn drop(&mut self) {
        let now = self.context.now();
        let mut shared = self.context.shared();
        shared.slots.give_back(now, &self.organization, self.work);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::admin::AdminState;
    use crate::controller::tests::{settings, silent};

    /// With one slot in all, which a deletion holds.
    #[tokio::test]
    async fn the_slot_of_a_reconcile_that_crashes_is_given_back() {
        let (context, ..) = Context::new(silent(), settings(), AdminState::default());
        let context = Arc::new(context);
        let metadata =
            json!({"name": "acme", "namespace": "tenant", "deletionTimestamp": "2026-11-22T12:00:00Z"});
        let object = json!({"metadata": metadata, "spec": {"name": "Acme"}});
        let object: Workspace = serde_json::from_value(object).unwrap();
        let slot = HeldSlot::take(&context, &object).expect("a slot");
        assert!(HeldSlot::take(&context, &object).is_err());
        let crash = tokio::spawn(async move {
            let _slot = slot;
            panic!("a reconcile that crashes");
        });
        crash.await.unwrap_err();
        assert!(HeldSlot::take(&context, &object).is_ok());
    }
}
