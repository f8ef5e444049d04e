import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import { type Order, orders } from '../../api/acme/order.ts';
import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { clusterIssuers, type Issuer, issuers } from '../../api/cert-manager/issuer.ts';
import { type Event, events } from '../../api/kubernetes/event.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { type Secret, secrets, tlsSecretType } from '../../api/kubernetes/secret.ts';
import { http01SolverLabel } from '../../api/labels.ts';
import { type KubeObject, keyOf, keyText } from '../../api/meta.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { KubeApi, Selection } from '../../kube/port.ts';
import { listAll, listInstalled } from '../list-all.ts';
import { type SecretFacts, secretFactsOf } from './secret-facts.ts';

/** All that chains are made of, as it is at one time. */
export interface StatusObjects {
  readonly ingresses: readonly Ingress[];
  readonly certificates: readonly Certificate[];
  readonly requests: readonly CertificateRequest[];
  readonly orders: readonly Order[];
  readonly challenges: readonly Challenge[];
  readonly issuers: readonly Issuer[];
  readonly clusterIssuers: readonly Issuer[];
  /** Warnings about Ingresses. */
  readonly warnings: readonly Event[];
  /** By `namespace/name`, for every Secret that an Ingress or a Certificate names. */
  readonly secrets: ReadonlyMap<string, SecretFacts>;
}

/** The facts about the named Secrets. Those of the TLS type come in one list, the others one by one. */
async function readSecrets(
  api: KubeApi,
  wanted: ReadonlyMap<string, { readonly namespace: string; readonly name: string }>,
  selection: Selection,
): Promise<Map<string, SecretFacts>> {
  const facts = new Map<string, SecretFacts>();
  if (wanted.size === 0) return facts;
  const take = (secret: Secret): void => {
    const id = keyText(keyOf(secret));
    if (wanted.has(id)) facts.set(id, secretFactsOf(secret.metadata.name ?? '', secret));
  };
  try {
    for (const secret of await listAll(api, secrets, {
      ...selection,
      fieldSelector: `type=${tlsSecretType}`,
    })) {
      take(secret);
    }
  } catch (thrown) {
    // Who may not list Secrets may still be allowed to get some.
    if (!isKubeError(thrown, 'KUBE_FORBIDDEN')) throw thrown;
  }
  for (const [id, key] of wanted) {
    if (facts.has(id)) continue;
    try {
      take(await api.get(secrets, key));
    } catch (thrown) {
      if (isKubeError(thrown, 'KUBE_NOT_FOUND')) facts.set(id, { name: key.name, state: 'missing' });
      else if (isKubeError(thrown, 'KUBE_FORBIDDEN')) {
        facts.set(id, { name: key.name, state: 'unreadable', why: thrown.message });
      } else throw thrown;
    }
  }
  return facts;
}

/** Events are of use and no more: who may not read them does without. */
export async function readEvents(api: KubeApi, selection: Selection): Promise<Event[]> {
  try {
    return await listAll(api, events, selection);
  } catch (thrown) {
    if (isKubeError(thrown)) return [];
    throw thrown;
  }
}

async function readWarnings(api: KubeApi, selection: Selection): Promise<Event[]> {
  const found = await readEvents(api, { ...selection, fieldSelector: 'type=Warning' });
  return found.filter(({ involvedObject }) => involvedObject.kind === 'Ingress');
}

/** Reads what `postern status` shows, of one namespace or all. Throws KubeErrors, and CRDS_MISSING. */
export async function readStatusObjects(api: KubeApi, namespace: string | undefined): Promise<StatusObjects> {
  const selection: Selection = { namespace };
  const [
    foundIngresses,
    foundCertificates,
    requests,
    foundOrders,
    foundChallenges,
    foundIssuers,
    foundClusterIssuers,
    warnings,
  ] = await Promise.all([
    // Without those that carry challenges: they come and go by themselves.
    listAll(api, ingresses, { ...selection, labelSelector: `${http01SolverLabel}!=true` }),
    listInstalled(api, certificates, selection),
    listInstalled(api, certificateRequests, selection),
    listInstalled(api, orders, selection),
    listInstalled(api, challenges, selection),
    listInstalled(api, issuers, selection),
    listInstalled(api, clusterIssuers, {}),
    readWarnings(api, selection),
  ]);
  const wanted = new Map<string, { namespace: string; name: string }>();
  const want = (object: KubeObject, name: string | undefined): void => {
    if (name === undefined || name === '') return;
    const key = { namespace: object.metadata.namespace ?? '', name };
    wanted.set(keyText(key), key);
  };
  for (const ingress of foundIngresses)
    for (const tls of ingress.spec?.tls ?? []) want(ingress, tls.secretName);
  for (const certificate of foundCertificates) want(certificate, certificate.spec.secretName);
  return {
    ingresses: foundIngresses,
    certificates: foundCertificates,
    requests,
    orders: foundOrders,
    challenges: foundChallenges,
    issuers: foundIssuers,
    clusterIssuers: foundClusterIssuers,
    warnings,
    secrets: await readSecrets(api, wanted, selection),
  };
}
