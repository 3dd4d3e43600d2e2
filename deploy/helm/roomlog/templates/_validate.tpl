{{/* Checks that the schema can't express: values that contradict each other. Reports all problems at once; each sentence says what to do. */}}

{{- define "roomlog.validate" -}}
{{- $complaints := concat
  (include "roomlog.validate.backends" . | fromJsonArray)
  (include "roomlog.validate.secrets" . | fromJsonArray)
  (include "roomlog.validate.images" . | fromJsonArray)
  (include "roomlog.validate.routes" . | fromJsonArray)
  (include "roomlog.validate.scaling" . | fromJsonArray)
  (include "roomlog.validate.environment" . | fromJsonArray) -}}
{{- if $complaints -}}
{{- printf "\n\nThese values can't work together:\n  - %s\n" (join "\n  - " $complaints) | fail -}}
{{- end -}}
{{- end -}}

{{- define "roomlog.validate.backends" -}}
{{- $said := list -}}
{{- if and .Values.valkey.enabled .Values.redis.existingSecret -}}
{{- $said = append $said (printf "Two Redis servers: redis.existingSecret names %q while valkey.enabled installs another; set valkey.enabled=false to use yours." .Values.redis.existingSecret) -}}
{{- else if not (or .Values.valkey.enabled .Values.redis.existingSecret) -}}
{{- $said = append $said "No Redis: valkey.enabled is false and redis.existingSecret is empty; name the Secret that holds your Redis' URL, or enable the embedded Valkey." -}}
{{- end -}}
{{- if and .Values.postgresql.enabled .Values.database.existingSecret -}}
{{- $said = append $said (printf "Two databases: database.existingSecret names %q while postgresql.enabled installs another; set postgresql.enabled=false to use yours." .Values.database.existingSecret) -}}
{{- else if and .Values.api.enabled (not (include "roomlog.hasDatabase" .)) -}}
{{- $said = append $said "No database: postgresql.enabled is false and database.existingSecret is empty; name the Secret that holds your database's URL, or enable the embedded PostgreSQL." -}}
{{- end -}}
{{- toJson $said -}}
{{- end -}}

{{/* New secrets at each rendering would lock out the running pods: PostgreSQL keeps its first password. */}}
{{- define "roomlog.validate.secrets" -}}
{{- $missing := list -}}
{{- $name := include "roomlog.fullname" . -}}
{{- if and .Values.api.enabled (not (or .Values.secretKey.existingSecret .Values.secretKey.value (lookup "v1" "Secret" .Release.Namespace $name))) -}}
{{- $missing = append $missing "secretKey.existingSecret" -}}
{{- end -}}
{{- range $server := list "valkey" "postgresql" -}}
{{- $values := index $.Values $server -}}
{{- if and $values.enabled (not (or $values.password (lookup "v1" "Secret" $.Release.Namespace (printf "%s-%s" $name $server)))) -}}
{{- $missing = append $missing (printf "%s.password" $server) -}}
{{- end -}}
{{- end -}}
{{- $said := list -}}
{{- if and $missing (not (include "roomlog.hasCluster" .)) -}}
{{- $said = append $said (printf "There is no cluster to look up secrets in, so each rendering would generate new ones: set %s, or let `helm install` and `helm upgrade` generate and keep them." (join " and " $missing)) -}}
{{- end -}}
{{- toJson $said -}}
{{- end -}}

{{/* Without an api the tables belong to somebody's project: our own image would neither know nor fit them. */}}
{{- define "roomlog.validate.images" -}}
{{- $said := list -}}
{{- $missing := list -}}
{{- if eq .Values.worker.image.repository "roomlog/worker" -}}{{- $missing = append $missing "worker.image.repository" -}}{{- end -}}
{{- if not (or .Values.worker.image.tag .Values.worker.image.digest) -}}{{- $missing = append $missing "worker.image.tag" -}}{{- end -}}
{{- if not .Values.worker.command -}}{{- $missing = append $missing "worker.command, for example [python, manage.py, message_process_worker]" -}}{{- end -}}
{{- if and $missing (not .Values.api.enabled) -}}
{{- $said = append $said (printf "api.enabled is false, so your project's own image runs the workers: set %s." (join " and " $missing)) -}}
{{- end -}}
{{- $webhooks := ne .Values.chores.webhooks.to "off" -}}
{{- if and (include "roomlog.hasFiles" .) (not .Values.chores.enabled) -}}
{{- $said = append $said "attachments need somebody who deletes their files: set chores.enabled=true." -}}
{{- end -}}
{{- if and .Values.attachments.existingClaim .Values.attachments.s3.bucket -}}
{{- $said = append $said "attachments are in a volume or in S3: set attachments.existingClaim or attachments.s3.bucket, not both." -}}
{{- end -}}
{{- if and .Values.attachments.s3.bucket (not .Values.attachments.s3.existingSecret) -}}
{{- $said = append $said "attachments.s3.bucket needs a Secret with access-key-id and secret-access-key: set attachments.s3.existingSecret." -}}
{{- end -}}
{{- if and .Values.chores.enabled .Values.api.enabled (not .Values.chores.image.repository) (not $webhooks) (not (include "roomlog.hasFiles" .)) -}}
{{- $said = append $said "chores.enabled needs an image with your own code, because ours connects nothing to message_missed: set chores.image.repository and chores.image.tag, or chores.webhooks.to, or chores.enabled=false." -}}
{{- end -}}
{{- if and $webhooks (not .Values.chores.enabled) -}}
{{- $said = append $said "chores.webhooks.to needs the process that delivers them: set chores.enabled=true, or chores.webhooks.to=off." -}}
{{- end -}}
{{- range $name := list "migrations" "chores" -}}
{{- $image := (index $.Values $name).image -}}
{{- $version := $image.digest | default $image.tag -}}
{{- if and $version (not $image.repository) -}}
{{- $said = append $said (printf "%s.image has the tag or digest %q of no repository: set %s.image.repository too, or neither." $name $version $name) -}}
{{- end -}}
{{- end -}}
{{- toJson $said -}}
{{- end -}}

