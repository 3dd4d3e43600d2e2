{{/* The allowed traffic, one entry per component. The network policies are made from it. */}}

{{- define "roomlog.flows" -}}
{{- $dns := include "roomlog.flow.dns" . | fromYaml -}}
{{- $redis := include "roomlog.flow.redis" . | fromYaml -}}
{{- $database := include "roomlog.flow.database" . | fromYaml -}}
{{- $files := ternary (list (dict "ports" (list (dict "port" .Values.attachments.s3.port)))) list (ne .Values.attachments.s3.bucket "") -}}
{{- $clients := .Values.networkPolicy.clients -}}
{{- $test := dict "podSelector" (dict "matchLabels" (include "roomlog.selectorLabels" (dict "root" . "component" "test") | fromYaml)) -}}
{{- $sockets := ternary (append $clients $test) list (gt (len $clients) 0) -}}{{/* `helm test` passes no edge */}}
{{- $api := ternary (list "api") list .Values.api.enabled -}}
{{- $chores := ternary (list "chores") list .Values.chores.enabled -}}
{{- $account := ternary (list "test") list .Values.api.enabled -}}{{/* it asks for one only where our own project knows how to make it */}}
gateway:
  ingress: {{ concat (list (include "roomlog.flow.in" (dict "from" $sockets "port" 8080) | fromYaml)) (include "roomlog.flow.scrape" (dict "root" . "port" 9080) | fromJsonArray) | toJson }}
  egress: {{ list $dns $redis | toJson }}
worker:
  ingress: {{ include "roomlog.flow.scrape" (dict "root" . "port" 9081) }}
  egress: {{ list $dns $redis $database | toJson }}
{{- if .Values.api.enabled }}
api:
  ingress: {{ concat (list (include "roomlog.flow.in" (dict "from" $clients "port" 8000) | fromYaml)) (include "roomlog.flow.scrape" (dict "root" . "port" 9082) | fromJsonArray) | toJson }}
  egress: {{ concat (list $dns $redis $database) $files | toJson }}
{{- end }}
{{- if .Values.chores.enabled }}
chores:
  ingress: {{ include "roomlog.flow.scrape" (dict "root" . "port" 9084) }}
  egress: {{ concat (list $dns $redis $database) $files (include "roomlog.flow.webhooks" . | fromJsonArray) | toJson }}
{{- end }}
migrate:
  ingress: []
  egress: {{ list $dns $database | toJson }}
test:
  ingress: []
  egress: {{ list $dns (include "roomlog.flow.toGateway" . | fromYaml) | concat (ternary (list $database) list .Values.api.enabled) | toJson }}
{{- if .Values.valkey.enabled }}
valkey:
  ingress: {{ list (include "roomlog.flow.fromServices" (dict "root" . "port" 6379 "components" (concat (list "gateway" "worker") $api $chores)) | fromYaml) | toJson }}
  egress: []
{{- end }}
{{- if .Values.postgresql.enabled }}
postgresql:
  ingress: {{ list (include "roomlog.flow.fromServices" (dict "root" . "port" 5432 "components" (concat (list "worker" "migrate") $api $account $chores)) | fromYaml) | toJson }}
  egress: []
{{- end }}
{{- end -}}

{{- define "roomlog.flow.dns" -}}
ports:
  - {port: 53, protocol: UDP}
  - {port: 53, protocol: TCP}
{{- end -}}

{{/* From the listed peers; from anywhere if none is listed. */}}
{{- define "roomlog.flow.in" -}}
ports:
  - port: {{ .port }}
{{- with .from }}
from:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A list of one rule or none: a rule with an empty list of peers would allow all traffic. */}}
{{- define "roomlog.flow.scrape" -}}
{{- $scrapers := .root.Values.networkPolicy.scrapers -}}
{{- if $scrapers }}{{ list (dict "ports" (list (dict "port" .port)) "from" $scrapers) | toJson }}{{ else }}[]{{ end -}}
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

{{/* A list of one rule or none: to the Internet without its private, shared, local and reserved networks, or anywhere. */}}
{{- define "roomlog.flow.webhooks" -}}
{{- $ports := list -}}
{{- range .Values.chores.webhooks.ports }}{{ $ports = append $ports (dict "port" (int .)) }}{{ end -}}
{{- $v4 := dict "cidr" "0.0.0.0/0" "except" (list "0.0.0.0/8" "10.0.0.0/8" "100.64.0.0/10" "127.0.0.0/8" "169.254.0.0/16" "172.16.0.0/12" "192.168.0.0/16" "224.0.0.0/3") -}}
{{- $v6 := dict "cidr" "2000::/3" -}}
{{- if eq .Values.chores.webhooks.to "off" -}}[]
{{- else if eq .Values.chores.webhooks.to "public" -}}
{{ list (dict "ports" $ports "to" (list (dict "ipBlock" $v4) (dict "ipBlock" $v6))) | toJson }}
{{- else -}}
{{ list (dict "ports" $ports) | toJson }}
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
