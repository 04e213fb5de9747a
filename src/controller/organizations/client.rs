//! Makes the client of an Organization from its spec and its credential Secret. [`crate::organization`] decides when.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use secrecy::{ExposeSecret, SecretString};

use crate::controller::context::Context;
use crate::controller::error_text::error_text;
use crate::crd::{Organization, WithoutManagedFields};
use crate::domain::ids::OrganizationId;
use crate::engine::{self, ClientConfig, ConfigError, Credentials, Endpoint};
use crate::organization::{KeysDigest, NoClient};

/// Reads the credential Secret and makes a client, which names this organization with every call. Tells of which keys.
pub(super) async fn connect(
    object: &Organization,
    context: &Arc<Context>,
    organization_id: Option<OrganizationId>,
) -> Result<(engine::Client, KeysDigest), NoClient> {
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
                error_text(&error)
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
    config.observer = context.admin.metrics.clone();
    config.fence = context.fence.clone();
    let engine = engine::Client::new(&config).map_err(unusable)?;
    Ok((engine, KeysDigest::of(&id, pass.expose_secret())))
}
