//! The client of an Organization: built from its spec and its credential Secret, and anew when one of them changes.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use secrecy::SecretString;

use super::Held;
use crate::api::Organization;
use crate::api::ids::OrganizationId;
use crate::api::organization::TokenPath;
use crate::controller::context::Context;
use crate::controller::perform;
use crate::engine::{
    Call, CallOutcome, ConfigError, Credentials, Endpoint, Engine, EngineConfig, Observer, PlainHttp,
};
use crate::organization::Credential;
use crate::serve::Metrics;
use crate::serve::metrics::CallOutcome as Counted;

/// What a client is made of: it is built anew when one of these changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Built {
    endpoint: String,
    token_path: TokenPath,
    ca_bundle: Option<String>,
    declared: Option<OrganizationId>,
    secret: String,
    secret_version: Option<String>,
}

/// Builds the client anew where spec or Secret changed. A rotation takes effect without a restart.
pub(super) async fn connect(object: &Organization, context: &Arc<Context>, held: &mut Held) {
    let built = Built {
        endpoint: object.spec.endpoint().to_owned(),
        token_path: object.spec.token_path(),
        ca_bundle: object.spec.ca_bundle.clone(),
        declared: object.spec.organization_id.clone(),
        secret: object.spec.credentials_secret_ref.name.clone(),
        secret_version: secret_version(object, context),
    };
    let known = !matches!(held.credential, None | Some(Credential::Unread { .. }));
    if held.built_from.as_ref() == Some(&built) && known {
        return;
    }
    // The pinned organisation is not named yet: whose the credential is shall be said, not refused.
    held.names = built.declared.clone();
    // A vanishing stays judged: a credential that sees nothing is no proof that nothing is there.
    held.listing.failure = None;
    if let Some(whole) = &mut held.listing.whole {
        whole.organization_id = None;
    }
    held.listed_at = None;
    (held.engine, held.credential) = match client(object, context, held.names.clone()).await {
        Ok(engine) => (Some(engine), None),
        Err(credential) => (None, Some(credential)),
    };
    held.built_from = Some(built);
}

pub(super) async fn client(
    object: &Organization,
    context: &Arc<Context>,
    organization_id: Option<OrganizationId>,
) -> Result<Engine, Credential> {
    let namespace = &context.settings.operator_namespace;
    let name = &object.spec.credentials_secret_ref.name;
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), namespace);
    let missing = |what: String| Credential::Missing { what };
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
            return Err(Credential::Unread { why });
        }
    };
    let key = |key: &str| {
        let bytes = secret
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
    let unusable = |error: ConfigError| Credential::Unusable {
        why: error.to_string(),
    };
    let endpoint = Endpoint::parse(object.spec.endpoint(), PlainHttp::LoopbackOnly).map_err(unusable)?;
    let credentials = Credentials::new(&id, &pass)
        .map_err(|error| missing(format!("{error}; correct the Secret {name:?}")))?;
    let mut config = EngineConfig::new(endpoint, credentials);
    config.organization_id = organization_id;
    config.token_path = object.spec.token_path();
    config.ca_bundle = object.spec.ca_bundle.clone();
    config.clock = context.clock.clone();
    config.observer = Arc::new(Counting(context.served.metrics.clone()));
    Engine::new(&config).map_err(unusable)
}

pub(super) fn secret_version(object: &Organization, context: &Context) -> Option<String> {
    let name = &object.spec.credentials_secret_ref.name;
    let reference = ObjectRef::new(name).within(&context.settings.operator_namespace);
    context.credentials.get(&reference)?.resource_version()
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
