//! What can be read for certain of an Organization that this version cannot decode: nothing of its spec, because half of it
//! would grant, or withdraw, what no user declared.

use kube::api::ObjectMeta;
use serde_json::Value;

use super::Organization;
use super::any::{Any, Salvage};

/// An Organization as stored.
pub type AnyOrganization = Any<SalvagedOrganization>;

/// What is left of an Organization that cannot be decoded.
#[derive(Clone, Debug)]
pub struct SalvagedOrganization {
    /// As in [`Salvage::salvage`].
    pub error: String,
    pub metadata: ObjectMeta,
}

impl AnyOrganization {
    /// The object, if it can be read.
    pub fn whole(&self) -> Option<&Organization> {
        match self {
            Self::Whole(object) => Some(object),
            Self::Salvaged(_) => None,
        }
    }
}

impl Salvage for SalvagedOrganization {
    type Object = Organization;

    fn salvage(_: &Value, metadata: ObjectMeta, error: String) -> Self {
        Self { error, metadata }
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
