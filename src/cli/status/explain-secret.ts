import { clusterIssuerAnnotation } from '../../api/annotations.ts';
import { findCondition } from '../../api/condition.ts';
import { conditionTypes } from '../../api/reasons.ts';
import type { Chain, Check } from './chain.ts';
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
