//! The Secret that the token goes to: which it is, what is in it, and when it is renewed.

use crate::crd::metadata_keys;
use crate::domain::finding::Finding;
use crate::domain::ids::WorkspaceName;
use crate::lifecycle::effect::{ClusterEffect, Replace, SecretDraft};
use crate::lifecycle::facts::{Content, Ownership, Patchable, SecretContent, SecretFacts};
use crate::lifecycle::findings;
use crate::lifecycle::judge::{decoration, drift};
use crate::lifecycle::progress::{Issued, SecretProgress};
use crate::lifecycle::schedule::{Freshness, TokenTimes};
use crate::lifecycle::view::{Record, View};
use crate::limits::Urgency;

/// The Secret that the token goes to.
pub enum Target<'a> {
    /// Read live, and not there.
    Free,
    /// The store has none; it was not read live.
    Unread,
    Ours(&'a SecretFacts),
    Foreign,
}

pub fn target(view: &View) -> Target<'_> {
    let by_owner = |facts| by_owner(view, facts);
    match (
        view.progress.secrets.get(&view.target_name()),
        &view.secrets.target,
    ) {
        (Some(SecretProgress::Absent | SecretProgress::Possible), _) => Target::Free,
        (Some(SecretProgress::Present(facts)), _) | (None, Some(facts)) => by_owner(facts),
        (Some(SecretProgress::Changed), _) => Target::Unread,
        // At a creation the write finds out: it expects no Secret.
        (None, None) if view.recorded_id().is_none() => Target::Free,
        (None, None) => Target::Unread,
    }
}

/// Whether the Kubernetes API said, in this reconcile, that it would create the declared Secret.
pub fn is_possible(view: &View) -> bool {
    view.progress.secrets.get(&view.target_name()) == Some(&SecretProgress::Possible)
}

fn by_owner<'a>(view: &'a View, facts: &'a SecretFacts) -> Target<'a> {
    match (facts.ownership, facts.patchable) {
        (Ownership::Ours, _) | (Ownership::Orphaned, Patchable::Yes) => Target::Ours(facts),
        // Only a Secret that our uid controls is deleted to make room for a token.
        (Ownership::Orphaned, Patchable::No) | (Ownership::Foreign, _) => {
            let previous = previous_secret(view).filter(|facts| facts.patchable == Patchable::Yes);
            previous.map_or(Target::Foreign, Target::Ours)
        }
    }
}

/// The Secret that was in use. It stays in use while another owner has the new name.
pub fn previous_secret(view: &View) -> Option<&SecretFacts> {
    let name = view.stored.token_secret_name.as_ref()?;
    view.secrets.others.iter().find(|facts| facts.name == *name)
}

/// Reads the Secret that status names, if no store shows it and it was not read live. A Secret without our label is not
/// watched, but its token may be good.
pub fn unwatched_recorded_secret(view: &View) -> Option<ClusterEffect> {
    let name = view.recorded_id().and(view.stored.token_secret_name.as_ref())?;
    let unseen = secret_named(view, name).is_none() && !view.has_read_secret(name);
    unseen.then(|| ClusterEffect::ReadSecret { name: name.clone() })
}

/// The recorded name, until a read shows that no Secret of ours has it.
pub fn recorded_name(view: &View) -> Option<String> {
    let name = view.stored.token_secret_name.as_ref()?;
    let there = match secret_named(view, name) {
        Some(facts) => facts.ownership != Ownership::Foreign,
        None => !view.has_read_secret(name),
    };
    there.then(|| name.clone())
}

/// True if only `status.tokenSecretName` points to the Secret (our label is gone). That name is kept until the Secret is
/// deleted.
pub fn only_status_names_it(view: &View) -> bool {
    let recorded = view.stored.token_secret_name.as_ref();
    let unwatched = recorded
        .and_then(|name| secret_named(view, name))
        .is_some_and(|facts| facts.ownership != Ownership::Foreign && !is_watched(facts));
    unwatched_recorded_secret(view).is_some() || (unwatched && recorded != Some(&secret_name(view)))
}

/// Whether the watch of our label shows it.
pub fn is_watched(facts: &SecretFacts) -> bool {
    facts.labels.contains_key(metadata_keys::WORKSPACE_LABEL)
}

/// What is known of the Secret of that name.
pub fn secret_named<'a>(view: &'a View, name: &str) -> Option<&'a SecretFacts> {
    let mut known = view.secrets.target.iter().chain(&view.secrets.others);
    known.find(|facts| facts.name == name)
}

/// The name of the Secret that the token goes to.
pub fn secret_name(view: &View) -> String {
    match target(view) {
        Target::Ours(facts) => facts.name.clone(),
        Target::Free | Target::Unread | Target::Foreign => view.target_name(),
    }
}

/// The finding if another owner has the declared name while an old Secret stays in use.
pub fn name_conflict(view: &View) -> Option<Finding> {
    (secret_name(view) != view.target_name() || matches!(target(view), Target::Foreign))
        .then(|| not_owned(view))
}

/// The finding about a Secret of another owner under the declared name.
pub fn not_owned(view: &View) -> Finding {
    let name = view.target_name();
    let marked = secret_named(view, &name).and_then(|facts| facts.labels.get(metadata_keys::WORKSPACE_LABEL));
    match marked.filter(|workspace| **workspace != view.object.name) {
        Some(workspace) => findings::secret_of_another(&name, workspace),
        None => findings::secret_not_owned(&name),
    }
}

pub fn is_current(view: &View, record: &Record, facts: &SecretFacts) -> bool {
    let fresh = facts
        .times
        .is_some_and(|times| times.freshness(&view.object.uid, view.now) == Freshness::Fresh);
    fresh && is_whole(view, record, facts) && facts.ownership == Ownership::Ours
}

