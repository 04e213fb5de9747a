//! What users and administrators do in a story.

use std::sync::atomic::{AtomicU64, Ordering};

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use agent_engine_operator::crd::{Organization, Workspace, metadata_keys::RECONCILE_AT};

use super::{
    Stage,
    eventually::{LONG, eventually},
};

impl Stage {
    /// Sets labels of a namespace; null takes one away.
    pub async fn label_namespace(&self, namespace: &str, labels: Value) {
        Api::<Namespace>::all(self.client.clone())
            .patch(
                namespace,
                &PatchParams::default(),
                &Patch::Merge(json!({"metadata": {"labels": labels}})),
            )
            .await
            .expect("the namespace is labelled");
    }

    /// Lays `spec` over a Workspace's spec; null takes a field away.
    pub async fn change(&self, name: &str, spec: Value) {
        self.change_in(&self.tenant, name, spec).await;
    }

    pub async fn change_in(&self, namespace: &str, name: &str, spec: Value) {
        self.workspaces_in(namespace)
            .patch(
                name,
                &PatchParams::default(),
                &Patch::Merge(json!({"spec": spec})),
            )
            .await
            .expect("the Workspace changes");
    }

    /// Sets annotations of a Workspace; null takes one away.
    pub async fn annotate(&self, name: &str, annotations: Value) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
        self.workspaces()
            .patch(name, &PatchParams::default(), &patch)
            .await
            .expect("the Workspace is annotated");
    }

    pub async fn annotate_organization(&self, name: &str, annotations: Value) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
        self.organizations()
            .patch(name, &PatchParams::default(), &patch)
            .await
            .expect("the Organization is annotated");
    }

    /// Asks for a reconcile over a Workspace, as a person would. Returns what the reconcile will echo.
    pub async fn ask(&self, name: &str) -> String {
        let request = never_asked();
        self.annotate(name, json!({RECONCILE_AT: request})).await;
        request
    }

    /// Asks for a reconcile over a Workspace, and waits until it was made.
    pub async fn reconcile_of(&self, name: &str) -> Workspace {
        let request = self.ask(name).await;
        self.until(name, &format!("{name} to have had its reconcile"), |workspace| {
            let status = workspace.status.as_ref();
            status.and_then(|status| status.last_handled_reconcile_at.as_ref()) == Some(&request)
        })
        .await
    }

    /// Asks for a reconcile over an Organization (a list with it), and waits until it was made.
    pub async fn relist(&self, name: &str, request: &str) -> Organization {
        self.annotate_organization(name, json!({RECONCILE_AT: request}))
            .await;
        self.organization_until(name, &format!("to echo {request}"), |organization| {
            let status = organization.status.as_ref();
            status.and_then(|status| status.last_handled_reconcile_at.as_deref()) == Some(request)
        })
        .await
    }

    /// Asks for a list that fails, and waits until it was asked for: it is echoed as handled by none.
    pub async fn relist_in_vain(&self, name: &str, request: &str) {
        let mark = self.emulator.journal_mark().await;
        self.annotate_organization(name, json!({RECONCILE_AT: request}))
            .await;
        eventually("a list to be asked for", LONG, || async {
            let calls = self.emulator.calls_since(mark).await;
            let lists = calls.get("W1").copied().unwrap_or_default();
            (lists > 0).then_some(()).ok_or("none was")
        })
        .await;
    }

    /// Asks for the shared list of the Organization `default`, and waits until it was taken.
    pub async fn list(&self) {
        self.relist("default", &never_asked()).await;
    }

    /// Gives a Workspace the status of another object, as a restore from a backup does.
    pub async fn paste_status(&self, name: &str, of: &Workspace) {
        let status = Patch::Merge(json!({"status": of.status}));
        self.workspaces()
            .patch_status(name, &PatchParams::default(), &status)
            .await
            .expect("a pasted status");
    }

    /// Asks for a Workspace to go; it may be held.
    pub async fn begin_deletion(&self, name: &str) {
        self.workspaces()
            .delete(name, &DeleteParams::default())
            .await
            .expect("a Workspace to delete");
    }

    /// Deletes a Workspace and waits until it is gone.
    pub async fn delete(&self, name: &str) {
        self.begin_deletion(name).await;
        self.gone(name).await;
    }

    pub async fn delete_secret(&self, name: &str) {
        self.secrets()
            .delete(name, &DeleteParams::default())
            .await
            .expect("a Secret to delete");
    }
}

/// A value for a reconcile request that was never used before.
fn never_asked() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
