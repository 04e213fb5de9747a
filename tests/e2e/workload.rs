//! What the workload said.

use jiff::Timestamp;
use serde::Deserialize;

/// A line of the workload's log.
#[derive(Deserialize)]
pub struct Round {
    pub at: Timestamp,
    pub calls: usize,
    pub unauthorized: Vec<String>,
    pub failures: Vec<String>,
    pub least_life_s: Option<i64>,
}

pub fn rounds(log: &str) -> Vec<Round> {
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}
