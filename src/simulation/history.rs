//! What happens from outside in one history: a setup and a row of acts, all drawn from a seed.

use std::num::NonZeroUsize;

use fastrand::Rng;

use super::Millis;
use super::agent_engine::{KeptNames, Knobs};
use super::replicas::blow::{Blow, Frozen};
use super::weather::Weather;

/// Names that people and other clusters use. The first ones are declared, too.
pub const NAMES: [&str; 6] = ["acme", "zenith", "nadir", "ACME", "acme ", "Zenith"];

/// How many of [`NAMES`] objects declare.
const DECLARED: usize = 3;

/// Names that no pattern can grant alone, or that are hard to write down.
pub(super) const ODD_NAMES: [&str; 3] = ["a*e", "{namespace}", "Caf\u{e9} \"x\"\u{200b}"];

/// What may be granted instead of everything: patterns that fit some of the names, or none.
pub const PATTERNS: [&str; 20] = [
    "{namespace}-*",
    "*-{namespace}",
    "a{namespace}b*",
    "Z*\u{e9}*",
    "acme",
    "a*e",
    "*dir",
    "z*n*h",
    "{namespace}.*",
    "{namespace}",
    "tenant-1*",
    "*n*i*",
    // From here on for seeds that know them.
    "*_{namespace}",
    "*dir",
    "z*{namespace}",
    "*_{namespace}_*",
    "{namespace}_{namespace}",
    "a*_{namespace}e",
    "{namespace}x{namespace}",
    "{namespace}9*",
];

/// How many of them seeds know from the first, and from [`WIDE_FROM`] on.
const FIRST_PATTERNS: usize = 12;
const WIDE_PATTERNS: usize = 18;

/// How many selectors [`Act::GrantByLabel`] knows.
pub const SELECTORS: usize = 10;

/// The same of selectors.
const FIRST_SELECTORS: usize = 6;
const WIDE_SELECTORS: usize = 9;

/// Seeds from here on know rare acts, too. Those below stay what they were when they found something.
pub const RARE_FROM: u64 = 200_000;

/// Seeds from here on know a second namespace, lists with tombstones, answers that name another organization, and more that
/// an Organization may grant.
pub const WIDE_FROM: u64 = 300_000;

/// Seeds from here on know changes that are refused or ignored, credentials that go, and odd names.
pub const ODD_FROM: u64 = 400_000;

/// Seeds from here on know several processes, of which one leads.
pub const REPLICAS_FROM: u64 = 600_000;

/// Seeds from here on know all of these and the rarest acts; every second one has several processes.
pub const ALL_FROM: u64 = 2_000_000;

/// Seeds from here on have one process again, and the rarest acts.
pub const ALONE_FROM: u64 = 4_000_000;

/// Whether the history of a seed has several processes.
fn has_replicas(seed: u64) -> bool {
    match seed {
        ALONE_FROM.. => false,
        ALL_FROM.. => !seed.is_multiple_of(2),
        _ => seed >= REPLICAS_FROM,
    }
}

/// What does not change within a history.
#[derive(Clone, Debug)]
pub struct Setup {
    pub seed: u64,
    pub knobs: Knobs,
    pub organizations: usize,
    /// Objects are in each of them in turn.
    pub namespaces: usize,
    /// Slots of the process.
    pub concurrency: NonZeroUsize,
    pub requests_per_second: Option<i32>,
    /// Objects that are there from the beginning.
    pub objects: usize,
    /// Something that lasts as long as the history.
    pub siege: Option<Siege>,
    /// How long events are on their way to the stores at first.
    pub store_lag: Millis,
    /// By how much the wall clock of each process is ahead. Several elect the one that leads.
    pub clocks: Vec<Millis>,
}

impl Setup {
    /// How many of [`NAMES`] users declare: where the server keeps names in another form, all of them.
    fn declared(&self) -> usize {
        match self.knobs.keeps_names {
            KeptNames::AsGiven => DECLARED,
            KeptNames::Trimmed | KeptNames::Lowercased => NAMES.len(),
        }
    }

