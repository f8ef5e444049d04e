/** Manifests in the style of cert-manager's documentation, one for each kind and use. */
export const manifests: Readonly<Record<string, string>> = {
  'a ClusterIssuer for Let’s Encrypt with solvers of both types': `
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata:
  name: letsencrypt
spec:
  acme:
    email: user@example.com
    server: https://acme-staging-v02.api.letsencrypt.org/directory
    preferredChain: "ISRG Root X1"
    profile: tlsserver
    enableDurationFeature: true
    disableAccountKeyGeneration: true
    caBundle: LS0tLS1CRUdJTg==
    externalAccountBinding:
      keyID: my-keyID-1
      keySecretRef:
        name: eab-secret
        key: secret
      keyAlgorithm: HS256
    privateKeySecretRef:
      name: letsencrypt-account-key
    solvers:
      - http01:
          ingress:
            ingressClassName: nginx
            serviceType: ClusterIP
            podTemplate:
              metadata:
                annotations: { a: b }
              spec:
                nodeSelector: { kubernetes.io/os: linux }
                tolerations: [{ key: a, operator: Exists }]
            ingressTemplate:
              metadata:
                annotations: { nginx.ingress.kubernetes.io/whitelist-source-range: "0.0.0.0/0,::/0" }
                labels: { team: edge }
      - selector:
          dnsNames: [a.example]
          dnsZones: [example.org]
          matchLabels: { use-cloudflare-solver: "true" }
        dns01:
          cloudflare:
            email: user@example.com
            apiTokenSecretRef: { name: cloudflare-token, key: token }
      - http01:
          gatewayHTTPRoute:
            labels: { a: b }
            parentRefs: [{ name: gateway, namespace: edge, kind: Gateway }]
`,
  'a CA Issuer': `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: { name: ca-issuer, namespace: sandbox }
spec:
  ca:
    secretName: ca-key-pair
    crlDistributionPoints: ["http://example.com/crl"]
    ocspServers: ["http://ocsp.example.com"]
    issuingCertificateURLs: ["http://example.com/ca.crt"]
`,
  'a self-signed Issuer': `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: { name: selfsigned, namespace: sandbox }
spec: { selfSigned: {} }
`,
  'a Vault Issuer, kept as it is': `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: { name: vault, namespace: sandbox }
spec:
  vault:
    path: pki_int/sign/example-dot-com
    server: https://vault.local
    caBundle: aGVsbG8=
    auth: { kubernetes: { role: my-app-1, mountPath: /v1/auth/kubernetes, serviceAccountRef: { name: vault-issuer } } }
`,
  'a Venafi Issuer, kept as it is': `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: { name: venafi, namespace: sandbox }
spec:
  venafi:
    zone: "My Application\\\\My CIT"
    cloud: { apiTokenSecretRef: { name: vaas-secret, key: apikey } }
`,
  'a Certificate with every field': `
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: example-com
  namespace: sandbox
  labels: { app: example }
spec:
  secretName: example-com-tls
  secretTemplate:
    annotations: { my-secret-annotation-1: "foo" }
    labels: { my-secret-label: foo }
  privateKey: { algorithm: RSA, encoding: PKCS1, size: 2048, rotationPolicy: Always }
  signatureAlgorithm: SHA384WithRSA
  keystores:
    pkcs12:
      create: true
      profile: Modern2023
      passwordSecretRef: { name: example-com-tls-keystore, key: password }
    jks:
      create: true
      alias: shop
      password: changeit
  duration: 2160h
  renewBefore: 360h
  isCA: true
  nameConstraints:
    critical: true
    permitted: { dnsDomains: [example.com], ipRanges: [192.0.2.0/24], emailAddresses: [example.com], uriDomains: [example.com] }
    excluded: { dnsDomains: [bad.example.com] }
  usages: [server auth, client auth, s/mime]
  encodeUsagesInRequest: false
  subject:
    organizations: [cert-manager]
    organizationalUnits: [ou]
    countries: [DE]
    provinces: [BE]
    localities: [Berlin]
    streetAddresses: ["Weg 1"]
    postalCodes: ["10115"]
    serialNumber: "1"
  commonName: example.com
  dnsNames: [example.com, "*.example.com"]
  uris: ["spiffe://cluster.local/ns/sandbox/sa/example"]
  emailAddresses: [john.doe@cert-manager.io]
  ipAddresses: [192.168.0.5]
  otherNames: [{ oid: 1.3.6.1.4.1.311.20.2.3, utf8Value: upn@domain.local }]
  issuerRef: { name: ca-issuer, kind: Issuer, group: cert-manager.io }
  additionalOutputFormats: [{ type: CombinedPEM }, { type: DER }]
  revisionHistoryLimit: 3
status:
  conditions:
    - type: Ready
      status: "True"
      reason: Ready
      message: Certificate is up to date and has not expired
      lastTransitionTime: "2026-01-01T00:00:00Z"
      observedGeneration: 1
  notBefore: "2026-01-01T00:00:00Z"
  notAfter: "2026-04-01T00:00:00Z"
  renewalTime: "2026-03-17T00:00:00Z"
  revision: 1
  nextPrivateKeySecretName: example-com-x7d2k
  lastFailureTime: "2026-01-01T00:00:00Z"
  failedIssuanceAttempts: 1
`,
  'a Certificate with a literal subject': `
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: ldap, namespace: sandbox }
spec:
  secretName: ldap-tls
  literalSubject: "C=US,O=MyCompany,OU=SRE,CN=ldap"
  renewBeforePercentage: 25
  issuerRef: { name: ca-issuer }
`,
  'a CertificateRequest': `
apiVersion: cert-manager.io/v1
kind: CertificateRequest
metadata: { name: my-ca-cr, namespace: sandbox }
spec:
  request: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURQ==
  isCA: false
  usages: [signing, digital signature, server auth]
  duration: 2160h
  issuerRef: { name: ca-issuer, kind: Issuer, group: cert-manager.io }
  username: system:serviceaccount:a:b
  uid: 3f0e1b1c
  groups: ["system:authenticated"]
  extra: { "authentication.kubernetes.io/pod-name": [a] }
status:
  conditions: [{ type: Approved, status: "True" }]
  certificate: LS0tLS0=
  ca: LS0tLS0=
  failureTime: "2026-01-01T00:00:00Z"
`,
  'an Order': `
apiVersion: acme.cert-manager.io/v1
kind: Order
metadata: { name: example-com-1, namespace: sandbox }
spec:
  request: LS0tLS1CRUdJTg==
  issuerRef: { name: letsencrypt, kind: ClusterIssuer, group: cert-manager.io }
  commonName: example.com
  dnsNames: [example.com]
  ipAddresses: [192.0.2.1]
  duration: 24h
  profile: shortlived
status:
  url: https://acme.example/order/1
  finalizeURL: https://acme.example/order/1/finalize
  state: pending
  reason: none
  failureTime: "2026-01-01T00:00:00Z"
  certificate: LS0tLS0=
  authorizations:
    - url: https://acme.example/authz/1
      identifier: example.com
      wildcard: false
      initialState: pending
      challenges: [{ url: "https://acme.example/chall/1", token: abc, type: http-01 }]
`,
  'a Challenge': `
apiVersion: acme.cert-manager.io/v1
kind: Challenge
metadata: { name: example-com-1-0, namespace: sandbox, finalizers: [acme.cert-manager.io/finalizer] }
spec:
  type: HTTP-01
  url: https://acme.example/chall/1
  authorizationURL: https://acme.example/authz/1
  dnsName: example.com
  wildcard: false
  token: abc
  key: abc.def
  solver: { http01: { ingress: { class: nginx } } }
  issuerRef: { name: letsencrypt, kind: ClusterIssuer, group: cert-manager.io }
status:
  processing: true
  presented: true
  state: pending
  reason: waiting
  conditions: [{ type: Presented, status: "True" }]
  nextReconcile: "2026-01-01T00:00:00Z"
  solver: { http: { requiredSuccesses: 5, successes: 1 } }
`,
};
