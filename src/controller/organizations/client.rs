//! The client of an Organization: made from its spec and its credential Secret. When that is done is decided elsewhere.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use secrecy::SecretString;

use crate::admin::Metrics;
use crate::admin::metrics::CallOutcome as Counted;
use crate::controller::context::Context;
use crate::controller::perform;
use crate::crd::{Organization, WithoutManagedFields};
use crate::domain::ids::OrganizationId;
use crate::engine::{self, Call, CallOutcome, ClientConfig, ConfigError, Credentials, Endpoint, Observer};
use crate::organization::NoClient;

/// Reads the credential Secret and makes a client of it, which names this organization with every call.
pub(super) async fn connect(
    object: &Organization,
    context: &Arc<Context>,
    organization_id: Option<OrganizationId>,
) -> Result<engine::Client, NoClient> {
    let namespace = &context.settings.operator_namespace;
    let name = &object.spec.credentials_secret_ref.name;
    let secrets: Api<WithoutManagedFields<Secret>> = Api::namespaced(context.client.clone(), namespace);
    let missing = |what: String| NoClient::Missing { what };
    let secret = match secrets.get_opt(name).await {
        Ok(Some(secret)) => secret,
        Ok(None) => {
            return Err(missing(format!(
                "there is no Secret {name:?} in namespace {namespace:?}; create it with the keys client_id and client_secret"
            )));
        }
        Err(error) => {
            let why = format!(
                "the Secret {name:?} in namespace {namespace:?} cannot be read: {}",
                perform::detail(&error)
            );
            return Err(NoClient::Unread { why });
        }
    };
    let key = |key: &str| {
        let bytes = secret
            .0
            .data
            .as_ref()
            .and_then(|data| data.get(key))
            .map(|value| value.0.clone());
        bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| {
                missing(format!(
                    "the Secret {name:?} in namespace {namespace:?} has no key {key:?} that is text; add it"
                ))
            })
    };
    let (id, pass) = (key("client_id")?, SecretString::from(key("client_secret")?));
    let unusable = |error: ConfigError| NoClient::Unusable {
        why: error.to_string(),
    };
    let endpoint = Endpoint::parse(object.spec.endpoint()).map_err(unusable)?;
    let credentials = Credentials::new(&id, &pass)
        .map_err(|error| missing(format!("{error}; correct the Secret {name:?}")))?;
    let mut config = ClientConfig::new(endpoint, credentials);
    config.organization_id = organization_id;
    config.token_path = object.spec.token_path();
    config.ca_bundle = object.spec.ca_bundle.clone();
    config.clock = context.clock.clone();
    config.observer = Arc::new(Counting(context.served.metrics.clone()));
    engine::Client::new(&config).map_err(unusable)
}

/// Counts calls into the metrics.
struct Counting(Arc<Metrics>);

impl Observer for Counting {
    fn ended(&self, call: &Call) {
        self.0
            .engine_call_ended(call.operation.as_str(), counted(call.outcome), call.took);
    }
}

fn counted(outcome: CallOutcome) -> Counted {
    match outcome {
        CallOutcome::Status(200..=299) => Counted::Success,
        CallOutcome::Status(429) => Counted::Throttled,
        CallOutcome::Status(401 | 403) | CallOutcome::NoToken => Counted::Denied,
        CallOutcome::Status(404 | 410) => Counted::Missing,
        CallOutcome::Status(409) => Counted::Conflict,
        CallOutcome::Status(400..=499) => Counted::Rejected,
        CallOutcome::Status(500..=599) | CallOutcome::NotConnected => Counted::Transient,
        CallOutcome::Status(_) => Counted::Malformed,
        CallOutcome::Lost | CallOutcome::TimedOut => Counted::Unknown,
    }
}
