//! What the run showed, as a table. Written to `docs/e2e.md` where `UPDATE` is set, after it was found to be good.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use jiff::Timestamp;

use crate::{
    events::lives,
    ground::Ground,
    ledger::seconds,
    stage::{ACCOUNT, Stage},
    support::find_workspaces,
    workload::Round,
    writers::Writes,
};

/// The lease of a leader that did not release it, and what a busy machine adds.
const SILENCE_S: f64 = 60.0;
/// Until the workload's first round.
const WARM_UP_S: f64 = 10.0;
/// Of a page that tells all.
const LIVES: u32 = 3;

/// An event of the story.
pub struct Row {
    pub event: &'static str,
    pub begun: Timestamp,
    pub ended: Timestamp,
    /// None: there was no new Workspace.
    pub served_after_s: Option<f64>,
}

/// What was seen of the whole.
struct Findings {
    rounds: Vec<Round>,
    secret_writes: usize,
    issues: usize,
    issues_not_due: Vec<(Timestamp, String)>,
    secrets_out_of_turn: Vec<(Timestamp, String)>,
    /// Of none where the cluster keeps no log for us.
    writes: Option<Writes>,
    /// Names of more than one workspace at Agent Engine.
    twins: Vec<String>,
}

/// Prints what was found, fails where it is not good, and writes the page where that is wanted.
pub async fn write(stage: &Stage) {
    let findings = Findings::collect(stage).await;
    let (table, summary) = (findings.table(stage), findings.summary(stage).await);
    println!("{table}\n{summary}");
    findings.judge(stage);
    let whole = stage.ground == Ground::OwnNode && lives() >= LIVES;
    if whole && std::env::var_os("UPDATE").is_some() {
        let page = format!("{}{table}\n{summary}\n", include_str!("page_head.md"));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/e2e.md");
        fs::write(path, page).expect("the page is written");
    }
}

impl Findings {
    async fn collect(stage: &Stage) -> Self {
        let rounds = stage.rounds().await;
        let secret_writes = stage.ledger.secret_writes();
        let (issues_not_due, issues) = stage.issues_not_due().await;
        let mut names = BTreeMap::<String, usize>::new();
        for workspace in find_workspaces(&stage.emulator("state").await) {
            let name = workspace["name"].as_str().expect("a name");
            *names.entry(name.to_owned()).or_default() += 1;
        }
        names.retain(|_, count| *count > 1);
        Self {
            rounds,
            secret_writes,
            issues,
            issues_not_due,
            secrets_out_of_turn: stage.ledger.secrets_out_of_turn(stage.due_s()),
            writes: stage.ground.audit_log().map(|log| Writes::read(&log, ACCOUNT)),
            twins: names.into_keys().collect(),
        }
    }

    fn table(&self, stage: &Stage) -> String {
        let mut table = String::from(
            "| event | another led after … s | longest silence, s | a new Workspace was Ready after … s | 401 | other failures | issues not due | Secrets changed out of turn | writes of another than the leader |\n\
             |---|---|---|---|---|---|---|---|---|\n",
        );
        for row in &stage.rows {
            let within = |at: Timestamp| (row.begun..row.ended).contains(&at);
            let leaders = stage.ledger.leaders(row.begun, row.ended);
            let counted = |count: fn(&Round) -> usize| -> usize {
                let rounds = self.rounds.iter().filter(|round| within(round.at));
                rounds.map(count).sum()
            };
            let among = |found: &[(Timestamp, String)]| found.iter().filter(|(at, _)| within(*at)).count();
            writeln!(
                table,
                "| {} | {} | {:.1} | {} | {} | {} | {} | {} | {} |",
                row.event,
                told(&leaders.hand_overs_s),
                leaders.silence_s,
                told(row.served_after_s.as_slice()),
                counted(|round| round.unauthorized.len()),
                counted(|round| round.failures.len()),
                among(&self.issues_not_due),
                among(&self.secrets_out_of_turn),
                self.writes
                    .as_ref()
                    .map_or("–".to_owned(), |writes| among(&writes.of_others).to_string()),
            )
            .expect("a string takes all");
        }
        table
    }

    async fn summary(&self, stage: &Stage) -> String {
        let calls: usize = self.rounds.iter().map(|round| round.calls).sum();
        let least = self.rounds.iter().filter_map(|round| round.least_life_s).min();
        format!(
            "{} Workspaces with tokens of {} s; the workload made {calls} calls in {:.0} s, and met no token with less than {} s left. \
             {} tokens were issued, and Secrets written {} times. The leaders made {} writes.",
            stage.workspaces().await.len(),
            stage.ground.token_life().as_secs(),
            self.span_s(),
            least.expect("tokens"),
            self.issues,
            self.secret_writes,
            self.writes.as_ref().map_or(0, |writes| writes.all),
        )
    }

    /// For how long the workload was seen.
    fn span_s(&self) -> f64 {
        match (self.rounds.first(), self.rounds.last()) {
            (Some(first), Some(last)) => seconds(first.at, last.at),
            _ => 0.0,
        }
    }

    fn judge(&self, stage: &Stage) {
        let bad: Vec<String> = self
            .rounds
            .iter()
            .filter(|round| !(round.unauthorized.is_empty() && round.failures.is_empty()))
            .map(|round| format!("{}: 401 {:?}, {:?}", round.at, round.unauthorized, round.failures))
            .collect();
        assert!(bad.is_empty(), "{}", bad.join("\n"));
        assert!(self.twins.is_empty(), "twins: {:?}", self.twins);
        assert!(self.issues_not_due.is_empty(), "{:?}", self.issues_not_due);
        assert!(
            self.secrets_out_of_turn.is_empty(),
            "{:?}",
            self.secrets_out_of_turn
        );
        if let Some(writes) = &self.writes {
            assert!(writes.all > 0, "the audit log names the Pods otherwise");
            assert!(writes.of_others.is_empty(), "{:?}", writes.of_others);
        }
        let silences = stage.rows.iter().map(|row| {
            let leaders = stage.ledger.leaders(row.begun, row.ended);
            (row.event, leaders.silence_s)
        });
        let too_long: Vec<_> = silences.filter(|(_, silence_s)| *silence_s > SILENCE_S).collect();
        assert!(too_long.is_empty(), "nobody led: {too_long:?}");
        let life_s = stage.ground.token_life().as_secs_f64();
        let wanted = life_s * f64::from(lives()) - WARM_UP_S;
        assert!(
            self.span_s() >= wanted,
            "the workload was seen for {} s",
            self.span_s()
        );
    }
}

/// Each with a decimal; a dash where there is none.
fn told(seconds: &[f64]) -> String {
    let all: Vec<String> = seconds.iter().map(|after| format!("{after:.1}")).collect();
    if all.is_empty() {
        "–".to_owned()
    } else {
        all.join(", ")
    }
}
