//! Wakes the objects that wait for a permit when their rate limiter calls them, in the order of its lines. [`crate::limits`]
//! decides whom it calls.

use std::sync::Arc;
use std::time::Duration;

use super::context::{Context, Shared};
use super::workspaces::claims;

/// Shorter than the time for which an instant is given ahead.
const CALL_INTERVAL: Duration = Duration::from_millis(100);

/// Wakes until dropped.
pub(super) async fn keep_calling(context: Arc<Context>) {
    loop {
        call(&context);
        tokio::time::sleep(CALL_INTERVAL).await;
    }
}

fn call(context: &Context) {
    let now = context.uptime();
    let (mut workspaces, mut names, mut back) = (Vec::new(), Vec::new(), Vec::new());
    {
        let Shared {
            organizations,
            waits_for_permit,
            ..
        } = &mut *context.shared();
        for (name, state) in organizations.iter_mut() {
            if state.limiter.has_come_back() {
                back.push(name.clone());
            }
            // The Organization's reconcile stores the pause.
            if state.limiter.has_paused() {
                names.push(name.clone());
            }
            for uid in state.limiter.called(now) {
                if let Some(workspace) = waits_for_permit.remove(&uid) {
                    state.limiter.woken(&uid);
                    workspaces.push(workspace);
                } else if uid == state.uid {
                    state.limiter.woken(&uid);
                    names.push(name.clone());
                }
            }
        }
    }
    for workspace in workspaces {
        context.wake(workspace);
    }
    for name in names {
        context.wake_organization(&name);
    }
    for name in back {
        claims::wake_users(context, &name);
        // One list spares every renewal its GET.
        context.want_list(&name);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use kube::runtime::reflector::ObjectRef;

    use super::*;
    use crate::admin::AdminState;
    use crate::clock::Clock;
    use crate::controller::context::OrganizationState;
    use crate::controller::tests::{settings, silent};
    use crate::domain::ids::Uid;
    use crate::limits::{Lane, Permit};

    /// The second one has less time left.
    #[tokio::test(start_paused = true)]
    async fn an_object_is_woken_when_its_permit_is_near() {
        let (mut context, mut queues, _writers) = Context::new(silent(), settings(), AdminState::default());
        context.clock = Clock::virtual_from(Timestamp::UNIX_EPOCH);
        {
            let shared = &mut *context.shared();
            let mut state = OrganizationState::of("o".into());
            state.limiter.set_rate(1);
            while state
                .limiter
                .acquire(context.uptime(), Lane::Refresh, &"busy".into())
                == Permit::Granted
            {}
            for (name, end) in [("late", 900), ("soon", 300)] {
                let (uid, end) = (Uid::from(name), Timestamp::from_second(end).unwrap());
                state
                    .limiter
                    .acquire_before(context.uptime(), Lane::Refresh, end, &uid);
                shared
                    .waits_for_permit
                    .insert(uid, ObjectRef::new(name).within("tenant"));
            }
            shared.organizations.insert("default".to_owned(), state);
        }
        let mut woken = Vec::new();
        for _ in 0..100 {
            call(&context);
            while let Ok(next) = queues.workspaces.try_recv() {
                woken.push(next.name);
            }
            tokio::time::advance(CALL_INTERVAL).await;
        }
        assert_eq!(woken, ["soon", "late"]);
    }
}
