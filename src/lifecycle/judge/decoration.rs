//! The labels and annotations of the token Secret. No token is issued for them: a difference is corrected by a patch of the
//! metadata, and left alone where it comes back, because an admission policy or another client keeps it.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::crd::metadata_keys;
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

/// What is asked for: the declared keys, under what is ours.
pub fn asked(view: &View) -> SecretDecoration {
    let declared = view.declared.token_secret.clone().unwrap_or_default();
    let (mut labels, annotations) = (declared.labels, declared.annotations);
    labels.insert(
        metadata_keys::WORKSPACE_LABEL.to_owned(),
        view.object.name.clone(),
    );
    labels.insert(
        metadata_keys::MANAGED_BY_LABEL.to_owned(),
        metadata_keys::FIELD_MANAGER.to_owned(),
    );
    labels.insert(metadata_keys::NO_BACKUP_LABEL.to_owned(), "true".to_owned());
    SecretDecoration {
        mark: mark([&labels, &annotations]),
        labels,
        annotations,
    }
}

/// The same in every process of every version.
fn mark(asked: [&BTreeMap<String, String>; 2]) -> u64 {
    let mut hash = Sha256::new();
    for map in asked {
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
    let asked = asked(view);
    let differing = differing(&asked, facts);
    if differing.is_empty() || facts.ownership != Ownership::Ours {
        return State::AsAsked;
    }
    let known = view.memory.decoration.as_ref();
    match known.filter(|known| known.mark == asked.mark) {
        Some(known) if known.corrected == Corrected::Yes || known.differing == differing => {
            State::Contested(differing)
        }
        Some(_) => State::Due,
        // Without our label no watch shows the Secret.
        None if differing.contains_key(&Key::Label(metadata_keys::WORKSPACE_LABEL.to_owned())) => State::Due,
        // An earlier process wrote them. The next renewal writes them again.
        None if facts.decoration_mark == Some(asked.mark) => State::Contested(differing),
        None => State::Due,
    }
}

/// The memory of a write that left the Secret as `now`. `before` is what differed when it was decided on.
pub fn written(view: &View, before: Option<&SecretFacts>, now: &SecretFacts, by: Write) -> LastDecoration {
    let asked = asked(view);
    let last = view.memory.decoration.as_ref();
    let last = last.filter(|last| last.mark == asked.mark);
    let marked = before.is_some_and(|facts| facts.decoration_mark == Some(asked.mark));
    let stood = before.is_none_or(|facts| differing(&asked, facts).is_empty());
    let corrected = match by {
        Write::Correction if last.is_some() || marked => Corrected::Yes,
        // What is declared has changed.
        Write::Correction => Corrected::No,
        // It is written beside the token, not to correct it.
        Write::Token if !stood => last.map_or(Corrected::No, |last| last.corrected),
        Write::Token => Corrected::No,
    };
    LastDecoration {
        mark: asked.mark,
        differing: differing(&asked, now),
        corrected,
    }
}

/// What a write was made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Write {
    Token,
    Correction,
}

fn differing(asked: &SecretDecoration, facts: &SecretFacts) -> Differing {
    let labels = unlike(&asked.labels, &facts.labels, facts.kept);
    let annotations = unlike(&asked.annotations, &facts.annotations, facts.kept);
    let labels = labels.map(|(key, there)| (Key::Label(key), there));
    labels
        .chain(annotations.map(|(key, there)| (Key::Annotation(key), there)))
        .collect()
}

fn unlike<'a>(
    asked: &'a BTreeMap<String, String>,
    there: &'a BTreeMap<String, String>,
    kept: Kept,
) -> impl Iterator<Item = (String, Option<String>)> + use<'a> {
    asked.iter().filter_map(move |(key, value)| match there.get(key) {
        Some(there) if *there == kept_value(value) => None,
        None if kept == Kept::Part => None,
        there => Some((key.clone(), there.cloned())),
    })
}
