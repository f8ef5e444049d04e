import type { KubeObject } from '../../api/meta.ts';
import { KubeError } from '../errors.ts';
import type { WatchEvent } from '../port.ts';
import { errorOfBody, parseJson } from './body.ts';
import type { ApiAnswer } from './connection.ts';
import { errorOfWatchEvent } from './status.ts';

const newline = 0x0a;

/**
 * The lines of a stream of bytes, in whatever chunks it comes. Cut as bytes and decoded a line at a time, so that
 * a character split between two chunks stays one. What follows the last newline is a line too.
 */
async function* linesOf(chunks: AsyncIterable<unknown>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
    let rest = chunk as Buffer;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      parts.push(rest.subarray(0, end));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) parts.push(rest);
  }
  if (parts.length > 0) yield Buffer.concat(parts).toString('utf8');
}

/** One line of a watch. Throws what an ERROR event stands for, and UNAVAILABLE for a line that is no event. */
function parseWatchLine<T extends KubeObject>(what: string, line: string, nowMs: number): WatchEvent<T> {
  const parsed = parseJson(line) as { type?: unknown; object?: unknown } | undefined;
  const object = parsed?.object as KubeObject | undefined;
  if (typeof object === 'object' && object !== null) {
    const type = parsed?.type;
    if (type === 'ERROR') throw errorOfWatchEvent(what, object, nowMs);
    const version = object.metadata?.resourceVersion;
    if (typeof version === 'string') {
      if (type === 'BOOKMARK') return { type, resourceVersion: version };
      if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object: object as T };
    }
  }
  throw new KubeError('KUBE_UNAVAILABLE', `${what}: the API server sent a line that is no watch event`);
}

/** The events of a watch whose answer has begun. Ends when the server ends it; leaving it breaks the connection off. */
export async function* watchEvents<T extends KubeObject>(
  what: string,
  answer: ApiAnswer,
  signal: AbortSignal,
  now: () => number,
): AsyncGenerator<WatchEvent<T>> {
  const lines = linesOf(answer.body);
  try {
    for (;;) {
      let next: IteratorResult<string>;
      try {
        next = await lines.next();
      } catch (thrown) {
        throw errorOfBody(what, thrown, signal);
      }
      if (next.done === true) return;
      if (next.value.trim() === '') continue;
      yield parseWatchLine<T>(what, next.value, now());
    }
  } finally {
    answer.done();
    answer.body.destroy();
  }
}