fn is_whole(view: &View, record: &Record, facts: &SecretFacts) -> bool {
    match &facts.content {
        Content::Whole(found) => {
            content(view, record, &drift::current(view, record).name).as_ref() == Some(found)
        }
        Content::Damaged => false,
    }
}

/// Whether the Secret is as the API server stored our last token, which is not as it was written: an admission policy
/// changes it, and would change the next one too.
pub fn is_altered(view: &View, record: &Record, facts: &SecretFacts) -> bool {
    let asked = content(view, record, &drift::current(view, record).name);
    view.memory.altered.as_ref().is_some_and(|altered| {
        asked.as_ref() == Some(&altered.asked)
            && facts.name == altered.name
            && facts.content == altered.content
            && facts.times == by_our_clock(view, altered.times)
    })
}

/// The finding while the Secret holds a verified token.
pub fn verified(view: &View) -> Finding {
    match target(view) {
        Target::Ours(facts) => match decoration::state(view, facts) {
            decoration::State::Contested(differing) => {
                findings::verified_and_contested(&facts.name, &differing)
            }
            decoration::State::AsAsked | decoration::State::Due => findings::verified(),
        },
        Target::Free | Target::Unread | Target::Foreign => findings::verified(),
    }
}

pub fn content(view: &View, record: &Record, name: &WorkspaceName) -> Option<SecretContent> {
    Some(SecretContent {
        workspace_id: record.id.clone(),
        workspace_name: name.clone(),
        organization_id: record.organization_id.clone(),
        api_url: view.readable()?.api_url.clone(),
    })
}

/// The Secret to write for the token at hand, which was verified to be of `record`.
pub fn draft(
    view: &View,
    record: &Record,
    name: &WorkspaceName,
    issued: &Issued,
    replace: Replace,
) -> Option<SecretDraft> {
    Some(SecretDraft {
        name: secret_name(view),
        slot: issued.slot,
        replace,
        content: content(view, record, name)?,
        times: issued.times.by_a_clock(view.server_ahead()),
        decoration: decoration::asked(view),
    })
}

/// Whether a Secret of ours holds a token that is not about to end. Where status goes on naming one that no store shows, a
/// token in a third one is none that it speaks of.
pub fn holds_token(view: &View) -> bool {
    let Some(record) = view.record() else {
        return false;
    };
    let declared = view.target_name();
    let names_another = only_status_names_it(view);
    let is_spoken_of = |facts: &&SecretFacts| {
        let recorded = view.stored.token_secret_name.as_ref();
        !names_another || facts.name == declared || recorded == Some(&facts.name)
    };
    let known = view.secrets.target.iter().chain(&view.secrets.others);
    known
        .filter(is_spoken_of)
        .any(|facts| is_good(view, &record, facts))
}

/// Whether the Secret is ours and holds a token of `record` that is not about to end.
pub fn is_good(view: &View, record: &Record, facts: &SecretFacts) -> bool {
    let opens = match &facts.content {
        Content::Whole(content) => content.workspace_id == record.id,
        Content::Damaged => false,
    };
    let lasts = facts
        .times
        .is_some_and(|times| match times.freshness(&view.object.uid, view.now) {
            Freshness::Fresh | Freshness::Due => !times.has_ended(view.now),
            Freshness::Urgent | Freshness::Expired => false,
        });
    facts.ownership == Ownership::Ours && opens && lasts
}

/// The next Secret of ours to delete: the declared one first, then those under other names; one that only status names is
/// read first.
pub fn next_to_delete(view: &View) -> Option<ClusterEffect> {
    let target = view.secrets.target.as_ref();
    let target = target.filter(|facts| facts.ownership != Ownership::Foreign);
    target
        .or(view.secrets.others.first())
        .map(deletion)
        .or_else(|| unwatched_recorded_secret(view))
}

/// Deletes a Secret that our uid controls while there is no record.
pub fn left_over(view: &View) -> Option<ClusterEffect> {
    let mut known = view.secrets.target.iter().chain(&view.secrets.others);
    known
        .find(|facts| facts.ownership == Ownership::Ours)
        .map(deletion)
}

/// The request that deletes this Secret as it is known.
pub fn deletion(facts: &SecretFacts) -> ClusterEffect {
    ClusterEffect::DeleteSecret {
        name: facts.name.clone(),
        resource_version: facts.resource_version.clone(),
    }
}

/// The times of the token in the Secret: as its marks say, or as they were written where an admission policy changes them.
pub fn times(view: &View) -> Option<TokenTimes> {
    match target(view) {
        Target::Ours(facts) => view
            .record()
            .filter(|record| is_altered(view, record, facts))
            .and_then(|_| by_our_clock(view, Some(view.memory.last_token.as_ref()?.times)))
            .or(facts.times),
        Target::Free | Target::Unread | Target::Foreign => None,
    }
}

fn by_our_clock(view: &View, times: Option<TokenTimes>) -> Option<TokenTimes> {
    Some(times?.by_a_clock(view.server_ahead()))
}

/// How fresh the token in the Secret is.
pub fn freshness(view: &View) -> Option<Freshness> {
    times(view).map(|times| times.freshness(&view.object.uid, view.now))
}

/// How urgent the next attempt at the token is.
pub fn urgency(view: &View) -> Urgency {
    match freshness(view) {
        Some(Freshness::Urgent | Freshness::Expired) => Urgency::Token,
        Some(Freshness::Fresh | Freshness::Due) | None => Urgency::Normal,
    }
}