    /// What the first objects declare.
    pub(super) fn declared_at_first(&self, object: usize) -> Option<&'static str> {
        match self.knobs.keeps_names {
            KeptNames::AsGiven => NAMES[..DECLARED].get(object).copied(),
            KeptNames::Trimmed | KeptNames::Lowercased => NAMES.iter().rev().nth(object).copied(),
        }
    }
}

/// Something that lasts, of the first organization.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Siege {
    Weather(Weather),
    /// A tool touches its credential Secret so often.
    TouchedEvery(Millis),
}

/// An act, and how long after the one before.
#[derive(Clone, Debug)]
pub struct Timed {
    pub after: Millis,
    pub act: Act,
}

/// Which kind of objects a watch brings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Workspaces,
    Secrets,
    Organizations,
    Credentials,
}

/// Something that happens from outside. `object`, `organization` and `row` are picked modulo what is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Nothing; time passes.
    Wait,
    // Users.
    Create {
        object: usize,
        name: usize,
        organization: usize,
        adopt: Adopt,
    },
    Declare {
        object: usize,
        name: usize,
    },
    SwapNames {
        object: usize,
        with: usize,
    },
    State {
        object: usize,
        active: Option<bool>,
    },
    Suspend {
        object: usize,
        suspend: bool,
    },
    Token {
        object: usize,
        enabled: bool,
    },
    SecretName {
        object: usize,
        name: usize,
    },
    /// Names the fallback workspace of every organization.
    DeclareDefault {
        object: usize,
    },
    /// One of `ODD_NAMES`.
    DeclareOdd {
        object: usize,
        name: usize,
    },
    /// The fallback workspace is adopted.
    AdoptDefault {
        object: usize,
    },
    /// Declares a label and an annotation of the Secret; from 3 on, a long annotation.
    DecorateSecret {
        object: usize,
        value: usize,
    },
    Policy {
        object: usize,
        retain: Option<bool>,
    },
    Delete {
        object: usize,
    },
    /// Every second object; with a finalizer of others on each.
    DeleteMany {
        held: bool,
    },
    /// Says Retain after all, while no watch shows it.
    RetainUnseen {
        object: usize,
        during: Millis,
    },
    Recreate {
        object: usize,
    },
    RestoreFromBackup {
        object: usize,
    },
    RequestReconcile {
        object: usize,
    },
    AllowReplacement {
        object: usize,
    },
    HoldByOthers {
        object: usize,
        held: bool,
    },
    TakeOffFinalizer {
        object: usize,
    },
    DeleteSecret {
        object: usize,
    },
    UnlabelSecret {
        object: usize,
    },
    TakeSecret {
        object: usize,
    },
    // Others at Agent Engine.
    Make {
        organization: usize,
        name: usize,
    },
    Rename {
        organization: usize,
        row: usize,
        name: usize,
    },
    SwapRows {
        organization: usize,
        row: usize,
        with: usize,
    },
    Switch {
        organization: usize,
        row: usize,
        active: bool,
    },
    Remove {
        organization: usize,
        row: usize,
    },
    RemoveMany {
        organization: usize,
    },
    Restore {
        organization: usize,
        row: usize,
    },
    /// To a name that no status has room for.
    RenameLong {
        organization: usize,
        row: usize,
    },
    /// The fallback workspace is made active or inactive.
    SwitchDefault {
        organization: usize,
        active: bool,
    },
    /// The fallback workspace is deleted.
    LoseDefault {
        organization: usize,
    },
    // Administrators.
    /// The operator of another release holds it, does nothing for it, and is gone after a while.
    AnotherHolds {
        what: Held,
        firmly: bool,
        during: Millis,
    },
    /// Declares an id that nobody can change then.
    DeclareId {
        organization: usize,
        of: usize,
    },
    Grant {
        organization: usize,
        names: Grants,
        adoption: bool,
        deletion: bool,
    },
    DefaultPolicy {
        organization: usize,
        retain: Option<bool>,
    },
    Credential {
        organization: usize,
        opens: usize,
    },
    TouchCredential {
        organization: usize,
    },
    ReplaceOrganization {
        organization: usize,
    },
    RequestList {
        organization: usize,
    },
    /// One of [`PATTERNS`] alone.
    GrantPattern {
        organization: usize,
        pattern: usize,
    },
    DeleteOrganization {
        organization: usize,
    },
    /// To namespaces with certain labels.
    GrantByLabel {
        organization: usize,
        selector: usize,
    },
    LoseCredential {
        organization: usize,
    },
    /// Says that so many may be missing.
    ConfirmMissing {
        organization: usize,
        count: usize,
    },
    Rate {
        organization: usize,
        requests_per_second: Option<i32>,
    },
    // Agent Engine.
    Weather {
        organization: usize,
        weather: Weather,
    },
    // Kubernetes.
    StoreLag {
        kind: Kind,
        lag: Millis,
    },
    WatchDies {
        kind: Kind,
        during: Millis,
    },
    WritesRefused {
        during: Millis,
    },
    Admission(Admission),
    /// The CustomResourceDefinition of Workspaces is being deleted, or is not.
    DefinitionGoes(bool),
    // The process.
    Crash {
        down: Millis,
    },
    /// At the effect after so many from now, before or after it is carried out.
    CrashAtEffect {
        after: usize,
        carried_out: bool,
        down: Millis,
    },
    Pause {
        during: Millis,
    },
    ClockJumps {
        by: Millis,
    },
    /// One of several processes; the one that leads, where none is named.
    Strike {
        process: Option<usize>,
        blow: Blow,
    },
    /// Somebody deletes the Lease.
    LeaseGoes,
}

