{{/* Parts of a pod that are the same for every workload: security, scheduling, probes, images. */}}

{{/* The image of a service; an empty tag means the chart's appVersion. */}}
{{- define "roomlog.image" -}}
{{- $image := .image -}}
{{- printf "%s:%s" $image.repository ($image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}

{{- define "roomlog.imageFields" -}}
image: {{ include "roomlog.image" . | quote }}
imagePullPolicy: {{ .image.pullPolicy }}
{{- end -}}

{{/* The pod's side of the `restricted` profile; takes root, component, values and optionally uid. */}}
{{- define "roomlog.podFields" -}}
{{- $uid := .uid | default 10001 -}}
serviceAccountName: {{ include "roomlog.serviceAccountName" .root | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $uid }}
  runAsGroup: {{ $uid }}
  fsGroup: {{ $uid }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
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

{{/* Losing one node should not lose all pods of a kind; a full cluster may still put them on one node. */}}
{{- define "roomlog.topologySpread" -}}
topologySpreadConstraints:
{{- with .values.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
{{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "roomlog.selectorLabels" (dict "root" .root "component" .component) | nindent 8 }}
    # Spread each revision by itself: otherwise a rollout counts the old pods too and may put all new ones on one node.
    matchLabelKeys: [{{ ternary "controller-revision-hash" "pod-template-hash" (eq .component "worker") }}]
{{- end }}
{{- end -}}

{{- define "roomlog.podMetadata" -}}
labels:
  {{- include "roomlog.podLabels" . | nindent 2 }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "roomlog.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
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

{{/* The only writable volume: the root file system is read-only. */}}
{{- define "roomlog.scratchVolume" -}}
- name: scratch
  emptyDir:
    sizeLimit: 64Mi
{{- end -}}

{{- define "roomlog.scratchMount" -}}
- name: scratch
  mountPath: /tmp
{{- end -}}

{{/* Waits for this image's schema. It loops itself, because the kubelet's backoff would wait 10, 20, 40 s and longer. */}}
{{- define "roomlog.schemaCheck" -}}
- name: schema
  {{- include "roomlog.imageFields" (dict "root" .root "image" .values.image) | nindent 2 }}
  command: {{ concat (list "sh" "-c" "until \"$@\" --check; do sleep 2; done" "--") .root.Values.migrations.command | toJson }}
  env:
    {{- include "roomlog.env.django" .root | nindent 4 }}
    {{- with .values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .values.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- include "roomlog.containerSecurity" . | nindent 2 }}
  resources:
    {{- toYaml .values.resources | nindent 4 }}
  volumeMounts:
    {{- include "roomlog.scratchMount" . | nindent 4 }}
{{- end -}}
