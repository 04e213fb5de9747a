//! A status that came from another object names a workspace: a wish to adopt it. Whether that one is missing decides whether
//! an empty one may be created in its place.

use std::time::Duration;

use crate::crd::workspace::MissingWorkspace;
use crate::domain::time::elapsed;
use crate::lifecycle::judge::identity;
use crate::lifecycle::progress::Remote;
use crate::lifecycle::view::View;

/// Two GETs that do not find it, so far apart, confirm it as well as a list does.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What is known now of the wished-for workspace being missing. One 404 confirms nothing: a list begun after it that lacks
/// the workspace does, or another 404 a while later.
pub fn missing(view: &View) -> Option<MissingWorkspace> {
    let before = view.stored.missing.as_ref();
    let Some(seen) = view.observed(view.wish()?) else {
        return before.cloned();
    };
    if let Remote::Present(_) = seen.remote {
        return None;
    }
    let since = identity::missing_since(view, seen.requested_at);
    let lacked = view
        .listed
        .as_ref()
        .is_some_and(|listed| listed.row.is_none() && listed.length > 0 && listed.requested_at > since.0);
    let asked_twice = elapsed(since.0, seen.requested_at) >= ASKED_AGAIN_AFTER;
    let confirmed = before.is_some_and(|missing| missing.confirmed) || lacked || asked_twice;
    Some(MissingWorkspace { since, confirmed })
}
