import type { Challenge } from '../../api/acme/challenge.ts';
import { issuersOf } from '../../api/cert-manager/fallback-issuers.ts';
import { isInTreeIssuer, missingIssuerText } from '../../api/cert-manager/issuer-ref.ts';
import { findCondition, hasCondition } from '../../api/condition.ts';
import {
  certificateReadyReasons,
  conditionTypes,
  isRefused,
  requestReasons,
  selfCheckFails,
} from '../../api/reasons.ts';
import type { Chain, Check } from './chain.ts';
import { clause, moment, quoted } from './sentence.ts';

const failedStates: ReadonlySet<string> = new Set(['invalid', 'errored', 'expired']);
const hourMs = 3_600_000;
const tryingNext = 'Postern tries the next of its issuers now';

/**
 * When a Certificate is tried again after failures. Source: cert-manager, `min(1h x 2^(attempts-1), 32h)`. With fallback
 * issuers each of them is tried before the next wait.
 */
function nextTry({ certificate }: Chain): string {
  const { lastFailureTime, failedIssuanceAttempts: attempts = 1 } = certificate?.status ?? {};
  const sinceMs = Date.parse(lastFailureTime ?? '');
  if (certificate === undefined || Number.isNaN(sinceMs)) return 'Postern tries again';
  const rounds = attempts / issuersOf(certificate).length;
  if (!Number.isInteger(rounds)) return tryingNext;
  return `Postern tries again at ${moment(sinceMs + Math.min(hourMs * 2 ** (rounds - 1), 32 * hourMs))}`;
}

function retry(chain: Chain): string {
  const next = nextTry(chain);
  return next === tryingNext ? next : `${next}, or at once when the Certificate changes`;
}

const certificateName = ({ certificate }: Chain): string =>
  `Certificate ${quoted(certificate?.metadata.name)}`;
const issuerName = ({ issuer }: Chain): string =>
  `${issuer?.ref.kind ?? 'Issuer'} ${quoted(issuer?.ref.name)}`;
const isHttp01 = (challenge: Challenge): boolean => challenge.spec.type === 'HTTP-01';

function reach({ spec: { dnsName } }: Challenge): string {
  return `see that ${dnsName} resolves to where the Ingress is served, and that port 80 is open there`;
}

const ready = (chain: Chain) => findCondition(chain.certificate?.status?.conditions, conditionTypes.ready);

