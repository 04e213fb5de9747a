{{/* How the operator is started: flags and environment. Each is made in one place, so that a second one can be refused. */}}

{{- define "operator.args" -}}
- run
- --listen=0.0.0.0:{{ .Values.metrics.port }}
- --log-format={{ .Values.logFormat }}
- {{ printf "--log-level=%s" .Values.logLevel | quote }}
- --concurrency={{ .Values.concurrency }}
- --drain-timeout={{ .Values.drainTimeoutSeconds }}s
- --reconcile-timeout={{ .Values.passDeadlineSeconds }}s
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," (uniq .) }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "operator.env" -}}
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
