//! Watching: brings the events of the API server into the stores and indexes.
//!
//! In the order of an event: [`sources`] asks for it, [`merge`] makes one stream of several namespaces, [`watches`] runs the
//! streams and ends with the first that breaks, [`handlers`] feeds the store and wakes the objects that the change concerns.

mod handlers;
mod merge;
mod sources;
mod watches;

pub(super) use self::watches::start;

pub use self::watches::WatchEnded;
