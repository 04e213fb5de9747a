//! What the operator writes on objects beside their fields: finalizer, labels, annotations. It trusts none of them without
//! a check of its own.

/// Begins every key of ours.
pub const OURS: &str = "agentengine.airbyte.com/";
/// Holds a Workspace or an Organization until its deletion has been dealt with.
pub const FINALIZER: &str = "agentengine.airbyte.com/finalizer";
/// On token Secrets: the name of the Workspace they belong to.
pub const WORKSPACE_LABEL: &str = "agentengine.airbyte.com/workspace";
/// On a Workspace: the lost workspace's id, to create the workspace again, once.
pub const RECREATE: &str = "agentengine.airbyte.com/recreate";
/// On an Organization: how many workspaces are missing at once, to confirm that they were deleted.
pub const CONFIRM_MISSING: &str = "agentengine.airbyte.com/confirm-missing";
/// On any of our kinds: a new value asks for a reconcile now and is echoed in status.
pub const RECONCILE_AT: &str = "agentengine.airbyte.com/reconcile-at";

/// On token Secrets: the workspace that the token was verified to open.
pub const TOKEN_WORKSPACE_ID: &str = "agentengine.airbyte.com/token-workspace-id";
/// On token Secrets: when the issue of the token began, RFC 3339.
pub const TOKEN_ISSUED_AT: &str = "agentengine.airbyte.com/token-issued-at";
/// On token Secrets: when the token ends, RFC 3339.
pub const TOKEN_EXPIRES_AT: &str = "agentengine.airbyte.com/token-expires-at";
/// On the token Secret: how many seconds Agent Engine's clock was ahead of the one that these times are of; 0 within half a minute.
pub const TOKEN_SERVER_AHEAD: &str = "agentengine.airbyte.com/token-server-ahead";
/// On token Secrets: first 12 hex digits of the SHA-256 of the Secret's content.
pub const TOKEN_FINGERPRINT: &str = "agentengine.airbyte.com/token-fingerprint";
/// On token Secrets: a digest of the labels and annotations that the operator wrote last, so that a later process does not write
/// again what another client keeps otherwise.
pub const DECORATION_MARK: &str = "agentengine.airbyte.com/decoration";
/// On token Secrets: the operator, which keeps them.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Keeps token Secrets out of Velero backups: a token outlives no backup.
pub const NO_BACKUP_LABEL: &str = "velero.io/exclude-from-backup";

/// The one field manager of all our writes.
pub const FIELD_MANAGER: &str = "agent-engine-operator";

/// Prefixes of the keys that users may not put on token Secrets: other tools and this operator recognize their objects by
/// them, and would prune, adopt or overwrite a Secret that carries one of theirs, or copy it to another namespace. No list of
/// such tools is complete.
pub const RESERVED_KEYS: [&str; 23] = [
    "agentengine.airbyte.com/",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "applyset.kubernetes.io/",
    "argocd.argoproj.io/",
    "cert-manager.io/",
    "config.kubernetes.io/",
    "external-secrets.io/",
    "helm.sh/",
    "helm.toolkit.fluxcd.io/",
    "hnc.x-k8s.io/",
    "kapp.k14s.io/",
    "kubectl.kubernetes.io/",
    "kubed.appscode.com/",
    "kubernetes.io/",
    "kustomize.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "objectset.rio.cattle.io/",
    "propagate.hnc.x-k8s.io/",
    "reflector.v1.k8s.emberstack.com/",
    "replicator.v1.mittwald.de/",
    "sealedsecrets.bitnami.com/",
    NO_BACKUP_LABEL,
];

/// Where `kubectl apply` keeps the whole manifest, a Secret's content included.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
