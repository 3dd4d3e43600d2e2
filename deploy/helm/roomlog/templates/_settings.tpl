{{/* Settings that are computed from others, and the environment variables of the processes. */}}

{{/* Seconds in which a full gateway closes all its connections at the allowed rate, rounded up. */}}
{{- define "roomlog.spreadSeconds" -}}
{{- $rate := int .Values.gateway.maxReconnectsPerSecond -}}
{{- div (sub (add (int .Values.gateway.maxConnections) $rate) 1) $rate -}}
{{- end -}}

{{/* gunicorn's graceful time-out of a gateway: the spread, 10 s for answers in flight, 2 s for close frames. */}}
{{- define "roomlog.gatewayGracefulSeconds" -}}
{{- add (include "roomlog.spreadSeconds" . | int) 12 -}}
{{- end -}}

{{/* The kubelet's grace period of a gateway: preStop, gunicorn's time-out, and 3 s to exit. */}}
{{- define "roomlog.gatewayGraceSeconds" -}}
{{- add (int .Values.gateway.preStopSeconds) (include "roomlog.gatewayGracefulSeconds" . | int) 3 -}}
{{- end -}}

{{- define "roomlog.apiGraceSeconds" -}}
{{- add (int .Values.api.preStopSeconds) (int .Values.api.gracefulSeconds) 5 -}}
{{- end -}}

{{/* The host names of all routes, comma-separated; empty without a route. */}}
{{- define "roomlog.hosts" -}}
{{- $hosts := list -}}
{{- if .Values.ingress.enabled -}}{{- $hosts = append $hosts .Values.ingress.host -}}{{- end -}}
{{- if .Values.httpRoute.enabled -}}{{- $hosts = concat $hosts .Values.httpRoute.hostnames -}}{{- end -}}
{{- $hosts | uniq | join "," -}}
{{- end -}}

{{/* Without a route, people reach both Services by port-forward (NOTES.txt): two origins on localhost. */}}
{{- define "roomlog.isForwarded" -}}
{{- if not (or .Values.ingress.enabled .Values.httpRoute.enabled) }}yes{{ end -}}
{{- end -}}

{{- define "roomlog.websocketUrl" -}}
{{- if .Values.api.websocketUrl -}}{{ .Values.api.websocketUrl }}
{{- else if include "roomlog.isForwarded" . -}}ws://localhost:8080/ws
{{- end -}}
{{- end -}}

{{/* The paths that the routes send to the api: none where somebody's project serves the app by routes of its own. */}}
{{- define "roomlog.apiPaths" -}}
{{- ternary .Values.api.paths list .Values.api.enabled | toJson -}}
{{- end -}}

{{/* A path of the routes below the prefix; the prefix alone for /. Takes root and path. */}}
{{- define "roomlog.routePath" -}}
{{- printf "%s%s" .root.Values.api.pathPrefix (trimSuffix "/" .path) | default "/" -}}
{{- end -}}

{{- define "roomlog.allowedOrigins" -}}
{{- if .Values.gateway.allowedOrigins -}}{{ join "," .Values.gateway.allowedOrigins }}
{{- else if and .Values.api.enabled (include "roomlog.isForwarded" .) -}}http://localhost:8000,http://127.0.0.1:8000
{{- end -}}
{{- end -}}

{{- define "roomlog.allowedHosts" -}}
{{- $service := printf "%s-api" (include "roomlog.fullname" .) -}}
{{- $own := list "localhost" "127.0.0.1" $service (printf "%s.%s.svc" $service .Release.Namespace) -}}
{{- $routed := include "roomlog.hosts" . | splitList "," -}}
{{- $hosts := list -}}
{{- range concat $own $routed .Values.api.allowedHosts | compact -}}
{{- $hosts = append $hosts (regexReplaceAll "^\\*\\." . ".") -}}{{/* Django writes *.example.org as .example.org */}}
{{- end -}}
{{- $hosts | uniq | join "," -}}
{{- end -}}

{{/* Without a route people use plain http on localhost, where a secure cookie would lock them out. */}}
{{- define "roomlog.secureCookies" -}}
{{- if kindIs "bool" .Values.api.secureCookies -}}{{ ternary "1" "0" .Values.api.secureCookies }}
{{- else -}}{{ ternary "0" "1" (ne (include "roomlog.isForwarded" .) "") }}
{{- end -}}
{{- end -}}

{{- define "roomlog.trustedProxies" -}}
{{- if kindIs "invalid" .Values.api.trustedProxies -}}{{ ternary "0" "1" (ne (include "roomlog.isForwarded" .) "") }}
{{- else -}}{{ int .Values.api.trustedProxies }}
{{- end -}}
{{- end -}}

{{/* Behind a route that ends TLS, Django sees http while the browser's Origin says https. Plain http is trusted only
     if cookies may use it. */}}
{{- define "roomlog.csrfTrustedOrigins" -}}
{{- $origins := .Values.api.csrfTrustedOrigins -}}
{{- range include "roomlog.hosts" . | splitList "," | compact -}}
{{- $origins = append $origins (printf "https://%s" .) -}}
{{- if eq (include "roomlog.secureCookies" $) "0" -}}{{- $origins = append $origins (printf "http://%s" .) -}}{{- end -}}
{{- end -}}
{{- $origins | uniq | join "," -}}
{{- end -}}