/// What an operator holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Held {
    Object(usize),
    Organization(usize),
}

/// What an admission policy does to every Secret that is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Admission {
    #[default]
    Nothing,
    /// Adds an annotation of its own.
    Annotates,
    /// Sets the label that objects declare.
    Overrides,
    /// Drops the annotation that objects declare.
    Drops,
    /// Makes the content immutable.
    Freezes,
    /// Changes the name in the content.
    Rewrites,
}

/// How a new object means to get its workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Adopt {
    Never,
    ByName,
    /// The row with this number.
    ById(usize),
}

/// Which names an Organization grants to the namespace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Grants {
    All,
    /// `acme*` and the like.
    Some,
    None,
}

/// A whole history.
#[derive(Clone, Debug)]
pub struct History {
    pub setup: Setup,
    pub acts: Vec<Timed>,
}

impl History {
    /// The history of a seed, with so many acts.
    pub fn of(seed: u64, acts: usize) -> Self {
        let mut dice = Rng::with_seed(seed);
        let setup = setup(seed, &mut dice);
        let temper = Temper::draw(&setup, &mut dice);
        let acts = (0..acts)
            .map(|_| Timed {
                after: after(temper, &mut dice),
                act: if has_replicas(seed) && dice.u8(0..4) == 0 {
                    blow(&setup, &mut dice)
                } else if seed >= ALL_FROM && seed % 16 < 2 && dice.bool() {
                    // Another client deletes it again and again.
                    Act::DeleteSecret { object: 0 }
                } else if seed >= ALL_FROM && dice.u8(0..8) == 0 {
                    rarest(&setup, &mut dice)
                } else if seed >= RARE_FROM && dice.u8(0..8) == 0 {
                    rare(&setup, &mut dice)
                } else {
                    act(&setup, temper, &mut dice)
                },
            })
            .collect();
        Self { setup, acts }
    }
}

