//! How long the token in use still lives, whatever Secret holds it: under the declared name, or still under another one.

use jiff::Timestamp;

use crate::lifecycle::facts::{Content, Ownership, SecretFacts};
use crate::lifecycle::schedule::TokenTimes;
use crate::lifecycle::view::View;

/// Whether a Secret of ours holds a token of the recorded workspace that has not ended.
pub fn lasts(view: &View) -> bool {
    tokens(view).any(|times| !times.has_ended(view.now))
}

/// When a token in use is next due, about to end, or at its end.
pub fn changes_at(view: &View) -> Option<Timestamp> {
    let changes = tokens(view).filter_map(|times| times.next_change(&view.object.uid, view.now));
    changes.min()
}

fn tokens(view: &View) -> impl Iterator<Item = TokenTimes> {
    let record = view.record();
    let opens = move |facts: &SecretFacts| match (&facts.content, &record) {
        (Content::Whole(content), Some(record)) => content.workspace_id == record.id,
        (Content::Whole(_) | Content::Damaged, _) => false,
    };
    let known = view.secrets.target.iter().chain(&view.secrets.others);
    known
        .filter(move |facts| facts.ownership != Ownership::Foreign && opens(facts))
        .filter_map(|facts| facts.times)
}
