//! The loop over Organizations: reads the credential, keeps the client, verifies, and takes the shared list. What it all
//! means is judged in [`crate::organization`].

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::Patch;
use kube::runtime::applier;
use kube::runtime::controller::{Action, Config};
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use secrecy::SecretString;
use serde_json::json;

use super::announce::announce;
use super::context::{AnyOrganization, Context};
use super::write;
use crate::api::Organization;
use crate::api::ids::{OrganizationId, Uid, WorkspaceId};
use crate::api::marks;
use crate::api::organization::{TokenPath, WorkspaceCounts};
use crate::api::reason::{Reason, Weight};
use crate::api::remote::{Failure, FailureClass};
use crate::api::time::{elapsed, later};
use crate::engine::{
    Call, CallOutcome, Credentials, Endpoint, Engine, EngineConfig, ListFilter, Observer, PlainHttp, Timeouts,
};
use crate::lifecycle::clock::ISSUE_DEADLINE;
use crate::lifecycle::view::{Vanishing, Verification};
use crate::organization::snapshot::KnownGone;
use crate::organization::{Comparison, Credential, Facts, Judgement, Listing, Managed, Snapshot, judge};
use crate::run::Stopping;
use crate::serve::Metrics;
use crate::serve::metrics::{CallOutcome as Counted, Kind, PassResult};
use crate::turns::{Backoff, Urgency};

/// An Organization is looked at again after this, should nothing else wake it.
const LOOKS_AGAIN: Duration = Duration::from_secs(30 * 60);

/// Runs until told to stop.
pub(super) async fn run(
    context: Arc<Context>,
    queue: mpsc::UnboundedReceiver<ObjectRef<AnyOrganization>>,
    mut stopping: Stopping,
) {
    let held: Arc<std::sync::Mutex<std::collections::HashMap<Uid, Held>>> = Arc::default();
    let queue = queue
        .map(Ok::<_, Infallible>)
        .take_until(Box::pin(async move { stopping.begun().await }));
    applier(
        move |organization, context| {
            let held = held.clone();
            Box::pin(async move { Ok::<_, Infallible>(reconcile(&organization, &context, &held).await) })
        },
        |_, never, _| match *never {},
        context.clone(),
        context.organizations.clone(),
        queue,
        Config::default(),
    )
    .for_each(|_| async {})
    .await;
}

/// What is kept of an Organization between its passes.
#[derive(Clone, Default)]
struct Held {
    /// What the client was built from.
    built_from: Option<Built>,
    engine: Option<Engine>,
    /// The organisation that the client names with every call.
    names: Option<OrganizationId>,
    credential: Option<Credential>,
    listing: Option<Listing>,
    listed_at: Option<Timestamp>,
    generation: i64,
    backoff: Backoff,
}

/// What a client is made of: it is built anew when one of these changes.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Built {
    endpoint: String,
    token_path: TokenPath,
    ca_bundle: Option<String>,
    declared: Option<OrganizationId>,
    secret: String,
    secret_version: Option<String>,
}

type HeldByUid = std::sync::Mutex<std::collections::HashMap<Uid, Held>>;

async fn reconcile(organization: &AnyOrganization, context: &Arc<Context>, held: &HeldByUid) -> Action {
    let Ok(object) = &organization.0 else {
        tracing::warn!(
            organization = organization.name_any(),
            "this Organization cannot be decoded; correct it"
        );
        wake_users(context, &organization.name_any());
        return Action::requeue(LOOKS_AGAIN);
    };
    let uid = Uid::new(object.uid().unwrap_or_default());
    if context
        .shared()
        .is_behind(&uid, object.resource_version().as_deref())
    {
        return Action::requeue(Duration::from_secs(5));
    }
    let take = || held.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut kept = take().get(&uid).cloned().unwrap_or_default();
    let began = tokio::time::Instant::now();
    let metrics = &context.served.metrics;
    metrics.pass_began(Kind::Organization);
    let (next, reason) = pass(object, context, &mut kept).await;
    metrics.pass_ended(
        Kind::Organization,
        PassResult::of(reason),
        reason,
        began.elapsed(),
    );
    take().insert(uid, kept);
    Action::requeue(elapsed(context.now(), next) + Duration::from_millis(20))
}

