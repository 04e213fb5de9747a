//! What else can befall a Workspace than its own story: its Organization, its server, other people and other objects. Drawn
//! for laws, which stand in files of their own.

use std::time::Duration;

use proptest::prelude::*;

use crate::domain::remote::{FailureClass, RemoteState, WorkspaceState};
use crate::lifecycle::tests::harness::fake_engine::Told;
use crate::lifecycle::tests::harness::world::Fault;

/// How the server keeps time, for a whole story.
#[derive(Clone, Copy, Debug)]
pub(in crate::lifecycle::tests) struct Server {
    /// Less than the slack that two machines are given.
    pub(in crate::lifecycle::tests) ahead: i64,
    pub(in crate::lifecycle::tests) created_at: Told,
    pub(in crate::lifecycle::tests) date: Told,
    /// Less than the allowance.
    pub(in crate::lifecycle::tests) list_lag: u64,
}

pub(in crate::lifecycle::tests) fn server() -> impl Strategy<Value = Server> {
    let told = || prop_oneof![3 => Just(Told::Yes), 1 => Just(Told::No)];
    (-20i64..20, told(), told(), 0u64..25).prop_map(|(ahead, created_at, date, list_lag)| Server {
        ahead,
        created_at,
        date,
        list_lag,
    })
}

