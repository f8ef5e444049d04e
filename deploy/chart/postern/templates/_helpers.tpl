{{/* Names. Short enough for "-controllers" and "-leader-election" to follow. */}}
{{- define "postern.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 45 | trimSuffix "-" }}
{{- end }}

{{- define "postern.fullname" -}}
{{- $name := include "postern.name" . -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{ .Release.Name | trunc 45 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 45 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "postern.selector" -}}
app.kubernetes.io/name: {{ include "postern.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "postern.labels" -}}
{{ include "postern.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The ServiceAccount of a part: (dict "root" $ "part" "controllers" | "edge"). */}}
{{- define "postern.serviceAccount" -}}
{{- $base := .root.Values.serviceAccount.name | default (include "postern.fullname" .root) -}}
{{- if .root.Values.split -}}{{ $base }}-{{ .part }}{{- else -}}{{ $base }}{{- end -}}
{{- end }}

{{- define "postern.clusterResourceNamespace" -}}
{{ .Values.clusterResourceNamespace | default .Values.namespace | default .Release.Namespace }}
{{- end }}

{{- define "postern.leaderElectionNamespace" -}}
{{ .Values.leaderElection.namespace | default .Release.Namespace }}
{{- end }}

{{- define "postern.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}{{ $image.repository }}@{{ $image.digest }}
{{- else -}}{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Not empty where the CRDs are part of the release. */}}
{{- define "postern.hasCrds" -}}
{{- if kindIs "bool" .Values.installCRDs -}}
{{- if .Values.installCRDs -}}yes{{- end -}}
{{- else if .Values.crds.enabled -}}yes{{- end -}}
{{- end }}
