//! What the operator counts. Labels are few and closed: never the name of an object, so that ten thousand workspaces
//! cost no more than one.

mod labels;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use self::labels::{Call, Effect, OfKind, OfOperation, OfResource, Reconcile, WithReason};
use crate::domain::reason::Reason;

pub use self::labels::{CallOutcome, EffectOutcome, Kind, ReconcileResult};

/// Of the text that [`Metrics::encode`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Before every name.
const PREFIX: &str = "agent_engine_operator";

/// All counters of a process.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Reconcile, Counter>,
    reconcile_duration: Family<OfKind, Histogram>,
    effects: Family<Effect, Counter>,
    panics: Family<OfKind, Counter>,
    calls: Family<Call, Counter>,
    call_duration: Family<OfOperation, Histogram>,
    workspaces: Family<WithReason, Gauge>,
    reasons_shown: Mutex<BTreeSet<Reason>>,
    tokens_issued: Counter,
    token_lateness: Histogram,
    first_expiry: Gauge,
    running: Family<OfKind, Gauge>,
    watch_errors: Family<OfResource, Counter>,
}

/// From what a local call takes to the longest reconcile.
fn durations() -> Histogram {
    Histogram::new([
        0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
    ])
}

/// From on time to later than any token lives.
fn latenesses() -> Histogram {
    Histogram::new([1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let all = Self {
            registry: Registry::with_prefix(PREFIX),
            reconciles: Family::default(),
            reconcile_duration: Family::new_with_constructor(durations),
            effects: Family::default(),
            panics: Family::default(),
            calls: Family::default(),
            call_duration: Family::new_with_constructor(durations),
            workspaces: Family::default(),
            reasons_shown: Mutex::default(),
            tokens_issued: Counter::default(),
            token_lateness: latenesses(),
            first_expiry: Gauge::default(),
            running: Family::default(),
            watch_errors: Family::default(),
        };
        all.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        let r = &mut self.registry;
        r.register("build", "Version of the operator", Info::new(version));
        r.register(
            "reconciles",
            "Reconciles over objects, by how they ended",
            self.reconciles.clone(),
        );
        let help = "Time that reconciles took, waiting for answers included";
        r.register_with_unit(
            "reconcile_duration",
            help,
            Unit::Seconds,
            self.reconcile_duration.clone(),
        );
        r.register(
            "reconciles_running",
            "Reconciles that run now",
            self.running.clone(),
        );
        r.register(
            "effects",
            "Changes and reads that reconciles asked for, by outcome",
            self.effects.clone(),
        );
        r.register(
            "panics",
            "Reconciles that ended by a defect of the operator",
            self.panics.clone(),
        );
        r.register(
            "engine_calls",
            "Requests to Agent Engine, by outcome",
            self.calls.clone(),
        );
        let help = "Time that requests to Agent Engine took, repetitions included";
        r.register_with_unit(
            "engine_call_duration",
            help,
            Unit::Seconds,
            self.call_duration.clone(),
        );
        let help = "Workspace objects, by the reason of their Ready condition";
        r.register("workspaces", help, self.workspaces.clone());
        r.register(
            "tokens_issued",
            "Scoped tokens put into Secrets",
            self.tokens_issued.clone(),
        );
        let help = "How long after its time a token was renewed";
        r.register_with_unit(
            "token_refresh_lateness",
            help,
            Unit::Seconds,
            self.token_lateness.clone(),
        );
        let help = "When the first of all tokens in Secrets ends, in Unix time; 0 while there is none";
        r.register_with_unit(
            "first_token_expiry_timestamp",
            help,
            Unit::Seconds,
            self.first_expiry.clone(),
        );
        r.register(
            "watch_errors",
            "Failed or broken watches of the Kubernetes API",
            self.watch_errors.clone(),
        );
        self
    }

    /// A reconcile begins; [`Metrics::reconcile_ended`] must follow.
    pub fn reconcile_began(&self, kind: Kind) {
        self.running.get_or_create(&OfKind { kind }).inc();
    }

    /// A reconcile ended, with the reason of the Ready condition that it left.
    pub fn reconcile_ended(&self, kind: Kind, result: ReconcileResult, reason: Reason, took: Duration) {
        self.running.get_or_create(&OfKind { kind }).dec();
        self.reconciles
            .get_or_create(&Reconcile {
                kind,
                result,
                reason: reason.as_str(),
            })
            .inc();
        self.reconcile_duration
            .get_or_create(&OfKind { kind })
            .observe(took.as_secs_f64());
        if result == ReconcileResult::Panicked {
            self.panics.get_or_create(&OfKind { kind }).inc();
        }
    }

    /// An effect came to an end. `effect` is its name in code, from a closed set.
    pub fn effect_ended(&self, kind: Kind, effect: &'static str, outcome: EffectOutcome) {
        self.effects
            .get_or_create(&Effect {
                kind,
                effect,
                outcome,
            })
            .inc();
    }

    /// A call to Agent Engine came to an end, repetitions included.
    pub fn engine_call_ended(&self, operation: &'static str, outcome: CallOutcome, took: Duration) {
        self.calls.get_or_create(&Call { operation, outcome }).inc();
        self.call_duration
            .get_or_create(&OfOperation { operation })
            .observe(took.as_secs_f64());
    }

    /// How many Workspaces there are, by Ready reason. A reason that is left out has none.
    pub fn set_workspaces(&self, by_reason: &BTreeMap<Reason, i64>) {
        // A reason once shown goes to zero rather than away, so that no scrape in between misses the others.
        let mut shown = self.reasons_shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.extend(by_reason.keys());
        for reason in shown.iter().copied() {
            let count = by_reason.get(&reason).copied().unwrap_or(0);
            self.workspaces
                .get_or_create(&WithReason {
                    reason: reason.as_str(),
                })
                .set(count);
        }
    }

    /// The first token of a workspace went into its Secret.
    pub fn token_issued(&self) {
        self.tokens_issued.inc();
    }

    /// A token was replaced, so much after its time (zero if before it).
    pub fn token_refreshed(&self, late: Duration) {
        self.tokens_issued.inc();
        self.token_lateness.observe(late.as_secs_f64());
    }

    /// When the first of all tokens ends, in seconds of Unix time.
    pub fn set_first_token_expiry(&self, at: Option<i64>) {
        self.first_expiry.set(at.unwrap_or(0));
    }

    /// A watch failed or broke. `resource` is the plural of what is watched.
    pub fn watch_failed(&self, resource: &'static str) {
        self.watch_errors.get_or_create(&OfResource { resource }).inc();
    }

    /// All of it as OpenMetrics text.
    ///
    /// # Errors
    /// None that is known: writing to a string does not fail.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
