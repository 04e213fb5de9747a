//! What all watches hear, in one value: our own writes and the API server's revisions find their watches here, and
//! readiness asks it. A plain value.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::hearing::{Failure, Heard, Hearing};
use super::silence::Silence;

/// What a watch shows.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::controller) enum Resource {
    Workspaces,
    Organizations,
    TokenSecrets,
    Credentials,
    Namespaces,
}

impl Resource {
    pub(in crate::controller) fn as_str(self) -> &'static str {
        match self {
            Resource::Workspaces => "workspaces",
            Resource::Organizations => "organizations",
            Resource::TokenSecrets => "secrets",
            Resource::Credentials => "credentials",
            Resource::Namespaces => "namespaces",
        }
    }

    /// The definition that its kind comes from.
    fn definition(self) -> Option<&'static str> {
        match self {
            Resource::Workspaces => Some("workspaces.agentengine.airbyte.com"),
            Resource::Organizations => Some("organizations.agentengine.airbyte.com"),
            Resource::TokenSecrets | Resource::Credentials | Resource::Namespaces => None,
        }
    }
}

/// One watch: of all namespaces, or of one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::controller) struct Watched {
    pub(in crate::controller) resource: Resource,
    pub(in crate::controller) namespace: Option<String>,
}

/// All watches.
#[derive(Debug, Default)]
pub(in crate::controller) struct Ears {
    watches: BTreeMap<Watched, Hearing>,
    pub(super) silence: Silence,
}

impl Ears {
    pub(super) fn of(&mut self, watched: &Watched) -> &mut Hearing {
        self.watches.entry(watched.clone()).or_default()
    }

    pub(super) fn heard(&mut self, watched: &Watched, what: Heard, now: Timestamp) {
        self.of(watched).heard(what, now);
    }

    pub(super) fn failed(&mut self, watched: &Watched, failure: Failure) {
        self.of(watched).failed(failure);
    }

    /// Our own write returned this version of an object.
    pub(in crate::controller) fn wrote(
        &mut self,
        resource: Resource,
        namespace: &str,
        version: Option<&str>,
        now: Timestamp,
    ) {
        let Some(version) = version.and_then(|text| text.parse().ok()) else {
            return;
        };
        for namespace in [None, Some(namespace.to_owned())] {
            if let Some(hearing) = self.watches.get_mut(&Watched { resource, namespace }) {
                hearing.wrote(version, now);
            }
        }
    }

    /// What is known of each watch of these resources before the API server is asked for its revision.
    pub(super) fn floors(&self, resources: &[Resource]) -> Vec<(Watched, u64)> {
        self.watches
            .iter()
            .filter(|(watched, _)| resources.contains(&watched.resource))
            .map(|(watched, hearing)| (watched.clone(), hearing.floor()))
            .collect()
    }

    /// What the API server answered.
    pub(super) fn told(&mut self, floors: &[(Watched, u64)], revision: u64) {
        for (watched, floor) in floors {
            self.of(watched).told(revision, *floor);
        }
    }

    /// Why not all that happens is heard, for people.
    pub(super) fn trouble(&self, now: Timestamp) -> Option<String> {
        self.silence.trouble(now).or_else(|| self.deaf())
    }

    fn deaf(&self) -> Option<String> {
        self.watches.iter().find_map(|(watched, hearing)| {
            let deaf = hearing.trouble()?;
            let resource = watched.resource.as_str();
            Some(match (deaf, watched.resource.definition()) {
                (super::hearing::Deaf::NotServed, Some(definition)) => not_served(definition),
                _ => format!("the {resource} are listed again: {deaf}"),
            })
        })
    }
}

/// For the log and `/readyz`.
fn not_served(definition: &str) -> String {
    format!(
        "the API server does not serve the CustomResourceDefinition {definition}: nothing is done until it is there again. \
         Install it, as an upgrade of the chart does"
    )
}
