import { certificates } from '../../api/cert-manager/certificate.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import type { ObjectKey } from '../../api/meta.ts';
import { certificateReadyReasons } from '../../api/reasons.ts';
import { PosternError } from '../../core/errors.ts';
import { ended } from '../../issuers/sentence.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { tellingRefusedWrites } from '../refused-write.ts';
import { type CertificateDecision, decideCertificate } from './decide.ts';
import { gatherCertificate, secretKeyOf } from './gather.ts';
import { makeKey, makeRequest, restart } from './issue.ts';
import { asSigned, signingIssuer } from './issuer-turn.ts';
import { keepRevokeFinalizer, revokeBeforeGone } from './revoke.ts';
import { settle } from './settle.ts';
import type { CertificateState } from './state.ts';
import { complete, standIn } from './store.ts';
import { tellBackOff, tellFailure, tellIssuing, tellRefusal, tellRefusedWrite } from './tell.ts';
import type { CertificateWork } from './work.ts';

/** More steps than one issuance has; a Certificate that needs more is looked at again later. */
const stepsAtOnce = 8;

/** Takes one Certificate as many steps forward as can be taken without waiting. */
export async function reconcileCertificate(
  work: CertificateWork,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { context, options, patience } = work;
  for (let step = 0; step < stepsAtOnce; step++) {
    const certificate = context.caches.cacheOf(certificates).get(key);
    if (certificate === undefined || certificate.metadata.deletionTimestamp !== undefined) {
      patience.forget(key);
      options.renewalWindows?.forget(key);
      return certificate === undefined ? {} : revokeBeforeGone(work, certificate, signal);
    }
    if (await keepRevokeFinalizer(work, certificate)) continue;
    const secret = context.caches.cacheOf(secrets).get(secretKeyOf(certificate));
    const signed = asSigned(certificate, signingIssuer(certificate, secret));
    const advice = options.renewalWindows?.adviceFor(signed);
    const state = gatherCertificate(context, certificate, options.issuerSecrets, advice);
    const result = await stepForward(work, state);
    if (result !== 'again') return result;
  }
  return { requeueAfterMs: 1_000 };
}

async function stepForward(
  work: CertificateWork,
  state: CertificateState,
): Promise<ReconcileResult | 'again'> {
  try {
    return await tellingRefusedWrites(
      () => apply(work, state, decideCertificate(state, work.context.clock.now())),
      message => tellRefusedWrite(work, state, message),
    );
  } catch (error) {
    // What no key and no request can be made of, although the schema has let it pass.
    if (!(error instanceof PosternError) || error.retry !== 'never') throw error;
    const message = ended(error.message);
    return tellRefusal(work, state, { reason: certificateReadyReasons.invalidSpec, message });
  }
}

async function apply(
  work: CertificateWork,
  state: CertificateState,
  decision: CertificateDecision,
): Promise<ReconcileResult | 'again'> {
  switch (decision.kind) {
    case 'stop':
      return tellRefusal(work, state, decision);
    case 'ready':
      return settle(work, state);
    case 'back-off':
      return tellBackOff(work, state, decision);
    case 'make-key':
      return makeKey(work, state, decision.why);
    case 'make-request':
      return makeRequest(work, state, decision);
    case 'restart':
      return restart(work.context, state, decision.dropKey);
    case 'await-deletion':
      return {};
    case 'wait':
      await standIn(work, state);
      return tellIssuing(work, state, decision);
    case 'fail':
      return tellFailure(work, state, decision);
    case 'complete':
      return complete(work, state, decision);
  }
}
