//! Answers that nobody would send in good faith: lies, floods, and words of what stands in between. For each: the class of
//! the failure, how often was asked, and that nothing is taken from it.

mod http2;
mod ids;
mod paging;
mod proxies;
mod sizes;
mod times;
mod tls;

use agent_engine_operator::engine::Operation::{self, Delete, Get, Issue, List, Update, Verify};

const CALLS: [Operation; 6] = [List, Get, Issue, Verify, Update, Delete];
const READS: [Operation; 3] = [List, Get, Verify];
const WRITES: [Operation; 3] = [Issue, Update, Delete];
