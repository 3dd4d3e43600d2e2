{{/* Secrets that the chart makes and keeps, and the annotations by which a changed one restarts the pods that read it. */}}

{{/* A secret that is generated once and kept: the given value, else the cluster's, else a new one. It is the same
     everywhere in a rendering, because pods carry its checksum. Takes root, said, name, key and length. */}}
{{- define "roomlog.keptSecret" -}}
{{- $place := printf "%s/%s" .name .key -}}
{{- $values := .root.Values -}}
{{- if not (hasKey $values "keptSecrets") -}}{{- $_ := set $values "keptSecrets" dict -}}{{- end -}}
{{- if not (hasKey $values.keptSecrets $place) -}}
{{- $found := include "roomlog.foundSecret" . -}}
{{- $_ := set $values.keptSecrets $place (.said | default $found | default (randAlphaNum .length)) -}}
{{- end -}}
{{- get $values.keptSecrets $place -}}
{{- end -}}

{{/* What a key of one of the cluster's Secrets holds; empty without the key, the Secret or a cluster. Takes root, name and key. */}}
{{- define "roomlog.foundSecret" -}}
{{- $found := (lookup "v1" "Secret" .root.Release.Namespace .name).data | default dict -}}
{{- if hasKey $found .key -}}{{ index $found .key | b64dec }}{{- end -}}
{{- end -}}

{{- define "roomlog.postgresqlPassword" -}}
{{- $name := printf "%s-postgresql" (include "roomlog.fullname" .) -}}
{{- include "roomlog.keptSecret" (dict "root" . "said" .Values.postgresql.password "name" $name "key" "password" "length" 32) -}}
{{- end -}}

{{- define "roomlog.valkeyPassword" -}}
{{- $name := printf "%s-valkey" (include "roomlog.fullname" .) -}}
{{- include "roomlog.keptSecret" (dict "root" . "said" .Values.valkey.password "name" $name "key" "password" "length" 32) -}}
{{- end -}}

{{/* Django's secret key, which signs sessions and tickets. */}}
{{- define "roomlog.ownSecretKey" -}}
{{- include "roomlog.keptSecret" (dict "root" . "said" .Values.secretKey.value "name" (include "roomlog.fullname" .) "key" "secret-key" "length" 50) -}}
{{- end -}}

{{/* They are only in the cluster: docs/rotation.md puts them there and takes them away. */}}
{{- define "roomlog.ownSecretKeyFallbacks" -}}
{{- include "roomlog.foundSecret" (dict "root" . "name" (include "roomlog.fullname" .) "key" "secret-key-fallbacks") -}}
{{- end -}}

{{/* What a component reads from Secrets, by source: the text changes exactly if the component has to start again. The chart
     can't read the owner's Secrets, so a revision stands for them. Nothing for the migration: its Job is over. */}}
{{- define "roomlog.secretsRead" -}}
{{- $values := .root.Values -}}
{{- $read := dict -}}
{{- if has .component (list "gateway" "worker" "api" "chores") -}}
{{- $own := ternary "" (include "roomlog.valkeyPassword" .root) (ne $values.redis.existingSecret "") -}}
{{- $_ := set $read "redis" (list $own ($values.redis.revision | default "")) -}}
{{- end -}}
{{- if and (has .component (list "worker" "api" "chores")) (include "roomlog.hasDatabase" .root) -}}
{{- $own := ternary "" (include "roomlog.postgresqlPassword" .root) (ne $values.database.existingSecret "") -}}
{{- $_ := set $read "database" (list $own ($values.database.revision | default "")) -}}
{{- end -}}
{{- if and (has .component (list "worker" "api" "chores")) (include "roomlog.hasSecretKey" .root) -}}
{{- $own := list (include "roomlog.ownSecretKey" .root) (include "roomlog.ownSecretKeyFallbacks" .root) | join "," -}}
{{- $_ := set $read "secret-key" (list (ternary "" $own (ne $values.secretKey.existingSecret "")) ($values.secretKey.revision | default "")) -}}
{{- end -}}
{{- if eq .component "valkey" -}}{{- $_ := set $read "password" (list (include "roomlog.valkeyPassword" .root)) -}}{{- end -}}
{{- if eq .component "postgresql" -}}{{- $_ := set $read "password" (list (include "roomlog.postgresqlPassword" .root)) -}}{{- end -}}
{{- toJson $read -}}
{{- end -}}

{{/* An annotation for each source of which the chart knows something. Takes root and component. */}}
{{- define "roomlog.checksums" -}}
{{- $sums := dict -}}
{{- range $source, $texts := include "roomlog.secretsRead" . | fromJson -}}
{{- if compact $texts -}}
{{- $_ := set $sums (printf "checksum/%s" $source) (toJson $texts | sha256sum | trunc 16) -}}
{{- end -}}
{{- end -}}
{{- toJson $sums -}}
{{- end -}}
