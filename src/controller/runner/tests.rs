//! How reconciles end, of whatever kind, and what the log says of one.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, OnceLock};

use serde_json::json;
use tokio::time::advance;
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::admin::AdminState;
use crate::controller::tests::{settings, silent};
use crate::crd::Workspace;
use crate::leadership::{Fence, Right};

/// Retries of [`Fake`], told apart.
const AFTER_TIMEOUT: Duration = Duration::from_secs(1);
const AFTER_CRASH: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
enum Work {
    Ends,
    NeverEnds,
}

/// A reconcile that goes through these steps, and crashes after the last one.
struct Fake<const WHOLE: bool>(VecDeque<Next<Work, ()>>);

impl<const WHOLE: bool> Reconciler for Fake<WHOLE> {
    const KIND: Kind = Kind::Workspace;
    const TIMEOUT: Timeout = if WHOLE {
        Timeout::WholeReconcile
    } else {
        Timeout::EachEffect
    };
    type Object = Workspace;
    type Effect = Work;
    type Outcome = ();
    type Settled = ();

    fn next(&mut self, _: Option<()>) -> Next<Work, ()> {
        self.0.pop_front().expect("a step")
    }

    async fn perform(&mut self, effect: Work) -> Performed<()> {
        if matches!(effect, Work::NeverEnds) {
            std::future::pending::<()>().await;
        }
        Performed {
            outcome: (),
            summary: "Answered",
            counted: EffectOutcome::Done,
        }
    }

    fn settle(context: &Context, _: &Workspace, (): ()) -> Settled {
        Settled {
            rule: "done",
            reason: Reason::AsDeclared,
            requeue_at: context.now() + jiff::SignedDuration::from_secs(60),
            why: "poll",
            events: Vec::new(),
        }
    }

    fn give_up(_: &Context, _: &Workspace, lost: Lost) -> Duration {
        match lost {
            Lost::TimedOut => AFTER_TIMEOUT,
            Lost::Crashed => AFTER_CRASH,
        }
    }
}

fn performing(effect: Work, on_cancel: OnCancel) -> Next<Work, ()> {
    Next::Perform {
        rule: "read_first",
        name: "Get",
        effect,
        on_cancel,
    }
}

fn context() -> Arc<Context> {
    let mut settings = settings();
    settings.reconcile_timeout = Duration::from_secs(60);
    let (mut context, ..) = Context::new(silent(), settings, AdminState::default());
    context.clock = crate::clock::Clock::virtual_from(Timestamp::UNIX_EPOCH);
    Arc::new(context)
}

fn workspace() -> Workspace {
    let object = json!({"metadata": {"name": "acme", "namespace": "team-a"}, "spec": {"name": "Acme"}});
    serde_json::from_value(object).unwrap()
}

async fn reconciled<const WHOLE: bool>(
    context: &Arc<Context>,
    cancel: &CancellationToken,
    steps: impl IntoIterator<Item = Next<Work, ()>>,
) -> Requeue {
    let fake = Fake::<WHOLE>(steps.into_iter().collect());
    run(context, &workspace(), cancel.clone(), || Ok(fake)).await
}