fn setup(seed: u64, dice: &mut Rng) -> Setup {
    let siege = (dice.u8(0..12) == 0).then(|| siege(dice));
    let many = siege.is_some() || dice.u8(0..24) == 0;
    let mut setup = Setup {
        siege,
        seed,
        knobs: Knobs {
            tells_created_at: dice.u8(0..8) > 0,
            tells_date: dice.u8(0..8) > 0,
            folds_names: dice.u8(0..4) == 0,
            keeps_names: keeps_names(seed),
            shows_tombstones: dice.u8(0..4) == 0,
            lists_tombstones: false,
            names_organization: dice.u8(0..4) > 0,
            newest_first: dice.bool(),
            list_lag: [0, 0, 3_000, 25_000][dice.usize(0..4)],
            page_size: [100, 100, 2, 3][dice.usize(0..4)],
            token_life: 1_200_000,
            ahead: [0, 0, 3_600_000, -15_000][dice.usize(0..4)],
        },
        organizations: if siege.is_some() || dice.u8(0..3) == 0 {
            2
        } else {
            1
        },
        namespaces: 1,
        concurrency: NonZeroUsize::new(if many { 4 } else { [2, 8, 64][dice.usize(0..3)] })
            .unwrap_or(NonZeroUsize::MIN),
        requests_per_second: [None, None, Some(100), Some(1)][dice.usize(0..4)],
        objects: if many {
            dice.usize(10..40)
        } else {
            dice.usize(0..4)
        },
        store_lag: [5, 5, 100, 2_000][dice.usize(0..4)],
        clocks: vec![0],
    };
    if seed >= WIDE_FROM {
        setup.knobs.lists_tombstones = dice.u8(0..4) == 0;
        setup.namespaces = if dice.u8(0..3) == 0 { 2 } else { 1 };
    }
    if has_replicas(seed) {
        setup.clocks = clocks(dice);
    }
    setup
}

/// Without the dice: histories of other seeds stay what they are.
fn keeps_names(seed: u64) -> KeptNames {
    match seed {
        ALL_FROM.. if seed % 12 < 2 => KeptNames::Lowercased,
        ALL_FROM.. if seed % 12 < 4 => KeptNames::Trimmed,
        _ => KeptNames::AsGiven,
    }
}

/// Most acts follow each other closely, because faults live in windows; some are minutes apart.
fn after(temper: Temper, dice: &mut Rng) -> Millis {
    if temper == Temper::Siege {
        return dice.i64(5_000..120_000);
    }
    match dice.u8(0..20) {
        0..=7 => dice.i64(0..400),
        8..=12 => dice.i64(400..5_000),
        13..=16 => dice.i64(5_000..40_000),
        17..=18 => dice.i64(40_000..150_000),
        _ => dice.i64(150_000..900_000),
    }
}

/// What a history is about: some have more of one sort of acts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Temper {
    Mixed,
    People,
    Storms,
    Processes,
    /// Something lasts, and little else happens.
    Siege,
}

impl Temper {
    fn draw(setup: &Setup, dice: &mut Rng) -> Self {
        if setup.siege.is_some() {
            return Temper::Siege;
        }
        [Temper::Mixed, Temper::People, Temper::Storms, Temper::Processes][dice.usize(0..4)]
    }

    /// Shares of users, others, administrators, weather, Kubernetes, process.
    fn shares(self) -> [u32; 6] {
        match self {
            Temper::Mixed => [8, 5, 3, 5, 3, 3],
            Temper::People => [10, 10, 4, 2, 1, 1],
            Temper::Storms => [6, 2, 1, 10, 3, 1],
            Temper::Processes => [7, 2, 1, 3, 6, 6],
            Temper::Siege => [8, 2, 0, 0, 0, 0],
        }
    }
}

fn act(setup: &Setup, temper: Temper, dice: &mut Rng) -> Act {
    if temper == Temper::Siege && dice.u8(0..4) == 0 {
        return Act::Remove {
            organization: 0,
            row: dice.usize(0..40),
        };
    }
    let shares = temper.shares();
    let mut ticket = dice.u32(0..shares.iter().sum());
    let mut sort = 0;
    while ticket >= shares[sort] {
        ticket -= shares[sort];
        sort += 1;
    }
    match sort {
        0 => of_users(setup, dice),
        1 => of_others(setup, dice),
        2 => of_administrators(setup, dice),
        3 => Act::Weather {
            organization: dice.usize(0..setup.organizations),
            weather: weather(dice),
        },
        4 => of_kubernetes(dice),
        _ => of_the_process(dice),
    }
}

