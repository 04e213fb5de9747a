//! The namespaces that an access entry selects, with the meaning that Kubernetes gives to label selectors.
//!
//! Not `kube::core::Selector`: it ignores the values of `Exists` and lets a `NotIn` without values match every label. The
//! schema refuses both, but a selector grants names, so one that was stored before the schema must select nothing.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use crate::crd::organization::NamespaceSet;

/// By name or by label; either is enough.
pub(super) fn selects(set: &NamespaceSet, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
    let named = set.names.iter().any(|name| name == namespace);
    named
        || set
            .selector
            .as_ref()
            .is_some_and(|selector| selects_labels(selector, labels))
}

/// A selector that is there but empty selects every namespace, as everywhere in Kubernetes.
fn selects_labels(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector
        .match_labels
        .iter()
        .flatten()
        .all(|(key, value)| labels.get(key) == Some(value));
    equal
        && selector
            .match_expressions
            .iter()
            .flatten()
            .all(|requirement| meets(requirement, labels))
}

/// A requirement that Kubernetes would refuse (an unknown operator, too few or too many values) matches no labels.
fn meets(requirement: &LabelSelectorRequirement, labels: &BTreeMap<String, String>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    let value = labels.get(&requirement.key);
    match requirement.operator.as_str() {
        "In" => value.is_some_and(|value| values.contains(value)),
        "NotIn" => !values.is_empty() && value.is_none_or(|value| !values.contains(value)),
        "Exists" => values.is_empty() && value.is_some(),
        "DoesNotExist" => values.is_empty() && value.is_none(),
        _ => false, // operators are text on the wire: this is the unknown one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> BTreeMap<String, String> {
        BTreeMap::from([("tier".to_owned(), "gold".to_owned())])
    }

    fn selector(yaml: &str) -> LabelSelector {
        serde_json::from_str(yaml).unwrap()
    }

    #[test]
    fn selectors_mean_what_they_mean_in_kubernetes() {
        for (text, expected) in [
            (r#"{}"#, true),
            (r#"{"matchLabels": {}, "matchExpressions": []}"#, true),
            (r#"{"matchLabels": {"tier": "gold"}}"#, true),
            (r#"{"matchLabels": {"tier": "silver"}}"#, false),
            (r#"{"matchLabels": {"tier": "gold", "region": "eu"}}"#, false),
            (
                r#"{"matchExpressions": [{"key": "tier", "operator": "In", "values": ["gold", "silver"]}]}"#,
                true,
            ),
            (
                r#"{"matchExpressions": [{"key": "tier", "operator": "In"}]}"#,
                false,
            ),
            (
                r#"{"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["gold"]}]}"#,
                false,
            ),
            (
                r#"{"matchExpressions": [{"key": "region", "operator": "NotIn", "values": ["eu"]}]}"#,
                true,
            ),
            (
                r#"{"matchExpressions": [{"key": "region", "operator": "NotIn"}]}"#,
                false,
            ),
            (
                r#"{"matchExpressions": [{"key": "tier", "operator": "Exists"}]}"#,
                true,
            ),
            (
                r#"{"matchExpressions": [{"key": "tier", "operator": "Exists", "values": ["gold"]}]}"#,
                false,
            ),
            (
                r#"{"matchExpressions": [{"key": "region", "operator": "DoesNotExist"}]}"#,
                true,
            ),
            (
                r#"{"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}"#,
                false,
            ),
            (
                r#"{"matchExpressions": [{"key": "tier", "operator": "Like", "values": ["gold"]}]}"#,
                false,
            ),
            (
                r#"{"matchLabels": {"tier": "gold"}, "matchExpressions": [{"key": "region", "operator": "Exists"}]}"#,
                false,
            ),
        ] {
            assert_eq!(selects_labels(&selector(text), &labels()), expected, "{text}");
        }
    }

    #[test]
    fn a_namespace_is_meant_by_name_or_by_label() {
        let set = NamespaceSet {
            names: vec!["team".to_owned()],
            selector: Some(selector(r#"{"matchLabels": {"tier": "gold"}}"#)),
        };
        assert!(selects(&set, "team", &BTreeMap::new()));
        assert!(selects(&set, "other", &labels()));
        assert!(!selects(&set, "other", &BTreeMap::new()));
        assert!(!selects(&set, "team-a", &BTreeMap::new()));
        assert!(
            !selects(&NamespaceSet::default(), "team", &labels()),
            "neither names nor selector: none"
        );
    }
}
