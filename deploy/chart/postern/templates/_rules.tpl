{{/*
What Postern may do, no more than it does. docs/install.md has the same as a table with reasons; the end-to-end
suite deploy.e2e.ts compares both with what a real API server grants.

The subresources named finalizers are nothing that is written to: clusters with the admission plugin
OwnerReferencesPermissionEnforcement (OpenShift) want the right from who sets blockOwnerDeletion on a reference to
such an owner.
*/}}

{{- define "postern.rules.controllers" -}}
{{- $hasSlices := semverCompare ">=1.21-0" .Capabilities.KubeVersion.Version -}}
- apiGroups: [cert-manager.io]
  resources: [certificates]
  verbs: [get, list, watch, create, update, delete]
- apiGroups: [cert-manager.io]
  resources: [certificaterequests]
  verbs: [get, list, watch, create, delete]
- apiGroups: [cert-manager.io]
  resources: [issuers]
  verbs: [get, list, watch]
- apiGroups: [cert-manager.io]
  resources: [certificates/status, certificaterequests/status, issuers/status]
  verbs: [update]
- apiGroups: [acme.cert-manager.io]
  resources: [orders]
  verbs: [get, list, watch, create, delete]
- apiGroups: [acme.cert-manager.io]
  resources: [challenges]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [acme.cert-manager.io]
  resources: [orders/status, challenges/status]
  verbs: [update]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch, create, update, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses/status]
  verbs: [update]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, update, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, update, delete]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch, create, update, delete]
{{- if not $hasSlices }}
# In place of EndpointSlices, which are v1beta1 here.
- apiGroups: [""]
  resources: [endpoints]
  verbs: [get, list, watch, create, update, delete]
{{- end }}
{{- if .Values.openshift }}
- apiGroups: [""]
  resources: [endpoints/restricted]
  verbs: [create]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices/restricted]
  verbs: [create]
{{- end }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses/finalizers]
  verbs: [update]
- apiGroups: [cert-manager.io]
  resources: [certificates/finalizers, certificaterequests/finalizers]
  verbs: [update]
- apiGroups: [acme.cert-manager.io]
  resources: [orders/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- /* Where the Secrets of ClusterIssuers are, if that is another namespace than the one worked on. */ -}}
{{- define "postern.rules.clusterIssuers" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create]
{{- end }}

{{- define "postern.rules.controllers.cluster" -}}
- apiGroups: [cert-manager.io]
  resources: [clusterissuers]
  verbs: [get, list, watch]
- apiGroups: [cert-manager.io]
  resources: [clusterissuers/status]
  verbs: [update]
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: [get, list, watch]
{{- end }}

{{- define "postern.rules.edge" -}}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [services, secrets]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
# Where the API server has them: served is what they say.
- apiGroups: [getambassador.io]
  resources: [mappings, tlscontexts, authservices, filterpolicies]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "postern.rules.edge.cluster" -}}
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: [get, list, watch]
{{- end }}
