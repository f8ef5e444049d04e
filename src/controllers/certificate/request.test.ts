import { expect, it } from 'vitest';
import { generatePrivateKey } from '../../pki/private-key.ts';
import { requestFor } from './request.ts';
import { aCertificate } from './state.testing.ts';

it('a request says what it was made from, and has the annotations of its Certificate but for those of tools', async () => {
  const certificate = aCertificate({}, { revision: 4 });
  const annotations = {
    'example.com/team': 'web',
    'cert-manager.io/issue-temporary-certificate': 'true',
    'cert-manager.io/certificate-name': 'forged',
    'postern.dev/replaces': 'forged',
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    'fluxcd.io/sync-checksum': 'x',
    'argocd.argoproj.io/sync-wave': '1',
  };
  const key = await generatePrivateKey({ algorithm: 'ECDSA' });
  const labels = { app: 'shop' };
  const metadata = { ...certificate.metadata, annotations, labels };
  const request = await requestFor({ ...certificate, metadata }, key, 'site-key');
  expect(request.metadata).toEqual({
    name: 'site-5',
    namespace: 'shop',
    labels,
    annotations: {
      'example.com/team': 'web',
      'cert-manager.io/issue-temporary-certificate': 'true',
      'cert-manager.io/certificate-name': 'site',
      'cert-manager.io/certificate-revision': '5',
      'cert-manager.io/private-key-secret-name': 'site-key',
      'postern.dev/attempt': '1',
    },
    ownerReferences: [
      {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        name: 'site',
        uid: 'certificate-uid',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  });
});
