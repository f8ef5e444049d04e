import { certificates } from '../../api/cert-manager/certificate.ts';
import { certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import { keyOf } from '../../api/meta.ts';
import { deleteIfThere } from '../../issuers/idempotent-writes.ts';
import { encodePrivateKey } from '../../pki/private-key.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { soonest } from '../requeue.ts';
import { writeStatus } from '../write-status.ts';
import { pairOf, renewalOf, type Violation } from './checks.ts';
import { asSigned, signingIssuer } from './issuer-turn.ts';
import { type KeyPair, secretWith } from './secret.ts';
import { changesData, secretMismatch } from './secret-mismatch.ts';
import { ownsSecret } from './secret-owners.ts';
import type { CertificateState } from './state.ts';
import { readyStatus } from './status.ts';
import { tellPasswords, tellRefusal } from './tell.ts';
import { immutableSecret } from './unusable-secret.ts';
import type { CertificateWork } from './work.ts';

/** Sees to a Certificate whose pair is right: what else is in the Secret, left-overs, status; and comes back for the renewal. */
export async function settle(work: CertificateWork, state: CertificateState): Promise<ReconcileResult> {
  const { context, options, patience } = work;
  const { certificate } = state;
  const nowMs = context.clock.now();
  patience.forget(keyOf(certificate));
  const unwritable = await keepSecret(work, state);
  if (unwritable !== undefined) return tellRefusal(work, state, unwritable);
  await prune(work, state);
  tellPasswords(work, state);
  await writeStatus(context.api, certificates, certificate, readyStatus(state, nowMs));
  const { leaf } = pairOf(state);
  return soonest(
    Math.max(1_000, renewalOf(state).atMs - nowMs),
    options.renewalWindows?.ask(asSigned(certificate, signingIssuer(certificate, state.secret)), leaf),
  );
}

/** Keeps the rest of the Secret as it should be, without issuing. Gives what is in the way, where something is. */
async function keepSecret(
  { context, options }: CertificateWork,
  state: CertificateState,
): Promise<Violation | undefined> {
  const { certificate, secret } = state;
  if (secret === undefined) return undefined;
  const nowMs = context.clock.now();
  const wanted = await secretWith(state, wantedPair(state), {
    isOwned: ownsSecret(state, options),
    issuer: signingIssuer(certificate, secret),
    nowMs,
  });
  const mismatch = secretMismatch(certificate, secret, wanted);
  if (mismatch === undefined) return undefined;
  const unwritable = changesData(secret, wanted) ? immutableSecret(secret) : undefined;
  if (unwritable !== undefined) return unwritable;
  await context.api.update(secrets, wanted);
  context.events.normal(certificate, mismatch.reason, `${mismatch.message} It has been rewritten.`);
  return undefined;
}

/** The pair in the Secret, with the key in the encoding that the spec asks for. */
function wantedPair(state: CertificateState): KeyPair {
  const pair = pairOf(state);
  const { privateKey = '', chain = '', ca } = pair;
  const { encoding } = state.certificate.spec.privateKey ?? {};
  const encoded = encoding && encodePrivateKey(pair.key, encoding);
  const isEncodedSo = encoded === undefined || privateKey.includes(encoded.slice(0, encoded.indexOf('\n')));
  return { privateKey: isEncodedSo ? privateKey : encoded, chain, ca };
}

/** Keys of issuances that are over, and requests beyond spec.revisionHistoryLimit. */
async function prune({ context: { api } }: CertificateWork, state: CertificateState): Promise<void> {
  const { certificate, strayKeys, nextKey, oldRequests } = state;
  for (const key of [...strayKeys, ...(nextKey === undefined ? [] : [nextKey])])
    await deleteIfThere(api, secrets, key);
  const kept = Math.max(0, (certificate.spec.revisionHistoryLimit ?? 1) - 1);
  for (const request of oldRequests.slice(kept)) await deleteIfThere(api, certificateRequests, request);
}
