import { describe, expect, it } from 'vitest';
import { certificates } from '../../api/cert-manager/certificate.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { anEmbeddedApi } from '../../kube/embedded/store.testing.ts';
import { restart } from './issue.ts';
import { aCertificate, aNextKey, anIssued, aRequest, aState } from './state.testing.ts';

/** An issuance under way in a store, as a process knows it. */
async function anIssuance() {
  const api = anEmbeddedApi();
  const { key, csr } = await anIssued();
  const state = aState({
    certificate: await api.create(certificates, aCertificate()),
    nextRequest: await api.create(certificateRequests, aRequest(csr)),
    nextKey: await api.create(secrets, aNextKey(key)),
  });
  return {
    api,
    restart: () => restart({ api }, state, true),
    left: async () => [
      ...(await api.list(certificateRequests)).items.map(({ metadata }) => metadata.name),
      ...(await api.list(secrets)).items.map(({ metadata }) => metadata.name),
    ],
  };
}

describe('an issuance is taken back', () => {
  it('request and key, where the Certificate is as this process knows it', async () => {
    const issuance = await anIssuance();

    expect(await issuance.restart()).toBe('again');

    expect(await issuance.left()).toEqual([]);
  });

  it('not where another process has gone on with it: this one waits until it has heard of that', async () => {
    const issuance = await anIssuance();
    const stored = await issuance.api.get(certificates, { namespace: 'shop', name: 'site' });
    await issuance.api.updateStatus(certificates, { ...stored, status: { revision: 1 } });

    expect(await issuance.restart()).toEqual({ requeueAfterMs: 1_000 });

    expect(await issuance.left()).toEqual(['site-1', 'site-next']);
  });
});
