import { describe, expect, it } from 'vitest';
import { readProxyHeader } from './proxy-header.ts';

const signature = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];
const binary = (command: number, family: number, body: readonly number[], length = body.length): Buffer =>
  Buffer.from([...signature, 0x20 | command, family, length >> 8, length & 255, ...body]);
const ports = [0, 80, 1, 187];

describe('PROXY protocol', () => {
  it.each([
    ['TCP4', 'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n', '192.0.2.1'],
    ['TCP6', 'PROXY TCP6 2001:DB8::1 2001:db8::2 56324 443\r\n', '2001:db8::1'],
  ])('version 1, %s, tells the client', (_family, line, address) => {
    expect(readProxyHeader(Buffer.from(`${line}GET /`))).toEqual({
      kind: 'client',
      bytes: line.length,
      address,
    });
    for (let length = 1; length < line.length; length += 1)
      expect(readProxyHeader(Buffer.from(line.slice(0, length)))).toEqual({ kind: 'incomplete' });
  });

  it.each(['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'])('%j tells none', line => {
    expect(readProxyHeader(Buffer.from(line))).toEqual({ kind: 'local', bytes: line.length });
  });

  it.each([
    ['version 2, IPv4', binary(1, 0x11, [192, 0, 2, 1, 198, 51, 100, 2, ...ports]), '192.0.2.1'],
    [
      'version 2, IPv4, with TLVs',
      binary(1, 0x11, [192, 0, 2, 1, 198, 51, 100, 2, ...ports, 4, 0, 1, 0]),
      '192.0.2.1',
    ],
    [
      'version 2, IPv6',
      binary(1, 0x21, [
        32,
        1,
        13,
        184,
        ...Array<number>(11).fill(0),
        1,
        ...Array<number>(16).fill(0),
        ...ports,
      ]),
      '2001:db8::1',
    ],
  ])('%s tells the client', (_what, bytes, address) => {
    expect(readProxyHeader(bytes)).toEqual({ kind: 'client', bytes: bytes.length, address });
    for (let length = 1; length < bytes.length; length += 1)
      expect(readProxyHeader(bytes.subarray(0, length))).toEqual({ kind: 'incomplete' });
  });

  it.each([
    ['LOCAL', binary(0, 0, [])],
    ['a UNIX socket', binary(1, 0x31, Array<number>(216).fill(0))],
  ])('version 2, %s, tells none', (_what, bytes) => {
    expect(readProxyHeader(bytes)).toEqual({ kind: 'local', bytes: bytes.length });
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['TLS', Buffer.from([22, 3, 1])],
    ['a line that never ends', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
    ['an address of the other family', Buffer.from('PROXY TCP4 2001:db8::1 192.0.2.1 1 2\r\n')],
    ['no address', Buffer.from('PROXY TCP4 a b 1 2\r\n')],
    ['a port too high', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 65536 1\r\n')],
    ['two blanks', Buffer.from('PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n')],
    ['version 3', Buffer.from([...signature, 0x31, 0x11, 0, 0])],
    ['an unknown command', binary(2, 0x11, Array<number>(12).fill(1))],
    ['an IPv4 body too short', binary(1, 0x11, [192, 0, 2, 1])],
    ['a body too long', binary(1, 0x11, [], 60_000)],
  ])('%s is malformed', (_what, bytes) => {
    expect(readProxyHeader(bytes)).toEqual({ kind: 'malformed' });
  });
});
