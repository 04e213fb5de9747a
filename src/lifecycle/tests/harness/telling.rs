//! Steps of a reconcile in words, for the stories.

use jiff::Timestamp;

use crate::crd::conditions::READY;
use crate::domain::object::Deletion;
use crate::domain::time::elapsed;
use crate::lifecycle::effect::{
    ClusterEffect, ClusterOutcome, Effect, EngineAnswer, EngineCall, LiveSecret, Outcome, WorkspaceChange,
};
use crate::lifecycle::progress::{Remote, TokenProgress};
use crate::lifecycle::reconcile::Settled;
use crate::lifecycle::tests::harness::world::{World, at};
use crate::lifecycle::view::View;

impl World {
    /// A sentence between two reconciles.
    pub(in crate::lifecycle::tests) fn tell(&mut self, sentence: &str) {
        let now = self.now;
        if let Some(told) = &mut self.told {
            told.push(format!("\n## {} {sentence}", clock(now)));
        }
    }

    pub(in crate::lifecycle::tests) fn tell_beginning(&mut self) {
        let now = self.now;
        if let Some(told) = &mut self.told {
            told.push(format!("\n**{} reconcile**", clock(now)));
        }
    }

    pub(in crate::lifecycle::tests) fn tell_step(
        &mut self,
        new: &[String],
        rule: &str,
        effect: &Effect,
        outcome: Option<&Outcome>,
    ) {
        let Some(told) = &mut self.told else { return };
        if told.last().is_some_and(|line| line.starts_with("\n**")) {
            told.push("\n| view | rule | effect | outcome |\n|---|---|---|---|".to_owned());
        }
        let outcome = outcome.map_or_else(|| "the process dies".to_owned(), came);
        told.push(format!(
            "| {} | `{rule}` | {} | {outcome} |",
            new.join("; "),
            does(effect)
        ));
    }

    pub(in crate::lifecycle::tests) fn tell_end(&mut self, settled: &Settled) {
        let now = self.now;
        let Some(told) = &mut self.told else { return };
        let ready = settled.stored.conditions.iter().find(|c| c.type_ == READY);
        let ready = ready.map_or_else(String::new, |c| {
            format!("Ready={} {}: {}", c.status, c.reason, c.message)
        });
        let events: Vec<&str> = settled.events.iter().map(|event| event.reason.as_str()).collect();
        let events = match events.as_slice() {
            [] => String::new(),
            some => format!(" Events: {}.", some.join(", ")),
        };
        let wait = elapsed(now, settled.requeue.at).as_secs();
        told.push(format!(
            "\nSettled by `{}`. {ready}.{events} Next reconcile in {} min {} s: `{}`.",
            settled.rule,
            wait / 60,
            wait % 60,
            settled.requeue.why.as_str()
        ));
    }
}

