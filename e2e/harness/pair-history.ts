import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type Secret, secrets } from '../../src/api/kubernetes/secret.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { serialText } from './object-view.ts';

/** What a reader who reads a TLS Secret at one instant finds. */
export interface PairReading {
  /** As `serialText` writes it. */
  readonly serial: string | undefined;
  /** Why it could not be served: no Secret, half a pair, or a key that does not fit. */
  readonly problem: string | undefined;
}

/** Reads the pair of a Secret. */
export function readPair(secret: Secret | undefined): PairReading {
  if (secret === undefined) return { serial: undefined, problem: 'there is no Secret' };
  const text = (name: string) => Buffer.from(secret.data?.[name] ?? '', 'base64').toString();
  try {
    const certificate = new X509Certificate(text('tls.crt'));
    const serial = serialText(certificate.serialNumber);
    return certificate.checkPrivateKey(createPrivateKey(text('tls.key')))
      ? { serial, problem: undefined }
      : { serial, problem: 'the key does not fit the certificate' };
  } catch (error) {
    return { serial: undefined, problem: `half a pair: ${String(error)}` };
  }
}

/**
 * Everything that a reader of a Secret could have read after `resourceVersion`, in order: each version that was ever
 * stored, its deletion too. From the history of the store, so that no instant is missed, as it might be by reading again and
 * again. A cluster needs `timeoutSeconds` of 1 or more to tell it all.
 */
export async function pairHistory(
  api: KubeApi,
  name: string,
  resourceVersion: string,
  timeoutSeconds = 0,
): Promise<readonly PairReading[]> {
  const readings: PairReading[] = [];
  const { signal } = new AbortController();
  const watch = { namespace: 'default', resourceVersion, timeoutSeconds, signal };
  for await (const event of api.watch(secrets, watch)) {
    if (event.type === 'BOOKMARK' || event.object.metadata.name !== name) continue;
    readings.push(readPair(event.type === 'DELETED' ? undefined : event.object));
  }
  return readings;
}
