import { afterAll, beforeAll, expect, it } from 'vitest';
import { http01OverrideIngressClassAnnotation } from '../../src/api/annotations.ts';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { type AcmeFaultBed, startAcmeFaultBed } from '../harness/acme-fault-bed.ts';

let bed: AcmeFaultBed;

beforeAll(async () => {
  bed = await startAcmeFaultBed();
});
afterAll(async () => {
  await bed?.stop();
});

it('an IP address is proved by an Ingress without a host, through the edge, and certified', async () => {
  const name = 'address';
  const annotations = { [http01OverrideIngressClassAnnotation]: 'postern' };
  await bed.postern.api.create(certificates, {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name, namespace: 'default', annotations },
    spec: {
      secretName: name,
      ipAddresses: ['127.0.0.1'],
      privateKey: { algorithm: 'ECDSA' },
      issuerRef: { name: 'pebble', kind: 'ClusterIssuer' },
    },
  });
  await bed.ready(name);
  const { data } = await bed.postern.api.get(secrets, { namespace: 'default', name });
  const leaf = parseCertificate(Buffer.from(data?.['tls.crt'] ?? '', 'base64').toString());
  expect(leaf.ipAddresses).toEqual(['127.0.0.1']);
  expect(leaf.dnsNames).toEqual([]);
});
