//! The queue by examples, and what holds for any order of events.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::share::{DELETIONS_PASSED_OVER, OTHERS_PASSED_OVER};
use super::*;
use crate::domain::testing::cases;

type Object = (&'static str, u32);

fn queue(slots: usize) -> Queue<Object> {
    Queue::new(NonZeroUsize::new(slots).unwrap())
}

fn renewal(expires_at: i64) -> Priority {
    Priority::Renewal {
        expires_at: Timestamp::from_second(expires_at).unwrap(),
    }
}

/// Wakes so many objects of an organization, and takes what may run.
fn begin(
    queue: &mut Queue<Object>,
    organization: &'static str,
    objects: u32,
    priority: Priority,
) -> Vec<Object> {
    for n in 0..objects {
        queue.wake((organization, n), organization, priority, Duration::ZERO);
    }
    taken(queue)
}

fn taken(queue: &mut Queue<Object>) -> Vec<Object> {
    std::iter::from_fn(|| queue.take()).collect()
}

#[test]
fn an_organization_holds_no_more_slots_than_it_leaves_free() {
    let mut queue = queue(64);
    let held =
        ["a", "b", "c", "d", "e", "f", "g"].map(|name| begin(&mut queue, name, 100, Priority::Other).len());
    assert_eq!(held, [32, 16, 8, 4, 2, 1, 1]);
}

#[test]
fn who_waits_for_long_is_named_once_and_after_each_wake() {
    let seconds = Duration::from_secs;
    let named = |queue: &mut Queue<Object>, at| {
        queue
            .impatient(seconds(at))
            .map(|((_, n), since)| (n, since.as_secs()))
    };
    let mut queue = queue(2);
    for n in 0..4 {
        queue.wake(("a", n), "a", Priority::Other, seconds(u64::from(n)));
    }
    assert_eq!(taken(&mut queue), [("a", 0)]);
    queue.wake(("a", 1), "a", Priority::Other, seconds(20));
    assert_eq!(queue.next_impatient(), Some(seconds(6)));
    assert_eq!(named(&mut queue, 5), None);
    assert_eq!(named(&mut queue, 35), Some((1, 1)));
    assert_eq!(named(&mut queue, 35), Some((2, 2)));
    assert_eq!(named(&mut queue, 35), Some((3, 3)));
    assert_eq!(named(&mut queue, 900), None);
    queue.name_again(&("a", 2), seconds(950));
    queue.wake(("a", 3), "a", Priority::Other, seconds(900));
    assert_eq!(named(&mut queue, 940), Some((3, 3)));
    assert_eq!(named(&mut queue, 940), None);
    assert_eq!(named(&mut queue, 1000), Some((2, 2)));
    queue.done(&("a", 0));
    queue.wake(("a", 1), "a", Priority::Other, seconds(1000));
    assert_eq!(taken(&mut queue), [("a", 1)]);
    assert_eq!(queue.next_impatient(), None, "it has its slot");
}

/// A thousand objects whose every call takes its whole timeout, and twenty healthy ones.
/// Promise: I9
#[test]
fn beside_one_that_hangs_the_renewals_of_another_begin_at_once() {
    let mut queue = queue(64);
    assert_eq!(begin(&mut queue, "hangs", 10_000, renewal(0)).len(), 32);
    assert_eq!(begin(&mut queue, "healthy", 20, renewal(500)).len(), 16);
    for n in 0..20 {
        let before = queue.running.len();
        queue.done(&("healthy", n));
        let next = queue.take();
        assert!(
            next.is_none_or(|(organization, _)| organization == "healthy"),
            "{next:?}"
        );
        assert!(queue.running.len() <= before);
    }
    assert_eq!(queue.waiting.len(), 10_000 - 32, "all healthy ones have run");
}

#[test]
fn a_process_with_one_slot_serves_organizations_in_turns() {
    let mut queue = queue(1);
    let mut order = begin(&mut queue, "a", 3, Priority::Deletion);
    for n in 0..3 {
        queue.wake(("b", n), "b", renewal(0), Duration::ZERO);
    }
    while let Some(last) = order.last() {
        queue.done(last);
        let Some(next) = queue.take() else { break };
        order.push(next);
    }
    let names: Vec<_> = order.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["a", "b", "a", "b", "a", "b"]);
}

#[test]
fn deletions_leave_half_of_the_slots_and_of_theirs_to_others() {
    let mut queue = queue(64);
    assert_eq!(begin(&mut queue, "a", 100, Priority::Deletion).len(), 16);
    assert_eq!(begin(&mut queue, "b", 100, Priority::Deletion).len(), 8);
    for n in 1000..1100 {
        queue.wake(("a", n), "a", renewal(0), Duration::ZERO);
    }
    assert_eq!(
        taken(&mut queue).len(),
        12,
        "28 of 64 are its own then, and 28 are free"
    );
}

