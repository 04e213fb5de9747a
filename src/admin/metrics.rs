//! What the operator counts. Labels have few, closed values, never the name of an object that is reconciled: ten thousand
//! workspaces make no more series than one.

mod labels;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use strum::IntoEnumIterator;

use self::labels::{
    Call, Effect, OfKind, OfOperation, OfOperator, OfResource, Reconcile, WithRateReason, WithReason,
};
use crate::domain::ids::OperatorId;
use crate::domain::rate::RateReason;
use crate::domain::reason::Reason;
use crate::engine::{self, Observer};

pub use self::labels::{EffectOutcome, Kind, ReconcileResult};

/// Content type of what [`Metrics::encode`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Precedes every name.
const PREFIX: &str = "agent_engine_operator";

/// All metrics of a process.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Reconcile, Counter>,
    reconcile_duration: Family<OfKind, Histogram>,
    effects: Family<Effect, Counter>,
    panics: Family<OfKind, Counter>,
    calls: Family<Call, Counter>,
    call_duration: Family<OfOperation, Histogram>,
    workspaces: Family<WithReason, Gauge>,
    tokens_issued: Counter,
    token_lateness: Histogram,
    first_expiry: Gauge,
    request_rate: Family<WithRateReason, Gauge>,
    running: Family<OfKind, Gauge>,
    watch_errors: Family<OfResource, Counter>,
    leads: Gauge,
    held_by_others: Family<OfOperator, Gauge>,
}

/// From a local call to the longest reconcile.
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
            tokens_issued: Counter::default(),
            token_lateness: latenesses(),
            first_expiry: Gauge::default(),
            request_rate: Family::default(),
            running: Family::default(),
            watch_errors: Family::default(),
            leads: Gauge::default(),
            held_by_others: Family::default(),
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
            "Calls to Agent Engine, by outcome; repetitions of one count as one",
            self.calls.clone(),
        );
        let help = "Time that calls to Agent Engine took, repetitions included";
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
        let help = "Requests a second that rate limiters allow now, of all organizations together, by the reason of the rate";
        r.register("requests_per_second", help, self.request_rate.clone());
        r.register(
            "watch_errors",
            "Failed or broken watches of the Kubernetes API",
            self.watch_errors.clone(),
        );
        r.register(
            "leader",
            "1 while this process leads, 0 while it stands by",
            self.leads.clone(),
        );
        r.register(
            "workspaces_of_other_operators",
            "Workspace objects that another operator holds and this one leaves alone, by namespace and name of its Lease",
            self.held_by_others.clone(),
        );
        self.set_workspaces(&BTreeMap::new());
        self.set_request_rates(&BTreeMap::new());
        self
    }

    /// Whether this process leads.
    pub fn leads(&self, leads: bool) {
        self.leads.set(i64::from(leads));
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

    /// An effect ended. `effect` is its name in code, from a closed set.
    pub fn effect_ended(&self, kind: Kind, effect: &'static str, outcome: EffectOutcome) {
        self.effects
            .get_or_create(&Effect {
                kind,
                effect,
                outcome,
            })
            .inc();
    }

    /// How many Workspaces there are, by Ready reason. Every reason has a series; one that is left out counts zero.
    pub fn set_workspaces(&self, by_reason: &BTreeMap<Reason, i64>) {
        for &reason in Reason::ALL {
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

    /// A token was replaced, `late` after its time (zero if before it).
    pub fn token_refreshed(&self, late: Duration) {
        self.tokens_issued.inc();
        self.token_lateness.observe(late.as_secs_f64());
    }

    /// When the first of all tokens ends, in seconds of Unix time; none: there is no token.
    pub fn set_first_token_expiry(&self, at: Option<i64>) {
        self.first_expiry.set(at.unwrap_or(0));
    }

    /// How many requests a second all organizations may send, by the reason of their rate. Every reason has a series.
    pub fn set_request_rates(&self, by_reason: &BTreeMap<RateReason, i64>) {
        for reason in RateReason::iter() {
            let rate = by_reason.get(&reason).copied().unwrap_or(0);
            let reason = reason.as_str();
            self.request_rate
                .get_or_create(&WithRateReason { reason })
                .set(rate);
        }
    }

    /// How many Workspaces are left to each of the other operators. One that is left out has no series.
    pub fn set_workspaces_of_others(&self, by_operator: &BTreeMap<OperatorId, usize>) {
        self.held_by_others.clear();
        for (operator, count) in by_operator {
            let operator = operator.to_string();
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            self.held_by_others
                .get_or_create(&OfOperator { operator })
                .set(count);
        }
    }

    /// A watch failed or broke. `resource` is the plural of what is watched.
    pub fn watch_failed(&self, resource: &'static str) {
        self.watch_errors.get_or_create(&OfResource { resource }).inc();
    }

    /// All of it as OpenMetrics text.
    ///
    /// # Errors
    /// None known: writing to a string does not fail.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

impl Observer for Metrics {
    fn call_ended(&self, call: &engine::Call) {
        let operation = call.operation.as_str();
        let outcome = call.outcome.class();
        self.calls.get_or_create(&Call { operation, outcome }).inc();
        self.call_duration
            .get_or_create(&OfOperation { operation })
            .observe(call.took.as_secs_f64());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
