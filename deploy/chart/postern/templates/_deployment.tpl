{{/* The flags: (dict "root" $ "components" (list ...)). */}}
{{- define "postern.args" -}}
{{- $values := .root.Values -}}
{{- $class := $values.ingressClass -}}
- run
- --components={{ join "," .components }}
{{- if has "controllers" .components }}
- --cluster-resource-namespace={{ include "postern.clusterResourceNamespace" .root }}
- --leader-election-namespace={{ include "postern.leaderElectionNamespace" .root }}
{{- if $values.service.publish }}
- --publish-service={{ .root.Release.Namespace }}/{{ include "postern.fullname" .root }}
{{- end }}
{{- with $values.ingressShim }}
{{- if and (or .defaultIssuerKind .defaultIssuerGroup) (not .defaultIssuerName) }}
{{- fail "ingressShim.defaultIssuerKind and ingressShim.defaultIssuerGroup say of which kind ingressShim.defaultIssuerName is: set that too" }}
{{- end }}
{{- with .defaultIssuerName }}
- --default-issuer-name={{ . }}
{{- end }}
{{- with .defaultIssuerKind }}
- --default-issuer-kind={{ . }}
{{- end }}
{{- with .defaultIssuerGroup }}
- --default-issuer-group={{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- if has "edge" .components }}
- --edge-workers={{ int $values.edge.workers }}
{{- /* Classes of our own controller are served without being listed. */}}
{{- if ne $class.controller "postern.dev/ingress" }}
- --ingress-class={{ $class.name }}
{{- end }}
{{- range $class.alsoServe }}
- --ingress-class={{ . }}
{{- end }}
{{- else }}
{{- /* Whose status the controllers write. */}}
{{- if and $values.service.publish (ne $class.controller "postern.dev/ingress") }}
- --ingress-class={{ $class.name }}
{{- end }}
{{- range (ternary $class.alsoServe list $values.service.publish) }}
- --ingress-class={{ . }}
{{- end }}
{{- end }}
{{- with $values.namespace }}
- --namespace={{ . }}
{{- end }}
- --log-level={{ $values.logLevel }}
{{- range $values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{/* A Deployment and its disruption budget: (dict "root" $ "part" "all" | "controllers" | "edge"). */}}
{{- define "postern.deployment" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $isAll := eq .part "all" -}}
{{- $hasControllers := or $isAll (eq .part "controllers") -}}
{{- $hasEdge := or $isAll (eq .part "edge") -}}
{{- $components := ternary (list "controllers" "edge") (list .part) $isAll -}}
{{- $own := ternary dict (get $values .part) $isAll -}}
{{- $fullname := include "postern.fullname" $root -}}
{{- $name := ternary $fullname (printf "%s-%s" $fullname .part) $isAll -}}
{{- /* 0 is a number of replicas too, so no default here. */ -}}
{{- $replicas := int (ternary $values.replicas $own.replicas (kindIs "invalid" $own.replicas)) -}}
{{- $selector := printf "%s\napp.kubernetes.io/component: %s" (include "postern.selector" $root) .part -}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "postern.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .part }}
spec:
  replicas: {{ $replicas }}
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- $selector | nindent 6 }}
  template:
    metadata:
      labels:
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- $selector | nindent 8 }}
        {{- if $hasEdge }}
        postern.dev/edge: "true"
        {{- end }}
      {{- with $values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "postern.serviceAccount" . }}
      automountServiceAccountToken: true
      # A Service named postern would fill the environment with POSTERN_* variables.
      enableServiceLinks: false
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      terminationGracePeriodSeconds: {{ int $values.terminationGracePeriodSeconds }}
      securityContext:
        runAsNonRoot: true
        {{- if not $values.openshift }}
        runAsUser: 65532
        runAsGroup: 65532
        {{- end }}
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: postern
          image: {{ include "postern.image" $root | quote }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          args:
            {{- include "postern.args" (dict "root" $root "components" $components) | nindent 12 }}
          env:
            # The solver's EndpointSlices point here.
            - name: POD_IP
              valueFrom:
                fieldRef:
                  fieldPath: status.podIP
            # Who holds the Lease.
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            # Where the other replicas are.
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            {{- with $values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            {{- if $hasEdge }}
            - name: http
              containerPort: 8080
              protocol: TCP
            - name: https
              containerPort: 8443
              protocol: TCP
            {{- end }}
            {{- if $hasControllers }}
            - name: solver
              containerPort: 8089
              protocol: TCP
            {{- end }}
            - name: metrics
              containerPort: 9402
              protocol: TCP
          securityContext:
            allowPrivilegeEscalation: false
            privileged: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          livenessProbe:
            httpGet:
              path: /livez
              port: metrics
            initialDelaySeconds: 5
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet:
              path: /readyz
              port: metrics
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 2
          {{- if and $hasEdge (gt (int $values.shutdownDelaySeconds) 0) }}
          lifecycle:
            preStop:
              exec:
                # The image has no shell to rely on.
                command: [node, -e, "setTimeout(() => {}, {{ mul 1000 (int $values.shutdownDelaySeconds) }})"]
          {{- end }}
          {{- with $own.resources | default $values.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
      {{- with $values.topologySpreadConstraints }}
      topologySpreadConstraints:
        {{- range . }}
        {{- $default := dict "labelSelector" (dict "matchLabels" ($selector | fromYaml)) }}
        - {{ merge dict . $default | toYaml | indent 10 | trim }}
        {{- end }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- if and $values.podDisruptionBudget.enabled (gt $replicas 1) }}
---
apiVersion: {{ semverCompare ">=1.21-0" $root.Capabilities.KubeVersion.Version | ternary "policy/v1" "policy/v1beta1" }}
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "postern.labels" $root | nindent 4 }}
spec:
  maxUnavailable: {{ $values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- $selector | nindent 6 }}
{{- end }}
{{- end }}
