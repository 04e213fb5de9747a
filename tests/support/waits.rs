//! What a story waits for.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;

use agent_engine_operator::crd::{Organization, Workspace};

use super::{
    Stage,
    eventually::{LONG, RESOLVED, eventually},
    reading::{condition, is_ready, ready_reason},
};

impl Stage {
    pub async fn until(&self, name: &str, what: &str, holds: impl Fn(&Workspace) -> bool) -> Workspace {
        self.until_in(&self.tenant, name, what, holds).await
    }

    pub async fn until_in(
        &self,
        namespace: &str,
        name: &str,
        what: &str,
        holds: impl Fn(&Workspace) -> bool,
    ) -> Workspace {
        self.until_within(LONG, namespace, name, what, holds).await
    }

    /// The same with a deadline of its own.
    pub async fn until_within(
        &self,
        deadline: Duration,
        namespace: &str,
        name: &str,
        what: &str,
        holds: impl Fn(&Workspace) -> bool,
    ) -> Workspace {
        eventually(what, deadline, || async {
            match self.workspaces_in(namespace).get(name).await {
                Ok(workspace) if holds(&workspace) => Ok(workspace),
                Ok(workspace) => Err(format!("{:#?}", workspace.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    /// Waits until the Workspace is Ready as declared.
    pub async fn ready(&self, name: &str) -> Workspace {
        self.ready_in(&self.tenant, name).await
    }

    pub async fn ready_in(&self, namespace: &str, name: &str) -> Workspace {
        self.until_in(namespace, name, &format!("{name} to be Ready"), is_ready)
            .await
    }

    /// Waits until the Ready condition of the current generation has this reason.
    pub async fn reason(&self, name: &str, reason: &str) -> Workspace {
        self.reason_in(&self.tenant, name, reason).await
    }

    pub async fn reason_in(&self, namespace: &str, name: &str, reason: &str) -> Workspace {
        self.until_in(namespace, name, &format!("{name} to be {reason}"), |workspace| {
            ready_reason(workspace).as_deref() == Some(reason)
        })
        .await
    }

    /// Waits until the object is as its spec says in the eyes of a `Synced` condition with this reason.
    pub async fn synced_reason(&self, name: &str, reason: &str) -> Workspace {
        self.until(name, &format!("{name} to be Synced: {reason}"), |workspace| {
            condition(workspace, "Synced")
                .is_some_and(|c| c.reason == reason && c.observed_generation == workspace.metadata.generation)
        })
        .await
    }

    pub async fn gone(&self, name: &str) {
        eventually(&format!("{name} to be gone"), RESOLVED, || async {
            match self.workspaces().get_opt(name).await {
                Ok(None) => Ok(()),
                Ok(Some(workspace)) => Err(format!("{:#?}", workspace.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    /// Waits until there is such a Secret.
    pub async fn secret(&self, name: &str) -> Secret {
        eventually(&format!("the Secret {name}"), LONG, || async {
            self.secrets().get(name).await
        })
        .await
    }

    /// Waits until a Secret is there and `holds` says so of it.
    pub async fn secret_until(&self, name: &str, what: &str, holds: impl Fn(&Secret) -> bool) -> Secret {
        eventually(what, LONG, || async {
            match self.secrets().get_opt(name).await {
                Ok(Some(secret)) if holds(&secret) => Ok(secret),
                Ok(Some(secret)) => Err(format!("{:#?}", secret.metadata)),
                Ok(None) => Err("no Secret".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    pub async fn no_secret(&self, name: &str) {
        self.no_secret_in(&self.tenant, name).await;
    }

    /// Waits until there is no such Secret.
    pub async fn no_secret_in(&self, namespace: &str, name: &str) {
        eventually(&format!("the Secret {name} to be gone"), LONG, || async {
            match self.secrets_in(namespace).get_metadata_opt(name).await {
                Ok(None) => Ok(()),
                Ok(Some(_)) => Err("it is there".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    pub async fn organization_until(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&Organization) -> bool,
    ) -> Organization {
        eventually(&format!("the Organization {name} {what}"), LONG, || async {
            match self.organizations().get(name).await {
                Ok(organization) if holds(&organization) => Ok(organization),
                Ok(organization) => Err(format!("{:#?}", organization.status)),
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    /// Waits until the Organization's Ready condition of the current generation has this reason.
    pub async fn organization_reason(&self, name: &str, reason: &str) -> Organization {
        self.organization_until(name, &format!("to be {reason}"), |organization| {
            let status = organization.status.as_ref();
            status.is_some_and(|status| {
                status.observed_generation == organization.metadata.generation
                    && status
                        .conditions
                        .iter()
                        .any(|c| c.type_ == "Ready" && c.reason == reason)
            })
        })
        .await
    }

    /// Waits until the Organization was verified and its shared list was taken and reported.
    pub async fn listed(&self, name: &str) -> Organization {
        self.organization_until(name, "to be listed", |organization| {
            let status = organization.status.as_ref();
            status.is_some_and(|status| status.workspaces.is_some())
        })
        .await
    }
}
