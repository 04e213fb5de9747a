//! Which of several processes acts. One of them holds a Lease of Kubernetes; it leads until an instant that only its own next
//! renewal moves, and begins nothing after it. Knows no client and no clock: [`Elector`] is a pure step, over instants of the
//! process's own monotonic time.
//!
//! | question | file |
//! |---|---|
//! | what does a process do next, and until when does it lead? | `elector` |
//! | how long does a lease last, and when is it given up? | `terms` |
//! | may something begin now, may a request leave? | `right`; `fence` shares it |
//! | does another operator live, which has a Lease of its own? | `sighting` |

mod elector;
mod fence;
mod right;
mod sighting;
mod terms;

#[cfg(test)]
mod tests;

pub use elector::{Act, Elector, Heard, Lease, NOBODY, Standing};
pub use fence::Fence;
pub use right::Right;
pub use sighting::{GRACE, Sight, Sighting};
pub use terms::{Terms, TermsError};
