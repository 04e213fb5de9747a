//! The world of the tests: [`world`] is its state, `asked` what a test may ask of it, [`perform`] runs reconciles in it, [`fake_engine`] answers; [`dice`] and
//! [`ordeals`] disturb it, [`tried`] names what was disturbed, [`telling`] tells what happened.

mod asked;
pub(in crate::lifecycle::tests) mod dice;
pub(in crate::lifecycle::tests) mod fake_engine;
pub(in crate::lifecycle::tests) mod ordeals;
pub(in crate::lifecycle::tests) mod perform;
pub(in crate::lifecycle::tests) mod telling;
pub(in crate::lifecycle::tests) mod tried;
pub(in crate::lifecycle::tests) mod world;
