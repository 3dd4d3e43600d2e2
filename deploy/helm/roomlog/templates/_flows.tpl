{{/* Who may talk to whom, one entry per component: the picture of the parts as network policies. */}}

{{- define "roomlog.flows" -}}
{{- $dns := include "roomlog.flow.dns" . | fromYaml -}}
{{- $redis := include "roomlog.flow.redis" . | fromYaml -}}
{{- $database := include "roomlog.flow.database" . | fromYaml -}}
{{- $scrape := include "roomlog.flow.scrape" . | fromYaml -}}
{{- $clients := .Values.networkPolicy.clients -}}
gateway:
  ingress: {{ list (include "roomlog.flow.in" (dict "from" $clients "port" 8080) | fromYaml) (merge (dict "ports" (list (dict "port" 9080))) $scrape) | toJson }}
  egress: {{ list $dns $redis | toJson }}
worker:
  ingress: {{ list (merge (dict "ports" (list (dict "port" 9081))) $scrape) | toJson }}
  egress: {{ list $dns $redis $database | toJson }}
api:
  ingress: {{ list (include "roomlog.flow.in" (dict "from" $clients "port" 8000) | fromYaml) (merge (dict "ports" (list (dict "port" 9082))) $scrape) | toJson }}
  egress: {{ list $dns $redis $database | toJson }}
migrate:
  ingress: []
  egress: {{ list $dns $database | toJson }}
test:
  ingress: []
  egress: {{ list $dns $database (include "roomlog.flow.toGateway" . | fromYaml) | toJson }}
{{- if .Values.valkey.enabled }}
valkey:
  ingress: {{ list (include "roomlog.flow.fromServices" (dict "root" . "port" 6379 "components" (list "gateway" "worker" "api")) | fromYaml) | toJson }}
  egress: []
{{- end }}
{{- if .Values.postgresql.enabled }}
postgresql:
  ingress: {{ list (include "roomlog.flow.fromServices" (dict "root" . "port" 5432 "components" (list "worker" "api" "migrate" "test")) | fromYaml) | toJson }}
  egress: []
{{- end }}
{{- end -}}

{{- define "roomlog.flow.dns" -}}
ports:
  - {port: 53, protocol: UDP}
  - {port: 53, protocol: TCP}
{{- end -}}

{{/* From the listed peers, or from anywhere where none is listed. */}}
{{- define "roomlog.flow.in" -}}
ports:
  - port: {{ .port }}
{{- with .from }}
from:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "roomlog.flow.scrape" -}}
from:
  {{- toYaml .Values.networkPolicy.scrapers | nindent 2 }}
{{- end -}}

{{- define "roomlog.flow.redis" -}}
{{- if .Values.valkey.enabled -}}
ports:
  - port: 6379
to:
  - podSelector:
      matchLabels:
        {{- include "roomlog.selectorLabels" (dict "root" . "component" "valkey") | nindent 8 }}
{{- else -}}
ports:
  {{- range .Values.redis.ports }}
  - port: {{ . }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "roomlog.flow.database" -}}
{{- if .Values.postgresql.enabled -}}
ports:
  - port: 5432
to:
  - podSelector:
      matchLabels:
        {{- include "roomlog.selectorLabels" (dict "root" . "component" "postgresql") | nindent 8 }}
{{- else -}}
ports:
  - port: {{ .Values.database.port }}
{{- end -}}
{{- end -}}

{{- define "roomlog.flow.toGateway" -}}
ports:
  - port: 8080
to:
  - podSelector:
      matchLabels:
        {{- include "roomlog.selectorLabels" (dict "root" . "component" "gateway") | nindent 8 }}
{{- end -}}

{{- define "roomlog.flow.fromServices" -}}
{{- $root := .root -}}
ports:
  - port: {{ .port }}
from:
  {{- range .components }}
  - podSelector:
      matchLabels:
        {{- include "roomlog.selectorLabels" (dict "root" $root "component" .) | nindent 8 }}
  {{- end }}
{{- end -}}
