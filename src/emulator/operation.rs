//! Which call of the API a method and a path are.

use serde::{Deserialize, Serialize};

use super::knobs::{Knobs, Switch};

/// The calls, by the short names of the documentation.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Operation {
    /// Application token.
    T1,
    /// Scoped token; creates the workspace that it does not find.
    T2,
    /// What a scoped token opens.
    T3,
    /// Widget token; creates as `T2` does.
    T4,
    /// List.
    W1,
    /// Counters.
    W2,
    /// Read one.
    W3,
    /// Change one.
    W4,
    /// Delete one.
    W5,
    /// List of connectors.
    C1,
    /// Delete a connector.
    C2,
}

/// The path family that a call came by.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Current,
    Legacy,
}

/// A recognized call; `id` is the last segment where the path has one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    pub operation: Operation,
    pub family: Family,
    pub id: Option<String>,
}

/// Why nothing answers at a path, as the real service's web framework says it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoRoute {
    NotFound,
    MethodNotAllowed,
}

impl Operation {
    /// Whether a successful answer means that something was written.
    pub fn writes(self) -> bool {
        match self {
            Self::T2 | Self::T4 | Self::W4 | Self::W5 | Self::C2 => true,
            Self::T1 | Self::T3 | Self::W1 | Self::W2 | Self::W3 | Self::C1 => false,
        }
    }
}

/// The call that a method and a path name.
pub fn route(method: &str, path: &str, knobs: &Knobs) -> Result<Route, NoRoute> {
    use Family::{Current, Legacy};
    use Operation::{C1, C2, T1, T2, T3, T4, W1, W2, W3, W4, W5};

    let current = knobs.current_paths == Switch::On;
    let legacy = knobs.legacy_paths == Switch::On;
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let choices: &[(&str, Operation, Family)] = match segments.as_slice() {
        ["api", "v1", "account", "applications", "token"] | ["v1", "applications", "token"] => {
            &[("POST", T1, Current)]
        }
        ["api", "v1", "account", "applications", "scoped-token"] if current => &[("POST", T2, Current)],
        ["api", "v1", "account", "applications", "scoped-token", "info"] if current => {
            &[("GET", T3, Current)]
        }
        ["api", "v1", "account", "applications", "widget-token"] if current => &[("POST", T4, Current)],
        ["api", "v1", "embedded", "scoped-token"] if legacy => &[("POST", T2, Legacy)],
        ["api", "v1", "embedded", "scoped-token", "info"]
        | ["api", "v1", "embedded", "scoped-token-info"]
        | ["api", "v1", "embedded", "organizations", "current-scoped"]
            if legacy =>
        {
            &[("GET", T3, Legacy)]
        }
        ["api", "v1", "workspaces"] => &[("GET", W1, Current)],
        ["api", "v1", "workspaces", "stats"] => &[("GET", W2, Current)],
        ["api", "v1", "workspaces", _] => &[
            ("GET", W3, Current),
            ("PUT", W4, Current),
            ("DELETE", W5, Current),
        ],
        ["api", "v1", "integrations", "connectors"] => &[("GET", C1, Current)],
        ["api", "v1", "integrations", "connectors", _] => &[("DELETE", C2, Current)],
        // Anything else is no path of the API, or one whose family is switched off.
        _ => return Err(NoRoute::NotFound),
    };
    let &(_, operation, family) = choices
        .iter()
        .find(|(verb, ..)| *verb == method)
        .ok_or(NoRoute::MethodNotAllowed)?;
    let id = matches!(operation, W3 | W4 | W5 | C2)
        .then(|| segments.last().copied().unwrap_or_default().to_owned());
    Ok(Route {
        operation,
        family,
        id,
    })
}

#[cfg(test)]
mod tests {
    use super::{Family, NoRoute, Operation, route};
    use crate::emulator::knobs::{Knobs, Switch};

    #[test]
    fn stats_wins_over_a_workspace_id() {
        let stats = route("GET", "/api/v1/workspaces/stats", &Knobs::default()).unwrap();
        assert_eq!((stats.operation, stats.id), (Operation::W2, None));
    }

    #[test]
    fn creating_by_post_is_not_a_call_of_the_api() {
        assert_eq!(
            route("POST", "/api/v1/workspaces", &Knobs::default()),
            Err(NoRoute::MethodNotAllowed)
        );
        assert_eq!(
            route("GET", "/api/v1/workspaces/", &Knobs::default())
                .unwrap()
                .id
                .as_deref(),
            Some("")
        );
        assert_eq!(
            route("GET", "/api/v2/workspaces", &Knobs::default()),
            Err(NoRoute::NotFound)
        );
    }

    #[test]
    fn each_path_family_has_a_switch() {
        let mut knobs = Knobs::default();
        let (current, legacy) = (
            "/api/v1/account/applications/scoped-token",
            "/api/v1/embedded/scoped-token",
        );
        for (path, family) in [(current, Family::Current), (legacy, Family::Legacy)] {
            assert_eq!(route("POST", path, &knobs).unwrap().family, family);
        }
        knobs.legacy_paths = Switch::Off;
        knobs.current_paths = Switch::Off;
        for path in [current, legacy] {
            assert_eq!(route("POST", path, &knobs), Err(NoRoute::NotFound));
        }
    }
}
