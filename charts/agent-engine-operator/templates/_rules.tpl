{{/* The operator's rights, in four parts. A list shows the same as a get, so list comes with get. */}}

{{/*
In every namespace, whichever are watched: a namespace that is deleted loses its RoleBindings first, and could not go while
its Workspaces wait for an operator that may do nothing there. No secret is in these.
*/}}
{{- define "operator.workspaceRules" -}}
- apiGroups: [agentengine.airbyte.com]
  resources: [workspaces]
  # Patch: its finalizer, nothing else.
  verbs: [get, list, watch, patch]
- apiGroups: [agentengine.airbyte.com]
  resources: [workspaces/status]
  verbs: [patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}

{{/* In the tenants' namespaces. No narrower: a Workspace names its Secret. */}}
{{- define "operator.tokenRules" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}

{{/* In the operator's own namespace: Organizations and their credentials. */}}
{{- define "operator.ownRules" -}}
- apiGroups: [agentengine.airbyte.com]
  resources: [organizations]
  # Patch: its finalizer, nothing else.
  verbs: [get, list, watch, patch]
- apiGroups: [agentengine.airbyte.com]
  resources: [organizations/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
# One Pod leads. A name cannot limit a create.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "operator.fullname" . }}]
  verbs: [get, update]
{{- end }}

{{/* For objects without a namespace. */}}
{{- define "operator.clusterRules" -}}
# The labels of a namespace decide which names an Organization grants it.
- apiGroups: [""]
  resources: [namespaces]
  {{- with .Values.watchNamespaces }}
  resourceNames: {{ uniq . | toJson }}
  {{- end }}
  verbs: [get, list, watch]
# While a CustomResourceDefinition is being deleted, the operator deletes nothing at Agent Engine.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames: [organizations.agentengine.airbyte.com, workspaces.agentengine.airbyte.com]
  verbs: [get]
# A Workspace may be held by an operator of another release: its Lease tells whether that operator lives.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get]
{{- end }}

{{/* The operator's account, as the subject of a binding. */}}
{{- define "operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
