import { challenges } from '../../src/api/acme/challenge.ts';
import { orders } from '../../src/api/acme/order.ts';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { findCondition } from '../../src/api/condition.ts';
import { ingresses } from '../../src/api/kubernetes/ingress.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Resource } from '../../src/api/resource.ts';
import type { KubeApi } from '../../src/kube/port.ts';

/** How far a site is, in the order in which things happen. */
export type Step = 'certificate' | 'order' | 'challenge' | 'secret' | 'ready';

/** A site of the demo and what has happened to it so far. */
export interface SiteProgress {
  readonly name: string;
  readonly host: string;
  readonly steps: ReadonlySet<Step>;
  /** Why it is not ready, where something says so. */
  readonly reason: string | undefined;
}

/** Reads the sites and how far they are. */
export async function readProgress(api: KubeApi): Promise<SiteProgress[]> {
  const [sites, certificateList, orderList, challengeList, secretList] = await Promise.all([
    all(api, ingresses),
    all(api, certificates),
    all(api, orders),
    all(api, challenges),
    all(api, secrets),
  ]);
  return sites
    .filter(({ metadata }) => metadata.labels?.['acme.cert-manager.io/http01-solver'] !== 'true')
    .map(site => {
      const [tls] = site.spec?.tls ?? [];
      const certificate = certificateList.find(({ metadata }) => metadata.name === tls?.secretName);
      const ready = findCondition(certificate?.status?.conditions, 'Ready');
      const order = orderList.find(
        ({ metadata }) =>
          metadata.annotations?.['cert-manager.io/certificate-name'] === certificate?.metadata.name,
      );
      const challenge = challengeList.find(({ spec }) => tls?.hosts?.includes(spec.dnsName));
      const isReady = ready?.status === 'True';
      const steps = new Set<Step>([
        ...(certificate === undefined ? [] : ['certificate' as const]),
        ...(order === undefined ? [] : ['order' as const]),
        ...(challenge === undefined && order?.status?.state !== 'valid' ? [] : ['challenge' as const]),
        ...(isReady && secretList.some(({ metadata }) => metadata.name === tls?.secretName)
          ? ['secret' as const, 'ready' as const]
          : []),
      ]);
      const reason = challenge?.status?.reason ?? order?.status?.reason ?? ready?.message;
      return { name: site.metadata.name ?? '', host: tls?.hosts?.[0] ?? '', steps, reason };
    });
}

async function all<T extends KubeObject>(api: KubeApi, resource: Resource<T>): Promise<readonly T[]> {
  return (await api.list(resource)).items;
}