/// One pass: client, credential, judgement, list, judgement. Returns when to look again.
async fn pass(object: &Organization, context: &Arc<Context>, held: &mut Held) -> (Timestamp, Reason) {
    let name = object.name_any();
    let deleting = object.metadata.deletion_timestamp.is_some();
    let users = context.users_of(&name).len();
    if deleting && users == 0 {
        let result = finalizer(context, object, false).await;
        report_failure(&name, result.err());
        return (later(context.now(), Duration::from_secs(30)), Reason::Deleting);
    }
    if !deleting && !object.finalizers().iter().any(|f| f == marks::FINALIZER) {
        match finalizer(context, object, true).await {
            // Its own watch event begins the next pass.
            Ok(()) => return (later(context.now(), Duration::from_secs(5)), Reason::Updating),
            Err(error) => report_failure(&name, Some(error)),
        }
    }
    let uid = Uid::new(object.uid().unwrap_or_default());
    let cause = cause(object, context);
    connect(object, context, held).await;
    let rests = held
        .backoff
        .not_before(cause)
        .is_some_and(|at| at > context.now());
    let mut failed = false;
    if let (Some(engine), false) = (held.engine.clone(), rests)
        && !matches!(held.credential, Some(Credential::Accepted { .. }))
    {
        held.credential = Some(match engine.authenticate().await.result {
            Ok(accepted) => Credential::Accepted {
                organization_id: accepted.organization_id,
            },
            Err(failure) => {
                failed = true;
                Credential::Refused(failure)
            }
        });
    }
    publish(object, context, held, users, deleting);
    let accepted = matches!(held.credential, Some(Credential::Accepted { .. }));
    let interval = object.spec.poll_interval();
    let due = held
        .listed_at
        .is_none_or(|at| later(at, interval) <= context.now());
    let asked = object.annotations().get(marks::RECONCILE_AT)
        != object
            .status
            .as_ref()
            .and_then(|s| s.last_handled_reconcile_at.as_ref());
    if let (Some(engine), true, false) = (held.engine.clone(), accepted && (due || asked), rests) {
        failed |= !list(object, context, held, &engine).await;
    }
    let next = if failed {
        held.backoff
            .failed(context.now(), cause, 1, Urgency::Normal, &uid)
    } else if rests {
        held.backoff.not_before(cause).unwrap_or_else(|| context.now())
    } else {
        held.backoff.succeeded();
        held.listed_at
            .map_or_else(|| later(context.now(), LOOKS_AGAIN), |at| later(at, interval))
    };
    let judgement = publish(object, context, held, users, deleting);
    store(object, context, &judgement).await;
    (next.min(later(context.now(), LOOKS_AGAIN)), judgement.reason)
}

/// Changes of these begin back-off anew.
fn cause(object: &Organization, context: &Context) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    object.metadata.generation.hash(&mut hasher);
    object.annotations().get(marks::RECONCILE_AT).hash(&mut hasher);
    secret_version(object, context).hash(&mut hasher);
    hasher.finish()
}

fn secret_version(object: &Organization, context: &Context) -> Option<String> {
    let name = &object.spec.credentials_secret_ref.name;
    let reference = ObjectRef::new(name).within(&context.settings.operator_namespace);
    context.credentials.get(&reference)?.resource_version()
}

/// Builds the client anew where spec or Secret changed. A rotation takes effect without a restart.
async fn connect(object: &Organization, context: &Arc<Context>, held: &mut Held) {
    let status = object.status.as_ref();
    let pinned = status.and_then(|status| status.organization_id.clone());
    let built = Built {
        endpoint: object.spec.endpoint().to_owned(),
        token_path: object.spec.token_path(),
        ca_bundle: object.spec.ca_bundle.clone(),
        declared: object.spec.organization_id.clone(),
        secret: object.spec.credentials_secret_ref.name.clone(),
        secret_version: secret_version(object, context),
    };
    if held.built_from.as_ref() == Some(&built) && held.credential.is_some() {
        return;
    }
    held.names = built.declared.clone().or(pinned);
    held.listing = None;
    held.listed_at = None;
    (held.engine, held.credential) = match client(object, context, held.names.clone()).await {
        Ok(engine) => (Some(engine), None),
        Err(credential) => (None, Some(credential)),
    };
    held.built_from = Some(built);
}