/// How often a reconcile ended so, by the metrics; none may be counted as running any more.
fn counted(context: &Context, result: &str) -> usize {
    let metrics = context.admin.metrics.encode().unwrap();
    assert!(
        metrics.contains(r#"reconciles_running{kind="Workspace"} 0"#),
        "{metrics}"
    );
    let result = format!(r#"result="{result}""#);
    let lines = metrics.lines().filter(|line| line.contains(&result));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok())
        .sum()
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_that_crashes_ends_alone() {
    let (context, cancel) = (context(), CancellationToken::new());
    let crashed = reconciled::<true>(&context, &cancel, []).await;
    assert_eq!(crashed, Requeue::After(AFTER_CRASH));
    assert_eq!(counted(&context, "Panicked"), 1);
    let next = reconciled::<true>(&context, &cancel, [Next::Settled(())]).await;
    assert_eq!(next, Requeue::After(Duration::from_secs(60) + TIMER_SLACK));
    assert_eq!(counted(&context, "Ready"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_never_ends_times_out_for_both_kinds() {
    let (context, cancel) = (context(), CancellationToken::new());
    let step = || [performing(Work::NeverEnds, OnCancel::Finish)];
    let whole = reconciled::<true>(&context, &cancel, step()).await;
    let each = reconciled::<false>(&context, &cancel, step()).await;
    let retry = Requeue::After(AFTER_TIMEOUT);
    assert_eq!([whole, each], [retry, retry]);
    assert_eq!(counted(&context, "TimedOut"), 2);
}

/// A list of many pages takes longer than one page may.
#[tokio::test(start_paused = true)]
async fn the_timeout_is_of_each_effect_or_of_the_whole() {
    let (context, cancel) = (context(), CancellationToken::new());
    let steps = || {
        let until = |seconds| Next::Wait {
            until: Timestamp::from_second(seconds).unwrap(),
            on_cancel: OnCancel::Finish,
        };
        [until(40), until(80), Next::Settled(())]
    };
    let each = reconciled::<false>(&context, &cancel, steps()).await;
    assert_eq!(each, Requeue::After(Duration::from_secs(60) + TIMER_SLACK));
    let context = self::context();
    let whole = reconciled::<true>(&context, &cancel, steps()).await;
    assert_eq!(whole, Requeue::After(AFTER_TIMEOUT));
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_it_leaves_what_may_be_left_and_no_more() {
    let (context, cancel) = (context(), CancellationToken::new());
    cancel.cancel();
    let leave = OnCancel::Leave(Reason::OrganizationNotReady);
    let waiting = Next::Wait {
        until: Timestamp::from_second(30).unwrap(),
        on_cancel: leave,
    };
    for left in [performing(Work::NeverEnds, leave), waiting] {
        let action = reconciled::<false>(&context, &cancel, [left]).await;
        assert_eq!(action, Requeue::OnEvent);
    }
    assert_eq!(counted(&context, "Overtaken"), 2);
    let steps = [performing(Work::Ends, OnCancel::Finish), Next::Settled(())];
    reconciled::<false>(&context, &cancel, steps).await;
    assert_eq!(counted(&context, "Ready"), 1);
}

/// The doors below would stop what the effect asks for; the reconcile would then tell of a failure that there was not, and wait it out.
/// Promise: rule.one-leader
#[tokio::test(start_paused = true)]
async fn an_effect_begins_only_while_the_process_leads() {
    let fence = Fence::closed();
    let mut context = Arc::into_inner(context()).unwrap();
    context.fence = fence.clone();
    let (context, cancel) = (Arc::new(context), CancellationToken::new());
    let steps = || [performing(Work::Ends, OnCancel::Finish), Next::Settled(())];
    fence.set(Right::Leads {
        begins_until: Duration::from_secs(20),
        ends: Duration::from_secs(30),
    });
    let ended = || ["Ready", "Overtaken"].map(|result| counted(&context, result));
    reconciled::<false>(&context, &cancel, steps()).await;
    assert_eq!(ended(), [1, 0]);
    advance(Duration::from_secs(20)).await;
    let overtaken = reconciled::<false>(&context, &cancel, steps()).await;
    assert_eq!(overtaken, Requeue::OnEvent);
    assert_eq!(ended(), [1, 1]);
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// Two dispatchers that stay. While tracing knows of one alone, a line that a test without a log reaches first is switched off
/// for all threads.
static OTHERS: OnceLock<[Dispatch; 2]> = OnceLock::new();

/// The log of one reconcile that goes through these steps, in the span that [`serve`] gives it.
async fn log_of(level: LevelFilter, steps: impl IntoIterator<Item = Next<Work, ()>>) -> String {
    let (context, cancel) = (context(), CancellationToken::new());
    OTHERS.get_or_init(|| [(); 2].map(|()| Dispatch::new(NoSubscriber::default())));
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .with_max_level(level)
        .without_time()
        .with_ansi(false)
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let span = Subject::of(&workspace()).span();
    reconciled::<true>(&context, &cancel, steps)
        .instrument(span)
        .await;
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

const FIELDS: &str = r#"reconcile{kind="workspace" namespace="team-a" name="acme"}"#;

#[tokio::test(start_paused = true)]
async fn the_log_tells_rule_effect_outcome_and_the_next_reconcile() {
    let steps = [performing(Work::Ends, OnCancel::Finish), Next::Settled(())];
    let log = log_of(LevelFilter::DEBUG, steps).await;
    for expected in [
        r#"workspace team-a/acme: performing Get because read_first effect="Get" rule="read_first""#,
        r#"workspace team-a/acme: Get came to Answered effect="Get" outcome="Answered""#,
        r#"workspace team-a/acme: settled by done; next reconcile in 60s: poll rule="done" reason="AsDeclared" requeue_in_s=60 why="poll""#,
    ] {
        let line = log.lines().find(|line| line.contains(expected));
        let line = line.unwrap_or_else(|| panic!("{expected}\n{log}"));
        assert!(line.contains(FIELDS), "{line}");
    }
}

/// Of a filter that drops lines of `info`, too.
#[tokio::test(start_paused = true)]
async fn a_crash_is_logged_with_the_fields_of_its_object() {
    let log = log_of(LevelFilter::WARN, []).await;
    let line = log.lines().find(|line| line.contains("the reconcile crashed"));
    assert!(line.is_some_and(|line| line.contains(FIELDS)), "{log}");
}
