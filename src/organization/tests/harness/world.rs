//! A world of plain values: an Organization with its Secret, an Agent Engine that answers as told, and a clock that only
//! moves when told. It performs effects and keeps a journal; all decisions are the reconcile's.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::crd::conditions::READY;
use crate::crd::organization::{OrganizationSpec, OrganizationStatus};
use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::object::{Deletion, Finalizer};
use crate::domain::operators::Operators;
use crate::domain::remote::{FailureClass, RemoteWorkspace};
use crate::domain::time::{Uptime, later, shifted};
use crate::limits::RateLimiter;
use crate::organization::effect::{Effect, EngineCall, Part, Wake};
use crate::organization::facts::ObjectFacts;
use crate::organization::judge::credential::is_accepted;
use crate::organization::judge::rest::rest;
use crate::organization::judge::verification::{Owner, owner};
use crate::organization::progress::Progress;
use crate::organization::tests::harness::given::{ours, record, row, spec};
use crate::organization::wakeups::Wakeup;
use crate::organization::{Managed, Memory, Next, NoClient, Published, Reconcile, Settled, Snapshot, View};
use crate::tenancy::Claims;

/// What an exchange comes to, with the organization that the answer names.
pub(in crate::organization::tests) type Exchange = Result<Option<OrganizationId>, FailureClass>;

