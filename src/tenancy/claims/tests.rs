//! The claims table against a slow model of it, and the stories that a reader learns from.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::domain::ids::WorkspaceName;
use crate::tenancy::canonical;

fn organization() -> OrganizationId {
    OrganizationId::from("organization")
}

fn name(text: &str) -> ClaimKey {
    ClaimKey::Name(organization(), canonical(&WorkspaceName::from(text)))
}

fn object(uid: &str, created: i64) -> Claimant {
    Claimant {
        uid: Uid::from(uid),
        namespace: format!("namespace-of-{uid}"),
        name: "workspace".to_owned(),
        created: Timestamp::from_second(created).unwrap(),
    }
}

fn claim(text: &str, basis: Basis) -> BTreeMap<ClaimKey, Basis> {
    BTreeMap::from([(name(text), basis)])
}

fn wins(claims: &Claims, text: &str) -> Option<String> {
    claims
        .winner(&name(text))
        .map(|claimant| claimant.uid.to_string())
}

/// Promise: rule.claims: Claims: recorded, intended, oldest, uid; canonical names; a running reconcile loses nothing
#[test]
fn a_record_beats_a_creation_beats_a_wish_beats_age() {
    let mut claims = Claims::default();
    claims.observe(&object("a-new", 5), claim("acme", Basis::Desired));
    claims.observe(&object("b-old", 1), claim("acme", Basis::Desired));
    assert_eq!(wins(&claims, "acme").as_deref(), Some("b-old"));
    claims.observe(&object("a-old", 1), claim("acme", Basis::Desired));
    assert_eq!(
        wins(&claims, "acme").as_deref(),
        Some("a-old"),
        "the same age: by uid"
    );
    claims.observe(&object("young", 9), claim("acme", Basis::Creating));
    assert_eq!(wins(&claims, "acme").as_deref(), Some("young"));
    claims.observe(&object("youngest", 10), claim("acme", Basis::Recorded));
    assert_eq!(wins(&claims, "acme").as_deref(), Some("youngest"));
    let waiting: Vec<_> = claims
        .waiting_for(&name("acme"))
        .map(|c| c.uid.to_string())
        .collect();
    assert_eq!(waiting, ["young", "a-old", "b-old", "a-new"]);
    assert_eq!(claims.losers(&organization()), 4);
}

#[test]
fn names_that_differ_by_case_space_or_composition_are_one_claim() {
    let mut claims = Claims::default();
    claims.take(&object("first", 2), claim("Caf\u{e9}", Basis::Desired));
    let claim_result = claims.take(&object("second", 1), claim(" CAFE\u{301} ", Basis::Recorded));
    assert_eq!(claim_result.lost[&name("café")].uid, Uid::from("first"));
    assert!(!claim_result.holds(&name("café")));
}

/// Promise: rule.claims
#[test]
fn no_event_takes_away_what_a_running_reconcile_holds() {
    let mut claims = Claims::default();
    let (first, second) = (object("first", 2), object("second", 1));
    claims.observe(&first, claim("acme", Basis::Desired));
    assert!(claims.take(&first, claim("acme", Basis::Desired)).lost.is_empty());
    assert!(claims.observe(&second, claim("acme", Basis::Recorded)).is_empty());
    assert!(claims.observe(&first, BTreeMap::new()).is_empty());
    assert_eq!(wins(&claims, "acme").as_deref(), Some("first"));
    let woken = claims.release(&first, claim("acme", Basis::Desired));
    assert_eq!(
        woken,
        [second],
        "the record comes first as soon as the reconcile is over"
    );
}

#[test]
fn a_waiting_object_is_told_when_the_key_becomes_free() {
    let mut claims = Claims::default();
    let (first, second, third) = (object("first", 1), object("second", 2), object("third", 3));
    for each in [&third, &second, &first] {
        claims.observe(each, claim("acme", Basis::Desired));
    }
    assert_eq!(claims.forget(&first.uid), vec![second.clone()]);
    let woken = claims.observe(&second, claim("other", Basis::Desired));
    assert_eq!(woken, vec![third.clone()]);
    assert!(claims.forget(&second.uid).is_empty());
    assert!(claims.forget(&third.uid).is_empty());
    assert_eq!(wins(&claims, "acme"), None);
}

