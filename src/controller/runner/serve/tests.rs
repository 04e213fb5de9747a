//! The loop with reconciles of ours and a store without a cluster.

use std::sync::Mutex;

use kube::ResourceExt;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::Event;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::*;
use crate::admin::AdminState;
use crate::controller::tests::{settings, silent};
use crate::crd::AnyWorkspace;
use crate::limits::queue::PATIENCE;

/// Longer than any test.
const HANGS: Duration = Duration::from_secs(3600);

/// A word takes so long to write.
const WRITES: Duration = Duration::from_millis(100);

type Began = Arc<Mutex<Vec<(String, Duration)>>>;

fn workspace(organization: &str, n: usize) -> AnyWorkspace {
    let metadata = json!({"name": format!("{organization}-{n}"), "namespace": "tenant", "uid": format!("{organization}-{n}")});
    let spec = json!({"name": "Acme", "organization": organization});
    AnyWorkspace::Whole(serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap())
}

fn place(_: &Context, workspace: &AnyWorkspace) -> Place {
    Place {
        organization: workspace.object().spec.organization_name().to_owned(),
        priority: Priority::Other,
    }
}

struct Rig {
    writer: Writer<AnyWorkspace>,
    wake: mpsc::UnboundedSender<ObjectRef<AnyWorkspace>>,
    cancel: CancellationToken,
    began: Began,
    /// Who was told to wait, and after what time.
    words: Began,
    served: tokio::task::JoinHandle<()>,
}

/// Serves with 8 slots; a reconcile takes and ends as this says.
fn serving<F>(reconcile: impl Fn(String) -> F + Send + 'static) -> Rig
where
    F: Future<Output = Requeue> + Send + 'static,
{
    let (context, ..) = Context::new(silent(), settings(), AdminState::default());
    let writer = Writer::default();
    let (wake, woken) = mpsc::unbounded();
    let (cancel, began, start) = (CancellationToken::new(), Began::default(), Instant::now());
    let words = Began::default();
    let (noted, told) = (began.clone(), words.clone());
    let served = tokio::spawn(serve(
        Arc::new(context),
        writer.as_reader(),
        woken,
        cancel.clone(),
        NonZeroUsize::new(8).unwrap(),
        Handlers {
            place,
            reconcile: move |object: Arc<AnyWorkspace>, _| {
                noted.lock().unwrap().push((object.name_any(), start.elapsed()));
                reconcile(object.name_any())
            },
            tell: move |_: &Arc<Context>, object: &AnyWorkspace, waited: Duration| {
                let (told, word) = (told.clone(), (object.name_any(), waited));
                Told::Word(Box::pin(async move {
                    sleep(WRITES).await;
                    told.lock().unwrap().push(word);
                }))
            },
        },
    ));
    Rig {
        writer,
        wake,
        cancel,
        began,
        words,
        served,
    }
}

/// A reconcile that hangs where the object's name says so, and else ends at once.
async fn hangs_by_name(name: String) -> Requeue {
    if name.starts_with("hangs") {
        sleep(HANGS).await;
    }
    Requeue::OnEvent
}

impl Rig {
    fn apply(&mut self, workspace: AnyWorkspace) {
        let reference = ObjectRef::from_obj(&workspace);
        self.writer.apply_watcher_event(&Event::Apply(workspace));
        self.wake.unbounded_send(reference).unwrap();
    }

    fn began(&self, prefix: &str) -> Vec<u64> {
        let began = self.began.lock().unwrap();
        let of = began.iter().filter(|(name, _)| name.starts_with(prefix));
        of.map(|(_, at)| at.as_secs()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_organization_delays_no_reconcile_of_another() {
    let mut rig = serving(hangs_by_name);
    for n in 0..1000 {
        rig.apply(workspace("hangs", n));
    }
    sleep(Duration::from_secs(1)).await;
    for n in 0..20 {
        rig.apply(workspace("healthy", n));
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.began("hangs").len(), 4);
    assert_eq!(rig.began("healthy"), [1; 20]);
}

/// Eight are written at once.
#[tokio::test(start_paused = true)]
async fn those_without_a_slot_are_told_so_and_hold_up_no_one() {
    let mut rig = serving(hangs_by_name);
    for n in 0..1004 {
        rig.apply(workspace("hangs", n));
    }
    sleep(PATIENCE - Duration::from_secs(1)).await;
    assert!(rig.words.lock().unwrap().is_empty());
    sleep(Duration::from_secs(2)).await;
    let soon = rig.words.lock().unwrap().len();
    assert!((8..=100).contains(&soon), "{soon}");
    rig.apply(workspace("healthy", 0));
    sleep(Duration::from_secs(25)).await;
    assert_eq!(rig.began("healthy"), [6]);
    let words = rig.words.lock().unwrap().clone();
    assert_eq!(words.len(), 1000);
    assert!(words.iter().all(|(_, waited)| *waited >= PATIENCE));
}

#[tokio::test(start_paused = true)]
async fn an_object_is_reconciled_again_at_its_time_and_by_events() {
    let mut rig = serving(|_| async {
        sleep(Duration::from_secs(2)).await;
        Requeue::After(Duration::from_secs(60))
    });
    rig.apply(workspace("a", 0));
    sleep(Duration::from_secs(1)).await;
    rig.apply(workspace("a", 0));
    sleep(Duration::from_secs(100)).await;
    assert_eq!(rig.began("a"), [0, 2, 64]);
    rig.writer.apply_watcher_event(&Event::Delete(workspace("a", 0)));
    sleep(HANGS).await;
    assert_eq!(rig.began("a"), [0, 2, 64], "it is gone");
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_it_begins_nothing_and_ends_what_runs() {
    let mut rig = serving(|_| async {
        sleep(Duration::from_secs(10)).await;
        Requeue::After(Duration::ZERO)
    });
    for n in 0..9 {
        rig.apply(workspace("a", n));
    }
    sleep(Duration::from_secs(1)).await;
    rig.cancel.cancel();
    let began = Instant::now();
    rig.served.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 9);
    assert_eq!(rig.began.lock().unwrap().len(), 4);
}
