import { messageOf } from '../../core/errors.ts';
import { KubeError } from '../errors.ts';
import { type ApiAnswer, abortErrorOf } from './connection.ts';

/** What a body that broke off stands for: the caller's abort, our deadline, or the network. */
export function errorOfBody(what: string, thrown: unknown, signal: AbortSignal | undefined): Error {
  if (signal?.aborted === true) return abortErrorOf(signal);
  if (thrown instanceof KubeError) return thrown;
  return new KubeError('KUBE_UNAVAILABLE', `${what}: the answer broke off: ${messageOf(thrown)}`, {
    cause: thrown,
  });
}

/** Parses JSON; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a whole answer as JSON; undefined where it is none. Throws as `errorOfBody` says. */
export async function readJson(
  what: string,
  answer: ApiAnswer,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer.body) chunks.push(chunk as Buffer);
  } catch (thrown) {
    throw errorOfBody(what, thrown, signal);
  } finally {
    answer.done();
  }
  // Decoded whole, so that a character split between two chunks stays one.
  return parseJson(Buffer.concat(chunks).toString('utf8'));
}
