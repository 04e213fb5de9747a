//! Watching: brings the events of the API server into the stores and indexes.
//!
//! In the order of an event: [`sources`] asks for it, [`rests`] after a failure, [`listening`] begins a watch again that
//! [`hearing`] finds deaf and tells of an API server that does not answer ([`silence`]), [`merge`] makes one stream of several
//! namespaces, [`watches`] runs the streams and ends with the first that breaks, [`handlers`] feeds the store and wakes the
//! objects that the change concerns.

pub(super) mod ears;
mod handlers;
mod hearing;
mod listening;
mod merge;
mod rests;
mod silence;
mod sources;
mod watches;

pub(super) use self::watches::start;

pub use self::watches::WatchEnded;
