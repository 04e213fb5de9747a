//! The Secret that the token goes to: which it is, what is in it, and when it is renewed.

use std::collections::BTreeMap;

use crate::crd::metadata_keys;
use crate::domain::finding::Finding;
use crate::domain::ids::WorkspaceName;
use crate::domain::reason::Reason;
use crate::lifecycle::effect::{ClusterEffect, Effect};
use crate::lifecycle::plan::{Step, token};
use crate::lifecycle::report;
use crate::lifecycle::rules::state;
use crate::lifecycle::schedule::Freshness;
use crate::lifecycle::view::{Content, LiveSecret, Ownership, Record, SecretContent, SecretFacts, View};
use crate::limits::Urgency;
pub(super) fn foreign(view: &View) -> Finding {
    Finding::new(
        Reason::SecretNotOwned,
        format!(
            "a Secret {:?} exists and does not belong to this Workspace; it was left untouched. Remove it, or choose another \
             spec.tokenSecret.name",
            view.target_name()
        ),
    )
}

/// The Secret that the token goes to.
pub(super) enum Target<'a> {
    /// Read live, and not there.
    Free,
    /// The store has none; it was not read live.
    Unread,
    Ours(&'a SecretFacts),
    Foreign,
}

pub(super) fn target(view: &View) -> Target<'_> {
    match (&view.progress.target, &view.secrets.target) {
        (Some(LiveSecret::Absent), _) => Target::Free,
        (Some(LiveSecret::Present(facts)), _) | (None, Some(facts)) => match facts.ownership {
            Ownership::Ours | Ownership::Orphaned => Target::Ours(facts),
            Ownership::Foreign => previous_secret(view).map_or(Target::Foreign, Target::Ours),
        },
        // At creation nothing is known to be there: creating it finds out.
        (None, None) if view.record().is_none() && !view.progress.secret_stale => Target::Free,
        (None, None) => Target::Unread,
    }
}

/// Where the new name is somebody else's, the Secret that was in use goes on.
pub(super) fn previous_secret(view: &View) -> Option<&SecretFacts> {
    let name = view.stored.token_secret_name.as_ref()?;
    view.secrets.others.iter().find(|facts| facts.name == *name)
}

/// The Secret of the record, where no store shows it and it was not read live. One that lost our label is not watched,
/// and the token in it may be good.
pub fn unwatched_recorded_secret(view: &View) -> Option<Effect> {
    let name = view.record().and(view.stored.token_secret_name.as_ref())?;
    let unseen = secret_named(view, name).is_none() && !view.progress.checked_secrets.contains(name);
    unseen.then(|| Effect::Cluster(ClusterEffect::ReadSecret { name: name.clone() }))
}

/// The recorded name, until it is known that nothing of ours is there.
pub fn recorded_name(view: &View) -> Option<String> {
    let name = view.stored.token_secret_name.as_ref()?;
    let there = match secret_named(view, name) {
        Some(facts) => facts.ownership != Ownership::Foreign,
        None => !view.progress.checked_secrets.contains(name),
    };
    there.then(|| name.clone())
}

/// Whether the record alone finds its Secret: such a name is kept until that Secret is gone.
pub fn only_status_names_it(view: &View) -> bool {
    let recorded = view.stored.token_secret_name.as_ref();
    let unwatched = recorded
        .and_then(|name| secret_named(view, name))
        .is_some_and(|facts| facts.ownership != Ownership::Foreign && !is_watched(facts));
    unwatched_recorded_secret(view).is_some() || (unwatched && recorded != Some(&secret_name(view)))
}

