//! What the handlers make of events, and what they forget of an Organization that was replaced; without a cluster.

use std::sync::Arc;

use futures::FutureExt;
use futures::stream::StreamExt;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;

use super::*;
use crate::admin::AdminState;
use crate::controller::context::{OrganizationState, Queues};
use crate::controller::tests::{HOME, settings, unreachable};
use crate::controller::workspaces::{observe, perform::Performer};
use crate::crd::Organization;
use crate::domain::ids::WorkspaceName;
use crate::domain::verification::Verification;
use crate::engine::{self, ClientConfig, Credentials as Pair, Endpoint, in_process};
use crate::lifecycle::effect::{EngineAnswer, EngineCall};
use crate::lifecycle::facts::OrganizationFacts;
use crate::lifecycle::{Effect, Outcome};
use crate::tenancy::{ClaimKey, canonical};

struct Fed {
    context: Arc<Context>,
    queues: Queues,
    workspaces: Workspaces,
    organizations: Organizations,
}

/// A context whose client reaches nothing.
fn fed() -> Fed {
    let (context, queues, writers) = Context::new(unreachable(), settings(), AdminState::default());
    Fed {
        context: Arc::new(context),
        queues,
        workspaces: Workspaces(writers.workspaces),
        organizations: Organizations(writers.organizations),
    }
}

fn organization(uid: &str) -> AnyOrganization {
    serde_json::from_value(json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Organization",
        "metadata": {"name": "default", "namespace": HOME, "uid": uid, "resourceVersion": "1"},
        "spec": {
            "credentialsSecretRef": {"name": "credential"},
            "access": [{"namespaces": {"names": ["tenant"]}, "workspaceNames": ["*"]}],
        },
    }))
    .unwrap()
}

fn workspace() -> AnyWorkspace {
    serde_json::from_value(json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Workspace",
        "metadata": {"name": "acme", "namespace": "tenant", "uid": "w", "resourceVersion": "1"},
        "spec": {"name": "Acme"},
    }))
    .unwrap()
}

fn decoded(organization: &AnyOrganization) -> &Organization {
    organization.whole().unwrap()
}

/// A client of a server that knows no path.
fn engine() -> engine::Client {
    let endpoint = Endpoint::parse("https://api.example").unwrap();
    let config = ClientConfig::new(endpoint, Pair::new("client", &"secret".into()).unwrap());
    engine::Client::over(in_process(axum::Router::new()), &config).unwrap()
}

impl Fed {
    /// A relist that finds this Organization.
    fn relist(&mut self, found: AnyOrganization) {
        for event in [Event::Init, Event::InitApply(found), Event::InitDone] {
            self.organizations.handle(&self.context, event);
        }
    }

    /// As a reconcile of it leaves it.
    fn reconcile_of_organization(&self) {
        let mut state = OrganizationState::of("first".into());
        state.published.verification = Verification::Verified("o".into());
        self.context
            .shared()
            .organizations
            .insert("default".to_owned(), state);
    }

    /// What is known once a reconcile of this incarnation has verified it.
    fn verified(&self, organization: &AnyOrganization) {
        let mut shared = self.context.shared();
        let state = self.context.state_of(&mut shared, decoded(organization)).unwrap();
        state.engine = Some(engine());
        state.published.verification = Verification::Verified("ours".into());
    }

    fn is_known(&self) -> bool {
        self.context.shared().organizations.contains_key("default")
    }

    /// The Workspaces woken since the last call.
    fn woken(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.queues.workspaces.next().now_or_never().flatten())
            .map(|workspace| workspace.name)
            .collect()
    }
}

/// Promise: rule.other-organization
#[tokio::test]
async fn nothing_stays_known_of_an_organization_that_was_replaced() {
    for replaced in ["between two lists", "between two events"] {
        let mut fed = fed();
        fed.workspaces.handle(&fed.context, Event::Apply(workspace()));
        fed.relist(organization("first"));
        fed.reconcile_of_organization();
        fed.woken();
        match replaced {
            "between two lists" => fed.relist(organization("second")),
            _ => fed
                .organizations
                .handle(&fed.context, Event::Apply(organization("second"))),
        }
        assert!(!fed.is_known(), "{replaced}");
        assert_eq!(fed.woken(), ["acme"], "{replaced}");
    }
}

#[tokio::test]
async fn an_organization_that_is_seen_again_stays_known() {
    let mut fed = fed();
    fed.relist(organization("first"));
    fed.reconcile_of_organization();
    fed.relist(organization("first"));
    fed.organizations
        .handle(&fed.context, Event::Apply(organization("first")));
    assert!(fed.is_known());
}

/// Even before the handler has forgotten it.
#[tokio::test]
async fn a_workspace_sees_nothing_of_a_replaced_organization() {
    let mut fed = fed();
    fed.relist(organization("first"));
    fed.verified(&organization("first"));
    let verification = |fed: &Fed| match observe::view(&fed.context, workspace().object()).organization {
        OrganizationFacts::Readable(organization) => organization.verification,
        other => panic!("{other:?}"),
    };
    assert_eq!(verification(&fed), Verification::Verified("ours".into()));
    fed.organizations
        .0
        .apply_watcher_event(&Event::Apply(organization("second")));
    assert!(matches!(verification(&fed), Verification::Pending { .. }));
}

#[tokio::test]
async fn a_reconcile_of_a_replaced_organization_leaves_nothing() {
    let mut fed = fed();
    fed.relist(organization("first"));
    fed.verified(&organization("first"));
    fed.organizations
        .0
        .apply_watcher_event(&Event::Apply(organization("second")));
    let (first, second) = (organization("first"), organization("second"));
    let mut shared = fed.context.shared();
    assert!(fed.context.state_of(&mut shared, decoded(&first)).is_none());
    let known = fed.context.state_of(&mut shared, decoded(&second)).unwrap();
    assert!(known.engine.is_none() && known.published.verified().is_none());
}

