/** The shortest part of a stream, found by taking pieces out, for which `fails` still holds. Resolves with it. */
export async function minimised(
  stream: string,
  fails: (stream: string) => Promise<boolean>,
): Promise<string> {
  let best = stream;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length; ) {
      const shorter = best.slice(0, at) + best.slice(at + size);
      if (await fails(shorter)) best = shorter;
      else at += size;
    }
  }
  return best;
}
