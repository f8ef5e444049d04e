import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestReader } from '../http1/read-request.ts';
import { defaultLimits } from '../limits.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import { checkHttp2Head } from './request-head.ts';
import { plainFacts } from './server.testing.ts';

/** What both protocols have to agree on. */
function essence(head: CheckedHead): unknown {
  const { method, host, hostHeader, path, query, expectsContinue, upgrade, connectionTokens, contentLength } =
    head;
  const fields = Array.from({ length: head.fields.count }, (_, at) => [
    head.fields.name(at),
    head.fields.value(at),
  ]);
  return {
    ...{ method, host, hostHeader, path, query, expectsContinue, upgrade, connectionTokens, contentLength },
    fields: fields.filter(([name]) => name !== 'host'),
    framed: head.body === 'length',
  };
}

interface Sent {
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
}

function overHttp1({ method, host, target, fields }: Sent): unknown {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
  ];
  const read = new RequestReader(plainFacts, defaultLimits).read(`${lines.join('\r\n')}\r\n\r\n`);
  return 'head' in read ? essence(read.head) : 'refused';
}

function overHttp2({ method, host, target, fields }: Sent): unknown {
  const list = [':method', method, ':scheme', 'https', ':authority', host, ':path', target, ...fields.flat()];
  const ended = !fields.some(([name, value]) => name === 'content-length' && value !== '0');
  const result = checkHttp2Head(list, ended, plainFacts, defaultLimits);
  return 'checked' in result ? essence(result.checked) : 'refused';
}

const pieces = fc.constantFrom(
  ...[
    'a',
    'b',
    '/',
    '//',
    '.',
    '..',
    '%2e',
    '%2F',
    '%00',
    '%zz',
    '%7e',
    '%41',
    ';',
    '?',
    '#',
    '\\',
    ' ',
    '\t',
    '\x7f',
    'é',
    '"',
    '<',
    '|',
    '~',
    '@',
    ':',
    '*',
    '=',
    '&',
  ],
);
const target = fc.array(pieces, { maxLength: 8 }).map(parts => `/${parts.join('')}`);
const host = fc.oneof(
  fc.constantFrom(
    'foo.com',
    'FOO.com.',
    'foo.com:8443',
    '[::1]:80',
    '10.0.0.1',
    '',
    'a b',
    'a@b',
    'foo.com:',
    'foo..com',
    'foo.com:99999',
    'xn--bcher-kva.de',
    'a_b.c',
  ),
  fc
    .array(fc.constantFrom('a', '.', ':', '-', '_', '9', '%', '/', '[', ']', 'é'), { maxLength: 6 })
    .map(parts => parts.join('')),
);
const method = fc.constantFrom(
  'GET',
  'POST',
  'FROB',
  'get',
  'CONNECT',
  'TRACE',
  'TRACK',
  'G T',
  '',
  'A'.repeat(33),
);
const fields = fc.array(
  fc.constantFrom<readonly [string, string]>(
    ['accept', '*/*'],
    ['content-length', '5'],
    ['content-length', '0'],
    ['content-length', '-1'],
    ['content-length', '5, 5'],
    ['expect', '100-continue'],
    ['expect', 'something else'],
    ['x_y', 'z'],
    ['__proto__', 'a'],
    ['x-empty', ''],
  ),
  { maxLength: 3 },
);

describe('a request', () => {
  it('property: is read or refused alike, whichever protocol it comes by', () => {
    fc.assert(
      fc.property(fc.record({ method, host, target, fields }), sent => {
        expect(overHttp2(sent)).toEqual(overHttp1(sent));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    [{}, 'chunked'],
    [{ 'content-length': '5' }, 'length'],
    [{ 'content-length': '0' }, 'none'],
  ])('whose body is yet to come, with %j: %s', (extra, body) => {
    const list = [':method', 'POST', ':scheme', 'https', ':authority', 'foo.com', ':path', '/'];
    const result = checkHttp2Head(
      [...list, ...Object.entries(extra).flat()],
      false,
      plainFacts,
      defaultLimits,
    );
    expect('checked' in result && result.checked.body).toBe(body);
  });

  it('without :authority takes its host from the field of that name', () => {
    const list = [':method', 'GET', ':scheme', 'https', ':path', '/', 'host', 'foo.com'];
    const result = checkHttp2Head(list, true, plainFacts, defaultLimits);
    expect('checked' in result && result.checked.host.name).toBe('foo.com');
  });
});
