//! Kubernetes events: published after the reconcile that they tell of, best effort. The pure rooms decide which findings
//! become events.

use kube::Resource;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::time::timeout;

use super::context::Context;
use super::patch::WRITE_TIMEOUT;
use super::subject::Subject;
use crate::crd::metadata_keys;
use crate::domain::finding::Finding;
use crate::domain::reason::Kstatus;

/// The API server refuses longer notes.
const NOTE_BYTES: usize = 1000;

/// Publishes one event, by a recorder of its own: a shared one leaves the note out of its key, so within six minutes it would
/// patch a further event of the same object and reason into the first one's series, under the first one's note.
pub(super) async fn publish<K: Resource<DynamicType = ()>>(context: &Context, object: &K, finding: &Finding) {
    let reporter = Reporter {
        controller: metadata_keys::FIELD_MANAGER.to_owned(),
        instance: None,
    };
    let event = Event {
        type_: match finding.reason.kstatus() {
            Kstatus::Ready => EventType::Normal,
            Kstatus::Reconciling | Kstatus::Stalled => EventType::Warning,
        },
        reason: finding.reason.as_str().to_owned(),
        note: Some(truncated(&finding.message)),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    let recorder = Recorder::new(context.client.clone(), reporter);
    let error = match timeout(WRITE_TIMEOUT, recorder.publish(&event, &object.object_ref(&()))).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    let (subject, reason) = (Subject::of(object), finding.reason.as_str());
    tracing::warn!(
        error,
        reason,
        "{subject}: the event {reason} could not be published"
    );
}

/// Ends at a character's border.
fn truncated(message: &str) -> String {
    let mut end = NOTE_BYTES.min(message.len());
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;
    use crate::admin::AdminState;
    use crate::controller::tests::{HOME, settings};
    use crate::crd::Workspace;
    use crate::domain::reason::Reason;

    /// The method and the note of each request.
    #[tokio::test]
    async fn two_events_of_one_reason_have_each_its_own_note() {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        let api_server = tower::service_fn(move |request: http::Request<Body>| {
            let log = log.clone();
            async move {
                let method = request.method().to_string();
                let body = request
                    .into_body()
                    .collect_bytes()
                    .await
                    .map_err(std::io::Error::other)?;
                let event: Value = serde_json::from_slice(&body)?;
                log.lock().unwrap().push((method, event["note"].clone()));
                Ok::<_, std::io::Error>(http::Response::new(Body::from(body.to_vec())))
            }
        });
        let client = kube::Client::new(api_server, HOME);
        let (context, ..) = Context::new(client, settings(), AdminState::default());
        let object = json!({"metadata": {"name": "acme", "namespace": "tenant"}, "spec": {"name": "Acme"}});
        let object: Workspace = serde_json::from_value(object).unwrap();
        for name in ["first", "second"] {
            publish(&context, &object, &Finding::new(Reason::NameClaimed, name)).await;
        }
        let requests = requests.lock().unwrap().clone();
        let created = |note: &str| ("POST".to_owned(), json!(note));
        assert_eq!(requests, [created("first"), created("second")]);
    }

    #[test]
    fn a_note_ends_at_a_character_within_the_limit() {
        let note = truncated(&"ä".repeat(NOTE_BYTES));
        assert_eq!(note, "ä".repeat(NOTE_BYTES / 2));
        assert_eq!(
            truncated(&format!("a{}", "ä".repeat(NOTE_BYTES))).len(),
            NOTE_BYTES - 1
        );
    }
}
