//! How many cases the property tests of the pure rooms draw.

use proptest::test_runner::Config;

/// This many cases, unless `PROPTEST_CASES` names another number.
pub(crate) fn cases(cases: u32) -> Config {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default(),
        None => Config::with_cases(cases),
    }
}