#[test]
fn an_object_woken_while_it_runs_runs_again_after() {
    let mut queue = queue(8);
    queue.wake(("a", 1), "a", Priority::Other, Duration::ZERO);
    assert_eq!(taken(&mut queue), [("a", 1)]);
    queue.wake(("a", 1), "a", Priority::Other, Duration::ZERO);
    queue.wake(("a", 1), "a", Priority::Deletion, Duration::ZERO);
    assert_eq!(taken(&mut queue), []);
    queue.done(&("a", 1));
    assert_eq!(queue.waiting[&("a", 1)].priority, Priority::Deletion);
    assert_eq!(taken(&mut queue), [("a", 1)]);
    queue.done(&("a", 1));
    assert_eq!(taken(&mut queue), []);
}

#[test]
fn a_woken_object_keeps_its_place_and_the_more_urgent_priority() {
    let mut queue = queue(1);
    for (n, priority) in [
        (1, Priority::Other),
        (2, Priority::Other),
        (3, renewal(9)),
        (2, renewal(5)),
        (3, Priority::Other),
        (1, Priority::Other),
    ] {
        queue.wake(("a", n), "a", priority, Duration::ZERO);
    }
    let mut order = Vec::new();
    while let Some(next) = queue.take() {
        queue.done(&next);
        order.push(next.1);
    }
    assert_eq!(order, [2, 3, 1]);
}

#[test]
fn organizations_without_work_are_forgotten_however_many() {
    let mut queue = Queue::new(NonZeroUsize::MIN);
    for n in 0..1000_u32 {
        queue.wake(n, &format!("made-up-{n}"), Priority::Other, Duration::ZERO);
    }
    while let Some(next) = queue.take() {
        queue.done(&next);
    }
    assert!(queue.shares.is_empty() && queue.waiting.is_empty());
    assert!(queue.with_work.is_empty() && queue.with_deletions.is_empty());
}

#[derive(Clone, Debug)]
enum Event {
    Wake(u32, Priority),
    Take,
    /// One of those that run.
    Done(usize),
}

const ORGANIZATIONS: [&str; 4] = ["a", "b", "c", "d"];

fn organization(object: u32) -> &'static str {
    ORGANIZATIONS[object as usize % ORGANIZATIONS.len()]
}

fn event() -> impl Strategy<Value = Event> {
    let priority = prop_oneof![
        (0i64..20).prop_map(renewal),
        Just(Priority::Other),
        Just(Priority::Deletion)
    ];
    prop_oneof![
        4 => (0u32..60, priority).prop_map(|(object, priority)| Event::Wake(object, priority)),
        4 => Just(Event::Take),
        2 => (0usize..64).prop_map(Event::Done),
    ]
}

/// What a careful reader of the events would know.
#[derive(Default)]
struct Model {
    waiting: BTreeMap<u32, Priority>,
    running: BTreeMap<u32, (Priority, Option<Priority>)>,
    /// By organization: how many were begun in a row while one of this class waited.
    passed_over: BTreeMap<(&'static str, bool), u32>,
}

impl Model {
    fn held(&self, name: &str) -> usize {
        self.running
            .keys()
            .filter(|object| organization(**object) == name)
            .count()
    }

    fn deletions(&self, name: &str) -> usize {
        let deletes = |(object, (priority, _)): &(&u32, &(Priority, _))| {
            *priority == Priority::Deletion && organization(**object) == name
        };
        self.running.iter().filter(deletes).count()
    }

    fn all_deletions(&self) -> usize {
        ORGANIZATIONS.iter().map(|name| self.deletions(name)).sum()
    }

