//! What the tests of several pure rooms use: how many cases property tests draw, and how requests end.

use std::time::Duration;

use proptest::test_runner::Config;

use super::remote::{Answered, Failure, FailureClass};

/// This many cases, unless `PROPTEST_CASES` names another number.
pub(crate) fn cases(cases: u32) -> Config {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default(),
        None => Config::with_cases(cases),
    }
}

/// What a server says that is away.
pub(crate) fn unavailable() -> Failure {
    Failure {
        class: FailureClass::Transient,
        status: Some(503),
        detail: String::new(),
    }
}

/// One request that ended so.
pub(crate) fn answered(took: Duration, failure: Option<&Failure>) -> Answered<'_> {
    Answered {
        requests: 1,
        took,
        failure,
    }
}