/// Whether the watch of our label shows it.
fn is_watched(facts: &SecretFacts) -> bool {
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

/// Whether the declared name is somebody else's, though an old Secret goes on.
pub fn name_conflict(view: &View) -> Option<Finding> {
    (secret_name(view) != view.target_name() || matches!(target(view), Target::Foreign))
        .then(|| foreign(view))
}

pub(super) fn is_current(view: &View, record: &Record, facts: &SecretFacts) -> bool {
    let fresh = facts
        .times
        .is_some_and(|times| times.freshness(&view.object.uid, view.now) == Freshness::Fresh);
    let whole = match &facts.content {
        Content::Whole(found) => {
            content(view, record, &state::current(view, record).name).as_ref() == Some(found)
        }
        Content::Damaged => false,
    };
    let decorated =
        contains(&facts.labels, &labels(view)) && contains(&facts.annotations, &extra_annotations(view));
    fresh && whole && decorated && facts.ownership == Ownership::Ours
}

pub(super) fn contains(all: &BTreeMap<String, String>, some: &BTreeMap<String, String>) -> bool {
    some.iter().all(|(key, value)| all.get(key) == Some(value))
}

pub(super) fn content(view: &View, record: &Record, name: &WorkspaceName) -> Option<SecretContent> {
    Some(SecretContent {
        workspace_id: record.id.clone(),
        workspace_name: name.clone(),
        organization_id: record.organization_id.clone(),
        api_url: view.readable()?.api_url.clone(),
    })
}

/// What the user asked for, under what is ours.
pub(super) fn labels(view: &View) -> BTreeMap<String, String> {
    let mut labels = view
        .declared
        .token_secret
        .as_ref()
        .map(|secret| secret.labels.clone())
        .unwrap_or_default();
    labels.insert(
        metadata_keys::WORKSPACE_LABEL.to_owned(),
        view.object.name.clone(),
    );
    labels.insert(
        metadata_keys::MANAGED_BY_LABEL.to_owned(),
        metadata_keys::FIELD_MANAGER.to_owned(),
    );
    labels.insert(metadata_keys::NO_BACKUP_LABEL.to_owned(), "true".to_owned());
    labels
}

pub(super) fn extra_annotations(view: &View) -> BTreeMap<String, String> {
    view.declared
        .token_secret
        .as_ref()
        .map(|secret| secret.annotations.clone())
        .unwrap_or_default()
}

/// After the new Secret is in status, the others that our uid controls go.
pub fn remove_other_secrets(view: &View) -> Option<Step> {
    match target(view) {
        Target::Ours(_) => {}
        Target::Free | Target::Unread | Target::Foreign => return None,
    }
    if let Some(read) = unwatched_recorded_secret(view) {
        return token(read);
    }
    let name = secret_name(view);
    let others = view.secrets.others.iter().filter(|facts| facts.name != name);
    // What only the record finds goes before the record names another.
    let other = others.min_by_key(|facts| is_watched(facts))?;
    if view.stored.token_secret_name.as_ref() != Some(&name) {
        // Until the new one holds a good token, the others stay.
        report::in_use(view)?;
        if is_watched(other) {
            let status = report::status(view, &report::settled(view));
            return token(Effect::Cluster(ClusterEffect::WriteStatus(Box::new(status))));
        }
    }
    token(Effect::Cluster(ClusterEffect::DeleteSecret {
        name: other.name.clone(),
        resource_version: other.resource_version.clone(),
    }))
}

/// When the token in the Secret is next to be renewed, or, where that is due, when it is about to end.
pub fn next_change(view: &View) -> Option<jiff::Timestamp> {
    match target(view) {
        Target::Ours(facts) => facts.times?.next_change(&view.object.uid, view.now),
        Target::Free | Target::Unread | Target::Foreign => None,
    }
}

/// How badly the next attempt at the token is wanted.
pub fn urgency(view: &View) -> Urgency {
    match target(view) {
        Target::Ours(facts) => match facts
            .times
            .map(|times| times.freshness(&view.object.uid, view.now))
        {
            Some(Freshness::Urgent | Freshness::Expired) => Urgency::Token,
            Some(Freshness::Fresh | Freshness::Due) | None => Urgency::Normal,
        },
        Target::Free | Target::Unread | Target::Foreign => Urgency::Normal,
    }
}
