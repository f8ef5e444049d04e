import { clusterIssuerAnnotation } from '../../api/annotations.ts';
import { findCondition } from '../../api/condition.ts';
import { controllerOf } from '../../api/meta.ts';
import { conditionTypes } from '../../api/reasons.ts';
import { type Chain, type Check, uncoveredHosts } from './chain.ts';
import { clause, moment, quoted } from './sentence.ts';

/** Who puts a Secret right. */
function remedy({ certificate, namespace }: Chain): string {
  return certificate === undefined
    ? `create it in namespace ${quoted(namespace)}, or let Postern obtain it: annotate the Ingress with ${clusterIssuerAnnotation}`
    : 'Postern issues it again; if it does not, see that it runs, with the controllers';
}

/** Why the Secret cannot be served. */
export const secretChecks: readonly Check[] = [
  function secretIsMissing(chain) {
    return chain.secret?.state === 'missing'
      ? `Secret ${quoted(chain.secret.name)} does not exist; ${remedy(chain)}.`
      : undefined;
  },
  function secretIsDamaged(chain) {
    return chain.secret?.state === 'damaged'
      ? `Secret ${quoted(chain.secret.name)} ${chain.secret.problem}; ${remedy(chain)}.`
      : undefined;
  },
  function certificateIsOutOfTime(chain, nowMs) {
    const { secret } = chain;
    if (secret?.state !== 'usable') return undefined;
    if (nowMs >= secret.notAfterMs) {
      return `The certificate in Secret ${quoted(secret.name)} expired at ${moment(secret.notAfterMs)}; ${remedy(chain)}.`;
    }
    if (nowMs >= secret.notBeforeMs) return undefined;
    return `The certificate in Secret ${quoted(secret.name)} is valid from ${moment(secret.notBeforeMs)} on; see that the clock of this machine is right.`;
  },
  function certificateIsForOtherNames(chain) {
    const { certificate, secret } = chain;
    const hosts = uncoveredHosts(chain);
    if (hosts.length === 0) return undefined;
    const what = `The certificate in Secret ${quoted(secret?.name)} is not for ${hosts.join(', ')}`;
    const owner = certificate && controllerOf(certificate);
    if (certificate === undefined)
      return `${what}; replace it, or let Postern obtain one: name another Secret, and annotate the Ingress with ${clusterIssuerAnnotation}.`;
    if (owner?.uid === chain.ingress?.metadata.uid) return `${what}; ${remedy(chain)}.`;
    const whose =
      owner === undefined ? 'is not made from an Ingress' : `is of ${owner.kind} ${quoted(owner.name)}`;
    return `${what}: Certificate ${quoted(certificate.metadata.name)} ${whose}; name another Secret, or add them there.`;
  },
  function secretMayNotBeRead(chain) {
    if (chain.secret?.state !== 'unreadable' || chain.certificate !== undefined) return undefined;
    return `Secret ${quoted(chain.secret.name)} cannot be read: ${clause(chain.secret.why)}; ask with an account that may.`;
  },
  function certificateSaysWhy({ certificate }) {
    const ready = findCondition(certificate?.status?.conditions, conditionTypes.ready);
    if (ready === undefined || ready.status === 'True') return undefined;
    return `Certificate ${quoted(certificate?.metadata.name)} is not ready: ${clause(ready.message)}.`;
  },
];
