/** A Prefix path without its trailing slash: `/foo/` and `/foo` are one prefix, `/` is `''`. */
export function prefixKey(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}

/** How many elements a prefix key has: `''` none, `/foo` one. */
export function elementCount(key: string): number {
  let count = 0;
  for (let at = key.indexOf('/'); at >= 0; at = key.indexOf('/', at + 1)) count += 1;
  return count;
}

/** The first `count` elements of a path, or the whole path where it has no more. */
export function firstElements(path: string, count: number): string {
  let at = path.indexOf('/');
  for (let seen = 0; seen < count && at >= 0; seen += 1) at = path.indexOf('/', at + 1);
  return at < 0 ? path : path.slice(0, at);
}
