import { randomUUID } from 'node:crypto';
import type { Challenge } from '../api/acme/challenge.ts';
import type { Http01Ingress } from '../api/acme/solver.ts';

export const aToken = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA';
export const aKeyAuthorization = `${aToken}.nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ`;

/** A Challenge as the API server gave it back. */
export function aChallenge(more: {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly dnsName?: string;
  readonly token?: string;
  readonly ingress?: Http01Ingress;
}): Challenge {
  return {
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Challenge',
    metadata: {
      name: more.name ?? 'site-1',
      namespace: more.namespace ?? 'shop',
      uid: more.uid ?? randomUUID(),
    },
    spec: {
      url: 'https://acme.example.com/challenge/1',
      authorizationURL: 'https://acme.example.com/authz/1',
      dnsName: more.dnsName ?? 'www.example.com',
      type: 'HTTP-01',
      token: more.token ?? aToken,
      key: 'written by whoever made the object',
      solver: { http01: { ingress: more.ingress ?? {} } },
      issuerRef: { name: 'letsencrypt' },
    },
  };
}
