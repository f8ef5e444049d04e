import { isAcmeError } from '../../acme/errors.ts';
import { certIdOf, defaultPollMs, getRenewalInfo, type RenewalInfo } from '../../acme/renewal-info.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { isInTreeIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { keyOf, keyText, type ObjectKey } from '../../api/meta.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../core/backoff.ts';
import { messageOf, retryOf } from '../../core/errors.ts';
import type { CertificateInfo } from '../../pki/certificate.ts';
import type { IssuerContext } from '../context.ts';
import { lookUpIssuer } from '../lookup.ts';
import type { AcmeAccounts } from './accounts.ts';

/** What is known of when the ACME server would like a certificate to be renewed. */
export type RenewalAdvice =
  /** There is nobody to ask, or nothing was said: the Certificate's spec alone decides. */
  | { readonly kind: 'none' }
  /** The server has not answered yet. */
  | { readonly kind: 'unknown' }
  | ({
      readonly kind: 'window';
      /** Of the certificate it is for. */
      readonly serialNumber: string;
    } & Pick<RenewalInfo, 'startMs' | 'endMs' | 'explanationUrl'>);

/**
 * The renewal windows that ACME servers suggest (RFC 9773), of every certificate in use. In memory alone: after a restart
 * they are asked for again, and status.renewalTime holds until then.
 */
export interface RenewalWindows {
  /** What is known for the certificate of this Certificate. Asks nobody. */
  adviceFor(certificate: Certificate): RenewalAdvice;
  /**
   * Has the server asked about `leaf`, the certificate that is in use, if that is due. Never waits: a listener is told of
   * an answer. Gives when to call it again, in milliseconds; undefined while an answer is on its way, or nobody is asked.
   */
  ask(certificate: Certificate, leaf: CertificateInfo): number | undefined;
  /** Resolves when nobody is asked about the Certificate any more, or after `withinMs`. */
  answered(certificate: Certificate, withinMs: number): Promise<void>;
  /** The Certificate is gone. */
  forget(key: ObjectKey): void;
  /** Calls `listener` with each Certificate whose server has been asked, whatever came of it. */
  onAnswer(listener: (key: ObjectKey) => void): void;
  /** Breaks off what is under way. */
  stop(): void;
}

interface Entry {
  readonly key: ObjectKey;
  readonly serialNumber: string;
  advice: RenewalAdvice;
  /** Resolves when the question that is under way is over. */
  asking: Promise<void> | undefined;
  /** When to ask next, and the longest that this may be away. */
  dueAtMs: number;
  waitMs: number;
  failures: number;
}

/** After an answer that did not come. */
const betweenFailures: BackoffPolicy = { baseMs: 60_000, capMs: defaultPollMs };
/** It is never urgent: issuance goes first. */
const mostAtOnce = 8;

/** Asks the servers of ACME issuers. */
export function createRenewalWindows(
  context: Pick<IssuerContext, 'caches' | 'clock' | 'logger'>,
  accounts: Pick<AcmeAccounts, 'connectionFor'>,
): RenewalWindows {
  const { caches, clock, logger } = context;
  const entries = new Map<string, Entry>();
  const waiting: (() => Promise<void>)[] = [];
  const listeners: ((key: ObjectKey) => void)[] = [];
  const stopped = new AbortController();
  let underWay = 0;

  function issuerOf({ spec, metadata }: Certificate): Issuer | undefined {
    if (!isInTreeIssuer(spec.issuerRef)) return undefined;
    const issuer = lookUpIssuer(caches, spec.issuerRef, metadata.namespace ?? '');
    return issuer?.spec.acme === undefined ? undefined : issuer;
  }

  function startNext(): void {
    while (underWay < mostAtOnce && !stopped.signal.aborted) {
      const next = waiting.shift();
      if (next === undefined) return;
      underWay += 1;
      void next().finally(() => {
        underWay -= 1;
        startNext();
      });
    }
  }

  async function query(entry: Entry, issuer: Issuer, leaf: CertificateInfo): Promise<void> {
    const { signal } = stopped;
    try {
      const certId = certIdOf(leaf);
      const info = certId && (await getRenewalInfo(accounts.connectionFor(issuer), certId, { signal }));
      entry.failures = 0;
      entry.advice = info ? windowOf(entry, info) : { kind: 'none' };
      putOff(entry, info ? info.retryAfterMs : defaultPollMs);
    } catch (error) {
      if (signal.aborted) return;
      entry.failures += 1;
      // A server that does not know the certificate, or says what makes no sense, will say the same for a while.
      const isSettled = isAcmeError(
        error,
        'ACME_NOT_FOUND',
        'ACME_MALFORMED',
        'ACME_BAD_ANSWER',
        'ACME_CONFLICT',
      );
      if (isSettled && entry.advice.kind === 'unknown') entry.advice = { kind: 'none' };
      const pauseMs = isSettled ? defaultPollMs : backoffDelayMs(betweenFailures, entry.failures);
      putOff(entry, Math.max(pauseMs, retryOf(error).retryAfterMs ?? 0));
      const fields = { certificate: keyText(entry.key), error: messageOf(error), againInMs: entry.waitMs };
      logger.debug('no renewal information', fields);
    }
    entry.asking = undefined;
    if (entries.get(keyText(entry.key)) === entry) for (const listener of listeners) listener(entry.key);
  }

  function putOff(entry: Entry, ms: number): void {
    entry.waitMs = ms;
    entry.dueAtMs = clock.now() + ms;
  }

  function entryFor(key: ObjectKey, serialNumber: string): Entry {
    const known = entries.get(keyText(key));
    if (known?.serialNumber === serialNumber) return known;
    const advice = { kind: 'unknown' } as const;
    const made = { key, serialNumber, advice, asking: undefined, dueAtMs: 0, waitMs: 0, failures: 0 };
    entries.set(keyText(key), made);
    return made;
  }

  return {
    adviceFor(certificate) {
      if (issuerOf(certificate) === undefined) return { kind: 'none' };
      return entries.get(keyText(keyOf(certificate)))?.advice ?? { kind: 'unknown' };
    },
    ask(certificate, leaf) {
      const issuer = issuerOf(certificate);
      if (issuer === undefined) return undefined;
      const entry = entryFor(keyOf(certificate), leaf.serialNumber);
      if (entry.asking !== undefined) return undefined;
      // A clock that was set back must not make the wait longer than it was meant to be.
      const leftMs = Math.min(entry.dueAtMs - clock.now(), entry.waitMs);
      if (leftMs > 0) return leftMs;
      entry.asking = new Promise(resolve => {
        waiting.push(() => query(entry, issuer, leaf).finally(resolve));
      });
      startNext();
      return undefined;
    },
    async answered(certificate, withinMs) {
      const asking = entries.get(keyText(keyOf(certificate)))?.asking;
      if (asking === undefined) return;
      let cancel = (): void => {};
      const over = new Promise<void>(resolve => {
        cancel = clock.after(withinMs, resolve);
      });
      await Promise.race([asking, over]).finally(cancel);
    },
    forget: key => void entries.delete(keyText(key)),
    onAnswer: listener => void listeners.push(listener),
    stop() {
      stopped.abort();
      waiting.length = 0;
    },
  };
}

function windowOf({ serialNumber }: Entry, { startMs, endMs, explanationUrl }: RenewalInfo): RenewalAdvice {
  return { kind: 'window', serialNumber, startMs, endMs, explanationUrl };
}
