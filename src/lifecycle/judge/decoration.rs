//! The labels and annotations of the token Secret. No token is issued for them: a difference is corrected by a patch of the
//! metadata, and left alone where it comes back, because an admission policy or another client keeps it.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::crd::metadata_keys;
use crate::crd::workspace::TokenSecret;
use crate::lifecycle::effect::SecretDecoration;
use crate::lifecycle::facts::{Differing, Kept, Key, Ownership, SecretFacts, kept_value};
use crate::lifecycle::memory::{Corrected, LastDecoration};
use crate::lifecycle::view::View;

/// How the labels and annotations of a Secret stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    AsAsked,
    /// To be corrected.
    Due,
    /// They were written, and changed again: they are left alone.
    Contested(Differing),
}

/// Labels, and annotations.
type Decoration<'a> = [BTreeMap<&'a str, &'a str>; 2];

/// What is wanted: the declared keys, under what is ours.
fn wanted(view: &View) -> Decoration<'_> {
    let declared = view.declared.token_secret.as_ref();
    let borrowed = |map: fn(&TokenSecret) -> &BTreeMap<String, String>| {
        let all = declared.into_iter().flat_map(map);
        all.map(|(key, value)| (key.as_str(), value.as_str())).collect()
    };
    let mut labels: BTreeMap<_, _> = borrowed(|declared| &declared.labels);
    labels.extend([
        (metadata_keys::WORKSPACE_LABEL, view.object.name.as_str()),
        (metadata_keys::MANAGED_BY_LABEL, metadata_keys::FIELD_MANAGER),
        (metadata_keys::NO_BACKUP_LABEL, "true"),
    ]);
    [labels, borrowed(|declared| &declared.annotations)]
}

/// What is asked for when the Secret is written.
pub fn asked(view: &View) -> SecretDecoration {
    let wanted = wanted(view);
    let mark = mark(&wanted);
    let owned = |map: BTreeMap<&str, &str>| {
        let all = map.into_iter();
        all.map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    };
    let [labels, annotations] = wanted.map(owned);
    SecretDecoration {
        labels,
        annotations,
        mark,
    }
}

/// The same in every process of every version.
fn mark(wanted: &Decoration<'_>) -> u64 {
    let mut hash = Sha256::new();
    for map in wanted {
        hash.update(map.len().to_be_bytes());
        for text in map.iter().flat_map(|(key, value)| [key, value]) {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        }
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |mark, byte| mark << 8 | u64::from(*byte))
}

/// How the labels and annotations of this Secret stand.
pub fn state(view: &View, facts: &SecretFacts) -> State {
    if facts.ownership != Ownership::Ours {
        return State::AsAsked;
    }
    let wanted = wanted(view);
    let differing = differing(&wanted, facts);
    if differing.is_empty() {
        return State::AsAsked;
    }
    let mark = mark(&wanted);
    let known = view.memory.decoration.as_ref();
    match known.filter(|known| known.mark == mark) {
        Some(known) if known.corrected == Corrected::Yes || known.differing == differing => {
            State::Contested(differing)
        }
        Some(_) => State::Due,
        // Without our label no watch shows the Secret.
        None if differing.contains_key(&Key::Label(metadata_keys::WORKSPACE_LABEL.to_owned())) => State::Due,
        // An earlier process wrote them. The next renewal writes them again.
        None if facts.decoration_mark == Some(mark) => State::Contested(differing),
        None => State::Due,
    }
}

/// The memory of a write that left the Secret as `now`. `before` is what differed when it was decided on.
pub fn written(view: &View, before: Option<&SecretFacts>, now: &SecretFacts, by: Write) -> LastDecoration {
    let wanted = wanted(view);
    let mark = mark(&wanted);
    let last = view.memory.decoration.as_ref();
    let last = last.filter(|last| last.mark == mark);
    let marked = before.is_some_and(|facts| facts.decoration_mark == Some(mark));
    let stood = before.is_none_or(|facts| differing(&wanted, facts).is_empty());
    let corrected = match by {
        Write::Correction if last.is_some() || marked => Corrected::Yes,
        // What is declared has changed.
        Write::Correction => Corrected::No,
        // It is written beside the token, not to correct it.
        Write::Token if !stood => last.map_or(Corrected::No, |last| last.corrected),
        Write::Token => Corrected::No,
    };
    LastDecoration {
        mark,
        differing: differing(&wanted, now),
        corrected,
    }
}

/// What a write was made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Write {
    Token,
    Correction,
}

fn differing([labels, annotations]: &Decoration<'_>, facts: &SecretFacts) -> Differing {
    let labels = unlike(labels, &facts.labels, facts.kept);
    let annotations = unlike(annotations, &facts.annotations, facts.kept);
    let labels = labels.map(|(key, there)| (Key::Label(key), there));
    labels
        .chain(annotations.map(|(key, there)| (Key::Annotation(key), there)))
        .collect()
}

fn unlike<'a>(
    wanted: &'a BTreeMap<&str, &str>,
    there: &'a BTreeMap<String, String>,
    kept: Kept,
) -> impl Iterator<Item = (String, Option<String>)> + use<'a> {
    wanted
        .iter()
        .filter_map(move |(key, value)| match there.get(*key) {
            Some(there) if *there == kept_value(value) => None,
            None if kept == Kept::Part => None,
            there => Some(((*key).to_owned(), there.cloned())),
        })
}