async fn client(
    object: &Organization,
    context: &Arc<Context>,
    organization_id: Option<OrganizationId>,
) -> Result<Engine, Credential> {
    let namespace = &context.settings.operator_namespace;
    let name = &object.spec.credentials_secret_ref.name;
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), namespace);
    let missing = |what: String| Credential::Missing { what };
    let secret = match secrets.get_opt(name).await {
        Ok(Some(secret)) => secret,
        Ok(None) => {
            return Err(missing(format!(
                "there is no Secret {name:?} in namespace {namespace:?}; create it with the keys client_id and client_secret"
            )));
        }
        Err(error) => {
            return Err(missing(format!(
                "the Secret {name:?} cannot be read: {}",
                super::perform::detail(&error)
            )));
        }
    };
    let key = |key: &str| {
        let bytes = secret
            .data
            .as_ref()
            .and_then(|data| data.get(key))
            .map(|value| value.0.clone());
        bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| {
                missing(format!(
                    "the Secret {name:?} in namespace {namespace:?} has no key {key:?} that is text; add it"
                ))
            })
    };
    let (id, pass) = (key("client_id")?, SecretString::from(key("client_secret")?));
    let unusable = |error: crate::engine::ConfigError| Credential::Unusable {
        why: error.to_string(),
    };
    let endpoint = Endpoint::parse(object.spec.endpoint(), PlainHttp::LoopbackOnly).map_err(unusable)?;
    let credentials = Credentials::new(&id, &pass)
        .map_err(|error| missing(format!("{error}; correct the Secret {name:?}")))?;
    let mut config = EngineConfig::new(endpoint, credentials);
    config.organization_id = organization_id;
    config.token_path = object.spec.token_path();
    config.ca_bundle = object.spec.ca_bundle.clone();
    config.clock = context.clock.clone();
    config.timeouts = Timeouts {
        attempt: ISSUE_DEADLINE,
        total: ISSUE_DEADLINE,
        ..Timeouts::default()
    };
    config.observer = Arc::new(Counting(context.served.metrics.clone()));
    Engine::new(&config).map_err(unusable)
}

/// Counts calls into the metrics.
struct Counting(Arc<Metrics>);

impl Observer for Counting {
    fn ended(&self, call: &Call) {
        self.0
            .engine_call_ended(call.operation.as_str(), counted(call.outcome), call.took);
    }
}

fn counted(outcome: CallOutcome) -> Counted {
    match outcome {
        CallOutcome::Status(200..=299) => Counted::Success,
        CallOutcome::Status(429) => Counted::Throttled,
        CallOutcome::Status(401 | 403) | CallOutcome::NoToken => Counted::Denied,
        CallOutcome::Status(404 | 410) => Counted::Missing,
        CallOutcome::Status(409) => Counted::Conflict,
        CallOutcome::Status(400..=499) => Counted::Rejected,
        CallOutcome::Status(500..=599) | CallOutcome::NotConnected => Counted::Transient,
        CallOutcome::Status(_) => Counted::Malformed,
        CallOutcome::Lost | CallOutcome::TimedOut => Counted::Unknown,
    }
}

