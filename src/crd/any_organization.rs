//! What can be read for certain of an Organization that this version cannot decode: who holds it, and nothing of its spec, because
//! half of it would grant, or withdraw, what no user declared.

use kube::api::ObjectMeta;
use serde_json::Value;

use super::Organization;
use super::any::{Any, Salvage};
use super::holder::Holder;

/// An Organization as stored.
pub type AnyOrganization = Any<SalvagedOrganization>;

/// What is left of an Organization that cannot be decoded.
#[derive(Clone, Debug)]
pub struct SalvagedOrganization {
    /// As in [`Salvage::salvage`].
    pub error: String,
    pub metadata: ObjectMeta,
    pub holder: Option<Holder>,
}

impl AnyOrganization {
    /// The object, if it can be read.
    pub fn whole(&self) -> Option<&Organization> {
        match self {
            Self::Whole(object) => Some(object),
            Self::Salvaged(_) => None,
        }
    }

    /// The operator that the stored status names.
    pub fn holder(&self) -> Option<&Holder> {
        match self {
            Self::Whole(object) => object.status.as_ref()?.operator.as_ref(),
            Self::Salvaged(salvaged) => salvaged.holder.as_ref(),
        }
    }
}

impl Salvage for SalvagedOrganization {
    type Object = Organization;

    fn salvage(raw: &Value, metadata: ObjectMeta, error: String) -> Self {
        Self {
            error,
            metadata,
            holder: Holder::of_stored(raw),
        }
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn its_holder_is_read_where_the_rest_cannot_be() {
        let held = |operator: Value| {
            let object: AnyOrganization = serde_json::from_value(json!({
                "metadata": {"name": "default"},
                "spec": {"access": "everybody"},
                "status": {"operator": operator, "conditions": "none"},
            }))
            .unwrap();
            assert!(object.whole().is_none());
            object.holder().map(|holder| holder.lease.to_string())
        };
        assert_eq!(
            held(json!({"lease": "home/another", "hold": "Firm"})).as_deref(),
            Some("home/another")
        );
        assert_eq!(held(json!({"lease": 7})), None);
        assert_eq!(held(Value::Null), None);
    }
}
