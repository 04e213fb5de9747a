//! What the run showed, as a table. Written to `docs/e2e.md` where `UPDATE` is set, after it was found to be good.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use jiff::Timestamp;

use crate::{events::lives, ledger::seconds, stage::Stage, support::find_workspaces};

/// The lease of a leader that did not release it, and what a busy machine adds.
const HAND_OVER_S: f64 = 60.0;
/// Until the workload's first round.
const WARM_UP_S: f64 = 10.0;

/// An event of the story.
pub struct Row {
    pub event: &'static str,
    pub begun: Timestamp,
    pub ended: Timestamp,
    /// None: there was no new Workspace.
    pub served_after_s: Option<f64>,
}

pub async fn write(stage: &Stage) {
    let life_s = stage.ground.token_life().as_secs_f64();
    let rounds = stage.rounds().await;
    let written = stage.ledger.secret_writes();
    let (early_issues, issues) = stage.issues_not_due().await;
    let early_secrets = stage.ledger.secrets_out_of_turn(stage.due_s());
    let mut table = String::from(
        "| event | longest seconds without a sign of a leader | how often another led | seconds until a new Workspace was Ready | 401 | other failures | issues not due | Secrets changed out of turn |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut slowest = 0.0_f64;
    for row in &stage.rows {
        let within = |at: Timestamp| (row.begun..row.ended).contains(&at);
        let (without, leaders) = stage.ledger.hand_overs(row.begun, row.ended);
        let served = row
            .served_after_s
            .map_or("–".to_owned(), |after| format!("{after:.1}"));
        let without = if without == 0.0 {
            "–".to_owned()
        } else {
            slowest = slowest.max(without);
            format!("{without:.1}")
        };
        let of_workload = rounds.iter().filter(|round| within(round.at));
        let (unauthorized, failures) = of_workload.fold((0, 0), |(unauthorized, failures), round| {
            (
                unauthorized + round.unauthorized.len(),
                failures + round.failures.len(),
            )
        });
        let early = |found: &[(Timestamp, String)]| found.iter().filter(|(at, _)| within(*at)).count();
        writeln!(
            table,
            "| {} | {without} | {leaders} | {served} | {unauthorized} | {failures} | {} | {} |",
            row.event,
            early(&early_issues),
            early(&early_secrets),
        )
        .expect("a string takes all");
    }
    println!("{table}");

    let calls: usize = rounds.iter().map(|round| round.calls).sum();
    let least = rounds.iter().filter_map(|round| round.least_life_s).min();
    let span = match (rounds.first(), rounds.last()) {
        (Some(first), Some(last)) => seconds(first.at, last.at),
        _ => 0.0,
    };
    let summary = format!(
        "{} Workspaces with tokens of {life_s:.0} s; the workload made {calls} calls in {span:.0} s, and met no token with less than {} s left. \
         {issues} tokens were issued, and Secrets written {} times.",
        stage.workspaces().await.len(),
        least.expect("tokens"),
        written,
    );
    println!("{summary}");
    let mut names = BTreeMap::<String, usize>::new();
    let remote = find_workspaces(&stage.emulator("state").await);
    for workspace in remote {
        *names
            .entry(workspace["name"].as_str().expect("a name").to_owned())
            .or_default() += 1;
    }
    names.retain(|_, count| *count > 1);
    let bad: Vec<String> = rounds
        .iter()
        .filter(|round| !(round.unauthorized.is_empty() && round.failures.is_empty()))
        .map(|round| format!("{}: 401 {:?}, {:?}", round.at, round.unauthorized, round.failures))
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(names.is_empty(), "twins: {names:?}");
    assert!(early_issues.is_empty(), "{early_issues:?}");
    assert!(early_secrets.is_empty(), "{early_secrets:?}");
    assert!(slowest < HAND_OVER_S, "{slowest} s without a leader");
    let seen = life_s * f64::from(lives()) - WARM_UP_S;
    assert!(span >= seen, "the workload was seen for {span} s");

    if std::env::var_os("UPDATE").is_some() {
        let page = format!("{}{table}\n{summary}\n", include_str!("page_head.md"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/e2e.md");
        fs::write(path, page).expect("the page is written");
    }
}
