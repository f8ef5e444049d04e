import type { Secret } from '../../api/kubernetes/secret.ts';
import { ingressSelector } from './select-ingresses.ts';
import { isCertificateRead, serverCertificateOf } from './server-certificate.ts';
import type { CompileSettings } from './settings.ts';
import type { Snapshot } from './snapshot.ts';

/** The process is never held up longer than this at a time, in milliseconds. */
export const sliceMs = 8;

/**
 * Reads the certificates that a compilation of these objects will ask for, a few at a time: parsing them and holding keys
 * against them is most of the cost of a first compilation. What is read is remembered with its Secret, so that the
 * compilation finds it. `pause` lets others run; `goOn` says whether this is still wanted.
 */
export async function prepareCertificates(
  snapshot: Snapshot,
  settings: CompileSettings,
  pause: () => Promise<void>,
  goOn: () => boolean,
): Promise<void> {
  let sinceMs = performance.now();
  for (const secret of unreadCertificates(snapshot, settings)) {
    serverCertificateOf(secret);
    if (performance.now() - sinceMs < sliceMs) continue;
    await pause();
    if (!goOn()) return;
    sinceMs = performance.now();
  }
}

function unreadCertificates(snapshot: Snapshot, settings: CompileSettings): Secret[] {
  const select = ingressSelector(snapshot.ingressClasses, settings);
  const secrets = new Set<Secret>();
  for (const ingress of snapshot.ingresses) {
    // Of manifests that no API server has checked nothing is taken for granted.
    const entries: unknown = ingress.spec?.tls;
    if (!Array.isArray(entries) || !select(ingress).selected) continue;
    for (const entry of entries as readonly unknown[]) {
      const name = typeof entry === 'object' && entry !== null && 'secretName' in entry && entry.secretName;
      if (typeof name !== 'string') continue;
      const secret = snapshot.secret({ namespace: ingress.metadata.namespace ?? '', name });
      if (secret !== undefined && !isCertificateRead(secret)) secrets.add(secret);
    }
  }
  return [...secrets];
}
