//! The world of the tests. [`world`] is its state, [`perform`] runs reconciles in it, [`fake_engine`] answers, and `asked` is
//! what a test may ask. [`dice`] and [`ordeals`] disturb it, [`tried`] lets ordeals come to a Workspace, [`telling`] tells
//! what happened; [`predicaments`] are states that a user has to get out of.

mod asked;
pub(in crate::lifecycle::tests) mod dice;
pub(in crate::lifecycle::tests) mod fake_engine;
pub(in crate::lifecycle::tests) mod ordeals;
pub(in crate::lifecycle::tests) mod perform;
pub(in crate::lifecycle::tests) mod predicaments;
pub(in crate::lifecycle::tests) mod telling;
pub(in crate::lifecycle::tests) mod tried;
pub(in crate::lifecycle::tests) mod world;