{{- define "roomlog.env.log" -}}
- name: ROOMLOG_LOG_LEVEL
  value: {{ .Values.logging.level }}
- name: ROOMLOG_LOG_FORMAT
  value: {{ .Values.logging.format }}
{{- end -}}

{{/* Several releases share a Redis by it: each names its own, or has namespace and release. */}}
{{- define "roomlog.redisPrefix" -}}
{{- .Values.redis.prefix | default (printf "%s/%s" .Release.Namespace .Release.Name) -}}
{{- end -}}

{{- define "roomlog.env.redis" -}}
- name: ROOMLOG_REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.redis.existingSecret | default (printf "%s-valkey" (include "roomlog.fullname" .)) | quote }}
      key: {{ ternary .Values.redis.key "url" (ne .Values.redis.existingSecret "") | quote }}
- name: ROOMLOG_REDIS_PREFIX
  value: {{ include "roomlog.redisPrefix" . | quote }}
- name: ROOMLOG_SHARDS
  value: {{ .Values.shards | int | quote }}
{{- end -}}

{{/* Of those who note what becomes of commands. */}}
{{- define "roomlog.env.trail" -}}
- name: ROOMLOG_TRAIL_MIB
  value: {{ .Values.redis.trailMib | int | quote }}
{{- end -}}

{{- define "roomlog.env.database" -}}
- name: ROOMLOG_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.existingSecret | default (printf "%s-postgresql" (include "roomlog.fullname" .)) | quote }}
      key: {{ ternary .Values.database.key "url" (ne .Values.database.existingSecret "") | quote }}
{{- end -}}

{{/* Of those who read history and search. */}}
{{- define "roomlog.env.replica" -}}
{{- with .Values.database.replica }}
{{- if .existingSecret }}
- name: ROOMLOG_REPLICA_URL
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret | quote }}, key: {{ .key | quote }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* Of those who make the tables, and compare them with what was asked for. */}}
{{- define "roomlog.env.partitions" -}}
- name: ROOMLOG_PARTITIONS
  value: {{ .Values.database.partitions | int | quote }}
{{- end -}}

{{- define "roomlog.env.secretKey" -}}
- name: ROOMLOG_SECRET_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secretKey.existingSecret | default (include "roomlog.fullname" .) | quote }}
      key: {{ ternary .Values.secretKey.key "secret-key" (ne .Values.secretKey.existingSecret "") | quote }}
# The key before or after this one, while keys change.
- name: ROOMLOG_SECRET_KEY_FALLBACKS
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secretKey.existingSecret | default (include "roomlog.fullname" .) | quote }}
      key: {{ ternary (.Values.secretKey.fallbacksKey | default "secret-key-fallbacks") "secret-key-fallbacks" (ne .Values.secretKey.existingSecret "") | quote }}
      optional: true
{{- end -}}

{{/* Where files are: of the processes that store, hand out and delete them. */}}
{{- define "roomlog.env.files" -}}
{{- if .Values.attachments.existingClaim }}
- name: ROOMLOG_ATTACHMENTS_FOLDER
  value: /files
{{- end }}
{{- with .Values.attachments.s3 }}
{{- if .bucket }}
- name: ROOMLOG_S3_BUCKET
  value: {{ .bucket | quote }}
- name: ROOMLOG_S3_ENDPOINT
  value: {{ .endpoint | quote }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret | quote }}, key: access-key-id}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: {{ .existingSecret | quote }}, key: secret-access-key}
{{- end }}
{{- end }}
{{- end -}}

{{- define "roomlog.hasFiles" -}}
{{- if or .Values.attachments.existingClaim .Values.attachments.s3.bucket }}yes{{ end -}}
{{- end -}}

{{/* Somebody's project may have a secret key and a database of its own: then the chart makes and passes on none. */}}
{{- define "roomlog.hasSecretKey" -}}
{{- if or .Values.api.enabled .Values.secretKey.existingSecret .Values.secretKey.value }}yes{{ end -}}
{{- end -}}

{{- define "roomlog.hasDatabase" -}}
{{- if or .Values.postgresql.enabled .Values.database.existingSecret }}yes{{ end -}}
{{- end -}}

{{/* The environment of every Django process, including migrations and checks. */}}
{{- define "roomlog.env.django" -}}
{{ include "roomlog.env.redis" . }}
{{ include "roomlog.env.log" . }}
{{- if include "roomlog.hasDatabase" . }}
{{ include "roomlog.env.database" . }}
{{- end }}
{{- if include "roomlog.hasSecretKey" . }}
{{ include "roomlog.env.secretKey" . }}
{{- end }}
{{- end -}}

{{/* True if Helm itself talks to a cluster: it then lists kinds of subresources too. `helm template` and GitOps tools don't, and their lookups find nothing. */}}
{{- define "roomlog.hasCluster" -}}
{{- if or (.Capabilities.APIVersions.Has "v1/PodExecOptions") (.Capabilities.APIVersions.Has "v1/NodeProxyOptions") }}yes{{ end -}}
{{- end -}}