fn clock(now: Timestamp) -> String {
    let seconds = elapsed(at(0), now).as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// What a view shows, a fact a line.
pub(in crate::lifecycle::tests) fn facts(view: &View) -> Vec<String> {
    let mut facts = Vec::new();
    match (view.record(), view.intent()) {
        (Some(record), _) => facts.push(format!("recorded: {} {:?}", record.id, record.name.as_str())),
        (None, Some(intent)) => facts.push(format!("creation of {:?} in flight", intent.name.as_str())),
        (None, None) => facts.push("no record".to_owned()),
    }
    facts.push(format!("declared: {:?}", view.declared.name.as_str()));
    if view.object.deletion == Deletion::Requested {
        facts.push("deletion requested".to_owned());
    }
    for search in view.progress.searches.values() {
        facts.push(format!(
            "search {:?}: {} rows",
            search.name.as_str(),
            search.rows.len()
        ));
    }
    for (id, seen) in &view.progress.workspaces {
        if let Some(seen) = &seen.read {
            facts.push(match &seen.remote {
                Remote::Present(row) => format!("{id} is there, named {:?}", row.name.as_str()),
                Remote::Gone => format!("{id} is not found"),
            });
        }
    }
    facts.push(match &view.progress.token {
        TokenProgress::None => String::new(),
        TokenProgress::MayIssue(_) => "the intent is stored".to_owned(),
        TokenProgress::NothingMade(_) => "the issue made nothing".to_owned(),
        TokenProgress::Issued(_) => "token at hand, unverified".to_owned(),
        TokenProgress::Verified(_, scope) => format!("token opens {}", scope.workspace_id),
        TokenProgress::Published(_) => "token is in the Secret".to_owned(),
    });
    if let Some(times) = crate::lifecycle::judge::token_secret::times(view) {
        let freshness = times.freshness(&view.object.uid, view.now);
        facts.push(format!("Secret holds a token: {freshness:?}"));
    }
    facts.retain(|fact| !fact.is_empty());
    facts
}

fn rows(count: usize) -> String {
    match count {
        0 => "nothing".to_owned(),
        1 => "1 row".to_owned(),
        some => format!("{some} rows"),
    }
}

fn does(effect: &Effect) -> String {
    match effect {
        Effect::Cluster(ClusterEffect::WriteStatus(status)) => {
            let ready = status.conditions.iter().find(|c| c.type_ == READY);
            let what = match (&status.creation, &status.workspace_id) {
                (Some(intent), _) => format!("intent {:?}", intent.name.as_str()),
                (None, Some(id)) => format!("record {id}"),
                (None, None) => "no record".to_owned(),
            };
            format!("WriteStatus: {what}, {}", ready.map_or("-", |c| &c.reason))
        }
        Effect::Cluster(ClusterEffect::DecorateSecret(decorated)) => {
            format!("DecorateSecret {:?}", decorated.name)
        }
        Effect::Cluster(ClusterEffect::WriteSecret(draft)) => format!("WriteSecret {:?}", draft.name),
        Effect::Cluster(
            ClusterEffect::ReadSecret { name }
            | ClusterEffect::TrySecret { name }
            | ClusterEffect::DeleteSecret { name, .. },
        ) => {
            format!("{} {name:?}", effect.kind())
        }
        Effect::Engine(EngineCall::Search(name)) => format!("Search {:?}", name.as_str()),
        Effect::Engine(EngineCall::Issue { name, .. }) => format!("Issue for {:?}", name.as_str()),
        Effect::Engine(EngineCall::Get(id) | EngineCall::Delete(id)) => format!("{} {id}", effect.kind()),
        Effect::Engine(EngineCall::Update { id, change }) => match change {
            WorkspaceChange::Rename(name) => format!("Update {id}: name {:?}", name.as_str()),
            WorkspaceChange::State(state) => format!("Update {id}: {state:?}"),
        },
        Effect::Cluster(
            ClusterEffect::ReadObject
            | ClusterEffect::AddFinalizer
            | ClusterEffect::RemoveFinalizer
            | ClusterEffect::ReadCrd,
        )
        | Effect::Engine(EngineCall::Verify(_)) => effect.kind().to_owned(),
    }
}

fn came(outcome: &Outcome) -> String {
    let answer = match outcome {
        Outcome::Cluster(
            ClusterOutcome::Object(_) | ClusterOutcome::SecretWritten(_) | ClusterOutcome::SecretDecorated(_),
        ) => {
            return "stored".to_owned();
        }
        Outcome::Cluster(ClusterOutcome::Secret(LiveSecret::Absent)) => return "absent".to_owned(),
        Outcome::Cluster(ClusterOutcome::Secret(LiveSecret::Present(_))) => return "present".to_owned(),
        Outcome::Cluster(ClusterOutcome::SecretDeleted { .. }) => return "deleted".to_owned(),
        Outcome::Cluster(ClusterOutcome::Crd(state)) => return format!("{state:?}"),
        Outcome::Cluster(_) => return outcome.summary().to_owned(),
        Outcome::Engine(answer) => answer,
    };
    if let Some(failure) = answer.answered().failure {
        return match failure.status {
            Some(status) => format!("{} ({status})", failure.class.as_str()),
            None => failure.class.as_str().to_owned(),
        };
    }
    match answer {
        EngineAnswer::Searched(answer) => rows(answer.result.as_ref().map_or(0, Vec::len)),
        EngineAnswer::Got(answer) => match &answer.result {
            Ok(Some(row)) => format!("{} {:?}", row.id, row.name.as_str()),
            Ok(None) | Err(_) => "not found".to_owned(),
        },
        EngineAnswer::Issued(_) => "a token".to_owned(),
        EngineAnswer::Verified(answer) => match &answer.result {
            Ok(scope) => format!("opens {}", scope.workspace_id),
            Err(_) => String::new(),
        },
        EngineAnswer::Updated(_) => "updated".to_owned(),
        EngineAnswer::Deleted(_) => "deleted".to_owned(),
    }
}
