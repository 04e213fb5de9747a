//! What a reconcile costs: which of the two aspects back-off charges, and with how many calls. Pure. Existence, name, state and
//! deletion are sync; the rest is the token. [`crate::limits::backoff`] says when a charged aspect is tried again.

use crate::domain::remote::{Answered, FailureClass};
use crate::lifecycle::effect::EngineCall;

/// The most terms that one search by name takes.
const SEARCH_TERMS: u32 = 3;

/// As many as an object may call in its first hour.
const BROKEN_SEARCH: u32 = 20;

/// The calls of one aspect in one reconcile, and how they ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attempts {
    pub calls: u32,
    pub ended: Ended,
}

/// How the attempts of an aspect ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    Well,
    /// Not as declared, and no call was made for it.
    Waits,
    Failed,
}

/// The calls that back-off charges to each aspect. Nothing for an aspect that did not fail, unless a sync in
/// back-off pays for the token.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bill {
    pub sync: Option<u32>,
    pub token: Option<u32>,
}

/// Whether sync is in back-off from earlier reconciles.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SyncBefore {
    Free,
    InBackoff,
}

/// How many of the requests of a call back-off charges. A name that many others contain is no dearer for failing: of its search
/// that is one for each term. One whose pages lead nowhere is: each attempt would follow them again.
pub fn charged(call: &EngineCall, answered: &Answered<'_>) -> u32 {
    let requests = answered.requests;
    let class = answered.failure.map(|failure| failure.class);
    match call {
        EngineCall::Search(_) if class == Some(FailureClass::Malformed) => requests.min(BROKEN_SEARCH),
        EngineCall::Search(_) => requests.min(SEARCH_TERMS),
        EngineCall::Get(_)
        | EngineCall::Issue { .. }
        | EngineCall::Verify(_)
        | EngineCall::Update { .. }
        | EngineCall::Delete(_) => requests,
    }
}

/// One object, one budget. Aspects that fail together are charged together; a sync in back-off also pays for the attempts
/// of the token, never the other way round. Its back-off ends with the first call that goes well.
pub fn bill(sync: Attempts, token: Attempts, sync_before: SyncBefore) -> Bill {
    let (sync_failed, token_failed) = (sync.ended == Ended::Failed, token.ended == Ended::Failed);
    let all = sync.calls + token.calls;
    let recovers = sync.ended == Ended::Well && sync.calls > 0;
    let in_backoff = sync_before == SyncBefore::InBackoff && !recovers;
    let sync_pays = sync_failed || (token_failed && in_backoff);
    Bill {
        sync: sync_pays.then_some(if token_failed { all } else { sync.calls }),
        token: token_failed.then_some(if sync_failed { all } else { token.calls }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::remote::Failure;
    use crate::domain::testing;

    /// Else one lost answer to a creation would rest for 20 hours.
    #[test]
    fn a_search_of_112_pages_is_charged_as_one_of_three() {
        let lost = failure(FailureClass::Transient);
        for failure in [None, Some(&lost)] {
            assert_eq!(
                charged(&EngineCall::Search("acme".into()), &answered(112, failure)),
                3
            );
        }
        assert_eq!(charged(&EngineCall::Get("ws-1".into()), &answered(3, None)), 3);
    }

    /// Promise: hostile.paging
    #[test]
    fn a_search_without_end_uses_up_the_calls_of_an_hour() {
        let broken = failure(FailureClass::Malformed);
        let search = EngineCall::Search("acme".into());
        for (requests, expected) in [(1, 1), (4, 4), (100, 20), (2000, 20)] {
            assert_eq!(charged(&search, &answered(requests, Some(&broken))), expected);
        }
    }

    fn failure(class: FailureClass) -> Failure {
        Failure {
            class,
            ..testing::unavailable()
        }
    }

    fn answered(requests: u32, failure: Option<&Failure>) -> Answered<'_> {
        Answered {
            requests,
            ..testing::answered(std::time::Duration::ZERO, failure)
        }
    }

    #[test]
    fn each_ending_is_billed_to_the_aspects_that_failed() {
        use Ended::{Failed, Waits, Well};
        use SyncBefore::{Free, InBackoff};
        for (sync, token, before, expected) in [
            ((2, Well), (3, Well), Free, (None, None)),
            ((2, Waits), (0, Waits), Free, (None, None)),
            ((2, Failed), (3, Well), Free, (Some(2), None)),
            ((2, Failed), (3, Failed), Free, (Some(5), Some(5))),
            ((0, Well), (3, Failed), Free, (None, Some(3))),
            ((0, Waits), (3, Failed), InBackoff, (Some(3), Some(3))),
            ((0, Waits), (3, Well), InBackoff, (None, None)),
            ((0, Well), (3, Failed), InBackoff, (Some(3), Some(3))),
            ((2, Well), (3, Failed), InBackoff, (None, Some(3))),
        ] {
            let attempts = |(calls, ended)| Attempts { calls, ended };
            let bill = bill(attempts(sync), attempts(token), before);
            assert_eq!((bill.sync, bill.token), expected, "{sync:?} {token:?} {before:?}");
        }
    }
}
