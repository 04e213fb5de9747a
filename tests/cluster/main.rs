//! Stories on a real API server, each under the name of what it promises. One binary, so that they share a cluster.

#[path = "../support/mod.rs"]
mod support;

mod adoption;
mod bad_input;
mod chart;
mod connection;
mod crashes;
mod crd_removal;
mod crd_validation;
mod creation;
mod deaf_watches;
mod deletion;
mod drift;
mod fairness;
mod frozen_leader;
mod harness;
mod hostile;
mod knobs;
mod leadership;
mod organizations;
mod outage;
mod pauses;
mod readme;
mod rename;
mod restarts;
mod secrets_contested;
mod secrets_stay_secret;
mod state;
mod tenancy;
mod threats;
mod tokens;
mod two_operators;
mod two_releases;
