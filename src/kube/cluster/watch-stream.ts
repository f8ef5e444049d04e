import type { KubeObject } from '../../api/meta.ts';
import { KubeError } from '../errors.ts';
import type { WatchEvent } from '../port.ts';
import { errorOfBody, parseJson } from './body.ts';
import type { ApiAnswer } from './connection.ts';
import { errorOfWatchEvent } from './status.ts';

const newline = 0x0a;

/**
 * Cuts bytes, in whatever chunks they come, into lines. As bytes, and decoded a line at a time, so that a character split
 * between two chunks stays one.
 */
class LineCutter {
  #begun: Buffer[] = [];

  /** The lines that this chunk completes. */
  *cut(chunk: Buffer): Generator<string> {
    let rest = chunk;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      this.#begun.push(rest.subarray(0, end));
      yield this.rest();
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) this.#begun.push(rest);
  }

  /** What has come since the last newline. */
  rest(): string {
    const line = Buffer.concat(this.#begun).toString('utf8');
    this.#begun = [];
    return line;
  }
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
  const lines = new LineCutter();
  const eventIn = (line: string): WatchEvent<T> | undefined =>
    line.trim() === '' ? undefined : parseWatchLine<T>(what, line, now());
  try {
    for await (const chunk of answer.body) {
      for (const line of lines.cut(chunk as Buffer)) {
        const event = eventIn(line);
        if (event !== undefined) yield event;
      }
    }
    const last = eventIn(lines.rest());
    if (last !== undefined) yield last;
  } catch (thrown) {
    throw errorOfBody(what, thrown, signal);
  } finally {
    answer.done();
    answer.body.destroy();
  }
}
