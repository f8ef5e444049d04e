import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { controllerOf, keyOf, keyText, type ObjectKey } from '../../api/meta.ts';
import { ingressEvents } from '../../api/reasons.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { decideCertificates } from './decide.ts';
import type { ShimDefaults } from './issuer.ts';

/** Makes, updates and removes the Certificates of one Ingress. */
export async function reconcileIngress(
  context: ControllerContext,
  defaults: ShimDefaults,
  key: ObjectKey,
): Promise<ReconcileResult> {
  const { api, caches, events } = context;
  const ingress = caches.cacheOf(ingresses).get(key);
  if (ingress === undefined) return {};

  const decision = decideCertificates(ingress, certificatesNear(context, ingress), defaults);
  if (decision.kind === 'ignore') return {};
  if (decision.problems.length > 0)
    events.warning(ingress, ingressEvents.badConfig, decision.problems.join('; '));
  if (decision.kind === 'refuse') return {};

  for (const certificate of decision.create) {
    // Made by another since the cache was read: it is looked at again when its event comes.
    if (!(await created(api.create(certificates, certificate)))) continue;
    events.normal(
      ingress,
      ingressEvents.createCertificate,
      `Made Certificate ${JSON.stringify(keyText(keyOf(certificate)))}.`,
    );
  }
  for (const certificate of decision.update) {
    await api.update(certificates, certificate);
    events.normal(
      ingress,
      ingressEvents.updateCertificate,
      `Updated Certificate ${JSON.stringify(keyText(keyOf(certificate)))}.`,
    );
  }
  for (const certificate of decision.remove) {
    const { uid } = certificate.metadata;
    await api.delete(certificates, keyOf(certificate), { uid }).catch(ignoreNotFound);
    events.normal(
      ingress,
      ingressEvents.deleteCertificate,
      `Deleted Certificate ${JSON.stringify(keyText(keyOf(certificate)))}: spec.tls names its Secret no more.`,
    );
  }
  return {};
}

/** The Certificates that an Ingress controls, or whose name is that of one of its Secrets. */
function certificatesNear(context: ControllerContext, ingress: Ingress): Certificate[] {
  const cache = context.caches.cacheOf(certificates);
  const { namespace = '', uid = '' } = ingress.metadata;
  const named = (ingress.spec?.tls ?? [])
    .map(entry => cache.get({ namespace, name: entry.secretName ?? '' }))
    .filter(certificate => certificate !== undefined);
  const owned = cache
    .byIndex('controller', uid)
    .filter(certificate => !named.includes(certificate) && controllerOf(certificate)?.uid === uid);
  return [...named, ...owned];
}

async function created(creation: Promise<Certificate>): Promise<boolean> {
  try {
    await creation;
    return true;
  } catch (error) {
    if (isKubeError(error, 'KUBE_ALREADY_EXISTS')) return false;
    throw error;
  }
}

function ignoreNotFound(error: unknown): void {
  if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
}
