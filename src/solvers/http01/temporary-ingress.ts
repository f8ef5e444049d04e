import { createHash } from 'node:crypto';
import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import { ingressClassAnnotation, whitelistSourceRangeAnnotation } from '../../api/annotations.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { controllerOf, keyOf, keyText } from '../../api/meta.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { PosternError } from '../../core/errors.ts';
import type { Cache } from '../../kube/cache.ts';
import { deleteIfThere } from '../../kube/delete-if-there.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { KubeApi } from '../../kube/port.ts';
import { ingressPathOf, leadsToSolver, routeOf } from './challenge-path.ts';
import { challengeLabels } from './ingress-labels.ts';
import { solverServiceName } from './solver-names.ts';

/** The index of Ingresses by the uid of the object that controls them. */
const byController = 'http01-controller-uid';

/** The Ingress that is made for one challenge. */
export interface TemporaryIngresses {
  /** Makes it, or mends it, be it of cert-manager's making. Throws SOLVER_INGRESS_TAKEN where the name is another object's. */
  ensure(challenge: Challenge): Promise<void>;
  /** Deletes it, and others that this challenge controls: cert-manager gave them generated names. */
  remove(challenge: Challenge): Promise<void>;
}

/** The name of a challenge's Ingress. It follows from the challenge, so that a second one cannot be made. */
export function temporaryIngressName(challenge: Challenge): string {
  const hash = createHash('sha256')
    .update(challenge.metadata.uid ?? '')
    .digest('hex');
  return `${solverServiceName}-${hash.slice(0, 10)}`;
}

/** The Ingress that carries a challenge to the solver. Throws SOLVER_INVALID_CHALLENGE. */
export function temporaryIngressFor(challenge: Challenge): Ingress {
  const route = routeOf(challenge);
  const settings = challenge.spec.solver.http01?.ingress ?? {};
  const template = settings.ingressTemplate?.metadata ?? {};
  const byAnnotation =
    settings.ingressClassName === undefined && settings.class !== undefined && settings.class !== '';
  return {
    apiVersion: apiVersionOf(ingresses),
    kind: ingresses.kind,
    metadata: {
      name: temporaryIngressName(challenge),
      namespace: challenge.metadata.namespace,
      labels: { ...template.labels, ...challengeLabels(challenge.spec.dnsName, challenge.spec.token) },
      annotations: {
        // A class-wide allow list of addresses must not keep the CA out.
        [whitelistSourceRangeAnnotation]: '0.0.0.0/0,::/0',
        ...(byAnnotation ? { [ingressClassAnnotation]: settings.class ?? '' } : {}),
        ...template.annotations,
      },
      ownerReferences: [
        {
          apiVersion: apiVersionOf(challenges),
          kind: challenges.kind,
          name: challenge.metadata.name ?? '',
          uid: challenge.metadata.uid ?? '',
          controller: true,
        },
      ],
    },
    spec: {
      ...(settings.ingressClassName === undefined || settings.ingressClassName === ''
        ? {}
        : { ingressClassName: settings.ingressClassName }),
      rules: [
        { ...(route.host === '' ? {} : { host: route.host }), http: { paths: [ingressPathOf(route)] } },
      ],
    },
  };
}

export function createTemporaryIngresses(parts: {
  readonly api: KubeApi;
  /** Must not have started yet: an index is added. */
  readonly ingresses: Cache<Ingress>;
}): TemporaryIngresses {
  const { api, ingresses: cache } = parts;
  cache.addIndex(byController, ingress => {
    const uid = controllerOf(ingress)?.uid;
    return uid === undefined ? [] : [uid];
  });

  async function mend(found: Ingress, wanted: Ingress, challenge: Challenge): Promise<void> {
    if (controllerOf(found)?.uid !== challenge.metadata.uid) throw taken(found);
    if (found.metadata.deletionTimestamp !== undefined || carries(found, challenge)) return;
    const { labels, annotations } = wanted.metadata;
    await api.update(ingresses, {
      ...found,
      metadata: {
        ...found.metadata,
        labels: { ...found.metadata.labels, ...labels },
        annotations: { ...found.metadata.annotations, ...annotations },
      },
      spec: wanted.spec,
    });
  }

  /**
   * The Ingress that cert-manager made for a challenge that is taken over. It leads to a pod of cert-manager's, which may be
   * gone, and stands in the way of a second one for the same path: so it is the one that is mended.
   */
  function ofCertManager({ metadata: { uid, namespace } }: Challenge): Ingress | undefined {
    return cache
      .byIndex(byController, uid ?? '')
      .find(({ metadata }) => metadata.namespace === namespace && metadata.deletionTimestamp === undefined);
  }

  return {
    async ensure(challenge) {
      const wanted = temporaryIngressFor(challenge);
      const found = cache.get(keyOf(wanted)) ?? ofCertManager(challenge);
      if (found !== undefined) return mend(found, wanted, challenge);
      try {
        await api.create(ingresses, wanted);
      } catch (error) {
        if (!isKubeError(error, 'KUBE_ALREADY_EXISTS')) throw error;
        await mend(await api.get(ingresses, keyOf(wanted)), wanted, challenge);
      }
    },
    async remove(challenge) {
      const { uid, namespace } = challenge.metadata;
      if (uid === undefined) return;
      const found = cache
        .byIndex(byController, uid)
        .filter(ingress => ingress.metadata.namespace === namespace);
      if (!cache.isSynced) {
        const own = { namespace: namespace ?? '', name: temporaryIngressName(challenge) };
        try {
          const live = await api.get(ingresses, own);
          if (controllerOf(live)?.uid === uid) found.push(live);
        } catch (error) {
          if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
        }
      }
      for (const ingress of found) await deleteIfThere(api, ingresses, ingress);
    },
  };
}

/** Whether an Ingress leads the challenge to the solver, whatever else was set on it by others. */
function carries(ingress: Ingress, challenge: Challenge): boolean {
  const route = routeOf(challenge);
  return (ingress.spec?.rules ?? []).some(
    rule =>
      (rule.host ?? '') === route.host && rule.http?.paths.some(path => leadsToSolver(path, route)) === true,
  );
}

function taken(ingress: Ingress): PosternError {
  return new PosternError(
    `the Ingress ${keyText(keyOf(ingress))} has the name of this challenge's Ingress but is not the challenge's: delete it`,
    { code: 'SOLVER_INGRESS_TAKEN' },
  );
}