#[test]
fn a_claim_given_up_wakes_the_waiting_when_the_reconcile_ends() {
    let mut claims = Claims::default();
    let (first, second) = (object("first", 1), object("second", 2));
    claims.observe(&first, BTreeMap::new());
    claims.take(&first, claim("acme", Basis::Desired));
    claims.observe(&second, claim("acme", Basis::Desired));
    claims.take(&first, claim("other", Basis::Desired));
    assert_eq!(wins(&claims, "acme").as_deref(), Some("second"));
    assert_eq!(claims.release(&first, claim("other", Basis::Recorded)), [second]);
}

#[test]
fn a_reconcile_that_outlives_its_object_leaves_no_claim() {
    let mut claims = Claims::default();
    let (gone, other) = (object("gone", 1), object("other", 2));
    claims.observe(&gone, claim("acme", Basis::Recorded));
    claims.observe(&other, claim("acme", Basis::Desired));
    claims.take(&gone, claim("acme", Basis::Recorded));
    assert_eq!(claims.forget(&gone.uid), vec![other.clone()]);
    claims.take(&gone, claim("acme", Basis::Recorded));
    assert_eq!(claims.release(&gone, claim("acme", Basis::Recorded)), [other]);
    assert_eq!(wins(&claims, "acme").as_deref(), Some("other"));
    assert_eq!(claims.losers(&organization()), 0);
}

#[test]
fn a_winner_is_told_even_if_the_loser_goes_before_it_ends() {
    let mut claims = Claims::default();
    let (first, second) = (object("first", 1), object("second", 2));
    claims.observe(&first, BTreeMap::new());
    claims.take(&first, claim("acme", Basis::Desired));
    claims.observe(&second, claim("acme", Basis::Desired));
    claims.take(&first, claim("other", Basis::Desired));
    assert_eq!(claims.forget(&first.uid), [second]);
}

#[test]
fn nothing_remains_of_objects_that_are_gone() {
    let mut claims = Claims::default();
    for uid in ["a", "b", "c"] {
        claims.observe(&object(uid, 1), claim("acme", Basis::Desired));
        claims.take(&object(uid, 1), claim("acme", Basis::Desired));
    }
    for uid in ["a", "b", "c"] {
        claims.forget(&Uid::from(uid));
    }
    assert!(claims.ranks.is_empty() && claims.objects.is_empty() && claims.lost.is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Observe(usize, BTreeMap<ClaimKey, Basis>),
    Take(usize, BTreeMap<ClaimKey, Basis>),
    Release(usize, BTreeMap<ClaimKey, Basis>),
    Forget(usize),
}

const OBJECTS: usize = 4;

fn nth(index: usize) -> Claimant {
    object(&format!("uid-{index}"), [3, 1, 2, 1][index])
}

fn wanted() -> impl Strategy<Value = BTreeMap<ClaimKey, Basis>> {
    let key = prop_oneof![
        Just(name("a")),
        Just(name("b")),
        Just(ClaimKey::Id(organization(), WorkspaceId::from("1"))),
        Just(ClaimKey::Id(
            OrganizationId::from("elsewhere"),
            WorkspaceId::from("1")
        )),
    ];
    let basis = prop_oneof![Just(Basis::Recorded), Just(Basis::Creating), Just(Basis::Desired)];
    prop::collection::btree_map(key, basis, 0..4)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..OBJECTS, wanted()).prop_map(|(who, facts)| Step::Observe(who, facts)),
        (0..OBJECTS, wanted()).prop_map(|(who, wanted)| Step::Take(who, wanted)),
        (0..OBJECTS, wanted()).prop_map(|(who, facts)| Step::Release(who, facts)),
        (0..OBJECTS).prop_map(Step::Forget),
    ]
}

/// Who wins what, by uid.
fn winners(claims: &Claims) -> BTreeMap<ClaimKey, Uid> {
    claims
        .ranks
        .keys()
        .map(|key| (key.clone(), claims.winner(key).unwrap().uid.clone()))
        .collect()
}

fn losers_counted_afresh(claims: &Claims, of: &OrganizationId) -> usize {
    let keys = claims.ranks.keys().filter(|key| {
        let (ClaimKey::Name(organization, _) | ClaimKey::Id(organization, _)) = key;
        organization == of
    });
    keys.flat_map(|key| claims.waiting_for(key))
        .map(|loser| &loser.uid)
        .collect::<BTreeSet<_>>()
        .len()
}

