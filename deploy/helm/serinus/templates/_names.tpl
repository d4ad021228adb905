{{- define "serinus.name" -}}
{{- if contains "serinus" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-serinus" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "serinus.selector" -}}
app.kubernetes.io/name: serinus
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "serinus.labels" -}}
{{ include "serinus.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "serinus.tokens" -}}
{{- .Values.existingTokens | default (printf "%s-tokens" (include "serinus.name" .)) }}
{{- end }}

{{- define "serinus.configs" -}}
{{- .Values.existingConfigMap | default (printf "%s-configs" (include "serinus.name" .)) }}
{{- end }}

{{- /* What no schema can say, in words for whoever installs. */ -}}
{{- define "serinus.refusals" -}}
{{- $sqlite := .Values.database.sqlite.size }}
{{- if and .Values.database.existingSecret $sqlite }}
{{- fail "database: give existingSecret or sqlite.size, not both" }}
{{- end }}
{{- if not (or .Values.database.existingSecret $sqlite) }}
{{- fail "database: give existingSecret, a Secret that holds postgresql://…, or sqlite.size with replicas: 1" }}
{{- end }}
{{- if and $sqlite (or (gt (int .Values.replicas) 1) .Values.autoscaling.enabled) }}
{{- fail (printf "replicas: a SQLite file serves one replica, got %d; give database.existingSecret for more" (int .Values.replicas)) }}
{{- end }}
{{- $ways := list }}
{{- if .Values.tokens }}{{ $ways = append $ways "tokens" }}{{ end }}
{{- if .Values.existingTokens }}{{ $ways = append $ways "existingTokens" }}{{ end }}
{{- if .Values.withoutTokens }}{{ $ways = append $ways "withoutTokens" }}{{ end }}
{{- if ne (len $ways) 1 }}
{{- fail (printf "who may call? give exactly one of tokens, existingTokens and withoutTokens, got %s" (join ", " $ways | default "none")) }}
{{- end }}
{{- if and .Values.configs .Values.existingConfigMap }}
{{- fail "configs: give configs or existingConfigMap, not both" }}
{{- end }}
{{- range $own := list "configs" "database-url" "host" "port" "tokens" "without-tokens" "notices" }}
{{- if hasKey $.Values.options $own }}
{{- fail (printf "options: %s is the chart's own; see values.yaml for what sets it" $own) }}
{{- end }}
{{- end }}
{{- end }}