fn rare(setup: &Setup, dice: &mut Rng) -> Act {
    let object = dice.usize(0..setup.objects.max(3));
    let organization = dice.usize(0..setup.organizations);
    let (patterns, selectors) = match setup.seed {
        ODD_FROM.. => (PATTERNS.len(), SELECTORS),
        WIDE_FROM.. => (WIDE_PATTERNS, WIDE_SELECTORS),
        _ => (FIRST_PATTERNS, FIRST_SELECTORS),
    };
    if setup.seed >= WIDE_FROM && dice.u8(0..16) == 0 {
        return Act::Weather {
            organization,
            weather: Weather::NamesAnother,
        };
    }
    if setup.seed >= ODD_FROM && dice.bool() {
        return match dice.u8(0..8) {
            0..=3 => Act::Weather {
                organization,
                weather: [
                    Weather::NamesAnother,
                    Weather::RefusesChanges,
                    Weather::IgnoresChanges,
                ][dice.usize(0..3)],
            },
            4 => Act::LoseCredential { organization },
            5 => Act::DeclareOdd {
                object,
                name: dice.usize(0..ODD_NAMES.len()),
            },
            6 => Act::AdoptDefault { object },
            _ => Act::DefinitionGoes(dice.bool()),
        };
    }
    match dice.u8(0..22) {
        0..=3 => Act::GrantPattern {
            organization,
            pattern: dice.usize(0..patterns),
        },
        4..=7 => Act::DecorateSecret {
            object,
            value: dice.usize(0..3),
        },
        8..=11 => Act::Admission(
            [
                Admission::Nothing,
                Admission::Annotates,
                Admission::Overrides,
                Admission::Drops,
                Admission::Freezes,
                Admission::Rewrites,
            ][dice.usize(0..6)],
        ),
        12 => Act::DeleteOrganization { organization },
        13 => Act::ConfirmMissing {
            organization,
            count: dice.usize(0..12),
        },
        14..=15 => Act::Rate {
            organization,
            requests_per_second: [None, Some(1), Some(100)][dice.usize(0..3)],
        },
        16..=17 => Act::GrantByLabel {
            organization,
            selector: dice.usize(0..selectors),
        },
        18 => Act::DeclareDefault { object },
        19 => Act::DefinitionGoes(dice.bool()),
        _ => Act::Weather {
            organization,
            weather: [Weather::Denies, Weather::PlanEnds][dice.usize(0..2)],
        },
    }
}

fn rarest(setup: &Setup, dice: &mut Rng) -> Act {
    let object = dice.usize(0..setup.objects.max(3));
    let organization = dice.usize(0..setup.organizations);
    match dice.u8(0..20) {
        0..=4 => Act::AnotherHolds {
            what: if dice.u8(0..4) == 0 {
                Held::Organization(organization)
            } else {
                Held::Object(object)
            },
            firmly: dice.u8(0..3) > 0,
            during: [500, 20_000, 200_000][dice.usize(0..3)],
        },
        5..=9 => Act::DeleteSecret { object: 0 },
        10 => Act::RenameLong {
            organization,
            row: dice.usize(0..8),
        },
        11..=12 => Act::SwitchDefault {
            organization,
            active: dice.bool(),
        },
        13 => Act::LoseDefault { organization },
        14..=16 => Act::DeclareId {
            organization,
            of: dice.usize(0..setup.organizations),
        },
        17 => Act::AdoptDefault { object },
        18 => Act::DeclareDefault { object },
        _ => Act::DecorateSecret { object, value: 3 },
    }
}

