//! Carries out calls to Agent Engine. A call takes effect at an instant of its own, and its answer comes at another.

use std::time::Duration;

use jiff::Timestamp;

use super::history::organization;
use super::laws::Seen;
use super::process::{Client, Reconciling, Subject};
use super::requests::{Call, Outcome, Value, What};
use super::weather::{ATTEMPT_TIMEOUT, Fate, Request, Weather, failure, lost};
use super::world::World;
use crate::domain::ids::{OrganizationId, Uid};
use crate::domain::remote::{
    Answer, Failure, FailureClass, ListedWorkspace, Page, RemoteWorkspace, Rest, TokenScope,
};
use crate::domain::time::earlier;
use crate::lifecycle::effect::{EngineAnswer, EngineCall, IssuedToken, TokenSlot};
use crate::organization::KeysDigest;
use crate::organization::effect as of_organization;

impl World {
    pub(super) fn call(
        &mut self,
        subject: &Subject,
        number: u64,
        client: Option<Client>,
        who: Uid,
        what: What,
        request: Request,
    ) {
        self.numbers += 1;
        let id = self.numbers;
        let (fate, remote) = match &client {
            None => (unsent(), 0),
            Some(client) => {
                let own = &self.engine.organizations[client.opens].id;
                let denied = client.names.as_ref().is_some_and(|named| named != own);
                let weather = self.engine.organizations[client.opens].weather;
                let fate = if denied {
                    refused_to_another()
                } else {
                    weather.fate(request, &mut self.dice)
                };
                (self.call_leaves(fate, request), client.opens)
            }
        };
        if client.is_some() {
            self.heeds_a_pause(subject);
            self.count_call(remote, &who, &what_kind(&what));
        }
        let call = Call {
            run: self.run,
            subject: subject.clone(),
            number,
            remote,
            who,
            what,
            request,
            sent: self.now,
            answered: self.now + fate.answered,
            failure: fate.failure,
            result: None,
            requests: u32::from(client.is_some()),
        };
        self.calls.insert(id, call);
        let now = self.now;
        self.expect_answer(id, fate.carried_out.map(|after| now + after), now + fate.answered);
    }

    /// The server does what it was asked for.
    pub(super) fn carry_out(&mut self, id: u64) {
        let Some(call) = self.calls.get(&id) else { return };
        let (remote, who, what) = (call.remote, call.who.clone(), call.what.clone());
        let now = self.now;
        let result = match &what {
            What::Workspace(EngineCall::Search(name), _) => {
                Ok(Value::Rows(self.engine.search(now, remote, name)))
            }
            What::Workspace(EngineCall::Get(of), _) => Ok(Value::Row(self.engine.get(remote, of))),
            What::Workspace(EngineCall::Issue { name, .. }, _) => {
                let issued = self.engine.issue(now, remote, name, &who);
                if let Some(made) = issued.made {
                    self.makes(&who, &made);
                }
                Ok(Value::Token(issued.token))
            }
            What::Workspace(EngineCall::Verify(_), token) => match token {
                Some(token) => self.engine.verify(now, remote, *token).map(Value::Scope),
                None => Err(failure(FailureClass::Transient, None)),
            },
            What::Workspace(EngineCall::Update { id, change }, _) => {
                self.updates(remote, &who, id);
                let ignores = self.engine.organizations[remote].weather == Weather::IgnoresChanges;
                match self.engine.get(remote, id) {
                    Some(row) if ignores && self.dice.bool() => Ok(Value::Updated(row)),
                    _ => self.engine.update(now, remote, id, change).map(Value::Updated),
                }
            }
            What::Workspace(EngineCall::Delete(of), _) => {
                self.deletes(remote, &who, of);
                Ok(Value::Deleted(self.engine.delete(now, remote, of)))
            }
            What::Organization(of_organization::EngineCall::List(_), cursor) => {
                let rows = match self.engine.organizations[remote].weather {
                    Weather::ListsNothing => Vec::new(),
                    _ => self.engine.list(now, remote),
                };
                let end = (cursor + self.engine.knobs.page_size).min(rows.len());
                let page = rows.get(*cursor..end).unwrap_or_default();
                Ok(Value::Page(Page {
                    rows: page
                        .iter()
                        .map(|workspace| ListedWorkspace {
                            requested_at: Timestamp::MIN,
                            workspace: workspace.clone(),
                        })
                        .collect(),
                    rest: if end < rows.len() {
                        Rest::More
                    } else {
                        Rest::Nothing
                    },
                }))
            }
            What::Organization(_, _) => {
                let named = self.engine.knobs.names_organization;
                let own = self.engine.organizations[remote].id.clone();
                Ok(Value::Exchanged(named.then_some(own)))
            }
        };
        let result = if self.engine.organizations[remote].weather == Weather::NamesAnother && self.dice.bool()
        {
            result.map(naming_another)
        } else {
            result
        };
        self.tell(|_| {
            format!(
                "         carried out: {} for {who}: {}",
                what_kind(&what),
                brief_value(&result)
            )
        });
        if let Some(call) = self.calls.get_mut(&id) {
            call.result = Some(result);
        }
    }