pub(in crate::organization::tests) struct World {
    pub now: Timestamp,
    /// By the wall clock of now.
    pub process_began: Timestamp,
    /// How far the server's clock is ahead of ours.
    pub server_ahead: SignedDuration,
    /// The clock is set once, by so much, after an effect of this kind.
    pub clock_is_set: Option<(&'static str, SignedDuration)>,
    pub operators: Operators,
    /// How long each call takes.
    pub latency: Duration,
    pub object: ObjectFacts,
    pub spec: OrganizationSpec,
    pub status: OrganizationStatus,
    /// The credential Secret's version, where there is one.
    pub secret: Option<u32>,
    /// Its keys, by a number.
    pub keys: u32,
    pub readable: Result<(), NoClient>,
    /// Of a client that names the declared or verified organization, if one is.
    pub exchange: Exchange,
    pub exchange_unnamed: Exchange,
    /// The organization's workspaces, or how a list fails.
    pub rows: Result<Vec<RemoteWorkspace>, FailureClass>,
    pub page_size: usize,
    /// How many requests each page takes.
    pub requests: u32,
    pub writes_fail: bool,
    pub records: Vec<Managed>,
    /// Of how many of them the store does not know before this instant.
    pub behind: (usize, Option<Timestamp>),
    pub users: usize,
    pub wanted_at: Option<Uptime>,
    pub published: Published,
    pub snapshot: Option<Arc<Snapshot>>,
    pub limiter: RateLimiter,
    pub memory: Memory,
    journal: Vec<(Timestamp, &'static str)>,
    rules: Vec<&'static str>,
    /// When the reconcile after the last one is due, and why.
    pub requeue: Option<Wakeup>,
    pub(super) wakes: Vec<Wake>,
    events: Vec<&'static str>,
    pub cursor: usize,
    /// Pages after which lists fail, or after which another reconcile is told to slow down.
    pub fails_after: Option<usize>,
    pub others_throttled: Option<(usize, Duration)>,
}

impl World {
    /// An Organization as a person has just applied it, and an Agent Engine that is well.
    pub(in crate::organization::tests) fn new() -> Self {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        Self {
            now,
            process_began: now,
            server_ahead: SignedDuration::ZERO,
            clock_is_set: None,
            operators: Operators::only("home/operator".into()),
            latency: Duration::from_millis(50),
            object: ObjectFacts {
                uid: Uid::from("organization"),
                generation: 1,
                deletion: Deletion::NotRequested,
                finalizer: Finalizer::Present,
                reconcile_at: None,
                confirm_missing: None,
            },
            spec: spec(),
            status: OrganizationStatus::default(),
            secret: Some(1),
            keys: 1,
            readable: Ok(()),
            exchange: Ok(Some(ours())),
            exchange_unnamed: Ok(Some(ours())),
            rows: Ok(Vec::new()),
            page_size: 100,
            requests: 1,
            writes_fail: false,
            records: Vec::new(),
            behind: (0, None),
            users: 0,
            wanted_at: None,
            published: Published::default(),
            snapshot: None,
            limiter: RateLimiter::default(),
            memory: Memory::default(),
            journal: Vec::new(),
            rules: Vec::new(),
            requeue: None,
            wakes: Vec::new(),
            events: Vec::new(),
            cursor: 0,
            fails_after: None,
            others_throttled: None,
        }
    }

    /// The same a reconcile later: verified, and listed.
    pub(in crate::organization::tests) fn verified() -> Self {
        let mut world = Self::new();
        world.reconcile();
        assert_eq!(world.reason(), "Verified");
        world.forget()
    }

    /// With so many workspaces, each recorded by an object.
    pub(in crate::organization::tests) fn with_workspaces(count: usize) -> Self {
        let mut world = Self::new();
        world.rows = Ok((0..count).map(row).collect());
        world.records = (0..count).map(record).collect();
        world.users = count;
        world.reconcile();
        world.forget()
    }

    /// What was done, who was woken and what was told until now is of no interest.
    fn forget(mut self) -> Self {
        (self.journal, self.rules) = Default::default();
        (self.wakes, self.events) = Default::default();
        self
    }

    /// One reconcile, to its end. Returns when the next one is due.
    pub(in crate::organization::tests) fn reconcile(&mut self) -> Timestamp {
        let mut reconcile = Reconcile::new(self.view());
        let claims = Claims::default();
        let mut outcome = None;
        for _ in 0..5000 {
            reconcile.keep_time(self.process_began);
            match reconcile.next(self.now, &claims, &mut self.limiter, outcome.take()) {
                Next::Wait(at) => {
                    assert!(at > self.now, "a wait that is over");
                    self.now = at;
                }
                Next::Perform { rule, effect } => {
                    self.rules.push(rule);
                    is_lawful(reconcile.view(), &effect);
                    let kind = effect.kind();
                    self.journal.push((self.now, kind));
                    outcome = Some(self.perform(effect));
                    self.clock_may_be_set(kind);
                }
                Next::Settled(settled) => return self.settle(*settled),
            }
        }
        panic!("the reconcile turns in circles: {:?}", self.done());
    }

    /// What reconciles over Workspaces go by at the first effect of this kind of a reconcile that is broken off there.
    pub(in crate::organization::tests) fn until(&mut self, kind: &str) -> Published {
        let mut reconcile = Reconcile::new(self.view());
        let claims = Claims::default();
        let mut outcome = None;
        for _ in 0..100 {
            match reconcile.next(self.now, &claims, &mut self.limiter, outcome.take()) {
                Next::Wait(at) => self.now = at,
                Next::Perform { effect, .. } if effect.kind() == kind => return self.published.clone(),
                Next::Perform { effect, .. } => outcome = Some(self.perform(effect)),
                Next::Settled(_) => break,
            }
        }
        panic!("no {kind} was asked for");
    }

    /// Makes reconciles when they are due, for so long.
    pub(in crate::organization::tests) fn live(&mut self, during: Duration) {
        let end = later(self.now, during);
        loop {
            let next = self.reconcile();
            assert!(
                next > self.now,
                "the next reconcile is due at once: {:?}",
                self.journal.last()
            );
            if next > end {
                self.now = self.now.max(end);
                return;
            }
            self.now = next;
        }
    }

    pub(in crate::organization::tests) fn advance(&mut self, time: Duration) {
        self.now = later(self.now, time);
    }

    /// The effects since this was asked last.
    pub(in crate::organization::tests) fn done(&mut self) -> Vec<&'static str> {
        self.journal_since().into_iter().map(|(_, kind)| kind).collect()
    }

    pub(in crate::organization::tests) fn journal_since(&mut self) -> Vec<(Timestamp, &'static str)> {
        std::mem::take(&mut self.journal)
    }

    /// The rules that named the effects, and the ends of reconciles, since this was asked last.
    pub(in crate::organization::tests) fn rules(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.rules)
    }

