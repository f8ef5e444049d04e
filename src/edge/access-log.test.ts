import { describe, expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import type { AccessLogEntry } from './access-log.ts';
import { entryFormatter, parseAccessLogFormat } from './access-log-format.ts';
import { AccessLogWriter } from './access-log-writer.ts';

const entry: AccessLogEntry = {
  timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  method: 'GET',
  host: 'foo.com',
  path: '/a',
  protocol: '1.1',
  status: 200,
  bytesReceived: 0,
  bytesSent: 12,
  durationMs: 3.25,
  clientAddress: '192.0.2.1',
  secure: true,
  tlsVersion: 'TLSv1.3',
  requestId: undefined,
  referer: undefined,
  userAgent: 'curl"\n\u001b[31m',
  ingress: 'shop/web',
  upstream: '10.0.0.1:80',
  upstreamMs: undefined,
  reason: undefined,
};

describe('lines of the access log', () => {
  it('are JSON objects', () => {
    const line = entryFormatter({ kind: 'json' })(entry);
    expect(JSON.parse(line)).toMatchObject({
      time: '2026-01-02T03:04:05.678Z',
      status: 200,
      ingress: 'shop/web',
    });
    expect(line).not.toContain('\n');
  });

  it('follow a format, and nothing that a client sends leaves its place', () => {
    const template =
      '$remote_addr [$time_iso8601] "$request_method $uri $server_protocol" $status "$http_user_agent" $upstream_response_time';
    const format = parseAccessLogFormat(template);
    if ('error' in format) throw new Error(format.error);
    expect(entryFormatter(format)(entry)).toBe(
      '192.0.2.1 [2026-01-02T03:04:05.678Z] "GET /a HTTP/1.1" 200 "curl\\x22\\x0A\\x1B[31m" -',
    );
  });

  it.each([
    ['$statuss', 'there is no $statuss'],
    ['combined', 'no variable'],
    ['$request_uri', 'there is no $request_uri'],
    ['$constructor', 'there is no $constructor'],
  ])('%j is no format', (text, error) => {
    expect(parseAccessLogFormat(text)).toEqual({ error: expect.stringContaining(error) });
  });

  it('are gathered for a moment, and no longer', () => {
    const clock = manualClock();
    const sent: string[] = [];
    const log = new AccessLogWriter({ kind: 'text', template: '$status' }, clock, lines => sent.push(lines));
    log.write(entry);
    log.write(entry);
    expect(sent).toEqual([]);
    clock.advance(100);
    expect(sent).toEqual(['200\n200\n']);
    log.write(entry);
    log.flush();
    clock.advance(1_000);
    expect(sent).toEqual(['200\n200\n', '200\n']);
  });
});
