//! When the labels and annotations of a token Secret are corrected, and when they are left alone.

use crate::crd::metadata_keys::WORKSPACE_LABEL;
use crate::crd::workspace::TokenSecret;
use crate::lifecycle::facts::{Kept, Key, Ownership, SecretFacts};
use crate::lifecycle::judge::decoration::{self, State, Write};
use crate::lifecycle::memory::{Corrected, LastDecoration};
use crate::lifecycle::tests::harness::world::World;
use crate::lifecycle::view::View;

/// A process that knows nothing of the Secret, which has the declared label `tier`.
fn labelled() -> (View, SecretFacts) {
    let mut world = World::with_acme();
    world.edit("acme", |o| {
        o.spec.token_secret = Some(TokenSecret {
            labels: [("tier".to_owned(), "gold".to_owned())].into(),
            ..TokenSecret::default()
        });
    });
    world.reconcile("acme").unwrap();
    let mut view = world.view("acme");
    view.memory.decoration = None;
    let facts = view.secrets.target.clone().unwrap();
    (view, facts)
}

fn without(facts: &SecretFacts, label: &str) -> SecretFacts {
    let mut facts = facts.clone();
    facts.labels.remove(label).unwrap();
    facts
}

/// A Secret that an earlier version wrote is not written again for its mark.
#[test]
fn the_mark_is_the_same_in_every_version() {
    assert_eq!(decoration::asked(&labelled().0).mark, MARK);
}

const MARK: u64 = 671_904_432_826_912_592;

#[test]
fn a_secret_as_asked_or_of_others_is_left_as_it_is() {
    let (view, facts) = labelled();
    assert_eq!(decoration::state(&view, &facts), State::AsAsked);
    let bare = without(&facts, "tier");
    let foreign = SecretFacts {
        ownership: Ownership::Foreign,
        ..bare.clone()
    };
    assert_eq!(decoration::state(&view, &foreign), State::AsAsked);
    let partly_known = SecretFacts {
        kept: Kept::Part,
        ..bare
    };
    assert_eq!(decoration::state(&view, &partly_known), State::AsAsked);
}

/// A process before this one wrote it, as its mark tells. Without our label no watch shows it.
#[test]
fn what_an_earlier_process_wrote_is_contested_but_for_our_label() {
    let (view, facts) = labelled();
    let unmarked = |facts| SecretFacts {
        decoration_mark: None,
        ..facts
    };
    assert!(matches!(
        decoration::state(&view, &without(&facts, "tier")),
        State::Contested(_)
    ));
    let due = [
        without(&facts, WORKSPACE_LABEL),
        unmarked(without(&facts, "tier")),
        unmarked(without(&facts, WORKSPACE_LABEL)),
    ];
    for facts in due {
        assert_eq!(decoration::state(&view, &facts), State::Due);
    }
}

/// What differs is what differed after our last write, or that write was a correction.
#[test]
fn what_comes_back_after_our_own_write_is_contested() {
    let (mut view, facts) = labelled();
    let tier = Key::Label("tier".to_owned());
    for (differed, corrected, of_this, contested) in [
        (false, Corrected::No, true, false),
        (false, Corrected::Yes, true, true),
        (true, Corrected::No, true, true),
        (true, Corrected::Yes, true, true),
        (true, Corrected::Yes, false, false),
    ] {
        let asked = decoration::asked(&view).mark;
        view.memory.decoration = Some(LastDecoration {
            mark: if of_this { asked } else { asked ^ 1 },
            differing: [(tier.clone(), None)].into_iter().filter(|_| differed).collect(),
            corrected,
        });
        let bare = SecretFacts {
            decoration_mark: None,
            ..without(&facts, "tier")
        };
        let state = decoration::state(&view, &bare);
        assert_eq!(
            matches!(state, State::Contested(_)),
            contested,
            "{differed} {corrected:?} {of_this}"
        );
    }
}

/// A correction is one of what was written before. A token is written whatever its labels: it ends no contest.
#[test]
fn only_a_write_after_a_write_is_a_correction() {
    use Corrected::{No, Yes};
    for (by, last, marked, stood, expected) in [
        (Write::Correction, None, false, false, No),
        (Write::Correction, None, true, false, Yes),
        (Write::Correction, Some(No), false, false, Yes),
        (Write::Correction, Some(Yes), true, false, Yes),
        (Write::Token, None, true, false, No),
        (Write::Token, Some(Yes), true, false, Yes),
        (Write::Token, Some(No), true, false, No),
        (Write::Token, Some(Yes), true, true, No),
    ] {
        let (mut view, facts) = labelled();
        let mark = decoration::asked(&view).mark;
        view.memory.decoration = last.map(|corrected| LastDecoration {
            mark,
            differing: Default::default(),
            corrected,
        });
        let before = SecretFacts {
            decoration_mark: marked.then_some(mark),
            ..if stood {
                facts.clone()
            } else {
                without(&facts, "tier")
            }
        };
        let written = decoration::written(&view, Some(&before), &facts, by);
        assert_eq!(written.corrected, expected, "{by:?} {last:?} {marked} {stood}");
    }
}
