//! Telling reconciles over Workspaces.

use crate::domain::verification::Missing;
use crate::organization::effect::Wake;
use crate::organization::judge::listing::missing;
use crate::organization::judge::news::{News, news};
use crate::organization::judge::readiness::readiness;
use crate::organization::progress::Attempt;
use crate::organization::step::Step;
use crate::organization::view::View;

/// Reconciles over Workspaces see client and judgement together, at least once a reconcile, and again at every change. All
/// are woken by a change of what they wait for, or by a recovery; else those that differ from a new list.
pub fn publish(view: &View) -> Option<Step> {
    let news = news(view);
    let is_seen = view.progress.publication == Attempt::Done
        && news != News::Changed
        && view.published.reason == Some(readiness(view).reason())
        && view.progress.new_list.is_none();
    (!is_seen).then(|| {
        Step::Publish(match news {
            News::Changed | News::Recovered => Wake::Everybody,
            News::None => those_that_differ(view),
        })
    })
}

/// Many missing at once are judged on the complete list before any object is woken.
fn those_that_differ(view: &View) -> Wake {
    match (&view.progress.new_list, missing(view)) {
        (Some(list), Missing::Few) if !list.differing.is_empty() => Wake::These(list.differing.clone()),
        (Some(_) | None, Missing::Few | Missing::Many) => Wake::Nobody,
    }
}
