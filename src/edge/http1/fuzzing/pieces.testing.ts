import { readByCodec } from './codec-reading.testing.ts';
import type { Random } from './random.testing.ts';
import type { Reading } from './reading.testing.ts';

/** Why the codec reads these bytes otherwise when they come in pieces: one by one, and cut at random. Undefined where it does not. */
export function piecesDiffer(bytes: Buffer, random: Random): string | undefined {
  const whole = readByCodec([bytes]);
  const single = readByCodec(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)));
  const first = random.below(bytes.length + 1);
  const second = first + random.below(bytes.length + 1 - first);
  const cut = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
  const some = readByCodec(cut.filter(piece => piece.length > 0));
  return (
    difference('byte by byte', whole, single) ?? difference(`cut at ${first} and ${second}`, whole, some)
  );
}

/** The reason of a refusal may depend on how much was there to be looked at; that there is one may not. */
function difference(how: string, whole: Reading, pieces: Reading): string | undefined {
  const [one, two] = [whole, pieces].map(({ requests, refused, closed }) =>
    JSON.stringify({ requests, closed: closed || refused !== undefined }),
  );
  return one === two ? undefined : `${how}: ${two} in the place of ${one}`;
}
