//! What a client of the API needs to know, checked before anything is sent. Reads no environment and no file.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::observer::{Observer, Unobserved};
use crate::clock::Clock;
use crate::domain::ids::OrganizationId;
use crate::domain::remote::TokenPath;
use crate::leadership::Fence;

/// To connect. A host that does not answer for this long is down; and a connection that was never made is the one case
/// in which a write certainly did not happen, so it is worth telling apart early.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For one attempt, from the first byte sent to the last byte read. Only deletions of full workspaces are known to take
/// longer than a second or two, and gateways end the longest of them too.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// For a whole call: waiting for a slot, the exchange for an application token, the attempts. No issue of ours is sent
/// later than this after its beginning; what decides whether a workspace is our creation counts on it.
pub const TOTAL_DEADLINE: Duration = Duration::from_secs(25);
/// Requests under way at once, per organization: as many as the operator's reconciles, so that none queues here. The rate
/// limiter decides before who goes first.
const CONCURRENT_REQUESTS: usize = 64;

/// Everything that a client is made of. The caller builds a new client when any of it changes.
#[derive(Clone)]
pub struct ClientConfig {
    pub endpoint: Endpoint,
    pub credentials: Credentials,
    /// Sent as `X-Organization-Id` on every call when known.
    pub organization_id: Option<OrganizationId>,
    pub token_path: TokenPath,
    /// PEM certificates to trust beside the system's.
    pub ca_bundle: Option<String>,
    pub timeouts: Timeouts,
    /// Requests under way at once.
    pub concurrency: usize,
    pub clock: Clock,
    pub observer: Arc<dyn Observer>,
    /// Asked before each request leaves.
    pub fence: Fence,
}

impl ClientConfig {
    /// The defaults beside the two things that have none.
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Self {
        Self {
            endpoint,
            credentials,
            organization_id: None,
            token_path: TokenPath::default(),
            ca_bundle: None,
            timeouts: Timeouts::default(),
            concurrency: CONCURRENT_REQUESTS,
            clock: Clock::system(),
            observer: Arc::new(Unobserved),
            fence: Fence::unfenced(),
        }
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("endpoint", &self.endpoint)
            .field("organization_id", &self.organization_id)
            .field("token_path", &self.token_path)
            .finish_non_exhaustive()
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timeouts {
    pub connect: Duration,
    pub attempt: Duration,
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: CONNECT_TIMEOUT,
            attempt: ATTEMPT_TIMEOUT,
            total: TOTAL_DEADLINE,
        }
    }
}

/// The client credentials of an organization.
#[derive(Clone)]
pub struct Credentials {
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
}

impl Credentials {
    /// Takes the pair without surrounding white space (a Secret made with `echo` ends in a newline).
    ///
    /// # Errors
    /// [`ConfigError::EmptyCredential`] when one of the two is empty.
    pub fn new(client_id: &str, client_secret: &SecretString) -> Result<Self, ConfigError> {
        let client_id = client_id.trim();
        let secret = client_secret.expose_secret().trim();
        match (client_id.is_empty(), secret.is_empty()) {
            (true, _) => Err(ConfigError::EmptyCredential("client_id")),
            (_, true) => Err(ConfigError::EmptyCredential("client_secret")),
            (false, false) => Ok(Self {
                client_id: client_id.to_owned(),
                client_secret: SecretString::from(secret),
            }),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// The origin (scheme, host, port) that all requests go to, and no other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    origin: Url,
    loopback: bool,
}

impl Endpoint {
    /// Reads an origin such as `https://api.airbyte.ai`; a closing slash is allowed, a path is not. Credentials travel in
    /// the requests, so `http://` is for this machine and for Services of the cluster, where emulators are, as the
    /// schema of Organizations says too.
    ///
    /// # Errors
    /// [`ConfigError::InvalidEndpoint`] with what to write instead. Never echoes the text, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let origin = Url::parse(text.trim()).map_err(|_| {
            ConfigError::InvalidEndpoint("it is not an address; write it like https://api.airbyte.ai")
        })?;
        let host = origin
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or(ConfigError::InvalidEndpoint(
                "it names no host; write it like https://api.airbyte.ai",
            ))?;
        if !origin.username().is_empty() || origin.password().is_some() {
            return Err(ConfigError::InvalidEndpoint(
                "it holds a user name or password; credentials belong in the credential Secret",
            ));
        }
        if origin.path() != "/" || origin.query().is_some() || origin.fragment().is_some() {
            return Err(ConfigError::InvalidEndpoint(
                "it has more than scheme, host and port; leave out the path (the operator adds /api/v1 itself)",
            ));
        }
        let loopback = is_loopback(host);
        match origin.scheme() {
            "https" => Ok(Self { origin, loopback }),
            "http" if loopback || is_service(host) => Ok(Self { origin, loopback }),
            "http" => Err(ConfigError::InvalidEndpoint(
                "plain http would send credentials readable by anyone on the way; use https",
            )),
            // Any other scheme that a URL can have.
            _ => Err(ConfigError::InvalidEndpoint(
                "its scheme is neither https nor http; use https",
            )),
        }
    }

    /// The origin without a closing slash, as in the token Secret's `api_url`.
    pub fn as_str(&self) -> &str {
        self.origin.as_str().trim_end_matches('/')
    }

    /// Whether it is on this machine, and so never reached through a proxy.
    pub(super) fn is_loopback(&self) -> bool {
        self.loopback
    }

    pub(super) fn origin(&self) -> &Url {
        &self.origin
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        // RFC 6761 §6.3: these names never leave the machine.
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// A name that the cluster's DNS gives to Services.
fn is_service(host: &str) -> bool {
    host.ends_with(".svc") || host.ends_with(".svc.cluster.local")
}

/// `X-Organization-Id`, if the id can be sent as a header.
pub(super) fn organization_header(id: &OrganizationId) -> Result<HeaderValue, ConfigError> {
    HeaderValue::from_str(id.as_str()).map_err(|_| ConfigError::InvalidOrganizationId)
}

/// Why a client cannot be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConfigError {
    #[error("spec.endpoint cannot be used: {0}")]
    InvalidEndpoint(&'static str),
    #[error("{0} in the credential Secret is empty")]
    EmptyCredential(&'static str),
    #[error(
        "spec.organizationId has characters that cannot be sent in a header; use the UUID shown by Agent Engine"
    )]
    InvalidOrganizationId,
    #[error(
        "spec.caBundle holds no usable certificate; it must be PEM, each between BEGIN and END CERTIFICATE"
    )]
    InvalidCaBundle,
    #[error("the limit of concurrent requests is zero; use at least one")]
    NoConcurrency,
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

