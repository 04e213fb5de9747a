{{/* What no schema can tell: values that do not go together. Each ends the rendering with a line that says what to do. */}}

{{- define "operator.checks" -}}
{{- $grace := int .Values.terminationGracePeriodSeconds }}
{{- $drain := int .Values.drainTimeoutSeconds }}
{{- if le $grace $drain }}
{{- fail (printf "terminationGracePeriodSeconds (%d) must be more than drainTimeoutSeconds (%d), or running work is cut short" $grace $drain) }}
{{- end }}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.create is off: set serviceAccount.name to the account that the operator shall use" }}
{{- end }}

{{- $flags := dict "listen" "metrics.port" "log-format" "logFormat" "log-level" "logLevel" "concurrency" "concurrency" "drain-timeout" "drainTimeoutSeconds" "pass-deadline" "passDeadlineSeconds" "watch-namespaces" "watchNamespaces" }}
{{- $given := dict }}
{{- range .Values.extraArgs }}
{{- $flag := . | trimPrefix "--" | splitList "=" | first }}
{{- if hasKey $flags $flag }}
{{- fail (printf "extraArgs: the chart sets --%s itself; set the value %s instead" $flag (get $flags $flag)) }}
{{- end }}
{{- if eq $flag "operator-namespace" }}
{{- fail "extraArgs: the operator's namespace is the release's; install the chart into another namespace instead" }}
{{- end }}
{{- if hasKey $given $flag }}
{{- fail (printf "extraArgs: --%s is given twice" $flag) }}
{{- end }}
{{- $_ := set $given $flag true }}
{{- end }}

{{- $names := dict "POD_NAMESPACE" "nothing: it is the Pod's namespace" "HTTPS_PROXY" "proxy.httpsProxy" "https_proxy" "proxy.httpsProxy" "NO_PROXY" "proxy.noProxy" "no_proxy" "proxy.noProxy" }}
{{- range $flag, $value := $flags }}
{{- $_ := set $names (printf "AGENT_ENGINE_OPERATOR_%s" ($flag | upper | replace "-" "_")) $value }}
{{- end }}
{{- $_ := set $names "AGENT_ENGINE_OPERATOR_OPERATOR_NAMESPACE" "nothing: it is the release's namespace" }}
{{- $given = dict }}
{{- range .Values.extraEnv }}
{{- if hasKey $names .name }}
{{- fail (printf "extraEnv: the chart sets %s itself; set %s instead" .name (get $names .name)) }}
{{- end }}
{{- if hasKey $given .name }}
{{- fail (printf "extraEnv: %s is given twice" .name) }}
{{- end }}
{{- $_ := set $given .name true }}
{{- end }}

{{- $own := include "operator.ownLabels" . | fromYaml }}
{{- range $key, $_ := .Values.commonLabels }}
{{- if hasKey $own $key }}
{{- fail (printf "commonLabels: the chart sets the label %s itself" $key) }}
{{- end }}
{{- end }}
{{- range $key, $_ := .Values.podLabels }}
{{- if or (hasKey $own $key) (hasKey $.Values.commonLabels $key) }}
{{- fail (printf "podLabels: the label %s is there already" $key) }}
{{- end }}
{{- end }}
{{- end }}
