{{/* Parts of a pod that are the same for every workload: security, scheduling, probes, images. */}}

{{/* An image by its digest, else by its tag, else by the chart's appVersion. */}}
{{- define "roomlog.image" -}}
{{- $image := .image -}}
{{- $name := printf "%s%s" (include "roomlog.registry" .) $image.repository -}}
{{- if $image.digest -}}{{ printf "%s@%s" $name $image.digest }}
{{- else -}}{{ printf "%s:%s" $name ($image.tag | default .root.Chart.AppVersion) }}
{{- end -}}
{{- end -}}

{{/* The registry with its slash, unless the repository begins with one: a first part with a dot or a port, or localhost. */}}
{{- define "roomlog.registry" -}}
{{- $registry := .root.Values.imageRegistry | default (.root.Values.global | default dict).imageRegistry -}}
{{- if and $registry (not (regexMatch "^([^/]*[.:][^/]*|localhost)/" .image.repository)) -}}{{ $registry }}/{{- end -}}
{{- end -}}

{{- define "roomlog.imageFields" -}}
image: {{ include "roomlog.image" . | quote }}
imagePullPolicy: {{ .image.pullPolicy }}
{{- end -}}

{{/* What the specifications of all pods share; takes root, component, values and optionally uid. */}}
{{- define "roomlog.podFields" -}}
serviceAccountName: {{ include "roomlog.serviceAccountName" .root | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "roomlog.podSecurity" . }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The pod's side of the `restricted` profile, or what the values say instead: an empty one leaves all to the cluster. */}}
{{- define "roomlog.podSecurity" -}}
{{- $uid := .uid | default 10001 -}}
{{- if kindIs "map" .values.podSecurityContext -}}
{{- with .values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- else }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $uid }}
  runAsGroup: {{ $uid }}
  fsGroup: {{ $uid }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}
{{- end -}}

{{/* Losing one node or zone should not lose all pods of a kind; a full cluster may still put them on one node. */}}
{{- define "roomlog.topologySpread" -}}
topologySpreadConstraints:
{{- with .values.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
{{- else }}
{{- range $key := ternary (list "topology.kubernetes.io/zone" "kubernetes.io/hostname") (list "kubernetes.io/hostname") .root.Values.spreadOverZones }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "roomlog.selectorLabels" (dict "root" $.root "component" $.component) | nindent 8 }}
    # Spread each revision by itself: otherwise a rollout counts the old pods too and may put all new ones on one node.
    matchLabelKeys: [{{ ternary "controller-revision-hash" "pod-template-hash" (eq $.component "worker") }}]
{{- end }}
{{- end }}
{{- end -}}

{{/* Labels and annotations of a pod; takes root, component and values. */}}
{{- define "roomlog.podMetadata" -}}
labels:
  {{- include "roomlog.podLabels" . | nindent 2 }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) .values.podAnnotations (include "roomlog.checksums" . | fromJson) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The container's side of the `restricted` profile, or what the values say instead. */}}
{{- define "roomlog.containerSecurity" -}}
{{- if kindIs "map" .values.securityContext -}}
{{- with .values.securityContext -}}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- else -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}
{{- end -}}

{{/* The end of each of our containers, directly behind its list `env`: the owner's variables, rights, resources, mounts. */}}
{{- define "roomlog.containerEnd" -}}
{{- with .values.extraEnv }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{ include "roomlog.containerSecurity" . }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
volumeMounts:
  {{- include "roomlog.mounts" . | nindent 2 }}
{{- end -}}

{{/* The end of each of our pods, directly behind its list `containers`: the owner's containers, and the volumes. */}}
{{- define "roomlog.podEnd" -}}
{{- with .values.extraContainers }}
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  {{- include "roomlog.volumes" . | nindent 2 }}
{{- end -}}

{{/* Startup: has it started? Liveness: do its loops run? Readiness: should it get traffic? Only readiness may depend on Redis or the database. */}}
{{- define "roomlog.probes" -}}
startupProbe:
  httpGet: {path: /startupz, port: health}
  periodSeconds: 1
  timeoutSeconds: 3
  failureThreshold: 120
livenessProbe:
  httpGet: {path: /livez, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 3
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}

{{/* Of the processes that store and delete files, where a volume holds them. */}}
{{- define "roomlog.mountsFiles" -}}
{{- if and (has .component (list "api" "chores")) .root.Values.attachments.existingClaim }}yes{{ end -}}
{{- end -}}

{{/* The scratch folder is the only writable one: the root file system is read-only. The api's takes uploads on their way in.
     Then the volume of files, and the owner's. */}}
{{- define "roomlog.volumes" -}}
- name: scratch
  emptyDir:
    sizeLimit: {{ ternary "512Mi" "64Mi" (eq .component "api") }}
{{- if include "roomlog.mountsFiles" . }}
- name: files
  persistentVolumeClaim:
    claimName: {{ .root.Values.attachments.existingClaim | quote }}
{{- end }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "roomlog.mounts" -}}
- name: scratch
  mountPath: /tmp
{{- if include "roomlog.mountsFiles" . }}
- name: files
  mountPath: /files
{{- end }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The owner's containers that run first, then the wait for this image's schema. It loops itself, because the kubelet's
     backoff would wait 10, 20, 40 s and longer. */}}
{{- define "roomlog.schemaCheck" -}}
initContainers:
  {{- with .values.initContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  - name: schema
    {{- include "roomlog.imageFields" (dict "root" .root "image" .values.image) | nindent 4 }}
    command: {{ concat (list "sh" "-c" "until \"$@\" --check; do sleep 2; done" "--") .root.Values.migrations.command | toJson }}
    env:
      {{- include "roomlog.env.django" .root | nindent 6 }}
    {{- include "roomlog.containerEnd" . | nindent 4 }}
{{- end -}}