impl ConfigError {
    /// A stable reason for conditions.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidEndpoint(_) => "InvalidEndpoint",
            Self::EmptyCredential(_) => "EmptyCredential",
            Self::InvalidOrganizationId => "InvalidOrganizationId",
            Self::InvalidCaBundle => "InvalidCaBundle",
            Self::NoConcurrency => "NoConcurrency",
            Self::Client(_) => "ClientSetup",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_origin_and_nothing_more() {
        let cases: [(&str, Option<&str>); 20] = [
            ("https://api.airbyte.ai", Some("https://api.airbyte.ai")),
            (" https://api.airbyte.ai/ \n", Some("https://api.airbyte.ai")),
            ("HTTPS://API.airbyte.ai:443", Some("https://api.airbyte.ai")),
            ("https://api.airbyte.ai:8443", Some("https://api.airbyte.ai:8443")),
            ("http://127.0.0.1:9000", Some("http://127.0.0.1:9000")),
            ("http://[::1]:9000", Some("http://[::1]:9000")),
            ("http://localhost:9000", Some("http://localhost:9000")),
            ("http://engine.localhost", Some("http://engine.localhost")),
            (
                "http://emulator.tests.svc:8080/",
                Some("http://emulator.tests.svc:8080"),
            ),
            (
                "http://emulator.tests.svc.cluster.local",
                Some("http://emulator.tests.svc.cluster.local"),
            ),
            ("http://api.airbyte.ai", None),
            ("http://emulator.svc.example.com", None),
            ("http://svc", None),
            ("http://localhost.evil.example", None),
            ("https://api.airbyte.ai/api/v1", None),
            ("https://api.airbyte.ai?x=1", None),
            ("https://user:pass@api.airbyte.ai", None),
            ("api.airbyte.ai", None),
            ("ftp://api.airbyte.ai", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let parsed = Endpoint::parse(text).ok();
            assert_eq!(parsed.as_ref().map(Endpoint::as_str), expected, "{text:?}");
        }
    }

    #[test]
    fn a_refused_endpoint_is_not_echoed() {
        let error = Endpoint::parse("https://user:hunter2@api.airbyte.ai").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(error.reason(), "InvalidEndpoint");
    }

    #[test]
    fn credentials_are_trimmed_and_may_not_be_empty() {
        let pair = Credentials::new("id\n", &SecretString::from(" s3cret\n")).unwrap();
        assert_eq!(
            (pair.client_id.as_str(), pair.client_secret.expose_secret()),
            ("id", "s3cret")
        );
        assert_eq!(format!("{pair:?}"), "Credentials(..)");
        let empty = Credentials::new("id", &SecretString::from("\n"));
        assert_eq!(empty.unwrap_err(), ConfigError::EmptyCredential("client_secret"));
    }
}
