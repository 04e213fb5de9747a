//! What tests of the whole share: a real cluster, the operator and the emulator as processes, waiting for
//! conditions, counting requests. Holds no test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod acts;
mod audit;
mod built;
pub mod canary;
mod cluster;
mod emulator;
mod eventually;
mod operator;
mod program;
mod reading;
pub mod readme;
#[path = "../control_plane/ready.rs"]
mod ready;
mod remote;
mod scratch;
mod stage;
mod supervised;
mod tls;
mod waits;

pub use audit::{Audit, Requests, tally};
pub use built::{built, target};
pub use cluster::{ApiUser, Cluster, Said, cluster, one_more_cluster};
pub use emulator::{CLIENT_ID, Emulator};
pub use eventually::{IN_DOUBT, LONG, RESOLVED, SHORT, eventually};
pub use operator::{Launch, Operator};
pub use program::cluster_program;
pub use reading::{
    condition, is_ready, organization_message, ready_message, ready_reason, recorded_id, text,
};
pub use remote::find_workspaces;
pub use scratch::scratch_file;
pub use stage::Stage;
pub use supervised::Supervised;
pub use tls::Tls;

/// For servers on loopback.
pub fn http_client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