    /// An answer arrives, or the client gives up.
    pub(super) fn answer(&mut self, id: u64) -> Option<(Subject, u64, Outcome)> {
        let call = self.calls.get_mut(&id)?;
        let failed = call.failure.clone();
        // A process that was frozen beyond the deadline takes no answer.
        let in_time = call.requests == 0 || self.now - call.sent <= ATTEMPT_TIMEOUT;
        let failed = if in_time {
            failed
        } else {
            lost(call.request, 0, None).failure
        };
        let result = match (failed, call.result.clone()) {
            (Some(failure), _) => Err(failure),
            (None, Some(result)) => result,
            (None, None) => Err(failure(FailureClass::Transient, None)),
        };
        let (what, sent, answered, run) = (call.what.clone(), call.sent, call.answered, call.run);
        let (subject, number, requests, remote, who) = (
            call.subject.clone(),
            call.number,
            call.requests,
            call.remote,
            call.who.clone(),
        );
        if run != self.run || self.process.is_none() {
            return None;
        }
        self.tell(|_| format!("      {number} ← {}: {}", what_kind(&what), brief_value(&result)));
        if let Err(Failure {
            class: FailureClass::Throttled(pause),
            ..
        }) = &result
        {
            let pause = if pause.is_zero() { 10 } else { pause.as_secs() };
            self.asked_to_wait(remote, pause);
            // Its limiter stops for it, though the credential may be of another organization.
            if let Some(own) = self.organization_of(&subject) {
                self.asked_to_wait(own, pause);
            }
        }
        let finished = self.clock();
        let took = Duration::from_millis((self.now - sent).unsigned_abs());
        let result = result.map(|value| requested_at(value, earlier(finished, took)));
        let date = result.is_ok().then(|| self.engine.date(answered)).flatten();
        let answer = |result: Result<Value, Failure>| Answer {
            finished,
            took,
            date,
            requests,
            result,
        };
        let result = self.note(&subject, remote, &who, &what, result);
        let answer = answer(result);
        let outcome = match what {
            What::Workspace(call, _) => Outcome::Workspace(crate::lifecycle::Outcome::Engine(
                self.of_workspace(&subject, &call, answer),
            )),
            What::Organization(call, _) => Outcome::Organization(crate::organization::Outcome::Engine(
                self.of_organization(&subject, call, remote, answer),
            )),
        };
        Some((subject, number, outcome))
    }

    /// The number of the organization that the subject is declared to be of.
    fn organization_of(&self, subject: &Subject) -> Option<usize> {
        let name = match subject {
            Subject::Organization(name) => name.as_str(),
            Subject::Workspace(key) => self.cluster.workspaces.get(key)?.spec.organization_name(),
        };
        (0..self.setup.organizations).find(|n| organization(*n) == name)
    }

    /// What the laws remember of an answer.
    fn note(
        &mut self,
        _subject: &Subject,
        _remote: usize,
        who: &Uid,
        what: &What,
        result: Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        if self.leader().is_some_and(|leader| leader != self.current()) {
            // A process that leads no longer.
            return result;
        }
        let read = match (what, &result) {
            (What::Workspace(EngineCall::Get(id), _), Ok(Value::Row(row))) => {
                Some((id.clone(), row.clone().filter(|row| !row.tombstone)))
            }
            (What::Workspace(EngineCall::Update { .. }, _), Ok(Value::Updated(row))) => {
                Some((row.id.clone(), Some(row.clone())))
            }
            (_, _) => None,
        };
        if let Some((id, row)) = read {
            let seen = Seen {
                at: self.now,
                listed_by: None,
                id,
                row,
            };
            self.laws.seen.insert(who.clone(), seen);
        }
        result
    }

