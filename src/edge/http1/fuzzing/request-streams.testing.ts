import { mutated } from './mutated.testing.ts';
import type { Random } from './random.testing.ts';

const methods = ['GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'] as const;
const oddMethods = ['get', 'CONNECT', 'TRACE', 'PRI', 'G\tT', ' GET', 'M-SEARCH', 'PROPFIND'] as const;
const targets = ['/', '/a', '/a/b?c=d', '/x%20y', '/a//b', '/?', '/;p=1'] as const;
const oddTargets = [
  ...['*', '/a b', '/#f', '/a/../b', '/%2e%2e/b', '/a/./b', '/\\@evil', '//evil/', '/%00', '/a?b#c', ''],
  ...['http://foo.com/', 'http://foo.com?x', 'http://bar.com/', 'foo.com:80', '/\u00e9', '/a|b', '/?a=|{}`'],
] as unknown as readonly [string, ...string[]];
const versions = [
  'HTTP/1.0',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.1 ',
] as const;
const hosts = [
  ...['Host: bar.com', 'Host:', 'Host: a b@c', 'Host: foo.com, bar.com', 'host:foo.com', 'Host: foo.com:80'],
  ...['Host: [::1]', 'Host : foo.com', 'Host: foo.com/', 'X-Host: foo.com', ' Host: foo.com'],
] as unknown as readonly [string, ...string[]];
const fields = [
  ...['X: y', 'Accept: */*', 'Cookie: a=b; c="d"', 'X-Empty:', 'X-Blank: \t ', 'x-high: \u00e9\u00ff'],
  ...['Connection: keep-alive', 'Connection: close', 'Connection: X, Content-Length', 'Connection: , ,close'],
  ...[
    'Connection: Transfer-Encoding',
    'Connection: Host',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: close',
  ],
  ...['TE: trailers', 'Trailer: X-End', 'Expect: 100-continue', 'Expect: other', '__proto__: 1'],
  ...[
    'Upgrade: websocket',
    'Upgrade: h2c',
    'Connection: Upgrade',
    'X_Forwarded_For: 1.2.3.4',
    'X-A: b\r\n folded',
  ],
  ...[
    'Content_Length: 5',
    'X:\u000bContent-Length: 5',
    'X\u0000: y',
    'X: a\u0000b',
    'X: a\rb',
    'X: a\nb',
    ': y',
    'X',
  ],
] as unknown as readonly [string, ...string[]];
const lengths = [
  ...[
    'Content-Length: +5',
    'Content-Length: -1',
    'Content-Length: 0x5',
    'Content-Length: 5, 5',
    'Content-Length: 5 ',
  ],
  ...[
    'Content-Length: 05',
    'Content-Length:',
    'Content-Length: 5;',
    'Content-Length: 5 5',
    'Content-Length : 5',
  ],
  ...[
    'Content-Length: 99999999999999999999',
    'Content-Length:\t5',
    'content-length:5',
    'Content-Length: 5\t',
  ],
  ...['Content-Length: 1_0', 'Content-Length: 1e1', 'Content-Length: \u0665', 'Content-Length\t: 5'],
] as unknown as readonly [string, ...string[]];
const codings = [
  ...['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: chunked, gzip', 'Transfer-Encoding: identity'],
  ...['Transfer-Encoding:\tchunked', 'transfer-encoding:CHUNKED', 'Transfer-Encoding: xchunked'],
  ...['Transfer-Encoding: chunked,', 'Transfer-Encoding: ,chunked', 'Transfer-Encoding: "chunked"'],
  ...['Transfer-Encoding: chunked;q=1', 'Transfer-Encoding : chunked', 'Transfer-Encoding: chunked \t'],
  ...[
    'Transfer-Encoding:',
    'Transfer-Encoding:\u000bchunked',
    'Transfer_Encoding: chunked',
    'Transfer-Encoding: chunked, chunked',
  ],
  ...['X: y\nTransfer-Encoding: chunked', ' Transfer-Encoding: chunked', 'Transfer-\r\n Encoding: chunked'],
] as unknown as readonly [string, ...string[]];
const bodies = [
  'hello',
  'x',
  '',
  'GET /smuggled HTTP/1.1\r\nHost: foo.com\r\n\r\n',
  '0\r\n\r\n',
  '\r\n',
  '\u0000\u00ff',
] as const;
const lineEnds = ['\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\r\n\r\n', '\u0000\r\n'] as const;
const trailers = [
  ...[
    'X-End: 1\r\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Host: bar.com\r\n',
    'X\r\n',
    ' X: 1\r\n',
  ],
  ...['X : 1\r\n', 'X: 1\n', 'X: a\rb\r\n', '\u0000: 1\r\n', 'GET /smuggled HTTP/1.1\r\n'],
] as unknown as readonly [string, ...string[]];
const sizeSuffixes = [
  ';a=b',
  ';a="\r\n"',
  ' ',
  ' ;a',
  '\t',
  ';',
  ';a\nb',
  '\u0000',
  ';\u00ff',
  'g',
  ',',
  '.0',
] as const;

