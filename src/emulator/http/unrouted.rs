//! What the web framework of the real service answers itself, where no call of the API is. The shape of the API's errors is not its own.

use http::header::{ALLOW, LOCATION};
use http::{HeaderName, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::emulator::operation::NoRoute;

/// What stays as it is in a `Location`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b':')
    .remove(b'/')
    .remove(b'%')
    .remove(b'#')
    .remove(b'?')
    .remove(b'=')
    .remove(b'@')
    .remove(b'[')
    .remove(b']')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';');

/// The framework's answer.
#[derive(Clone, Debug)]
pub(super) struct Unrouted {
    pub status: u16,
    /// None: an empty body without a content type.
    pub body: Option<Value>,
    pub header: Option<(HeaderName, String)>,
}

impl Unrouted {
    /// The answer to a request at `uri`, as the client sees `origin`.
    pub(super) fn new(no_route: NoRoute, uri: &Uri, origin: &str) -> Self {
        match no_route {
            NoRoute::NotFound => Self {
                status: 404,
                body: Some(json!({"detail": "Not Found"})),
                header: None,
            },
            NoRoute::MethodNotAllowed { allow } => Self {
                status: 405,
                body: Some(json!({"detail": "Method Not Allowed"})),
                header: Some((ALLOW, allow.to_owned())),
            },
            NoRoute::TrailingSlash(path) => {
                let query = uri.query().filter(|query| !query.is_empty());
                let query = query.map(|query| format!("?{query}")).unwrap_or_default();
                let to = format!("{origin}{path}{query}");
                Self {
                    status: 307,
                    body: None,
                    header: Some((LOCATION, utf8_percent_encode(&to, KEPT).to_string())),
                }
            }
        }
    }
}