/// The client of the new one is for reconciles that saw it verified.
#[tokio::test]
async fn a_reconcile_sends_nothing_once_its_organization_was_replaced() {
    let mut fed = fed();
    fed.relist(organization("first"));
    fed.verified(&organization("first"));
    let mut performer = Performer::new(fed.context.clone(), workspace().object().clone());
    let mut requests = async || match performer
        .perform(Effect::Engine(EngineCall::Get("w".into())))
        .await
    {
        Outcome::Engine(EngineAnswer::Got(answer)) => answer.requests,
        other => panic!("{other:?}"),
    };
    assert_ne!(requests().await, 0);
    fed.relist(organization("second"));
    assert_eq!(requests().await, 0);
    fed.verified(&organization("second"));
    assert_eq!(
        requests().await,
        0,
        "the client of the new one is for reconciles that saw it verified"
    );
}

/// Nothing that it declares.
#[tokio::test]
async fn an_undecodable_workspace_claims_what_it_recorded() {
    let mut fed = fed();
    fed.relist(organization("first"));
    fed.reconcile_of_organization();
    let undecodable: AnyWorkspace = serde_json::from_value(json!({
        "metadata": {"name": "acme", "namespace": "tenant", "uid": "w", "resourceVersion": "1"},
        "spec": {"name": "Declared", "workspaceId": "declared", "suspend": "perhaps"},
        "status": {"uid": "w", "workspaceId": "recorded", "organizationId": "o", "name": "Acme", "state": "archived"},
    }))
    .unwrap();
    fed.workspaces.handle(&fed.context, Event::Apply(undecodable));
    let shared = fed.context.shared();
    let claimed = |key: &ClaimKey| {
        shared
            .claims
            .winner(key)
            .is_some_and(|winner| winner.name == "acme")
    };
    let name = |name: &str| ClaimKey::Name("o".into(), canonical(&WorkspaceName::from(name)));
    assert!(claimed(&name("acme")));
    assert!(claimed(&ClaimKey::Id("o".into(), "recorded".into())));
    assert!(!claimed(&name("declared")));
    assert!(!claimed(&ClaimKey::Id("o".into(), "declared".into())));
}

#[tokio::test]
async fn a_deleted_organization_is_woken_once_nothing_may_name_it() {
    let mut going = organization("first");
    going.meta_mut().deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    let naming = |organization: serde_json::Value| -> AnyWorkspace {
        serde_json::from_value(json!({
            "metadata": {"name": "acme", "namespace": "tenant", "uid": "w", "resourceVersion": "1"},
            "spec": {"name": "Acme", "organization": organization},
        }))
        .unwrap()
    };
    let (any, other) = (naming(json!(7)), naming(json!("eu")));
    let list = |found: Vec<AnyWorkspace>| {
        let found = found.into_iter().map(Event::InitApply);
        [Event::Init]
            .into_iter()
            .chain(found)
            .chain([Event::InitDone])
            .collect()
    };
    let changes: [(Vec<Event<AnyWorkspace>>, Option<&str>); 6] = [
        (vec![Event::Apply(any.clone())], None),
        (list(vec![any.clone()]), None),
        (vec![Event::Delete(any.clone())], Some("default")),
        (list(vec![]), Some("default")),
        (vec![Event::Apply(other.clone())], Some("default")),
        (list(vec![other]), Some("default")),
    ];
    for (n, (events, expected)) in changes.into_iter().enumerate() {
        let mut fed = fed();
        fed.relist(going.clone());
        fed.workspaces.handle(&fed.context, Event::Apply(any.clone()));
        while fed.queues.organizations.next().now_or_never().is_some() {}

        for event in events {
            fed.workspaces.handle(&fed.context, event);
        }

        let woken = fed.queues.organizations.next().now_or_never().flatten();
        assert_eq!(
            woken.map(|organization| organization.name).as_deref(),
            expected,
            "{n}"
        );
    }
}

#[tokio::test]
async fn a_store_that_still_has_a_released_object_lags() {
    let mut fed = fed();
    fed.workspaces.handle(&fed.context, Event::Apply(workspace()));
    fed.context.shared().written.ended(&"w".into());
    assert!(fed.context.shared().written.is_newer_than(&"w".into(), Some("1")));
    fed.workspaces.handle(&fed.context, Event::Delete(workspace()));
    assert!(!fed.context.shared().written.is_newer_than(&"w".into(), Some("1")));
}

/// Not even by a reconcile that sees another one verified a moment later.
#[tokio::test]
async fn a_client_that_was_not_verified_is_not_used() {
    let mut fed = fed();
    fed.relist(organization("first"));
    fed.verified(&organization("first"));
    let changed = Verification::Changed {
        pinned: "ours".into(),
        found: "theirs".into(),
    };
    let publish = |verification| {
        let mut shared = fed.context.shared();
        shared
            .organizations
            .get_mut("default")
            .unwrap()
            .published
            .verification = verification;
    };
    publish(changed);
    let mut performer = Performer::new(fed.context.clone(), workspace().object().clone());
    publish(Verification::Verified("ours".into()));
    let seen = observe::view(&fed.context, workspace().object());
    assert_eq!(seen.verified(), Some(&"ours".into()));
    let requests = match performer
        .perform(Effect::Engine(EngineCall::Get("w".into())))
        .await
    {
        Outcome::Engine(EngineAnswer::Got(answer)) => answer.requests,
        other => panic!("{other:?}"),
    };
    assert_eq!(requests, 0, "it was made of another organization's credential");
}
