import { type Certificate, certificates } from '../../api/cert-manager/certificate.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { controllerOf, keyOf, keyText, type ObjectKey } from '../../api/meta.ts';
import { ingressEvents, writeRefused } from '../../api/reasons.ts';
import { createOrGet, deleteIfThere } from '../../issuers/idempotent-writes.ts';
import { isControlledBy } from '../../issuers/owned-by.ts';
import { ended, quoted } from '../../issuers/sentence.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { tellingRefusedWrites } from '../refused-write.ts';
import { decideCertificates, type ShimDecision } from './decide.ts';
import type { ShimDefaults } from './issuer.ts';
import { oneMessage } from './one-message.ts';

/** Makes, updates and removes the Certificates of one Ingress. `told`: what was said last to be wrong with each. */
export async function reconcileIngress(
  context: ControllerContext,
  defaults: ShimDefaults,
  told: WeakMap<Ingress, string>,
  key: ObjectKey,
): Promise<ReconcileResult> {
  const { caches, events } = context;
  const ingress = caches.cacheOf(ingresses).get(key);
  if (ingress === undefined) return {};

  const decision = decideCertificates(ingress, certificatesNear(context, ingress), defaults);
  if (decision.kind === 'ignore') return {};
  const wrong = decision.problems.length === 0 ? '' : ended(oneMessage(decision.problems));
  // An object of a cache is the same one until it changes.
  if (wrong !== '' && told.get(ingress) !== wrong) events.warning(ingress, ingressEvents.badConfig, wrong);
  told.set(ingress, wrong);
  if (decision.kind === 'refuse') return {};
  await tellingRefusedWrites(
    () => write(context, ingress, decision),
    message => events.warning(ingress, writeRefused, message),
  );
  return {};
}

async function write(
  { api, events }: ControllerContext,
  ingress: Ingress,
  decision: ShimDecision & { kind: 'sync' },
): Promise<void> {
  for (const certificate of decision.create) {
    const made = await createOrGet(api, certificates, certificate);
    // Made by another since the cache was read: it is looked at again when its event comes.
    if (!isControlledBy(made, ingress)) continue;
    events.normal(ingress, ingressEvents.createCertificate, `Made Certificate ${named(certificate)}.`);
  }
  for (const certificate of decision.update) {
    await api.update(certificates, certificate);
    events.normal(ingress, ingressEvents.updateCertificate, `Updated Certificate ${named(certificate)}.`);
  }
  for (const certificate of decision.remove) {
    await deleteIfThere(api, certificates, certificate);
    events.normal(
      ingress,
      ingressEvents.deleteCertificate,
      `Deleted Certificate ${named(certificate)}: spec.tls names its Secret no more.`,
    );
  }
}

function named(certificate: Certificate): string {
  return quoted(keyText(keyOf(certificate)));
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
