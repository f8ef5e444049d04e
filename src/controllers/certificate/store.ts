import { isDeepStrictEqual } from 'node:util';
import { certificates } from '../../api/cert-manager/certificate.ts';
import { type FullIssuerRef, issuerRefOf, sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { type Secret, secrets } from '../../api/kubernetes/secret.ts';
import { keyOf } from '../../api/meta.ts';
import { certificateEvents } from '../../api/reasons.ts';
import { createOrGet } from '../../issuers/idempotent-writes.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { encodePrivateKey } from '../../pki/private-key.ts';
import { writeStatus } from '../write-status.ts';
import type { CertificateDecision } from './decide.ts';
import { asSigned, issuerText, signingIssuer } from './issuer-turn.ts';
import { type KeyPair, secretWith } from './secret.ts';
import { ownsSecret } from './secret-owners.ts';
import type { CertificateState } from './state.ts';
import { issuedStatus } from './status.ts';
import { pairIn } from './stored-pair.ts';
import { tellPasswords } from './tell.ts';
import { needsTemporary, temporaryPair } from './temporary.ts';
import type { CertificateWork } from './work.ts';

/** The Secret is served already; for a server that takes longer, the status is written once more. */
const longestWindowWaitMs = 250;

/** Puts a signed certificate and its key into the Secret, and then says so: the status is behind the Secret, never before. */
export async function complete(
  work: CertificateWork,
  state: CertificateState,
  { request, key }: CertificateDecision & { kind: 'complete' },
): Promise<'again'> {
  const { context, options, patience } = work;
  const { renewalWindows } = options;
  const { certificate } = state;
  const chain = decoded(request.status?.certificate) ?? '';
  const issuer = issuerRefOf(request.spec.issuerRef);
  // Asked while the Secret is written, the window is in the status with the same write as the rest, as a rule.
  const signed = asSigned(certificate, issuer);
  renewalWindows?.ask(signed, parseCertificate(chain));
  const secret = await putPair(
    work,
    state,
    {
      privateKey: encodePrivateKey(key, certificate.spec.privateKey?.encoding),
      chain,
      ca: decoded(request.status?.ca),
    },
    issuer,
  );
  // Somebody else has made a Secret meanwhile: it is looked at before it is written to.
  if (secret === undefined) return 'again';
  await renewalWindows?.answered(certificate, longestWindowWaitMs);
  const renewalAdvice = renewalWindows?.adviceFor(signed) ?? state.renewalAdvice;
  const pair = pairIn(secret);
  const issued = { ...state, secret, pair, currentRequest: request, renewalAdvice };
  await writeStatus(context.api, certificates, certificate, issuedStatus(issued, context.clock.now()));
  const by = sameIssuer(issuer, certificate.spec.issuerRef) ? '' : ` by ${issuerText(issuer)}`;
  context.events.normal(certificate, certificateEvents.issuing, `The certificate has been issued${by}.`);
  tellPasswords(work, state);
  patience.forget(keyOf(certificate));
  return 'again';
}

/** Puts a temporary certificate into the Secret, where one is asked for and nothing better is there. */
export async function standIn(work: CertificateWork, state: CertificateState): Promise<void> {
  if (!needsTemporary(state)) return;
  await putPair(
    work,
    state,
    await temporaryPair(state, work.context.clock.now()),
    signingIssuer(state.certificate, undefined),
  );
}

/** Gives the Secret as it was stored; undefined where another was made under its name meanwhile. */
async function putPair(
  { context: { api, clock }, options }: CertificateWork,
  state: CertificateState,
  pair: KeyPair,
  issuer: FullIssuerRef,
): Promise<Secret | undefined> {
  const wanted = await secretWith(state, pair, {
    isOwned: ownsSecret(state, options),
    issuer,
    nowMs: clock.now(),
  });
  if (state.secret !== undefined) return api.update(secrets, wanted);
  const stored = await createOrGet(api, secrets, wanted);
  return isDeepStrictEqual({ ...stored.data }, { ...wanted.data }) ? stored : undefined;
}

function decoded(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString();
}
