import type { Random } from './random.testing.ts';

/** Bytes that steer a parser somewhere. */
const telling = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\u0000',
    '\u000b',
    '\u007f',
    '\u0080',
    '\u00ff',
    ':',
    ';',
    ',',
  ],
  ...['0', '1', '-', '+', '_', '/', '?', '#', '%', '\\', '"', 'HTTP/1.1', '0\r\n\r\n'],
] as unknown as readonly [string, ...string[]];

/** A few bytes taken out, put in, changed, repeated or cut off. */
export function mutated(stream: string, random: Random): string {
  let out = stream;
  for (let left = 1 + random.below(2); left > 0; left -= 1) {
    const at = random.below(out.length + 1);
    const span = 1 + random.below(random.once(3) ? 40 : 2);
    switch (random.below(5)) {
      case 0:
        out = out.slice(0, at) + out.slice(at + span);
        break;
      case 1:
        out = out.slice(0, at) + random.pick(telling) + out.slice(at);
        break;
      case 2:
        out = out.slice(0, at) + random.pick(telling) + out.slice(at + 1);
        break;
      case 3:
        out = out.slice(0, at + span) + out.slice(at);
        break;
      default:
        out = random.once(4)
          ? out.slice(0, at)
          : out.slice(0, at) + String.fromCharCode(random.below(256)) + out.slice(at + 1);
    }
  }
  return out;
}
