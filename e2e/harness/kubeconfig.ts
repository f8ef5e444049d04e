import type { Identity } from './test-authority.ts';

export type Credentials = { readonly token: string } | { readonly identity: Identity };

/** The text of a kubeconfig with one context. JSON, which is YAML. */
export function kubeconfigFor(
  url: string,
  caPem: string,
  credentials: Credentials,
  namespace = 'default',
): string {
  const user =
    'token' in credentials
      ? { token: credentials.token }
      : {
          'client-certificate-data': base64(credentials.identity.certPem),
          'client-key-data': base64(credentials.identity.keyPem),
        };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster: { server: url, 'certificate-authority-data': base64(caPem) } }],
    users: [{ name: 'e2e', user }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'e2e', namespace } }],
    'current-context': 'e2e',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