proptest! {
    #[test]
    fn a_hold_ends_with_its_reconcile_and_no_sooner(steps in prop::collection::vec(step(), 1..40)) {
        let mut claims = Claims::default();
        let mut holds: BTreeMap<ClaimKey, Uid> = BTreeMap::new();
        for step in steps {
            let before = winners(&claims);
            let (actor, woken) = match step {
                Step::Observe(who, facts) => (nth(who).uid, claims.observe(&nth(who), facts)),
                Step::Take(who, wanted) => {
                    let claim_result = claims.take(&nth(who), wanted.clone());
                    let kept = holds.iter().filter(|(key, holder)| **holder == nth(who).uid && wanted.contains_key(key));
                    for (key, _) in kept {
                        prop_assert!(claim_result.holds(key), "lost by its own reconcile");
                    }
                    holds.retain(|_, holder| *holder != nth(who).uid);
                    for key in wanted.keys() {
                        match claim_result.lost.get(key) {
                            Some(winner) => prop_assert_eq!(Some(winner), claims.winner(key)),
                            None => prop_assert!(holds.insert(key.clone(), nth(who).uid).is_none(), "held twice"),
                        }
                    }
                    (nth(who).uid, Vec::new())
                }
                Step::Release(who, facts) => {
                    holds.retain(|_, holder| *holder != nth(who).uid);
                    (nth(who).uid, claims.release(&nth(who), facts))
                }
                Step::Forget(who) => {
                    holds.retain(|_, holder| *holder != nth(who).uid);
                    (nth(who).uid, claims.forget(&nth(who).uid))
                }
            };
            for (key, holder) in &holds {
                prop_assert_eq!(claims.winner(key).map(|winner| &winner.uid), Some(holder));
            }
            let running = claims.objects.get(&actor).is_some_and(|object| !object.to_wake.is_empty());
            for (key, winner) in winners(&claims) {
                let risen = before.get(&key).is_some_and(|was| *was != winner) && winner != actor;
                let told = woken.iter().any(|claimant| claimant.uid == winner);
                prop_assert!(!risen || told || running, "{:?} was not told of {:?}", winner, key);
            }
            for of in [organization(), OrganizationId::from("elsewhere")] {
                prop_assert_eq!(claims.losers(&of), losers_counted_afresh(&claims, &of));
            }
        }
    }

    #[test]
    fn the_winner_does_not_depend_on_the_order_of_observations(
        facts in prop::collection::vec(wanted(), OBJECTS),
        order in Just((0..OBJECTS).collect::<Vec<_>>()).prop_shuffle(),
        detour in wanted(),
    ) {
        let mut straight = Claims::default();
        for (who, facts) in facts.iter().enumerate() {
            straight.observe(&nth(who), facts.clone());
        }
        let mut shuffled = Claims::default();
        shuffled.observe(&nth(order[0]), detour);
        for &who in &order {
            shuffled.observe(&nth(who), facts[who].clone());
        }
        prop_assert_eq!(winners(&straight), winners(&shuffled));
    }
}

/// Both wait for the other, and neither message would lead out.
#[test]
fn two_that_want_each_others_name_are_told_so() {
    let both = |has: &str, wants: &str| {
        let mut claims = claim(has, Basis::Recorded);
        claims.extend(claim(wants, Basis::Desired));
        claims
    };
    let mut claims = Claims::default();
    claims.observe(&object("second", 2), both("zenith", "acme"));
    let swapped = claims.take(&object("first", 1), both("acme", "zenith"));
    assert_eq!(swapped.exchanged, BTreeSet::from([name("zenith")]));
    let mut claims = Claims::default();
    claims.observe(&object("second", 2), both("zenith", "nadir"));
    let lost = claims.take(&object("first", 1), both("acme", "zenith"));
    assert_eq!(lost.lost.keys().collect::<Vec<_>>(), [&name("zenith")]);
    assert!(lost.exchanged.is_empty(), "the other wants another name");
    let id = ClaimKey::Id(organization(), "ws-1".into());
    let mut claims = Claims::default();
    claims.observe(&object("second", 2), claim("zenith", Basis::Recorded));
    claims.observe(&object("second", 2), {
        let mut facts = claim("zenith", Basis::Recorded);
        facts.insert(id.clone(), Basis::Desired);
        facts
    });
    let mut wanted = claim("zenith", Basis::Desired);
    wanted.insert(id, Basis::Recorded);
    let lost = claims.take(&object("first", 1), wanted);
    assert!(lost.exchanged.is_empty(), "an id is no name to exchange");
}