    fn of_workspace(&mut self, subject: &Subject, call: &EngineCall, answer: Answer<Value>) -> EngineAnswer {
        match call {
            EngineCall::Search(_) => EngineAnswer::Searched(answer.with_result(|result| match result? {
                Value::Rows(rows) => Ok(rows),
                _ => Err(failure(FailureClass::Malformed, None)),
            })),
            EngineCall::Get(_) => EngineAnswer::Got(answer.with_result(|result| match result? {
                Value::Row(row) => Ok(row),
                _ => Err(failure(FailureClass::Malformed, None)),
            })),
            EngineCall::Issue { .. } => {
                let life = self.engine.knobs.token_life;
                let mut slot = 0;
                if let Ok(Value::Token(token)) = &answer.result
                    && let Some(running) = self
                        .process
                        .as_mut()
                        .and_then(|process| process.running.get_mut(subject))
                    && let Reconciling::Workspace { tokens, .. } = &mut running.what
                {
                    slot = tokens.len() as u64;
                    tokens.push(*token);
                }
                EngineAnswer::Issued(answer.with_result(|result| {
                    result?;
                    Ok(IssuedToken {
                        slot: TokenSlot(slot),
                        lifetime: std::time::Duration::from_millis(life.unsigned_abs()),
                    })
                }))
            }
            EngineCall::Verify(_) => EngineAnswer::Verified(answer.with_result(|result| match result? {
                Value::Scope(scope) => Ok(scope),
                _ => Err(failure(FailureClass::Malformed, None)),
            })),
            EngineCall::Update { .. } => EngineAnswer::Updated(answer.with_result(|result| match result? {
                Value::Updated(row) => Ok(row),
                _ => Err(failure(FailureClass::Malformed, None)),
            })),
            EngineCall::Delete(_) => EngineAnswer::Deleted(answer.with_result(|result| match result? {
                Value::Deleted(deleted) => Ok(deleted),
                _ => Err(failure(FailureClass::Malformed, None)),
            })),
        }
    }

    fn of_organization(
        &mut self,
        subject: &Subject,
        call: of_organization::EngineCall,
        opens: usize,
        answer: Answer<Value>,
    ) -> of_organization::EngineAnswer {
        match call {
            of_organization::EngineCall::List(_) => {
                if let Ok(Value::Page(page)) = &answer.result
                    && let Some(running) = self
                        .process
                        .as_mut()
                        .and_then(|process| process.running.get_mut(subject))
                    && let Reconciling::Organization { cursor, .. } = &mut running.what
                {
                    *cursor += page.rows.len();
                }
                of_organization::EngineAnswer::Listed(answer.with_result(|result| match result? {
                    Value::Page(page) => Ok(page),
                    _ => Err(failure(FailureClass::Malformed, None)),
                }))
            }
            of_organization::EngineCall::Exchange => {
                of_organization::EngineAnswer::Exchanged(exchanged(answer))
            }
            of_organization::EngineCall::ExchangeUnnamed => of_organization::EngineAnswer::ExchangedUnnamed {
                keys: Some(keys_of(opens)),
                answer: exchanged(answer),
            },
        }
    }
}

fn exchanged(answer: Answer<Value>) -> Answer<Option<OrganizationId>> {
    answer.with_result(|result| match result? {
        Value::Exchanged(id) => Ok(id),
        _ => Err(failure(FailureClass::Malformed, None)),
    })
}

/// The keys of a credential that opens this organization.
pub(super) fn keys_of(opens: usize) -> KeysDigest {
    KeysDigest::of(&opens.to_string(), "secret")
}

/// The client stamps the rows of a page when it has them.
fn requested_at(mut value: Value, at: Timestamp) -> Value {
    if let Value::Page(page) = &mut value {
        for listed in &mut page.rows {
            listed.requested_at = at;
        }
    }
    value
}

/// The same answer, naming another organization wherever it names one.
fn naming_another(value: Value) -> Value {
    let another = || Some(OrganizationId::from("org-elsewhere"));
    let moved = |row: RemoteWorkspace| RemoteWorkspace {
        organization_id: another(),
        ..row
    };
    match value {
        Value::Rows(rows) => Value::Rows(rows.into_iter().map(moved).collect()),
        Value::Row(row) => Value::Row(row.map(moved)),
        Value::Updated(row) => Value::Updated(moved(row)),
        Value::Scope(scope) => Value::Scope(TokenScope {
            organization_id: another(),
            ..scope
        }),
        other => other,
    }
}

fn what_kind(what: &What) -> &'static str {
    match what {
        What::Workspace(call, _) => call.into(),
        What::Organization(call, _) => call.into(),
    }
}

fn unsent() -> Fate {
    Fate {
        carried_out: None,
        answered: 0,
        failure: Some(failure(FailureClass::Transient, None)),
    }
}

/// The organization that the client names refuses another one's credential.
fn refused_to_another() -> Fate {
    Fate {
        carried_out: None,
        answered: 20,
        failure: Some(failure(FailureClass::Denied, Some(403))),
    }
}

fn brief_value(result: &Result<Value, Failure>) -> String {
    let row = |row: &RemoteWorkspace| format!("{}={:?}", row.id, row.name.as_str());
    match result {
        Ok(Value::Rows(rows)) => format!("{:?}", rows.iter().map(row).collect::<Vec<_>>()),
        Ok(Value::Row(Some(one))) => row(one),
        Ok(Value::Page(page)) => {
            format!(
                "{:?} {:?}",
                page.rows
                    .iter()
                    .map(|listed| row(&listed.workspace))
                    .collect::<Vec<_>>(),
                page.rest
            )
        }
        Ok(other) => format!("{other:?}"),
        Err(failure) => format!("{:?}", failure.class),
    }
}
