//! Which operator holds an object. Stored with every status that an operator writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schema::status;
use crate::domain::ids::OperatorId;

/// The operator that holds an object.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// Namespace and name of the Lease that the operator's processes share, such as `agent-engine/agent-engine-operator`.
    #[schemars(transform = status::operator)]
    pub lease: OperatorId,
    /// Whether it can serve the object: Firm or Provisional.
    pub hold: Hold,
}

impl Holder {
    /// Of an object as stored, whatever else of it can be read.
    pub fn of_stored(object: &Value) -> Option<Self> {
        Self::deserialize(&object["status"]["operator"]).ok()
    }
}

/// Whether the operator that holds an object can serve it. Firm: it has the Organization that the object names. Provisional:
/// it has none that fits, so an operator that has one takes the object over.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Hold {
    Firm,
    Provisional,
}
