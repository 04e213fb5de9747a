//! How long the token in use still lives, whatever Secret holds it: under the declared name, or still under another one.

use jiff::Timestamp;

use crate::lifecycle::facts::{Content, Ownership, SecretFacts};
use crate::lifecycle::judge::decoration::{self, State};
use crate::lifecycle::judge::{drift, token_secret};
use crate::lifecycle::schedule::TokenTimes;
use crate::lifecycle::view::View;

/// Whether a Secret of ours holds a token of the recorded workspace that has not ended.
pub fn lasts(view: &View) -> bool {
    tokens(view).any(|times| !times.has_ended(view.now))
}

/// Whether the Secret under the declared name is as declared, apart from the age of its token, which is not about to end.
pub fn is_served(view: &View) -> bool {
    let declared = token_secret::secret_named(view, &view.target_name());
    let (Some(record), Some(facts)) = (view.record(), declared) else {
        return false;
    };
    // After a rename the Secret still tells the old name.
    let named = match &facts.content {
        Content::Whole(content) => content.workspace_name == drift::current(view, &record).name,
        Content::Damaged => false,
    };
    named && token_secret::is_good(view, &record, facts) && decoration::state(view, facts) != State::Due
}

/// When a token in use is next due, about to end, or at its end.
pub fn changes_at(view: &View) -> Option<Timestamp> {
    // An admission policy may have changed what the marks say of the token in the target.
    let known = tokens(view).chain(token_secret::times(view));
    let changes = known.filter_map(|times| times.next_change(&view.object.uid, view.now));
    changes.min()
}

fn tokens(view: &View) -> impl Iterator<Item = TokenTimes> {
    let recorded = view.recorded_id();
    let opens = move |facts: &SecretFacts| match (&facts.content, recorded) {
        (Content::Whole(content), Some(recorded)) => content.workspace_id == *recorded,
        (Content::Whole(_) | Content::Damaged, _) => false,
    };
    let known = view.secrets.target.iter().chain(&view.secrets.others);
    known
        .filter(move |facts| facts.ownership != Ownership::Foreign && opens(facts))
        .filter_map(|facts| facts.times)
}
