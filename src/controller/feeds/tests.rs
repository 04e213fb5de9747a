//! What a feed makes of the events of a watch, without a cluster.

use futures::FutureExt;
use futures::stream::StreamExt;
use kube::client::Body;
use serde_json::json;

use super::*;
use crate::controller::context::{OrganizationState, Queues};
use crate::serve::Served;
use crate::settings::{Settings, Watch};

const HOME: &str = "home";

struct Fed {
    context: Context,
    queues: Queues,
    workspaces: Workspaces,
    organizations: Organizations,
}

/// A context whose client reaches nothing.
fn fed() -> Fed {
    let unreachable = tower::service_fn(|_: http::Request<Body>| async {
        Err::<http::Response<Body>, _>(std::io::Error::other("there is no cluster"))
    });
    let settings = Settings {
        operator_namespace: HOME.to_owned(),
        watch: Watch::All,
        listen: ([127, 0, 0, 1], 0).into(),
        concurrency: std::num::NonZeroUsize::MIN,
        drain_timeout: std::time::Duration::ZERO,
        pass_deadline: std::time::Duration::ZERO,
    };
    let client = kube::Client::new(unreachable, HOME);
    let (context, queues, writers) = Context::new(client, settings, Served::default());
    Fed {
        context,
        queues,
        workspaces: Workspaces(writers.workspaces),
        organizations: Organizations(writers.organizations),
    }
}

fn organization(uid: &str) -> AnyOrganization {
    serde_json::from_value(json!({
        "apiVersion": "agentengine.airbyte.com/v1alpha1", "kind": "Organization",
        "metadata": {"name": "default", "namespace": HOME, "uid": uid, "resourceVersion": "1"},
        "spec": {"credentialsSecretRef": {"name": "credential"}},
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

impl Fed {
    /// A relist that finds this Organization.
    fn relist(&mut self, found: AnyOrganization) {
        for event in [Event::Init, Event::InitApply(found), Event::InitDone] {
            self.organizations.feed(&self.context, event);
        }
    }

    /// As a pass over it leaves it.
    fn pass_over_organization(&self) {
        let state = OrganizationState::of("first".into());
        self.context
            .shared()
            .organizations
            .insert("default".to_owned(), state);
    }

    fn is_known(&self) -> bool {
        self.context.shared().organizations.contains_key("default")
    }

    /// The Workspaces woken since this was asked last.
    fn woken(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.queues.workspaces.next().now_or_never().flatten())
            .map(|workspace| workspace.name)
            .collect()
    }
}

#[tokio::test]
async fn nothing_stays_known_of_an_organization_that_was_replaced_under_its_name() {
    for replaced in ["between two lists", "between two events"] {
        let mut fed = fed();
        fed.workspaces.feed(&fed.context, Event::Apply(workspace()));
        fed.relist(organization("first"));
        fed.pass_over_organization();
        fed.woken();
        match replaced {
            "between two lists" => fed.relist(organization("second")),
            _ => fed
                .organizations
                .feed(&fed.context, Event::Apply(organization("second"))),
        }
        assert!(!fed.is_known(), "{replaced}");
        assert_eq!(fed.woken(), ["acme"], "{replaced}");
    }
}

#[tokio::test]
async fn an_organization_that_is_seen_again_stays_known() {
    let mut fed = fed();
    fed.relist(organization("first"));
    fed.pass_over_organization();
    fed.relist(organization("first"));
    fed.organizations
        .feed(&fed.context, Event::Apply(organization("first")));
    assert!(fed.is_known());
}
