import { LruMap } from './lru.ts';

/**
 * `read`, whose last `capacity` results are remembered by their text, so that what is read again and again is parsed
 * once. For results that nobody changes. What throws is not remembered.
 */
export function remembering<V extends object>(
  capacity: number,
  read: (text: string) => V,
): (text: string) => V {
  const known = new LruMap<string, V>(capacity);
  return text => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const value = read(text);
    known.set(text, value);
    return value;
  };
}
