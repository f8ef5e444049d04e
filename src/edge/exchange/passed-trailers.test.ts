import { describe, expect, it } from 'vitest';
import { readTrailers } from '../http1/trailers.ts';
import { Http2Fields } from '../http2/fields.ts';
import { edits } from '../policy/header-edits.ts';
import type { HeaderFields } from './header-fields.ts';
import { answerTrailers, requestTrailers } from './passed-trailers.ts';

/** What a peer may try to say behind a body. */
const sent: readonly (readonly [name: string, value: string])[] = [
  ['x-sum', '1'],
  ['x-forwarded-for', '6.6.6.6'],
  ['x-real-ip', '6.6.6.6'],
  ['forwarded', 'for=6.6.6.6'],
  ['ssl-client-verify', 'SUCCESS'],
  ['x_forwarded_for', '7.7.7.7'],
  ['x-original-url', '/admin'],
  ['proxy', 'http://evil'],
  ['authorization', 'Basic Zm9v'],
  ['cookie', 'a=1'],
  ['set-cookie', 'a=1'],
  ['content-type', 'text/html'],
  ['location', '/elsewhere'],
  ['trailer', 'x'],
  ['keep-alive', 'timeout=5'],
  ['te', 'gzip'],
  ['upgrade', 'h2c'],
  ['x-set', 'forged'],
  ['x-removed', 'forged'],
  ['grpc-status', '0'],
];

const headEdits = edits({ set: [['X-Set', 'by the edge']], remove: ['x-removed'] });

function namesOf(fields: HeaderFields | undefined): string[] {
  return Array.from({ length: fields?.count ?? 0 }, (_, index) => fields?.name(index) ?? '');
}

function overHttp1(fields: typeof sent): HeaderFields {
  const read = readTrailers(`${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  if (read === undefined || 'fault' in read) throw new Error('refused');
  return read;
}

describe.each([
  ['HTTP/1.1', overHttp1(sent)],
  ['HTTP/2', new Http2Fields([...sent, ['content-length', '5'], ['host', 'evil']].flat())],
])('trailers over %s', (_protocol, trailers) => {
  it('of a request say nothing that its head may not', () => {
    expect(namesOf(requestTrailers(trailers, headEdits))).toEqual(['x-sum', 'grpc-status']);
  });

  it('of an answer change neither the head nor the connection', () => {
    expect(namesOf(answerTrailers(trailers, headEdits))).toEqual([
      'x-sum',
      'x-forwarded-for',
      'x-real-ip',
      'forwarded',
      'ssl-client-verify',
      'x_forwarded_for',
      'x-original-url',
      'proxy',
      'grpc-status',
    ]);
  });

  it('of which none is left are none', () => {
    const one = new Http2Fields(['set-cookie', 'a=1']);
    expect([requestTrailers(one, undefined), answerTrailers(one, undefined)]).toEqual([undefined, undefined]);
  });
});
