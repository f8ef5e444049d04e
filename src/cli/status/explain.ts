import { hasCondition } from '../../api/condition.ts';
import { conditionTypes } from '../../api/reasons.ts';
import { type Chain, type Check, uncoveredHosts } from './chain.ts';
import { ingressChecks } from './explain-ingress.ts';
import { issuanceChecks } from './explain-issuance.ts';
import { secretChecks } from './explain-secret.ts';

/** The state of a chain, in a word, and for what is not ready the deepest cause and its fix, in a sentence. */
export type Explanation =
  | { readonly state: 'ready' }
  /** No certificate is asked for, and none is needed. */
  | { readonly state: 'plain' }
  | { readonly state: 'not-ready'; readonly cause: string };

/** What is wrong is looked for from the Ingress down; in what is under way, the deepest object speaks first. */
const checks: readonly Check[] = [...ingressChecks, ...issuanceChecks, ...secretChecks];

function isReady(chain: Chain, nowMs: number): boolean {
  const { certificate, secret } = chain;
  const isPromised =
    certificate === undefined || hasCondition(certificate.status?.conditions, conditionTypes.ready);
  if (!isPromised || secret === undefined) return false;
  // Who may not read Secrets takes the Certificate's word.
  if (secret.state === 'unreadable') return certificate !== undefined;
  if (secret.state !== 'usable' || uncoveredHosts(chain).length > 0) return false;
  return secret.notBeforeMs <= nowMs && nowMs < secret.notAfterMs;
}

/** Whether the chain is ready at `nowMs`, and if not why. Pure. */
export function explain(chain: Chain, nowMs: number): Explanation {
  if (isReady(chain, nowMs)) return { state: 'ready' };
  for (const check of checks) {
    const cause = check(chain, nowMs);
    if (cause !== undefined) return { state: 'not-ready', cause };
  }
  if (chain.certificate === undefined) return { state: 'plain' };
  return {
    state: 'not-ready',
    cause: `Postern has not said anything about Certificate ${JSON.stringify(chain.certificate.metadata.name)} yet; see that it runs, with the controllers and for this namespace.`,
  };
}