/** Why a Certificate is not issued, the deepest object first. */
export const issuanceChecks: readonly Check[] = [
  function certificateIsRefused(chain) {
    const condition = ready(chain);
    if (condition?.reason === certificateReadyReasons.invalidSpec) {
      return `${certificateName(chain)} is invalid: ${clause(condition.message)}; correct its spec.`;
    }
    if (condition?.reason !== certificateReadyReasons.duplicateSecretName) return undefined;
    return `${certificateName(chain)} must wait: ${clause(condition.message)}; give it a secretName of its own, or delete the other.`;
  },
  function challengeHasFailed(chain) {
    const challenge = chain.challenges.find(one => failedStates.has(one.status?.state ?? ''));
    if (challenge === undefined) return undefined;
    const hint = isHttp01(challenge) ? reach(challenge) : 'see the solver of the issuer';
    return `The ${challenge.spec.type} challenge for ${challenge.spec.dnsName} is ${challenge.status?.state}: ${clause(challenge.status?.reason)}; ${hint}. ${retry(chain)}.`;
  },
  function orderHasFailed({ order, ...chain }) {
    if (order === undefined || !failedStates.has(order.status?.state ?? '')) return undefined;
    return `Order ${quoted(order.metadata.name)} is ${order.status?.state}: ${clause(order.status?.reason)}. ${retry(chain)}.`;
  },
  function requestIsRefused({ request, ...chain }) {
    const name = `CertificateRequest ${quoted(request?.metadata.name)}`;
    const denied = findCondition(request?.status?.conditions, conditionTypes.denied);
    if (denied?.status === 'True') {
      return `${name} was denied by an approver: ${clause(denied.message)}; ask who sets the policy, or change the Certificate to fit it. ${retry(chain)}.`;
    }
    const invalid = findCondition(request?.status?.conditions, conditionTypes.invalidRequest);
    if (invalid?.status === 'True') return `${name} is invalid: ${clause(invalid.message)}. ${retry(chain)}.`;
    const state = findCondition(request?.status?.conditions, conditionTypes.ready);
    if (state?.status !== 'False' || state.reason !== requestReasons.failed) return undefined;
    return `${name} has failed: ${clause(state.message)}. ${retry(chain)}.`;
  },
  function issuerIsMissing(chain) {
    const { issuer } = chain;
    if (issuer === undefined || issuer.found !== undefined || !isInTreeIssuer(issuer.ref)) return undefined;
    return missingIssuerText(issuer.ref, chain.namespace);
  },
  function issuerIsNotReady(chain) {
    const { issuer } = chain;
    if (issuer?.found === undefined) return undefined;
    const condition = findCondition(issuer.found.status?.conditions, conditionTypes.ready);
    if (condition?.status === 'True') return undefined;
    if (condition === undefined)
      return `${issuerName(chain)} has no status yet; see that Postern runs, with the controllers.`;
    return `${issuerName(chain)} is not ready: ${clause(condition.message)}; correct it, the certificate follows by itself.`;
  },
  function challengeWaits(chain) {
    const waiting = chain.challenges.filter(one => one.status?.state !== 'valid');
    const challenge = waiting.find(one => (one.status?.reason ?? '') !== '') ?? waiting[0];
    if (challenge === undefined) return undefined;
    const name = `The ${challenge.spec.type} challenge for ${challenge.spec.dnsName}`;
    const { presented, processing, reason = '' } = challenge.status ?? {};
    // It has the fix in it.
    if (reason.startsWith(selfCheckFails)) return `${name} waits: ${clause(reason)}.`;
    if (reason !== '')
      return `${name} waits: ${clause(reason)}; ${isHttp01(challenge) ? reach(challenge) : 'see the solver of the issuer'}.`;
    if (processing !== true) return `${name} waits for its turn.`;
    return `${name} is under way: ${presented === true ? 'the answer is presented' : 'the answer is being presented'}.`;
  },
  function orderWaits({ order }) {
    const state = order?.status?.state ?? 'new';
    if (order === undefined || state === 'valid') return undefined;
    const reason = order.status?.reason ?? '';
    return `Order ${quoted(order.metadata.name)} is ${state}${reason === '' ? '' : `: ${clause(reason)}`}; it goes on by itself.`;
  },
  function requestWaits(chain) {
    const { request, issuer } = chain;
    if (request === undefined || hasCondition(request.status?.conditions, conditionTypes.ready))
      return undefined;
    const name = `CertificateRequest ${quoted(request.metadata.name)}`;
    if (!hasCondition(request.status?.conditions, conditionTypes.approved)) {
      return `${name} is not approved yet; see that an approver runs for ${issuerName(chain)}.`;
    }
    if (issuer !== undefined && !isInTreeIssuer(issuer.ref)) {
      return `${name} waits for the controller of ${issuer.ref.kind}.${issuer.ref.group} to sign it; see that it runs, and that ${issuerName(chain)} is ready.`;
    }
    const message = findCondition(request.status?.conditions, conditionTypes.ready)?.message ?? '';
    return `${name} waits for ${issuerName(chain)}${message === '' ? '' : `: ${clause(message)}`}.`;
  },
  function writeIsRefused(chain) {
    const issuing = findCondition(chain.certificate?.status?.conditions, conditionTypes.issuing);
    if (issuing?.status !== 'True' || issuing.message?.startsWith(isRefused) !== true) return undefined;
    return `${certificateName(chain)} cannot be issued. ${clause(issuing.message)}.`;
  },
  function issuanceHasFailed(chain) {
    const issuing = findCondition(chain.certificate?.status?.conditions, conditionTypes.issuing);
    if (issuing?.status !== 'False' || chain.certificate?.status?.lastFailureTime === undefined)
      return undefined;
    return `The last try to issue ${certificateName(chain)} has failed: ${clause(issuing.message)}. ${retry(chain)}.`;
  },
];