/// Takes the shared list, holds it against what is recorded, and wakes whom it concerns.
async fn list(object: &Organization, context: &Arc<Context>, held: &mut Held, engine: &Engine) -> bool {
    let began = context.now();
    let answer = engine.list(ListFilter::default()).await;
    held.listed_at = Some(began);
    let rows = match answer.result {
        Ok(rows) => rows,
        Err(failure) => {
            held.listing = Some(Listing::Failed(failure));
            return false;
        }
    };
    let snapshot = Snapshot::new(began, rows);
    let recorded = recorded(object, context);
    let comparison = snapshot.compare(recorded.iter().map(|(managed, _)| managed));
    let believed = object.annotations().get(marks::BELIEVE_VANISHED) == Some(&comparison.missing.to_string());
    let vanishing = if comparison.is_mass() && !believed {
        Vanishing::Mass
    } else {
        Vanishing::Calm
    };
    held.listing = Some(Listing::Whole {
        organization_id: owner(&snapshot),
        vanishing,
        missing: comparison.missing,
    });
    count(object, context, &comparison);
    if let Some(state) = context.shared().organizations.get_mut(&object.name_any()) {
        state.snapshot = Arc::new(snapshot);
        state.vanishing = vanishing;
    }
    // Mass vanishing is judged on the whole before any object is woken.
    if vanishing == Vanishing::Calm {
        for (managed, reference) in recorded {
            if comparison.differing.contains(&managed.uid) {
                context.wake(reference);
            }
        }
    }
    true
}

/// The organisation that all rows name.
fn owner(snapshot: &Snapshot) -> Option<OrganizationId> {
    let mut ids = snapshot.rows().map(|row| row.organization_id.as_ref());
    let first = ids.next()??;
    ids.all(|id| id == Some(first)).then(|| first.clone())
}

fn recorded(
    object: &Organization,
    context: &Context,
) -> Vec<(Managed, ObjectRef<super::context::AnyWorkspace>)> {
    let managed = |workspace: &super::context::AnyWorkspace| {
        let workspace = workspace.0.as_ref().ok()?;
        let status = workspace.status.as_ref()?;
        let uid = Uid::new(workspace.uid()?);
        let id: WorkspaceId = status
            .workspace_id
            .clone()
            .filter(|_| status.uid.as_ref() == Some(&uid))?;
        let gone = status
            .conditions
            .iter()
            .any(|condition| condition.reason == Reason::RemoteGone.as_str());
        let managed = Managed {
            uid,
            id,
            name: status.name.clone()?,
            state: status.state,
            gone: if gone { KnownGone::Yes } else { KnownGone::No },
        };
        Some((
            managed,
            ObjectRef::new(&workspace.name_any()).within(&workspace.namespace()?),
        ))
    };
    context
        .users_of(&object.name_any())
        .iter()
        .filter_map(|workspace| managed(workspace))
        .collect()
}

fn count(object: &Organization, context: &Context, comparison: &Comparison) {
    let mut shared = context.shared();
    let lost = |id: &OrganizationId, shared: &super::context::Shared| shared.claims.losers(id);
    let in_conflict = match shared
        .organizations
        .get(&object.name_any())
        .map(|state| state.verification.clone())
    {
        Some(Verification::Verified(id)) => lost(&id, &shared),
        Some(Verification::Pending { .. } | Verification::Changed { .. }) | None => 0,
    };
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    if let Some(state) = shared.organizations.get_mut(&object.name_any()) {
        state.counts = Some(WorkspaceCounts {
            managed: number(comparison.managed),
            unmanaged: number(comparison.unmanaged),
            in_conflict: number(in_conflict),
        });
    }
}

/// Judges, lets passes see it, and wakes those who waited where something changed for them.
fn publish(
    object: &Organization,
    context: &Context,
    held: &mut Held,
    users: usize,
    deleting: bool,
) -> Judgement {
    let name = object.name_any();
    let stored = object.status.clone().unwrap_or_default();
    let waiting = Credential::Refused(Failure {
        class: FailureClass::Transient,
        status: None,
        detail: "it was not asked yet".to_owned(),
    });
    let judgement = {
        let mut shared = context.shared();
        let state = shared.organizations.entry(name.clone()).or_default();
        let facts = Facts {
            name: &name,
            namespace: &context.settings.operator_namespace,
            generation: object.metadata.generation.unwrap_or_default(),
            reconcile_at: object.annotations().get(marks::RECONCILE_AT).map(String::as_str),
            spec: &object.spec,
            stored: &stored,
            credential: held.credential.as_ref().unwrap_or(&waiting),
            listing: held.listing.as_ref().unwrap_or(&Listing::None),
            users: deleting.then_some(users),
            counts: state.counts,
        };
        let judgement = judge(&facts, context.now());
        let generation = object.metadata.generation.unwrap_or_default();
        let healed = judgement.reason.weight() == Weight::Fine
            && state.reason.is_some_and(|r| r.weight() != Weight::Fine);
        let changed = state.verification != judgement.verification
            || state.vanishing != judgement.vanishing
            || held.generation != generation
            || healed;
        held.generation = generation;
        state.pace.set_rate(rate(object));
        name_organization(held, &judgement.verification);
        state.engine = held.engine.clone();
        state.verification = judgement.verification.clone();
        state.vanishing = judgement.vanishing;
        state.reason = Some(judgement.reason);
        if changed {
            state.revision += 1;
        }
        (judgement, changed)
    };
    if judgement.1 {
        wake_users(context, &name);
    }
    judgement.0
}

