//! The client of the Agent Engine API against stubs: in process where virtual time matters, on loopback where sockets do.

mod answers;
mod application_token;
mod contract;
mod hostile;
mod lists;
mod network;
mod not_found;
mod requests;
mod secrets;
mod stub;
mod time;
#[path = "../support/tls.rs"]
mod tls;
