//! Which call of the API a method and a path are.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use self::Family::{Cloud, Current, Legacy};
use self::Operation::{C1, C2, C3, T1, T2, T3, T4, W1, W2, W3, W4, W5, X1, X2, X3, X4};
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
    /// List of what connectors can be made of.
    C3,
    /// Whether the caller is enrolled. `X` calls are in no public document; published clients make them.
    X1,
    /// The caller's organizations.
    X2,
    /// The caller's credentials.
    X3,
    /// A workspace's workflows.
    X4,
}

/// The path family that a call came by.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Current,
    Legacy,
    /// As Airbyte Cloud spells T1.
    Cloud,
}

/// A recognized call; `id` is the last segment where the path has one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    pub operation: Operation,
    pub family: Family,
    pub id: Option<String>,
}

/// Why nothing answers at a path, as the real service's web framework says it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NoRoute {
    NotFound,
    /// The framework names the method of the path's first route only.
    MethodNotAllowed {
        allow: &'static str,
    },
    /// This path, without the slash at its end, is one of the API.
    TrailingSlash(String),
}

impl Operation {
    /// Whether a successful answer means that something was written.
    pub fn writes(self) -> bool {
        match self {
            Self::T2 | Self::T4 | Self::W4 | Self::W5 | Self::C2 => true,
            Self::T1 | Self::T3 | Self::W1 | Self::W2 | Self::W3 | Self::C1 | Self::C3 => false,
            Self::X1 | Self::X2 | Self::X3 | Self::X4 => false,
        }
    }
}

/// The call that a method and a path name. Escapes are read before the path is cut into segments.
pub fn route(method: &str, path: &str, knobs: &Knobs) -> Result<Route, NoRoute> {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let segments = cut(&path);
    let found = calls(&segments, knobs);
    let Some((allow, ..)) = found.first() else {
        let bare = path.trim_end_matches('/');
        let known = bare.len() < path.len() && !calls(&cut(bare), knobs).is_empty();
        return Err(if known {
            NoRoute::TrailingSlash(bare.to_owned())
        } else {
            NoRoute::NotFound
        });
    };
    let &(_, operation, family) = found
        .iter()
        .find(|(verb, ..)| *verb == method)
        .ok_or(NoRoute::MethodNotAllowed { allow })?;
    let id = matches!(operation, W3 | W4 | W5 | C2)
        .then(|| segments.last().copied().unwrap_or_default().to_owned());
    Ok(Route {
        operation,
        family,
        id,
    })
}

fn cut(path: &str) -> Vec<&str> {
    path.split('/').skip(1).collect()
}

/// The calls at a path, none where it is no path of the API or one whose family is switched off.
fn calls(segments: &[&str], knobs: &Knobs) -> &'static [(&'static str, Operation, Family)] {
    let current = knobs.current_paths == Switch::On;
    let legacy = knobs.legacy_paths == Switch::On;
    match segments {
        ["api", "v1", "account", "applications", "token"] => &[("POST", T1, Current)],
        ["v1", "applications", "token"] | ["api", "v1", "applications", "token"] => &[("POST", T1, Cloud)],
        ["api", "v1", "account", "applications", "scoped-token"] if current => &[("POST", T2, Current)],
        ["api", "v1", "account", "applications", "scoped-token", "info"] if current => {
            &[("GET", T3, Current)]
        }
        ["api", "v1", "account", "applications", "widget-token"] if current => &[("POST", T4, Current)],
        ["api", "v1", "embedded", "widget-token"] if legacy => &[("POST", T4, Legacy)],
        ["api", "v1", "embedded", "scoped-token"] if legacy => &[("POST", T2, Legacy)],
        ["api", "v1", "embedded", "scoped-token", "info"]
        | ["api", "v1", "embedded", "scoped-token-info"]
        | ["api", "v1", "embedded", "organizations", "current-scoped"]
            if legacy =>
        {
            &[("GET", T3, Legacy)]
        }
        ["api", "v1", "workspaces"] => &[("GET", W1, Current)],
        // To the other methods it is the path of a workspace.
        ["api", "v1", "workspaces", "stats"] => &[
            ("GET", W2, Current),
            ("PUT", W4, Current),
            ("DELETE", W5, Current),
        ],
        ["api", "v1", "workspaces", id] if !id.is_empty() => &[
            ("GET", W3, Current),
            ("PUT", W4, Current),
            ("DELETE", W5, Current),
        ],
        ["api", "v1", "integrations", "connectors"] => &[("GET", C1, Current)],
        ["api", "v1", "integrations", "connectors", id] if !id.is_empty() => &[("DELETE", C2, Current)],
        ["api", "v1", "integrations", "definitions", "sources"] => &[("GET", C3, Current)],
        ["api", "v1", "internal", "account", "enrollment-status"] => &[("GET", X1, Current)],
        ["api", "v1", "internal", "account", "organizations"] => &[("GET", X2, Current)],
        ["api", "v1", "internal", "account", "applications"] => &[("POST", X3, Current)],
        ["api", "v1", "internal", "workflows"] => &[("GET", X4, Current)],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::{Family, NoRoute, Operation, route};
    use crate::emulator::knobs::{Knobs, Switch};

    #[test]
    fn stats_wins_over_a_workspace_id() {
        let stats = route("GET", "/api/v1/workspaces/stats", &Knobs::default()).unwrap();
        assert_eq!((stats.operation, stats.id), (Operation::W2, None));
        let put = route("PUT", "/api/v1/workspaces/stats", &Knobs::default()).unwrap();
        assert_eq!((put.operation, put.id.as_deref()), (Operation::W4, Some("stats")));
    }

    #[test]
    fn creating_by_post_is_not_a_call_of_the_api() {
        let none = |method, path| route(method, path, &Knobs::default()).unwrap_err();
        assert_eq!(
            none("POST", "/api/v1/workspaces"),
            NoRoute::MethodNotAllowed { allow: "GET" }
        );
        assert_eq!(none("GET", "/api/v2/workspaces"), NoRoute::NotFound);
        for path in ["/", "//", "/api/v1/", "/api/v1/workspaces//stats"] {
            assert_eq!(none("GET", path), NoRoute::NotFound, "{path}");
        }
        assert_eq!(
            none("GET", "/api/v1/workspaces/"),
            NoRoute::TrailingSlash("/api/v1/workspaces".to_owned())
        );
    }

    #[test]
    fn each_path_family_has_a_switch() {
        let calls = [
            ("POST", "scoped-token", Operation::T2),
            ("GET", "scoped-token/info", Operation::T3),
            ("POST", "widget-token", Operation::T4),
        ];
        for (method, end, operation) in calls {
            let mut knobs = Knobs::default();
            let current = format!("/api/v1/account/applications/{end}");
            let legacy = format!("/api/v1/embedded/{end}");
            for (path, family) in [(&current, Family::Current), (&legacy, Family::Legacy)] {
                let found = route(method, path, &knobs).unwrap();
                assert_eq!((found.operation, found.family), (operation, family));
            }
            knobs.legacy_paths = Switch::Off;
            assert_eq!(route(method, &legacy, &knobs), Err(NoRoute::NotFound));
            assert!(route(method, &current, &knobs).is_ok(), "{current}");
            knobs.legacy_paths = Switch::On;
            knobs.current_paths = Switch::Off;
            assert_eq!(route(method, &current, &knobs), Err(NoRoute::NotFound));
            assert!(route(method, &legacy, &knobs).is_ok(), "{legacy}");
        }
    }
}
