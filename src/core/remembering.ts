import { LruMap } from './lru.ts';

/** A burst is over by then, and what it needed is memory for nothing. */
const forgottenAfterMs = 60_000;

/**
 * `read`, whose last `capacity` results are remembered by their text, so that what is read again and again is parsed
 * once; all are forgotten every minute. For results that nobody changes. What throws is not remembered.
 */
export function remembering<V extends object>(
  capacity: number,
  read: (text: string) => V,
): (text: string) => V {
  let known = new LruMap<string, V>(capacity);
  let timer: NodeJS.Timeout | undefined;
  const forget = (): void => {
    known = new LruMap<string, V>(capacity);
    timer = undefined;
  };
  return text => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const value = read(text);
    known.set(text, value);
    timer ??= setTimeout(forget, forgottenAfterMs).unref();
    return value;
  };
}
