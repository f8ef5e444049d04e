import type { KubernetesLine } from '../servers/versions.ts';
import type { Identity } from './test-authority.ts';

/** Manifests of the suites, as YAML. */

export interface IngressOptions {
  readonly name: string;
  readonly host: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Default: the name and `-tls`; null: no TLS. */
  readonly secretName?: string | null;
  /** Default: the plain upstream. */
  readonly service?: BackendService;
  /** Path, path type and service; default: everything to `service`. */
  readonly paths?: readonly (readonly [
    path: string,
    pathType: 'Exact' | 'Prefix',
    service: BackendService,
  ])[];
  /** Default: postern; null: none. */
  readonly ingressClassName?: string | null;
}

export interface BackendService {
  readonly name: string;
  readonly port: number;
}

/** An Ingress for one host. */
export function ingress(options: IngressOptions): string {
  const { name, host, annotations = {}, service = { name: 'plain', port: 8080 } } = options;
  const { secretName = `${name}-tls`, ingressClassName = 'postern' } = options;
  const paths = options.paths ?? [['/', 'Prefix', service] as const];
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'default', annotations },
    spec: {
      ...(ingressClassName !== null && { ingressClassName }),
      ...(secretName !== null && { tls: [{ hosts: [host], secretName }] }),
      rules: [
        {
          host,
          http: {
            paths: paths.map(([path, pathType, backend]) => ({
              path,
              pathType,
              backend: { service: { name: backend.name, port: { number: backend.port } } },
            })),
          },
        },
      ],
    },
  });
}

/** An ACME ClusterIssuer. */
export function acmeClusterIssuer(name: string, server: string, caPem: string): string {
  return JSON.stringify({
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name },
    spec: {
      acme: {
        server,
        email: 'e2e@example.com',
        caBundle: Buffer.from(caPem).toString('base64'),
        privateKeySecretRef: { name: `${name}-account` },
        solvers: [{ http01: { ingress: {} } }],
      },
    },
  });
}

/** A self-signed Issuer, a CA certificate that it signs, and an Issuer `ca` that signs with that. */
export const caIssuer = `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: self, namespace: default}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: ca, namespace: default}
spec:
  isCA: true
  commonName: e2e CA
  secretName: ca-pair
  duration: 48h
  privateKey: {algorithm: ECDSA, size: 256}
  issuerRef: {name: self}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: ca, namespace: default}
spec: {ca: {secretName: ca-pair}}
`;

/** A TLS Secret. */
export function tlsSecret(name: string, { certPem, keyPem }: Identity): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name, namespace: 'default' },
    stringData: { 'tls.crt': certPem, 'tls.key': keyPem },
  });
}

/** An IngressClass. */
export function ingressClass(name: string, controller: string): string {
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name },
    spec: { controller },
  });
}

/** A Service without a selector, and what leads it to an address; without an address, to nothing. */
export function serviceTo(
  line: KubernetesLine,
  name: string,
  { address, port }: { readonly address?: string; readonly port: number },
): string {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { ports: [{ name: 'web', port, targetPort: port }] },
  };
  return [service, endpointsOf(line, name, address === undefined ? [] : [address], port)]
    .map(object => JSON.stringify(object))
    .join('\n---\n');
}

/** On 1.20 Endpoints, which Kubernetes itself mirrors into slices of the version it knows. */
function endpointsOf(line: KubernetesLine, name: string, addresses: readonly string[], port: number): object {
  const metadata = { name, namespace: 'default' };
  const ports = [{ name: 'web', port }];
  if (line === '1.20') {
    const subsets = addresses.length === 0 ? [] : [{ addresses: addresses.map(ip => ({ ip })), ports }];
    return { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets };
  }
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: addresses.map(address => ({ addresses: [address] })),
    ports,
  };
}
