//! How each call is written: address, headers, body. Requests go to the configured origin only, whatever an answer says.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::config::{ClientConfig, ConfigError, Credentials, organization_header};
use super::failure;
use super::list_bounds::PageLimit;
use super::operation::{ListFilter, Operation};
use super::tags::Bearer;
use super::wire::{ExchangeRequest, IssueRequest, UpdateRequest, is_workspace_id};
use crate::domain::ids::{OrganizationId, RegionId, WorkspaceId, WorkspaceName};
use crate::domain::remote::TokenPath;
use crate::domain::remote::{Failure, WorkspaceState};

/// What is wrong with such a token.
pub(super) const NO_HEADER: &str = "the token has characters, or a length, that no header can carry";

const ORGANIZATION: HeaderName = HeaderName::from_static("x-organization-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("agent-engine-operator/", env!("CARGO_PKG_VERSION")));
/// Common servers take no longer header.
const LONGEST_TOKEN: usize = 16 * 1024;

/// Writes requests for one organization at one origin.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    origin: Url,
    organization: Option<HeaderValue>,
    token_path: TokenPath,
}

impl Requests {
    pub(super) fn new(config: &ClientConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            origin: config.endpoint.origin().clone(),
            organization: config
                .organization_id
                .as_ref()
                .map(organization_header)
                .transpose()?,
            token_path: config.token_path,
        })
    }

    pub(super) fn within(&self, organization: &OrganizationId) -> Result<Self, ConfigError> {
        Ok(Self {
            organization: Some(organization_header(organization)?),
            ..self.clone()
        })
    }

    pub(super) fn exchange(&self, credentials: &Credentials) -> Result<Request<Bytes>, Failure> {
        let body = ExchangeRequest {
            client_id: &credentials.client_id,
            client_secret: credentials.client_secret.expose_secret(),
        };
        let path = ["account", "applications", "token"];
        self.write(Operation::Exchange, Method::POST, &path, &body)
    }

    /// The stack makes the exchange of it.
    pub(super) fn authenticate(&self) -> Result<Request<Bytes>, Failure> {
        let path = ["account", "applications", "token"];
        let mut request = self.blank(Operation::Authenticate, Method::POST, self.address(&path)?)?;
        request.extensions_mut().insert(Bearer::Exchange);
        Ok(request)
    }

    pub(super) fn list(
        &self,
        filter: &ListFilter<'_>,
        limit: PageLimit,
        cursor: Option<&str>,
    ) -> Result<Request<Bytes>, Failure> {
        let mut address = self.address(&["workspaces"])?;
        {
            let mut query = address.query_pairs_mut();
            query.append_pair("limit", &limit.get().to_string());
            if let Some(text) = filter.name_contains {
                query.append_pair("name_contains", text);
            }
            match filter.state {
                Some(WorkspaceState::Active) => {
                    query.append_pair("status", "active");
                }
                Some(WorkspaceState::Inactive) => {
                    query.append_pair("status", "inactive");
                }
                None => {}
            }
            if let Some(cursor) = cursor {
                query.append_pair("cursor", cursor);
            }
        }
        // A blank as `+` is for forms; every server reads `%20`. A plus in the text is already `%2B`.
        let query = address.query().map(|query| query.replace('+', "%20"));
        address.set_query(query.as_deref());
        self.blank(Operation::List, Method::GET, address)
    }

    pub(super) fn get(&self, id: &WorkspaceId) -> Result<Request<Bytes>, Failure> {
        self.blank(Operation::Get, Method::GET, self.workspace(id)?)
    }

    pub(super) fn update(
        &self,
        id: &WorkspaceId,
        body: &UpdateRequest<'_>,
    ) -> Result<Request<Bytes>, Failure> {
        with_json(
            self.blank(Operation::Update, Method::PUT, self.workspace(id)?)?,
            body,
        )
    }

    pub(super) fn delete(&self, id: &WorkspaceId) -> Result<Request<Bytes>, Failure> {
        self.blank(Operation::Delete, Method::DELETE, self.workspace(id)?)
    }

    pub(super) fn issue(
        &self,
        name: &WorkspaceName,
        region: Option<&RegionId>,
    ) -> Result<Request<Bytes>, Failure> {
        if name.is_cut() {
            return Err(failure::not_sent(
                "the workspace's name is longer than any that can be recorded: a token of it cannot be asked for",
            ));
        }
        let path: &[&str] = match self.token_path {
            TokenPath::Applications => &["account", "applications", "scoped-token"],
            TokenPath::Embedded => &["embedded", "scoped-token"],
        };
        let body = IssueRequest {
            workspace_name: name,
            region_id: region,
        };
        self.write(Operation::Issue, Method::POST, path, &body)
    }

    pub(super) fn verify(&self, token: &SecretString) -> Result<Request<Bytes>, Failure> {
        let path: &[&str] = match self.token_path {
            TokenPath::Applications => &["account", "applications", "scoped-token", "info"],
            TokenPath::Embedded => &["embedded", "scoped-token", "info"],
        };
        let mut request = self.blank(Operation::Verify, Method::GET, self.address(path)?)?;
        let bearer =
            bearer(token).ok_or_else(|| failure::not_sent("the token cannot be sent in a header"))?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        request.extensions_mut().insert(Bearer::Own);
        Ok(request)
    }

    /// Ids come from users too.
    fn workspace(&self, id: &WorkspaceId) -> Result<Url, Failure> {
        if !is_workspace_id(id.as_str()) {
            return Err(failure::not_sent(
                "the workspace id is not a UUID as Agent Engine shows it",
            ));
        }
        self.address(&["workspaces", id.as_str()])
    }

    fn address(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut address = self.origin.clone();
        match address.path_segments_mut() {
            Ok(mut segments) => {
                segments.pop_if_empty().extend(["api", "v1"]).extend(path);
            }
            Err(()) => return Err(failure::not_sent("the endpoint takes no paths")),
        }
        Ok(address)
    }

    fn write(
        &self,
        operation: Operation,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<Request<Bytes>, Failure> {
        with_json(self.blank(operation, method, self.address(path)?)?, body)
    }

    fn blank(&self, operation: Operation, method: Method, address: Url) -> Result<Request<Bytes>, Failure> {
        let uri = address
            .as_str()
            .parse()
            .map_err(|_| failure::not_sent("the address is too long"))?;
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, JSON);
        headers.insert(USER_AGENT, AGENT);
        if let Some(organization) = &self.organization {
            headers.insert(ORGANIZATION, organization.clone());
        }
        request.extensions_mut().insert(operation);
        Ok(request)
    }
}

/// The header that carries a token, marked so that nothing prints it. None for what no token can be.
pub(super) fn bearer(token: &SecretString) -> Option<HeaderValue> {
    if token.expose_secret().len() > LONGEST_TOKEN {
        return None;
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn with_json(mut request: Request<Bytes>, body: &impl Serialize) -> Result<Request<Bytes>, Failure> {
    let body = serde_json::to_vec(body).map_err(|_| failure::not_sent("the request has no JSON form"))?;
    *request.body_mut() = body.into();
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_a_header_is_not_printed_with_it() {
        let header = bearer(&SecretString::from("canary")).unwrap();
        assert_eq!(header, "Bearer canary");
        assert!(!format!("{header:?}").contains("canary"));
    }
}
