//! Events: published after the reconcile, best effort. Whether there is something to say is decided elsewhere.

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Resource, ResourceExt};
use tokio::time::timeout;

use super::context::Context;
use super::patch::WRITE_TIMEOUT;
use crate::crd::metadata_keys;
use crate::domain::finding::Finding;
use crate::domain::reason::Kstatus;

/// The API server refuses longer notes.
const NOTE_BYTES: usize = 1000;

/// Publishes one event. A recorder keeps what it published for ever, so each has one of its own.
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
        note: Some(cut(&finding.message)),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    let recorder = Recorder::new(context.client.clone(), reporter);
    let error = match timeout(WRITE_TIMEOUT, recorder.publish(&event, &object.object_ref(&()))).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    let (namespace, name) = (object.namespace(), object.name_any());
    let reason = finding.reason.as_str();
    tracing::warn!(error, namespace, name, reason, "an event could not be published");
}

/// Cuts at a character's border.
fn cut(message: &str) -> String {
    let mut end = NOTE_BYTES.min(message.len());
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message[..end].to_owned()
}
