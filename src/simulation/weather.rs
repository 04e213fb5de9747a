//! How the answers of Agent Engine come: in time, late, never, or refused. Drawn for each request.

use std::time::Duration;

use fastrand::Rng;

use super::Millis;
use crate::domain::remote::{Failure, FailureClass};

/// The client gives up an attempt after this.
pub(super) const ATTEMPT_TIMEOUT: Millis = 20_000;

/// A request that was sent takes effect within this, or never.
const LATEST_EFFECT: Millis = 29_000;

/// How an organization is served for a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weather {
    Calm,
    /// Answers take up to so long.
    Slow(Millis),
    /// Requests are taken and never answered; nothing is done.
    Hangs,
    /// 503 to everything.
    Unavailable,
    /// 429 with this `Retry-After`, in seconds, for every second request.
    Throttles(u16),
    /// Half of the answers are lost; what was asked for is done now, later, or never.
    LosesAnswers,
    /// Issues are carried out and then refused with a 403.
    RefusesAfterwards,
    /// Half of the answers are not the API's.
    Garbles,
    /// Lists of the organization are empty.
    ListsNothing,
    /// 403 to everything, to the exchange of a credential as well.
    Denies,
    /// 422 to every issue and every change.
    RefusesChanges,
    /// Half of the changes are answered with the row as it was.
    IgnoresChanges,
    /// Half of the rows, and of the scopes of tokens, name another organization.
    NamesAnother,
    /// 402 to every issue: the plan has no workspace left.
    PlanEnds,
}

/// What becomes of one request.
#[derive(Clone, Debug)]
pub(super) struct Fate {
    /// After how long it is carried out, if it is.
    pub(super) carried_out: Option<Millis>,
    /// After how long the client has an answer, or gives up.
    pub(super) answered: Millis,
    /// What the client learns instead of the result.
    pub(super) failure: Option<Failure>,
}

/// What a request does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Request {
    Read,
    Write,
    Issue,
}

impl Weather {
    /// The fate of a request that is sent now.
    pub(super) fn fate(self, request: Request, dice: &mut Rng) -> Fate {
        let prompt = dice.i64(5..150);
        let done = |answered: Millis, dice: &mut Rng| Fate {
            carried_out: Some(dice.i64(1..=answered)),
            answered,
            failure: None,
        };
        match self {
            Weather::Slow(most) => {
                let answered = dice.i64(5..=most);
                if answered >= ATTEMPT_TIMEOUT {
                    return lost(request, ATTEMPT_TIMEOUT, Some(dice.i64(1..LATEST_EFFECT)));
                }
                done(answered, dice)
            }
            Weather::Hangs => lost(request, ATTEMPT_TIMEOUT, None),
            Weather::Unavailable => refused(prompt, unavailable(request)),
            Weather::Throttles(pause) if dice.bool() => refused(
                prompt,
                failure(
                    FailureClass::Throttled(Duration::from_secs(u64::from(pause))),
                    Some(429),
                ),
            ),
            Weather::LosesAnswers if dice.bool() => {
                let answered = if dice.bool() { prompt } else { ATTEMPT_TIMEOUT };
                let carried_out = (dice.u8(0..10) < 7).then(|| match dice.u8(0..3) {
                    0 => dice.i64(1..=prompt),
                    1 => dice.i64(1..5_000),
                    _ => dice.i64(15_000..LATEST_EFFECT),
                });
                lost(request, answered, carried_out)
            }
            Weather::RefusesAfterwards if request == Request::Issue => Fate {
                carried_out: Some(dice.i64(1..=prompt)),
                answered: prompt,
                failure: Some(failure(FailureClass::Denied, Some(403))),
            },
            Weather::Garbles if dice.bool() => Fate {
                carried_out: (request != Request::Read).then(|| dice.i64(1..=prompt)),
                answered: prompt,
                failure: Some(match request {
                    Request::Read => failure(FailureClass::Malformed, Some(200)),
                    Request::Write | Request::Issue => failure(FailureClass::Unknown, Some(200)),
                }),
            },
            Weather::Denies => refused(prompt, failure(FailureClass::Denied, Some(403))),
            Weather::PlanEnds if request == Request::Issue => {
                refused(prompt, failure(FailureClass::Rejected, Some(402)))
            }
            Weather::RefusesChanges if request != Request::Read => {
                refused(prompt, failure(FailureClass::Rejected, Some(422)))
            }
            Weather::Calm
            | Weather::RefusesChanges
            | Weather::IgnoresChanges
            | Weather::NamesAnother
            | Weather::PlanEnds
            | Weather::Throttles(_)
            | Weather::LosesAnswers
            | Weather::RefusesAfterwards
            | Weather::ListsNothing
            | Weather::Garbles => done(prompt, dice),
        }
    }
}

fn unavailable(request: Request) -> Failure {
    match request {
        Request::Read => failure(FailureClass::Transient, Some(503)),
        Request::Write | Request::Issue => failure(FailureClass::Unknown, Some(503)),
    }
}

fn refused(answered: Millis, failure: Failure) -> Fate {
    Fate {
        carried_out: None,
        answered,
        failure: Some(failure),
    }
}

/// A write without an answer may have been carried out, so its failure says `Unknown`.
pub(super) fn lost(request: Request, answered: Millis, carried_out: Option<Millis>) -> Fate {
    let class = match request {
        Request::Read => FailureClass::Transient,
        Request::Write | Request::Issue => FailureClass::Unknown,
    };
    Fate {
        carried_out,
        answered,
        failure: Some(failure(class, None)),
    }
}

pub(super) fn failure(class: FailureClass, status: Option<u16>) -> Failure {
    Failure {
        class,
        status,
        detail: status.map_or_else(
            || "no answer in time".to_owned(),
            |status| format!("HTTP {status}"),
        ),
    }
}