fn of_users(setup: &Setup, dice: &mut Rng) -> Act {
    let object = dice.usize(0..setup.objects.max(3));
    let name = dice.usize(0..setup.declared());
    match dice.u8(0..24) {
        0..=5 => Act::Create {
            object,
            name,
            organization: dice.usize(0..setup.organizations),
            adopt: match dice.u8(0..5) {
                0 => Adopt::ByName,
                1 => Adopt::ById(dice.usize(0..8)),
                _ => Adopt::Never,
            },
        },
        6..=7 => Act::Declare { object, name },
        8 => Act::SwapNames {
            object,
            with: dice.usize(0..setup.objects.max(3)),
        },
        9..=10 => Act::State {
            object,
            active: [None, Some(true), Some(false)][dice.usize(0..3)],
        },
        11 => Act::Suspend {
            object,
            suspend: dice.bool(),
        },
        12 => Act::Token {
            object,
            enabled: dice.bool(),
        },
        13 => Act::SecretName {
            object,
            name: dice.usize(0..3),
        },
        14 => Act::Policy {
            object,
            retain: [None, Some(true), Some(false)][dice.usize(0..3)],
        },
        15..=16 => Act::Delete { object },
        17 if dice.u8(0..4) == 0 => Act::DeleteMany { held: dice.bool() },
        17 if dice.bool() => Act::RetainUnseen {
            object,
            during: dice.i64(30_000..230_000),
        },
        17 => Act::Delete { object },
        18 => Act::Recreate { object },
        19 => Act::RestoreFromBackup { object },
        20 => Act::RequestReconcile { object },
        21 => Act::AllowReplacement { object },
        22 => match dice.u8(0..4) {
            0 => Act::TakeOffFinalizer { object },
            _ => Act::HoldByOthers {
                object,
                held: dice.bool(),
            },
        },
        _ => match dice.u8(0..3) {
            0 => Act::DeleteSecret { object },
            1 => Act::UnlabelSecret { object },
            _ => Act::TakeSecret { object },
        },
    }
}

fn of_others(setup: &Setup, dice: &mut Rng) -> Act {
    let organization = dice.usize(0..setup.organizations);
    let (row, name) = (dice.usize(0..8), dice.usize(0..NAMES.len()));
    match dice.u8(0..12) {
        0..=4 => Act::Make { organization, name },
        5..=6 => Act::Rename {
            organization,
            row,
            name,
        },
        7 => Act::SwapRows {
            organization,
            row,
            with: dice.usize(0..8),
        },
        8 => Act::Switch {
            organization,
            row,
            active: dice.bool(),
        },
        9 => Act::Remove { organization, row },
        10 => Act::RemoveMany { organization },
        _ => Act::Restore { organization, row },
    }
}

fn of_administrators(setup: &Setup, dice: &mut Rng) -> Act {
    let organization = dice.usize(0..setup.organizations);
    match dice.u8(0..10) {
        0..=2 => Act::Grant {
            organization,
            names: [Grants::All, Grants::All, Grants::Some, Grants::None][dice.usize(0..4)],
            adoption: dice.bool(),
            deletion: dice.u8(0..4) > 0,
        },
        3 => Act::DefaultPolicy {
            organization,
            retain: [None, Some(true), Some(false)][dice.usize(0..3)],
        },
        4..=5 => Act::Credential {
            organization,
            opens: dice.usize(0..setup.organizations),
        },
        6..=7 => Act::TouchCredential { organization },
        8 => Act::ReplaceOrganization { organization },
        _ => Act::RequestList { organization },
    }
}

fn siege(dice: &mut Rng) -> Siege {
    match dice.u8(0..8) {
        0..=1 => Siege::Weather(Weather::Hangs),
        2 => Siege::Weather(Weather::Slow(dice.i64(5_000..19_000))),
        3 => Siege::Weather(Weather::Unavailable),
        4 => Siege::Weather(Weather::Throttles(3600)),
        5 => Siege::Weather(Weather::ListsNothing),
        6 => Siege::Weather(Weather::LosesAnswers),
        _ => Siege::TouchedEvery(60_000),
    }
}

