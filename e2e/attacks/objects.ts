import type { Identity } from '../harness/test-authority.ts';

/** An Ingress of one host without redirects: `/name` leads to the Service of that name, the rest (`''`) to `rest`. */
export function ingressOf(
  name: string,
  host: string,
  services: readonly string[],
  secretName: string,
): object {
  const paths = services.map(service => ({
    path: `/${service}`,
    pathType: 'Prefix',
    backend: { service: { name: service === '' ? 'rest' : service, port: { number: 80 } } },
  }));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      namespace: 'default',
      annotations: { 'nginx.ingress.kubernetes.io/ssl-redirect': 'false' },
    },
    spec: {
      ingressClassName: 'postern',
      tls: [{ hosts: [host], secretName }],
      rules: [{ host, http: { paths } }],
    },
  };
}

export function tlsSecretOf(name: string, { certPem, keyPem }: Identity): object {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name, namespace: 'default' },
    data: { 'tls.crt': base64(certPem), 'tls.key': base64(keyPem) },
  };
}

/** A Service and its endpoints, which are ports on loopback. */
export function endpointsOf(name: string, ...ports: readonly number[]): object[] {
  const metadata = { name, namespace: 'default' };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } },
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata,
      subsets: ports.map(port => ({ addresses: [{ ip: '127.0.0.1' }], ports: [{ port }] })),
    },
  ];
}
