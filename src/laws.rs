//! How many cases the laws of the pure rooms are drawn in, in tests.

use proptest::test_runner::Config;

/// So many, unless `PROPTEST_CASES` asks for another number.
pub(crate) fn cases(cases: u32) -> Config {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default(),
        None => Config::with_cases(cases),
    }
}