    /// Calls to Agent Engine among the effects since this was asked last.
    pub(in crate::organization::tests) fn calls(&mut self) -> Vec<&'static str> {
        let mut kinds = self.done();
        kinds.retain(|kind| matches!(*kind, "Exchange" | "ExchangeUnnamed" | "List"));
        kinds
    }

    /// Who was woken since this was asked last.
    pub(in crate::organization::tests) fn woken(&mut self) -> Vec<Wake> {
        let mut wakes = std::mem::take(&mut self.wakes);
        wakes.retain(|wake| *wake != Wake::Nobody);
        wakes
    }

    pub(in crate::organization::tests) fn events(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.events)
    }

    /// The Ready reason as stored.
    pub(in crate::organization::tests) fn reason(&self) -> &str {
        let ready = self.status.conditions.iter().find(|c| c.type_ == READY);
        ready.map_or("", |condition| &condition.reason)
    }

    pub(in crate::organization::tests) fn message(&self) -> &str {
        let ready = self.status.conditions.iter().find(|c| c.type_ == READY);
        ready.map_or("", |condition| &condition.message)
    }

    /// A Secret of another version: the credential was rotated.
    pub(in crate::organization::tests) fn rotate(&mut self) {
        self.keys += 1;
        self.secret = Some(self.secret.unwrap_or_default() + 1);
    }

    /// The same keys in a Secret of another version: a tool has touched its labels.
    pub(in crate::organization::tests) fn touch(&mut self) {
        self.secret = Some(self.secret.unwrap_or_default() + 1);
    }

    /// Lists fail from the page after so many on.
    pub(in crate::organization::tests) fn requests_fail_after(&mut self, pages: usize) {
        self.fails_after = Some(pages);
    }

    /// Once, after so many pages, another reconcile is told to slow down for so long.
    pub(in crate::organization::tests) fn throttled_by_others_after(
        &mut self,
        pages: usize,
        pause: Duration,
    ) {
        self.others_throttled = Some((pages, pause));
    }

    fn clock_may_be_set(&mut self, kind: &'static str) {
        if let Some((_, by)) = self.clock_is_set.take_if(|(after, _)| *after == kind) {
            self.set_clock(by);
        }
    }

    /// The wall clock of the machine is set.
    pub(in crate::organization::tests) fn set_clock(&mut self, by: SignedDuration) {
        self.now = shifted(self.now, by);
        self.process_began = shifted(self.process_began, by);
        self.server_ahead -= by;
    }

    /// Now, by the time of the process.
    pub(in crate::organization::tests) fn uptime(&self) -> Uptime {
        Uptime::at(self.now, self.process_began)
    }

    /// The process ends, and another begins.
    pub(in crate::organization::tests) fn restart(&mut self) {
        (self.memory, self.published) = Default::default();
        (self.snapshot, self.wanted_at, self.limiter) = Default::default();
        self.process_began = self.now;
    }

    /// What the next reconcile begins with.
    pub(in crate::organization::tests) fn view(&self) -> View {
        View {
            now: self.now,
            process_began: self.process_began,
            operators: self.operators.clone(),
            object: self.object.clone(),
            declared: self.spec.clone(),
            stored: self.status.clone(),
            secret_version: self.secret.map(|version| version.to_string()),
            users: self.users,
            list_wanted_at: self.wanted_at,
            published: self.published.clone(),
            memory: self.memory.clone(),
            progress: Progress::default(),
        }
    }

    fn settle(&mut self, settled: Settled) -> Timestamp {
        self.rules.push(settled.rule);
        self.requeue = Some(settled.requeue);
        self.memory = settled.memory;
        self.events
            .extend(settled.events.iter().map(|event| event.reason.as_str()));
        settled.requeue.at
    }
}

/// Agent Engine is not asked during a rest, and nothing is listed with a credential that was not accepted, nor with one of
/// another organization.
fn is_lawful(view: &View, effect: &Effect) {
    match effect {
        Effect::Engine(EngineCall::List(Part::Next)) | Effect::Cluster(_) => {}
        Effect::Engine(_) => assert_eq!(rest(view), None, "{effect:?} during a rest"),
    }
    if matches!(effect, Effect::Engine(EngineCall::List(_))) {
        assert!(is_accepted(view) && !matches!(owner(view), Owner::Changed { .. }));
    }
}
