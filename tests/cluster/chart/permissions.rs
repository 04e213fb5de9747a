//! What the chart lets the operator's account do, in full. A line more or less is a decision of its own.

use std::collections::BTreeSet;

use serde_json::Value;

use super::render::{manifests, of_kind, texts};

/// Everything that bindings grant to ServiceAccounts: `<where> <resource> <verbs>`.
pub fn grants(manifests: &[Value]) -> BTreeSet<String> {
    let mut grants = BTreeSet::new();
    for (binding, role, everywhere) in [
        ("ClusterRoleBinding", "ClusterRole", true),
        ("RoleBinding", "Role", false),
    ] {
        for binding in of_kind(manifests, binding) {
            let place = if everywhere {
                "*"
            } else {
                binding["metadata"]["namespace"].as_str().unwrap()
            };
            let bound = of_kind(manifests, role)
                .into_iter()
                .find(|role| {
                    role["metadata"]["name"] == binding["roleRef"]["name"]
                        && role["metadata"]["namespace"] == binding["metadata"]["namespace"]
                })
                .expect("the role that is bound");
            assert_eq!(binding["roleRef"]["kind"], role);
            for rule in bound["rules"].as_array().unwrap() {
                grants.extend(lines(place, rule));
            }
        }
    }
    grants
}

fn lines(place: &str, rule: &Value) -> Vec<String> {
    let only = match texts(&rule["resourceNames"]) {
        names if names.is_empty() => String::new(),
        names => format!(" [{}]", names.join(" ")),
    };
    let verbs = texts(&rule["verbs"]).join(" ");
    texts(&rule["apiGroups"])
        .iter()
        .flat_map(|group| {
            texts(&rule["resources"])
                .into_iter()
                .map(move |resource| (group.clone(), resource))
        })
        .map(|(group, resource)| format!("{place} {group}/{resource}{only}: {verbs}"))
        .collect()
}

const OF_NO_NAMESPACE: [&str; 2] = [
    "* apiextensions.k8s.io/customresourcedefinitions [organizations.agentengine.airbyte.com \
     workspaces.agentengine.airbyte.com]: get",
    "* coordination.k8s.io/leases: get",
];

const AT_HOME: [&str; 6] = [
    "home agentengine.airbyte.com/organizations: get list watch patch",
    "home agentengine.airbyte.com/organizations/status: patch",
    "home /secrets: get list watch",
    "home events.k8s.io/events: create",
    "home coordination.k8s.io/leases: create",
    "home coordination.k8s.io/leases [r-agent-engine-operator]: get update",
];

/// Not narrowed: the bindings of a namespace that is deleted go before its Workspaces can.
const EVERYWHERE: [&str; 3] = [
    "* agentengine.airbyte.com/workspaces: get list watch patch",
    "* agentengine.airbyte.com/workspaces/status: patch",
    "* events.k8s.io/events: create",
];

fn secrets(place: &str) -> String {
    format!("{place} /secrets: get list watch create patch delete")
}

fn set<const N: usize>(more: [String; N]) -> BTreeSet<String> {
    let fixed = OF_NO_NAMESPACE.iter().chain(&AT_HOME).chain(&EVERYWHERE);
    fixed.map(ToString::to_string).chain(more).collect()
}

#[tokio::test]
async fn watching_all_namespaces_the_account_may_do_this_and_no_more() {
    let manifests = manifests("").await;
    let labels = "* /namespaces: get list watch".to_owned();
    assert_eq!(grants(&manifests), set([secrets("*"), labels]));
}

#[tokio::test]
async fn watching_some_namespaces_it_reaches_no_secret_of_another() {
    let manifests = manifests("watchNamespaces: [team-a, team-b, team-a]").await;
    let labels = "* /namespaces [team-a team-b]: get list watch".to_owned();
    assert_eq!(
        grants(&manifests),
        set([secrets("team-a"), secrets("team-b"), labels])
    );
}

#[tokio::test]
async fn every_binding_names_the_operators_account_alone() {
    for (values, account) in [
        ("", "r-agent-engine-operator"),
        (
            "{serviceAccount: {create: false, name: mine}, watchNamespaces: [team-a]}",
            "mine",
        ),
    ] {
        let manifests = manifests(values).await;
        let bindings = [
            of_kind(&manifests, "ClusterRoleBinding"),
            of_kind(&manifests, "RoleBinding"),
        ]
        .concat();
        assert!(bindings.len() >= 2);
        for binding in bindings {
            assert_eq!(
                binding["subjects"],
                serde_json::json!([{"kind": "ServiceAccount", "name": account, "namespace": "home"}])
            );
        }
    }
}

#[tokio::test]
async fn nobody_else_is_given_a_status_or_an_organization() {
    let manifests = manifests("").await;
    let bound: BTreeSet<_> = of_kind(&manifests, "ClusterRoleBinding")
        .into_iter()
        .map(|binding| binding["roleRef"]["name"].clone().to_string())
        .collect();
    let tenants: Vec<_> = of_kind(&manifests, "ClusterRole")
        .into_iter()
        .filter(|role| !bound.contains(&role["metadata"]["name"].to_string()))
        .collect();
    let names: Vec<_> = tenants
        .iter()
        .map(|role| role["metadata"]["name"].clone())
        .collect();
    assert_eq!(
        names,
        [
            "home:r-agent-engine-operator-view",
            "home:r-agent-engine-operator-edit"
        ]
    );
    for role in tenants {
        for rule in role["rules"].as_array().unwrap() {
            assert_eq!(texts(&rule["resources"]), ["workspaces"]);
            assert!(!texts(&rule["verbs"]).contains(&"*".to_owned()));
        }
    }
}

#[tokio::test]
async fn roles_can_be_left_out_and_kept_out_of_the_clusters_own() {
    let none = manifests("rbac: {create: false, tenantRoles: false}").await;
    for kind in ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"] {
        assert_eq!(of_kind(&none, kind), Vec::<&Value>::new());
    }
    let apart = manifests("rbac: {aggregateTenantRoles: false}").await;
    let labels = serde_json::to_string(&of_kind(&apart, "ClusterRole")).unwrap();
    assert!(
        labels.contains("-edit") && !labels.contains("aggregate-to"),
        "{labels}"
    );
}
