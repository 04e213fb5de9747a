//! An object as stored: whole, or what can be read of one that this version cannot decode, because it was stored before a
//! change of the schema or by another version.

use std::borrow::Cow;
use std::fmt::Debug;

use kube::Resource;
use kube::api::ObjectMeta;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::without_managed_fields::without_managed_fields;

/// An object as stored.
#[derive(Clone, Debug)]
pub enum Any<S: Salvage> {
    Whole(S::Object),
    Salvaged(S),
}

/// What can be read for certain of an object that cannot be decoded.
pub trait Salvage: Sized {
    type Object: Resource<DynamicType = ()> + DeserializeOwned;

    /// `error` says why it cannot be decoded, after the path of the field, and is fit to be shown.
    fn salvage(raw: &Value, metadata: ObjectMeta, error: String) -> Self;

    fn meta(&self) -> &ObjectMeta;

    fn meta_mut(&mut self) -> &mut ObjectMeta;
}

/// Fails only where not even the metadata can be read.
impl<'de, S: Salvage> Deserialize<'de> for Any<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = without_managed_fields(Value::deserialize(deserializer)?);
        match serde_path_to_error::deserialize::<_, S::Object>(&raw) {
            Ok(object) => Ok(Self::Whole(object)),
            Err(error) => {
                let metadata = ObjectMeta::deserialize(&raw["metadata"]).map_err(D::Error::custom)?;
                Ok(Self::Salvaged(S::salvage(
                    &raw,
                    metadata,
                    shown(&error.to_string()),
                )))
            }
        }
    }
}

/// A decoder's error, fit to be shown: it quotes what a user stored.
fn shown(error: &str) -> String {
    error.chars().filter(|c| !c.is_control()).take(300).collect()
}

impl<S: Salvage> Resource for Any<S> {
    type DynamicType = ();
    type Scope = <S::Object as Resource>::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        S::Object::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        S::Object::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        S::Object::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        S::Object::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        match self {
            Self::Whole(object) => object.meta(),
            Self::Salvaged(salvaged) => salvaged.meta(),
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::Whole(object) => object.meta_mut(),
            Self::Salvaged(salvaged) => salvaged.meta_mut(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::crd::any_organization::AnyOrganization;
    use crate::crd::any_workspace::AnyWorkspace;

    fn why(organization: &str) -> String {
        let object = json!({"metadata": {"name": "default"}, "spec": {"access": organization}});
        match serde_json::from_value(object).unwrap() {
            AnyOrganization::Whole(object) => panic!("it can be decoded: {:?}", object.spec),
            AnyOrganization::Salvaged(salvaged) => salvaged.error,
        }
    }

    #[test]
    fn why_it_cannot_be_decoded_begins_with_the_field() {
        let spec = json!({"name": "Acme", "tokenSecret": {"enabled": "yes"}});
        let object = json!({"metadata": {"name": "acme"}, "spec": spec});
        let AnyWorkspace::Salvaged(salvaged) = serde_json::from_value(object).unwrap() else {
            panic!("it can be decoded")
        };
        assert!(
            salvaged.error.starts_with("spec.tokenSecret.enabled: "),
            "{}",
            salvaged.error
        );
        let error = why("everybody");
        assert!(error.starts_with("spec.access: "), "{error}");
    }

    #[test]
    fn what_is_quoted_of_it_is_fit_to_be_shown() {
        let error = why(&format!("\u{7}{}", "x".repeat(1000)));
        assert!(error.len() <= 300 && !error.contains('\u{7}'), "{error}");
    }

    #[test]
    fn without_metadata_there_is_no_object() {
        let object = json!({"metadata": {"name": 7}, "spec": {"name": "Acme"}});
        assert!(serde_json::from_value::<AnyWorkspace>(object).is_err());
    }
}
