{{/* Checks that a schema cannot make, or cannot explain. Each fails the rendering with a line that says what to do. */}}

{{- define "operator.checks" -}}
{{- include "operator.checks.image" . }}
{{- include "operator.checks.process" . }}
{{- include "operator.checks.upgrade" . }}
{{- include "operator.checks.extraArgs" . }}
{{- include "operator.checks.extraEnv" . }}
{{- include "operator.checks.labels" . }}
{{- end }}

{{/* A version without the Lease would act beside the new one. A rendering without a cluster finds none. */}}
{{- define "operator.checks.upgrade" -}}
{{- with lookup "apps/v1" "Deployment" .Release.Namespace (include "operator.fullname" .) }}
{{- $args := join " " ((first .spec.template.spec.containers).args | default list) }}
{{- if and (gt (int .spec.replicas) 0) (not (contains "--lease-name=" $args)) }}
{{- fail (printf "the running version knows no Lease, and would act beside the new one: first kubectl scale deployment %s --replicas=0, and wait until its Pod is gone" .metadata.name) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "operator.checks.image" -}}
{{- range $value, $registry := dict "image.registry" .Values.image.registry "global.imageRegistry" .Values.global.imageRegistry }}
{{- if and $registry (or (contains "://" $registry) (not (regexMatch `^[A-Za-z0-9\[][A-Za-z0-9.:_/\[\]-]*$` $registry))) }}
{{- fail (printf "%s: %q must be a registry alone, without https:// and blanks, such as registry.example or registry.example:5000/team" $value $registry) }}
{{- end }}
{{- end }}
{{- with .Values.image.tag }}
{{- if not (regexMatch `^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$` .) }}
{{- fail (printf "image.tag: %q must be a tag alone, such as 0.1.0: at most 128 letters, digits, '_', '.' and '-'; a digest belongs in image.digest" .) }}
{{- end }}
{{- end }}
{{- with .Values.image.digest }}
{{- if not (regexMatch `^sha256:[0-9a-f]{64}$` .) }}
{{- fail (printf "image.digest: %q must be sha256: and 64 lower-case hex digits, as the registry shows it" .) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "operator.checks.process" -}}
{{- $grace := int .Values.terminationGracePeriodSeconds }}
{{- $drain := int .Values.drainTimeoutSeconds }}
{{- if le $grace $drain }}
{{- fail (printf "terminationGracePeriodSeconds (%d) must be more than drainTimeoutSeconds (%d), or running reconciles are cut short" $grace $drain) }}
{{- end }}
{{- if not .Values.lease }}
{{- fail "these are the values of an older chart: upgrade with --reset-then-reuse-values instead of --reuse-values" }}
{{- end }}
{{- $duration := int .Values.lease.durationSeconds }}
{{- $renewal := int .Values.lease.renewalSeconds }}
{{- $giveUp := int .Values.lease.giveUpSeconds }}
{{- if ge $giveUp $duration }}
{{- fail (printf "lease.giveUpSeconds (%d) must be less than lease.durationSeconds (%d), or two Pods would lead at once" $giveUp $duration) }}
{{- end }}
{{- if gt (mul 2 $renewal) $giveUp }}
{{- fail (printf "lease.renewalSeconds (%d) must be at most half of lease.giveUpSeconds (%d), or one lost answer ends a leader" $renewal $giveUp) }}
{{- end }}
{{- if lt (int $duration) (int (add $renewal (min $renewal 5) 20)) }}
{{- fail (printf "lease.durationSeconds (%d) must be at least lease.renewalSeconds (%d), %d for its answer, and the 20 seconds of a request to Agent Engine" $duration $renewal (min $renewal 5)) }}
{{- end }}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.create is off: set serviceAccount.name to the account that the operator shall use" }}
{{- end }}
{{- range .Values.watchNamespaces }}
{{- if or (gt (len .) 63) (not (regexMatch `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$` .)) }}
{{- fail (printf "watchNamespaces: %q is no name of a namespace (lower-case letters, digits and '-', at most 63); list each by its name, there are no wildcards" .) }}
{{- end }}
{{- end }}
{{- with .Values.proxy.httpsProxy }}
{{- if not (regexMatch `^https?://[^\s/]+/?$` .) }}
{{- fail "proxy.httpsProxy must be the URL of a proxy, http or https, such as http://proxy.example:3128" }}
{{- end }}
{{- end }}
{{- if not (contains "[" .Values.logLevel) }}
{{- range splitList "," .Values.logLevel }}
{{- if not (regexMatch `^([^=\s]+=)?(?i:off|error|warn|info|debug|trace)$` (trim .)) }}
{{- fail (printf "logLevel: %q must be off, error, warn, info, debug or trace, or a filter such as info,agent_engine_operator::engine=debug" $.Values.logLevel) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Flags of the operator, each with the value that sets it. The namespace's flag is the only other one. */}}
{{- define "operator.flags" -}}
listen: metrics.port
log-format: logFormat
log-level: logLevel
concurrency: concurrency
drain-timeout: drainTimeoutSeconds
reconcile-timeout: reconcileTimeoutSeconds
lease-name: fullnameOverride
lease-duration: lease.durationSeconds
lease-renewal: lease.renewalSeconds
lease-give-up: lease.giveUpSeconds
watch-namespaces: watchNamespaces
{{- end }}

{{- define "operator.checks.extraArgs" -}}
{{- $flags := include "operator.flags" . | fromYaml }}
{{- $given := dict }}
{{- range .Values.extraArgs }}
{{- if not (regexMatch `^--[a-z][-a-z]*(=.*)?$` .) }}
{{- fail (printf "extraArgs: %q must be one flag with its value, as --flag=value" .) }}
{{- end }}
{{- $flag := . | trimPrefix "--" | splitList "=" | first }}
{{- if hasKey $flags $flag }}
{{- fail (printf "extraArgs: the chart sets --%s itself; set the value %s instead" $flag (get $flags $flag)) }}
{{- end }}
{{- if eq $flag "operator-namespace" }}
{{- fail "extraArgs: the operator's namespace is the release's; install the chart into another namespace instead" }}
{{- end }}
{{- if eq $flag "lease-identity" }}
{{- fail "extraArgs: remove --lease-identity: each Pod's identity in the Lease is its own name" }}
{{- end }}
{{- if hasKey $given $flag }}
{{- fail (printf "extraArgs: --%s is given twice" $flag) }}
{{- end }}
{{- if not (or $.Values.image.tag $.Values.image.digest) }}
{{- fail (printf "extraArgs: the operator %s has no flag --%s and would not start; remove it, or set image.tag to a version that has it" $.Chart.AppVersion $flag) }}
{{- end }}
{{- $_ := set $given $flag true }}
{{- end }}
{{- end }}

{{- define "operator.checks.extraEnv" -}}
{{- $names := dict "HTTPS_PROXY" "proxy.httpsProxy" "https_proxy" "proxy.httpsProxy" "NO_PROXY" "proxy.noProxy" "no_proxy" "proxy.noProxy" }}
{{- range $flag, $value := include "operator.flags" . | fromYaml }}
{{- $_ := set $names (printf "AGENT_ENGINE_%s" ($flag | upper | replace "-" "_")) $value }}
{{- end }}
{{- $given := dict }}
{{- range .Values.extraEnv }}
{{- if has .name (list "POD_NAMESPACE" "AGENT_ENGINE_OPERATOR_NAMESPACE") }}
{{- fail (printf "extraEnv: remove %s: the operator's namespace is the release's; install the chart into another namespace instead" .name) }}
{{- end }}
{{- if has .name (list "POD_NAME" "AGENT_ENGINE_LEASE_IDENTITY") }}
{{- fail (printf "extraEnv: remove %s: each Pod's identity in the Lease is its own name" .name) }}
{{- end }}
{{- if hasKey $names .name }}
{{- fail (printf "extraEnv: the chart sets %s itself; set the value %s instead" .name (get $names .name)) }}
{{- end }}
{{- if hasKey $given .name }}
{{- fail (printf "extraEnv: %s is given twice" .name) }}
{{- end }}
{{- $_ := set $given .name true }}
{{- end }}
{{- end }}

{{- define "operator.checks.labels" -}}
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
