import { mutated } from './mutated.testing.ts';
import type { Random } from './random.testing.ts';
import { chunked } from './request-streams.testing.ts';

const statusLines = [
  ...[
    'HTTP/1.1 200 OK',
    'HTTP/1.1 200 OK',
    'HTTP/1.1 404 Not Found',
    'HTTP/1.0 200 OK',
    'HTTP/1.1 204 No Content',
  ],
  ...['HTTP/1.1 304 Not Modified', 'HTTP/1.1 500 ', 'HTTP/1.1 206 Partial Content'],
] as unknown as readonly [string, ...string[]];
const oddStatusLines = [
  ...[
    'HTTP/1.1 200',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 X',
    'HTTP/1.1 600 X',
  ],
  ...[
    'HTTP/2.0 200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1 101 Switching Protocols',
    'HTTP/1.1 100 Continue',
    'HTTP/1.1 205 Reset',
  ],
  ...[
    'ICY 200 OK',
    'HTTP/1.1 200 O\u0000K',
    'HTTP/1.1 200 \u00e9',
    'HTTP/1.1 +200 OK',
    'GET / HTTP/1.1',
    '200 OK',
    '',
  ],
] as unknown as readonly [string, ...string[]];
const interims = [
  ...[
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
    'HTTP/1.1 102 Processing\r\n\r\n',
  ],
  ...['HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello', 'HTTP/1.1 199 X\r\n\r\n'],
] as unknown as readonly [string, ...string[]];
const fields = [
  ...[
    'Content-Type: text/plain',
    'Set-Cookie: a=b',
    'Connection: close',
    'Connection: keep-alive',
    'X : y',
    'X: a\r\n b',
  ],
  ...[
    'X: a\u0000b',
    'X: a\nb',
    'X: a\rb',
    'X',
    ': y',
    'Keep-Alive: timeout=5',
    'Trailer: X-End',
    'Upgrade: x',
    'x-high: \u00ff',
  ],
  ...['Connection: Content-Length', 'Connection: Transfer-Encoding', 'Content_Length: 9', ' X: y', 'X:'],
] as unknown as readonly [string, ...string[]];
const framings = [
  ...[
    'Content-Length: +5',
    'Content-Length: 5, 5',
    'Content-Length: -1',
    'Content-Length: 0x5',
    'Content-Length: 5 5',
  ],
  ...['Content-Length:', 'Content-Length: 05', 'Content-Length : 5', 'Content-Length: 99999999999999999999'],
  ...['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: chunked, gzip', 'Transfer-Encoding: identity'],
  ...[
    'Transfer-Encoding: CHUNKED',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding:\u000bchunked',
    'Transfer-Encoding:',
  ],
  ...[
    'Transfer-Encoding : chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 5',
    'Content-Length: 5\r\nContent-Length: 5',
  ],
] as unknown as readonly [string, ...string[]];
const bodies = [
  'hello',
  '',
  'x',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  '0\r\n\r\n',
  '\u0000\u00ff',
] as const;

/** What an upstream might send for one request, in good faith or not. A byte a character. */
export function responseStream(random: Random): string {
  let stream = '';
  while (random.once(6)) stream += random.pick(interims);
  const lines = [random.once(12) ? random.pick(oddStatusLines) : random.pick(statusLines)];
  for (let left = random.below(3); left > 0; left -= 1)
    lines.push(random.once(2) ? 'Date: now' : random.pick(fields));
  let body: string = random.pick(bodies);
  switch (random.below(6)) {
    case 0:
      break;
    case 1:
    case 2:
      lines.push(`Content-Length: ${random.once(8) ? random.below(9) : body.length}`);
      break;
    case 3:
    case 4:
      lines.push('Transfer-Encoding: chunked');
      body = chunked(body, random);
      break;
    default:
      lines.push(random.pick(framings));
      if (random.once(2)) body = chunked(body, random);
  }
  stream += `${lines.join('\r\n')}\r\n\r\n${body}`;
  if (random.once(10)) stream += random.pick(['HTTP/1.1 200 OK\r\n\r\n', 'x', '\r\n']);
  return random.once(3) ? mutated(stream, random) : stream;
}