/// Once the organisation is known, every call names it.
fn name_organization(held: &mut Held, verification: &Verification) {
    let (Verification::Verified(id), None, Some(engine)) = (verification, &held.names, &held.engine) else {
        return;
    };
    match engine.within(id) {
        Ok(engine) => {
            held.engine = Some(engine);
            held.names = Some(id.clone());
        }
        Err(error) => tracing::warn!(%error, "the organisation's id cannot be sent along"),
    }
}

fn rate(object: &Organization) -> u32 {
    let default = crate::turns::pace::DEFAULT_REQUESTS_PER_SECOND;
    object
        .spec
        .requests_per_second
        .and_then(|rate| u32::try_from(rate).ok())
        .unwrap_or(default)
}

/// Everybody's claims are known before anybody is woken: who comes first must not depend on who is woken first.
fn wake_users(context: &Context, name: &str) {
    let users = context.users_of(name);
    for user in users.iter().filter_map(|user| user.0.as_ref().ok()) {
        super::observe::claims_of(context, user);
    }
    for user in &users {
        context.wake(ObjectRef::from_obj(&**user));
    }
}

async fn store(object: &Organization, context: &Context, judgement: &Judgement) {
    let stored = object.status.clone().unwrap_or_default();
    if judgement.status == stored {
        return;
    }
    let name = object.name_any();
    let version = object.resource_version();
    let patch = match write::status_patch(version.as_deref(), object.status.as_ref(), &judgement.status) {
        Ok(patch) => patch,
        Err(error) => return tracing::error!(%error, "a status cannot be written"),
    };
    match api(context)
        .patch_status(&name, &write::params(), &Patch::Merge(patch))
        .await
    {
        Ok(written) => {
            let uid = Uid::new(object.uid().unwrap_or_default());
            context
                .shared()
                .wrote(&uid, written.resource_version().as_deref());
            let before = stored
                .conditions
                .iter()
                .find(|c| c.type_ == "Ready")
                .map(|c| c.reason.as_str());
            if before != Some(judgement.reason.as_str()) {
                let finding =
                    crate::lifecycle::verdict::Finding::new(judgement.reason, judgement.message.clone());
                announce(context, object, &finding).await;
            }
        }
        Err(error) => report_failure(&name, Some(error)),
    }
}

fn api(context: &Context) -> Api<Organization> {
    Api::namespaced(context.client.clone(), &context.settings.operator_namespace)
}

async fn finalizer(context: &Context, object: &Organization, hold: bool) -> kube::Result<()> {
    let mut finalizers = object.finalizers().to_vec();
    finalizers.retain(|finalizer| finalizer != marks::FINALIZER);
    if hold {
        finalizers.push(marks::FINALIZER.to_owned());
    }
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": finalizers}});
    let written = api(context)
        .patch(&object.name_any(), &write::params(), &Patch::Merge(patch))
        .await?;
    let uid = Uid::new(object.uid().unwrap_or_default());
    context
        .shared()
        .wrote(&uid, written.resource_version().as_deref());
    Ok(())
}

fn report_failure(name: &str, error: Option<kube::Error>) {
    match error {
        None => {}
        Some(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {}
        Some(error) => tracing::warn!(organization = name, %error, "the Organization could not be written"),
    }
}
