import type { IncomingMessage } from 'node:http';
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
  try {
    return parseJson(await textOf(answer.body));
  } catch (thrown) {
    throw errorOfBody(what, thrown, signal);
  } finally {
    answer.done();
  }
}

/** By events: an async iterator takes a third of what a whole request takes. */
function textOf(body: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const broken = (): void => reject(body.errored ?? new Error('it was closed before its end'));
    if (body.destroyed) broken();
    body.on('data', (chunk: Buffer) => chunks.push(chunk));
    body.once('end', () => {
      // An error for each answer that ends well, with its stack, takes as long as half of what is read.
      body.off('close', broken);
      // Decoded whole, so that a character split between two chunks stays one.
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    body.once('error', reject);
    body.once('close', broken);
  });
}
