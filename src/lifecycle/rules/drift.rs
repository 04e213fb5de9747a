//! Name and state as declared: drift is corrected, undeclared fields are left alone.

use crate::lifecycle::judge::drift::{self, Drift};
use crate::lifecycle::step::Step;
use crate::lifecycle::view::{Record, View};

/// Renames, then switches the state; a refused call does not stop the other. [`drift::drift`] tells what stops a rename.
pub fn bring_to_what_is_declared(view: &View, record: &Record) -> Option<Step> {
    match drift::drift(view, record) {
        Drift::Next(call) => Some(Step::call(call)),
        Drift::None | Drift::Blocked(_) | Drift::Waits(_) => None,
    }
}