/**
 * The bytes of one connection: requests that mostly make sense, with oddities that parsers have disagreed about, some bytes
 * changed at random. A byte a character.
 */
export function requestStream(random: Random): string {
  let stream = '';
  const count = 1 + random.below(3);
  for (let index = 0; index < count; index += 1) stream += oneRequest(random);
  return random.once(3) ? mutated(stream, random) : stream;
}

/** How often something is odd: one time in this many. Whole requests are to get through often enough. */
const odd = 12;

function oneRequest(random: Random): string {
  const method = random.once(odd) ? random.pick(oddMethods) : random.pick(methods);
  const target = random.once(odd) ? random.pick(oddTargets) : random.pick(targets);
  const version = random.once(odd) ? random.pick(versions) : 'HTTP/1.1';
  const lines = [`${method} ${target} ${version}`];
  lines.push(random.once(odd) ? random.pick(hosts) : 'Host: foo.com');
  if (random.once(odd * 2)) lines.push(random.pick(hosts));
  for (let left = random.below(4); left > 0; left -= 1) lines.push(random.pick(fields));
  const [framing, body] = framedBody(random);
  for (const line of framing) lines.splice(1 + random.below(lines.length), 0, line);
  const end = (): string => (random.once(odd * 6) ? random.pick(lineEnds) : '\r\n');
  const before = random.once(odd * 2) ? random.pick(['\r\n', '\n', ' ', '\r\n\r\n', '\u0000']) : '';
  return before + lines.map(line => line + end()).join('') + end() + body;
}

function framedBody(random: Random): [lines: string[], body: string] {
  const body = random.pick(bodies);
  switch (random.below(7)) {
    case 0:
    case 1:
      return [[], random.once(odd) ? body : ''];
    case 2:
      return [[`Content-Length: ${body.length}`], body];
    case 3:
      return [['Transfer-Encoding: chunked'], chunked(body, random)];
    case 4:
      return [[random.once(2) ? random.pick(lengths) : `Content-Length: ${random.below(12)}`], body];
    case 5:
      return [[random.pick(codings)], random.once(2) ? chunked(body, random) : body];
    default: {
      const length = random.once(3) ? random.pick(lengths) : `Content-Length: ${body.length}`;
      const other = random.once(2) ? random.pick(codings) : 'Transfer-Encoding: chunked';
      const pairs = [[length, other], [length, length], [other, other], [length]] as const;
      return [[...random.pick(pairs)], random.once(2) ? chunked(body, random) : body];
    }
  }
}

/** A body in chunks, of the kind that requests and answers share. */
export function chunked(body: string, random: Random): string {
  const at = random.below(body.length + 1);
  const parts = [body.slice(0, at), body.slice(at)].filter(part => part !== '');
  const line = (): string => (random.once(odd * 2) ? random.pick(lineEnds) : '\r\n');
  const sizeOf = (size: number): string => {
    if (random.once(odd))
      return random.pick(['0x', '+', '-', '00', ' ', '\n', 'ffffffff', '00000000000000']) + size.toString(16);
    return size.toString(16) + (random.once(odd) ? random.pick(sizeSuffixes) : '');
  };
  const wrong = (): number => (random.once(odd * 2) ? random.below(4) - 1 : 0);
  const chunks = parts.map(part => sizeOf(Math.max(0, part.length + wrong())) + line() + part + line());
  const last = random.once(odd) ? '' : `${sizeOf(0)}${line()}`;
  const section = random.once(6) ? random.pick(trailers) : '';
  return chunks.join('') + last + section + (random.once(odd) ? '' : line());
}