/// What befalls the Organization, as a Workspace sees it.
#[derive(Clone, Copy, Debug)]
pub(in crate::lifecycle::tests) enum Trouble {
    NotFound,
    Unreadable,
    Pending,
    Changed,
    Swapped,
    Missing,
    NotGranted,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::lifecycle::tests) enum Ordeal {
    Rename(&'static str),
    State(Option<WorkspaceState>),
    Suspend(Option<bool>),
    TokenEnabled(Option<bool>),
    NameSecret(&'static str),
    RequestReconcile(&'static str),
    RenamedRemotely(&'static str),
    /// By another client, just before the next effect of that kind.
    MovedBefore(&'static str),
    SwitchedRemotely(RemoteState),
    MadeByAnother(&'static str),
    /// A near-equal name, at any time.
    NearlyMadeByAnother(&'static str),
    /// The next call of that kind takes so long until it is carried out, and until it is answered.
    Slow(&'static str, u64, u64),
    RecordedByAnother,
    LoseSecrets,
    LoseLabel,
    SecretTaken,
    Organization(Trouble),
    OrganizationWell,
    Date(Told),
    TokenLife(u64),
    CrdUnreadable,
    Fault(&'static str, Fault),
    Crash(usize, Fault),
    Restart,
    List,
    Live(u64),
    Idle(u64),
}

const OF_ENGINE: [&str; 6] = ["Search", "Get", "Issue", "Verify", "Update", "Delete"];

const OF_KUBERNETES: [&str; 8] = [
    "WriteStatus",
    "WriteSecret",
    "AddFinalizer",
    "RemoveFinalizer",
    "DeleteSecret",
    "ReadSecret",
    "ReadObject",
    "ReadCrd",
];

fn of_the_process() -> impl Strategy<Value = Ordeal> {
    let throttled = FailureClass::Throttled(Duration::from_secs(7));
    let answers = [
        (FailureClass::Transient, 503),
        (FailureClass::Unknown, 504),
        (FailureClass::Denied, 403),
        (throttled, 429),
        (FailureClass::Malformed, 200),
        (FailureClass::Rejected, 422),
    ]
    .map(|(class, status)| Fault::Answers(class, status));
    let of_engine: Vec<Fault> = answers.into_iter().chain([Fault::AnswerLost]).collect();
    let of_kubernetes = vec![Fault::Refused, Fault::AnswerLost];
    let crash = vec![Fault::CrashBefore, Fault::CrashAfter, Fault::CarriedOutAfter(20)];
    let of_issue = vec![
        Fault::CarriedOutAfter(3),
        Fault::CarriedOutAfter(29),
        Fault::DoneThough(FailureClass::Denied, 403),
    ];
    let fault = |kinds: Vec<&'static str>, faults: Vec<Fault>| {
        (prop::sample::select(kinds), prop::sample::select(faults))
            .prop_map(|(kind, fault)| Ordeal::Fault(kind, fault))
    };
    prop_oneof![
        3 => fault(OF_ENGINE.to_vec(), of_engine),
        2 => fault(vec!["Issue"], of_issue),
        1 => (prop::sample::select(vec!["Search", "Get", "Issue"]), 0u64..15, 0u64..15)
            .prop_map(|(kind, done, answered)| Ordeal::Slow(kind, done, answered)),
        2 => fault(OF_KUBERNETES.to_vec(), of_kubernetes),
        2 => (0usize..10, prop::sample::select(crash)).prop_map(|(n, fault)| Ordeal::Crash(n, fault)),
        1 => Just(Ordeal::Restart),
        1 => Just(Ordeal::List),
        4 => (1u64..1500).prop_map(Ordeal::Live),
        1 => (1u64..1500).prop_map(Ordeal::Idle),
    ]
}

fn of_the_organization() -> impl Strategy<Value = Ordeal> {
    let troubles = vec![
        Trouble::NotFound,
        Trouble::Unreadable,
        Trouble::Pending,
        Trouble::Changed,
        Trouble::Swapped,
        Trouble::Missing,
        Trouble::NotGranted,
    ];
    prop_oneof![
        3 => prop::sample::select(troubles).prop_map(Ordeal::Organization),
        2 => Just(Ordeal::OrganizationWell),
        1 => Just(Ordeal::RecordedByAnother),
        1 => prop::sample::select(vec![Told::Yes, Told::No]).prop_map(Ordeal::Date),
        1 => prop::sample::select(vec![0, 30, 1200]).prop_map(Ordeal::TokenLife),
        1 => Just(Ordeal::CrdUnreadable),
    ]
}

fn of_people() -> impl Strategy<Value = Ordeal> {
    let names = || prop::sample::select(vec!["acme", "zenith", "nadir"]);
    let elsewhere = prop::sample::select(vec!["acme", "zenith", "nadir", "moved"]);
    let states = vec![
        RemoteState::Known(WorkspaceState::Active),
        RemoteState::Known(WorkspaceState::Inactive),
        RemoteState::Unknown,
    ];
    let declared = vec![None, Some(WorkspaceState::Active), Some(WorkspaceState::Inactive)];
    prop_oneof![
        2 => names().prop_map(Ordeal::Rename),
        1 => prop::sample::select(declared).prop_map(Ordeal::State),
        1 => prop::sample::select(vec![None, Some(true)]).prop_map(Ordeal::Suspend),
        1 => prop::sample::select(vec![None, Some(false)]).prop_map(Ordeal::TokenEnabled),
        1 => prop::sample::select(vec!["acme-token", "fresh"]).prop_map(Ordeal::NameSecret),
        1 => prop::sample::select(vec!["one", "two"]).prop_map(Ordeal::RequestReconcile),
        2 => elsewhere.prop_map(Ordeal::RenamedRemotely),
        1 => prop::sample::select(vec!["Issue", "Verify", "Update", "Delete"]).prop_map(Ordeal::MovedBefore),
        1 => prop::sample::select(states).prop_map(Ordeal::SwitchedRemotely),
        1 => Just(Ordeal::LoseSecrets),
        1 => Just(Ordeal::LoseLabel),
        1 => Just(Ordeal::SecretTaken),
    ]
}

/// Any ordeal that adds no workspace of others.
pub(in crate::lifecycle::tests) fn ordeal() -> impl Strategy<Value = Ordeal> {
    prop_oneof![
        3 => of_the_process(),
        2 => of_people(),
        1 => of_the_organization(),
    ]
}

/// Any ordeal, with workspaces of others under the same names.
pub(in crate::lifecycle::tests) fn crowded_ordeal() -> impl Strategy<Value = Ordeal> {
    let names = prop::sample::select(vec!["acme", "zenith", "nadir"]);
    let near = prop::sample::select(vec!["ACME", " acme", "Zenith", "NADIR"]);
    prop_oneof![
        8 => ordeal(),
        1 => names.prop_map(Ordeal::MadeByAnother),
        1 => near.prop_map(Ordeal::NearlyMadeByAnother),
    ]
}