    fn is_due(&self, name: &str, which: impl Fn(Priority) -> bool) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|(object, priority)| organization(*object) == name && which(*priority))
    }

    fn taken(&mut self, object: u32, slots: usize) -> Result<(), TestCaseError> {
        let name = organization(object);
        let priority = self.waiting.remove(&object);
        prop_assert!(priority.is_some(), "{object} did not wait");
        let priority = priority.unwrap();
        prop_assert!(
            self.running.insert(object, (priority, None)).is_none(),
            "{object} ran already"
        );
        let free = slots - self.running.len();
        let held = self.held(name);
        prop_assert!(held == 1 || held <= free, "{name} holds {held} and leaves {free}");
        let deletions = self.all_deletions();
        prop_assert!(
            deletions <= (slots / 2).max(1),
            "{deletions} deletions of {slots}"
        );
        if let Priority::Renewal { expires_at } = priority {
            let earlier =
                |priority| matches!(priority, Priority::Renewal { expires_at: other } if other < expires_at);
            prop_assert!(!self.is_due(name, earlier), "an earlier expiry waits");
        }
        for (deletion, most) in [
            (false, OTHERS_PASSED_OVER),
            (true, DELETIONS_PASSED_OVER + OTHERS_PASSED_OVER),
        ] {
            let class = if deletion {
                Priority::Deletion
            } else {
                Priority::Other
            };
            let held = deletion && deletions * 2 >= slots.max(2) - 1;
            let waits = self.is_due(name, |priority| priority == class) && priority != class && !held;
            let passed_over = self.passed_over.entry((name, deletion)).or_default();
            *passed_over = if waits { *passed_over + 1 } else { 0 };
            prop_assert!(
                deletion || *passed_over <= most + 1,
                "{name}: {class:?} was passed over {passed_over} times"
            );
        }
        Ok(())
    }

    /// No slot stays free of which an organization that waits has its share.
    fn nothing_may_run(&self, slots: usize) -> Result<(), TestCaseError> {
        let free = slots - self.running.len();
        let (all, most) = (self.all_deletions(), (slots / 2).max(1));
        for name in ORGANIZATIONS {
            let fits = has_share(self.held(name), free);
            let works = self.is_due(name, |priority| priority != Priority::Deletion);
            prop_assert!(!(fits && works), "{name} waits beside {free} free slots");
            let deletes = self.is_due(name, |priority| priority == Priority::Deletion);
            let fits = fits && has_share(self.deletions(name), most - all);
            prop_assert!(
                !(fits && deletes),
                "a deletion of {name} waits beside {free} free slots"
            );
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn whatever_happens_slots_are_shared_by_the_laws(
        slots in 1usize..20, events in prop::collection::vec(event(), 1..400),
    ) {
        let mut queue = Queue::new(NonZeroUsize::new(slots).unwrap());
        let mut model = Model::default();
        for event in events {
            match event {
                Event::Wake(object, priority) => {
                    queue.wake(object, organization(object), priority, Duration::ZERO);
                    match model.running.get_mut(&object) {
                        Some((_, again)) => *again = Some(again.map_or(priority, |before| before.and(priority))),
                        None => {
                            let known = model.waiting.entry(object).or_insert(priority);
                            *known = known.and(priority);
                        }
                    }
                }
                Event::Take => match queue.take() {
                    Some(object) => model.taken(object, slots)?,
                    None => model.nothing_may_run(slots)?,
                },
                Event::Done(n) => {
                    let running: Vec<_> = model.running.keys().copied().collect();
                    let Some(object) = running.get(n % running.len().max(1)) else { continue };
                    queue.done(object);
                    if let Some((_, Some(again))) = model.running.remove(object) {
                        model.waiting.insert(*object, again);
                    }
                }
            }
            prop_assert_eq!(queue.waiting(), model.waiting.len());
            prop_assert_eq!(queue.impatient.len(), model.waiting.len(), "each is named in time");
            prop_assert_eq!(queue.running.len(), model.running.len());
        }
        let mut left: BTreeSet<_> = model.waiting.keys().copied().collect();
        for object in model.running.keys() {
            queue.done(object);
            left.extend(model.running[object].1.map(|_| *object));
        }
        while let Some(object) = queue.take() {
            prop_assert!(left.remove(&object));
            queue.done(&object);
        }
        prop_assert!(left.is_empty(), "never taken: {:?}", left);
        prop_assert!(queue.shares.is_empty() && queue.impatient.is_empty());
    }

    /// Renewals and creations come without end, and the deletions of the beginning go all the same.
    #[test]
    fn each_class_moves_under_constant_load_of_the_others(deletions in 1u32..8, others in 1u32..8) {
        let mut queue = Queue::new(NonZeroUsize::new(2).unwrap());
        for n in 0..deletions {
            queue.wake((2, n), "a", Priority::Deletion, Duration::ZERO);
        }
        for n in 0..others {
            queue.wake((1, n), "a", Priority::Other, Duration::ZERO);
        }
        let mut gone = 0;
        for n in 0..(deletions + 1) * (DELETIONS_PASSED_OVER + 1) + others {
            queue.wake((0, n), "a", renewal(i64::from(n)), Duration::ZERO);
            let (class, _) = queue.take().unwrap();
            let object = *queue.running.keys().next().unwrap();
            queue.done(&object);
            gone += u32::from(class != 0);
        }
        prop_assert_eq!(gone, deletions + others);
    }
}
