{{/* Names and labels, the same in every template. */}}

{{- define "roomlog.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 40 characters, so that the longest suffix and a pod's hash still fit into 63. A Service's name begins with a letter. */}}
{{- define "roomlog.fullname" -}}
{{- $name := include "roomlog.wantedName" . -}}
{{- if regexMatch "^[a-z]" $name -}}{{ $name }}{{- else -}}{{ printf "roomlog-%s" $name | trunc 40 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "roomlog.wantedName" -}}
{{- $name := include "roomlog.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "roomlog.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "roomlog.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Labels that never change during an object's life. Takes (dict "root" $ "component" "gateway"). Names are quoted everywhere: YAML would read digits as a number. */}}
{{- define "roomlog.selectorLabels" -}}
app.kubernetes.io/name: {{ include "roomlog.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* The labels of a pod: nothing that another version of the chart changes, because that would restart it. */}}
{{- define "roomlog.podLabels" -}}
{{ include "roomlog.selectorLabels" . }}
app.kubernetes.io/part-of: roomlog
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "roomlog.labels" -}}
{{ include "roomlog.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Name, namespace, annotations and labels of an object; takes root, component and optionally name and annotations. The
     labels come last: more may follow. */}}
{{- define "roomlog.metadata" -}}
name: {{ .name | default (printf "%s-%s" (include "roomlog.fullname" .root) .component) | quote }}
namespace: {{ .root.Release.Namespace | quote }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
labels:
  {{- include "roomlog.labels" . | nindent 2 }}
{{- end -}}

{{/* The labels that Prometheus gives the series of a component's pods, and no other release's: Kubernetes writes the end
     of a Deployment's pod without vowels, and the name of every component has one. Takes root and component. */}}
{{- define "roomlog.seriesOf" -}}
{{- $end := ternary "[0-9]+" "[bcdfghjklmnpqrstvwxz2456789-]+" (eq .component "worker") -}}
{{- printf "namespace=%q, pod=~\"%s-%s-%s\"" .root.Release.Namespace (include "roomlog.fullname" .root) .component $end -}}
{{- end -}}