{{- define "roomlog.validate.routes" -}}
{{- $said := list -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- $said = append $said "The Ingress has no host: set ingress.host to the name that people type, for example chat.example.org." -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- $said = append $said "The HTTPRoute has no parent: set httpRoute.parentRefs to your Gateway, for example [{name: public, namespace: gateways}]." -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.hostnames) -}}
{{- $said = append $said "The HTTPRoute has no host: set httpRoute.hostnames to the names that people type; Django refuses others." -}}
{{- end -}}
{{- toJson $said -}}
{{- end -}}

{{- define "roomlog.validate.scaling" -}}
{{- $said := list -}}
{{- $spread := include "roomlog.spreadSeconds" . | int -}}
{{- if gt $spread 3600 -}}
{{- $said = append $said (printf "A gateway would take %d s to close %d connections at %d a second, over an hour for each pod of a rollout: raise gateway.maxReconnectsPerSecond or lower gateway.maxConnections." $spread (int .Values.gateway.maxConnections) (int .Values.gateway.maxReconnectsPerSecond)) -}}
{{- end -}}
{{- range $service := list "gateway" "worker" -}}
{{- $scaling := (index $.Values $service).autoscaling -}}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- $said = append $said (printf "%s.autoscaling.minReplicas is %d, more than maxReplicas, which is %d." $service (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- $connections := .Values.gateway.autoscaling.targetConnections | int -}}
{{- if ge $connections (int .Values.gateway.maxConnections) -}}
{{- $said = append $said (printf "gateway.autoscaling.targetConnections is %d: a pod is full at %d (gateway.maxConnections), so no more would ever be started; choose less." $connections (int .Values.gateway.maxConnections)) -}}
{{- end -}}
{{- $workers := ternary .Values.worker.autoscaling.maxReplicas .Values.worker.replicas .Values.worker.autoscaling.enabled | int -}}
{{- $shards := .Values.shards | int -}}
{{- if gt $workers $shards -}}
{{- $said = append $said (printf "There are %d shards: of %d workers %d would own none; use at most %d." $shards $workers (sub $workers $shards) $shards) -}}
{{- end -}}
{{- if and .Values.worker.autoscaling.enabled (not .Values.worker.autoscaling.prometheusAddress) -}}
{{- $said = append $said "KEDA has no Prometheus to query: set worker.autoscaling.prometheusAddress, for example http://prometheus.monitoring:9090." -}}
{{- end -}}
{{- toJson $said -}}
{{- end -}}

{{/* The API server refuses a duplicate name in the list or, worse, one of the two wins. */}}
{{- define "roomlog.validate.environment" -}}
{{- $said := list -}}
{{- $own := list "ROOMLOG_BIND" "ROOMLOG_HEALTH_BIND" "ROOMLOG_REDIS_URL" "ROOMLOG_REDIS_PREFIX" "ROOMLOG_SHARDS" "ROOMLOG_TRAIL_MIB" "ROOMLOG_DATABASE_URL" "ROOMLOG_PARTITIONS" "ROOMLOG_REPLICA_URL" "ROOMLOG_SECRET_KEY" "ROOMLOG_SECRET_KEY_FALLBACKS" "ROOMLOG_LOG_LEVEL" "ROOMLOG_LOG_FORMAT" "ROOMLOG_ALLOWED_ORIGINS" "ROOMLOG_MAX_CONNECTIONS" "ROOMLOG_MAX_RECONNECTS_PER_SECOND" "ROOMLOG_MAX_ACCEPTS_PER_SECOND" "ROOMLOG_PRESTOP_SECONDS" "ROOMLOG_ORDINAL" "ROOMLOG_RETENTION_DAYS" "ROOMLOG_ALLOWED_HOSTS" "ROOMLOG_CSRF_TRUSTED_ORIGINS" "ROOMLOG_PATH_PREFIX" "ROOMLOG_WEBSOCKET_URL" "ROOMLOG_SECURE_COOKIES" "ROOMLOG_PROXIES" "GUNICORN_CMD_ARGS" -}}
{{- range $service := list "gateway" "worker" "api" "chores" "migrations" -}}
{{- range (index $.Values $service).extraEnv -}}
{{- if has .name $own -}}
{{- $said = append $said (printf "%s.extraEnv sets %s, which the chart sets from its own values; use those." $service .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $said -}}
{{- end -}}
