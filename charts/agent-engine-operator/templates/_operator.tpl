{{/* Flags and environment of the operator. Each is rendered in one place, so that the checks can refuse a second one. */}}

{{- define "operator.args" -}}
- run
- --listen=[::]:{{ .Values.metrics.port }}
- --log-format={{ .Values.logFormat }}
- {{ printf "--log-level=%s" .Values.logLevel | quote }}
- --concurrency={{ .Values.concurrency }}
- --drain-timeout={{ .Values.drainTimeoutSeconds }}s
- --reconcile-timeout={{ .Values.reconcileTimeoutSeconds }}s
- --lease-name={{ include "operator.fullname" . }}
- --lease-duration={{ .Values.lease.durationSeconds }}s
- --lease-renewal={{ .Values.lease.renewalSeconds }}s
- --lease-give-up={{ .Values.lease.giveUpSeconds }}s
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," (uniq .) }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "operator.env" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- with .Values.proxy.httpsProxy }}
- name: HTTPS_PROXY
  value: {{ . | quote }}
{{- end }}
{{- with .Values.proxy.noProxy }}
- name: NO_PROXY
  value: {{ . | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
