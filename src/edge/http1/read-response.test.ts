import { describe, expect, it } from 'vitest';
import { wireOf } from '../exchange/header-fields.ts';
import { ResponseReader } from './read-response.ts';

function read(text: string, method = 'GET'): ReturnType<ResponseReader['read']> {
  return new ResponseReader().read(text, method);
}

describe('a response', () => {
  it.each<[what: string, text: string, fault: string]>([
    ['no HTTP', 'nonsense\r\n\r\n', 'malformed status line'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n', 'malformed status line'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n', 'malformed status'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'malformed status'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'malformed status'],
    ['a status beyond all', 'HTTP/1.1 600 OK\r\n\r\n', 'malformed status'],
    ['a carriage return in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n', 'malformed reason phrase'],
    [
      'two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      'repeated body framing',
    ],
    [
      'two equal lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
      'repeated body framing',
    ],
    [
      'both framings',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'repeated body framing',
    ],
    [
      'both, the other way round',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n',
      'repeated body framing',
    ],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n', 'malformed Content-Length'],
    ['a coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 'transfer coding'],
    [
      'chunks in HTTP/1.0',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      'Transfer-Encoding in HTTP/1.0',
    ],
    ['folding', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n', 'obsolete line folding'],
    [
      'a split by a carriage return',
      'HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\n\r\n',
      'bare carriage return',
    ],
    ['a split by a line feed', 'HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b\r\n\r\n', 'bare line feed'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n', 'NUL in a field'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nX : a\r\n\r\n', 'space before the colon'],
    ['a flood of fields', `HTTP/1.1 200 OK\r\n${'X: a\r\n'.repeat(300)}\r\n`, 'too many headers'],
  ])('with %s is refused', (_what, text, fault) => {
    expect(read(text)).toMatchObject({ fault });
  });

  it.each<[what: string, text: string, method: string, expected: object]>([
    [
      'with a length',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
      'GET',
      { framing: { kind: 'length', length: 5 }, persistent: true },
    ],
    [
      'in chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n',
      'GET',
      { framing: { kind: 'open' }, chunked: true, persistent: true },
    ],
    [
      'to the end of the connection',
      'HTTP/1.1 200 OK\r\n\r\n',
      'GET',
      { framing: { kind: 'open' }, chunked: false },
    ],
    [
      'to HEAD',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
      'HEAD',
      { framing: { kind: 'length', length: 5 }, bodiless: true },
    ],
    [
      'to HEAD without a length',
      'HTTP/1.1 200 OK\r\n\r\n',
      'HEAD',
      { framing: { kind: 'none' }, bodiless: true },
    ],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 'GET', { framing: { kind: 'none' }, bodiless: true }],
    [
      '304 with a length',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
      'GET',
      { framing: { kind: 'length', length: 5 }, bodiless: true },
    ],
    ['without a reason', 'HTTP/1.1 200 \r\n\r\n', 'GET', { status: 200, statusText: '' }],
    ['without a reason and its blank', 'HTTP/1.1 200\r\n\r\n', 'GET', { status: 200, statusText: '' }],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n', 'GET', { persistent: false }],
    [
      'of HTTP/1.0 that stays',
      'HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n',
      'GET',
      { persistent: true },
    ],
    [
      'that closes',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n',
      'GET',
      { persistent: false },
    ],
    [
      'that says how long it stays',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nKeep-Alive: timeout=5\r\n\r\n',
      'GET',
      { idleSeconds: 5 },
    ],
  ])('%s', (_what, text, method, expected) => {
    expect(read(text, method)).toMatchObject(expected);
  });

  it('passes on what is not of its connection, as it was written', () => {
    const text =
      'HTTP/1.1 200 OK\r\nServer: x\r\nConnection: X-Hop\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a=1 \r\nX-Hop: 1\r\n' +
      'set-cookie:b=2\r\nContent-Length: 5\r\nTrailer: X\r\nX_Under: kept\r\n\r\n';
    const head = read(text);
    if ('fault' in head) throw new Error(head.fault);
    expect(wireOf(head.fields)).toBe('Server: x\r\nSet-Cookie: a=1 \r\nset-cookie:b=2\r\nX_Under: kept\r\n');
    expect(head.fields.value(1)).toBe('a=1');
  });

  it('shares the fields with the response before, where they are the same', () => {
    const reader = new ResponseReader();
    const text = 'HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\n';
    const [first, second] = [reader.read(text, 'GET'), reader.read(text.replace('200 OK', '404 No'), 'GET')];
    const third = reader.read(text.replace('5', '6'), 'GET');
    if ('fault' in first || 'fault' in second || 'fault' in third) throw new Error('refused');
    expect(second.fields).toBe(first.fields);
    expect(second.status).toBe(404);
    expect(third.framing).toEqual({ kind: 'length', length: 6 });
  });
});