fn weather(dice: &mut Rng) -> Weather {
    match dice.u8(0..13) {
        12 => Weather::ListsNothing,
        0..=2 => Weather::Calm,
        3 => Weather::Slow(dice.i64(1_000..25_000)),
        4 => Weather::Hangs,
        5 => Weather::Unavailable,
        6 => Weather::Throttles([0, 5, 60, 3600][dice.usize(0..4)]),
        7 => Weather::RefusesAfterwards,
        8 => Weather::Garbles,
        _ => Weather::LosesAnswers,
    }
}

fn kind(dice: &mut Rng) -> Kind {
    [
        Kind::Workspaces,
        Kind::Workspaces,
        Kind::Secrets,
        Kind::Organizations,
        Kind::Credentials,
    ][dice.usize(0..5)]
}

fn of_kubernetes(dice: &mut Rng) -> Act {
    match dice.u8(0..6) {
        0..=2 => Act::WatchDies {
            kind: kind(dice),
            during: dice.i64(1_000..230_000),
        },
        3..=4 => Act::StoreLag {
            kind: kind(dice),
            lag: [5, 100, 3_000, 20_000][dice.usize(0..4)],
        },
        _ => Act::WritesRefused {
            during: dice.i64(100..30_000),
        },
    }
}

fn of_the_process(dice: &mut Rng) -> Act {
    let down = [500, 5_000, 40_000, 300_000][dice.usize(0..4)];
    match dice.u8(0..8) {
        0..=1 => Act::Crash { down },
        2..=5 => Act::CrashAtEffect {
            after: dice.usize(0..8),
            carried_out: dice.bool(),
            down,
        },
        6 => Act::Pause {
            during: [1_000, 30_000, 200_000][dice.usize(0..3)],
        },
        _ => Act::ClockJumps {
            by: [-3_600_000, -60_000, 60_000, 3_600_000][dice.usize(0..4)],
        },
    }
}

/// A blow, most often to the process that leads.
fn blow(setup: &Setup, dice: &mut Rng) -> Act {
    if dice.u8(0..64) == 0 {
        return Act::LeaseGoes;
    }
    let process = (dice.u8(0..4) == 0).then(|| dice.usize(0..setup.clocks.len()));
    let down = [500, 5_000, 40_000, 300_000][dice.usize(0..4)];
    let during = [1_000, 10_000, 25_000, 31_000, 45_000, 120_000, 600_000][dice.usize(0..7)];
    let blow = match dice.u8(0..16) {
        0 => Blow::Crash { down },
        1..=3 => Blow::CrashAtEffect {
            after: dice.usize(0..8),
            carried_out: dice.bool(),
            down,
        },
        4 => Blow::Pause { during },
        5..=9 => Blow::FreezeAtEffect {
            after: dice.usize(0..8),
            frozen: [Frozen::BeforeIt, Frozen::WhileItConnects, Frozen::AfterIt][dice.usize(0..3)],
            during,
        },
        10..=12 => Blow::CutOff {
            during: [2_000, 15_000, 35_000, 90_000, 300_000][dice.usize(0..5)],
        },
        13..=14 => Blow::Stop { down },
        _ => Blow::ClockJumps {
            by: [-3_600_000, -60_000, 60_000, 3_600_000][dice.usize(0..4)],
        },
    };
    Act::Strike { process, blow }
}

/// By how much the wall clock of each process is ahead.
fn clocks(dice: &mut Rng) -> Vec<Millis> {
    let many = dice.usize(2..4);
    let agree = dice.bool();
    let clock = |dice: &mut Rng| match agree {
        true => 0,
        false => [0, 0, 60_000, -60_000, 420_000, 3_600_000, 10_800_000, -10_800_000][dice.usize(0..8)],
    };
    (0..many).map(|_| clock(dice)).collect()
}

/// The name of the Organization with this number.
pub(super) fn organization(n: usize) -> &'static str {
    ["org0", "org1"][n]
}
