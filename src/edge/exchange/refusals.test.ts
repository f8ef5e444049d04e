import { connect } from 'node:http2';
import { afterEach, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.testing.ts';
import { silentLogger } from '../../core/logger.ts';
import { anIngress } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import { ask, plainFacts } from '../http2/server.testing.ts';
import { noEdgeMetrics } from '../metrics.ts';
import { rawClient } from '../raw-peers.testing.ts';
import { Refusals } from './refusals.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

async function anEdge(): Promise<TestEdge> {
  const ingress = anIngress({ rules: { 'foo.com': [['/', 'Prefix']] } });
  const started = await startTestEdge([ingress, ...loopbackService('web', 1)]);
  open.push({ close: () => started.edge.stop() });
  return started;
}

function refusalsOf({ logs }: TestEdge): unknown[] {
  return logs
    .filter(({ message }) => message === 'a request was refused')
    .map(({ level, fields }) => [level, fields]);
}

it('an ambiguous HTTP/1.1 request is logged, without what the client sent', async () => {
  const edge = await anEdge();
  for (let time = 0; time < 3; time += 1) {
    const client = rawClient(edge.httpPort);
    client.send('GET /secret HTTP/1.1\r\nHost: foo.com\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n');
    expect((await client.closed()).text).toMatch(/^HTTP\/1\.1 400 /);
  }
  const fields = { reason: 'repeated body framing', status: 400, client: '127.0.0.1', protocol: 'HTTP/1.1' };
  expect(refusalsOf(edge)).toEqual([['warn', fields]]);
});

it('an ambiguous HTTP/2 request is logged, too', async () => {
  const edge = await anEdge();
  const session = connect(`https://127.0.0.1:${edge.httpsPort}`, { rejectUnauthorized: false });
  session.on('error', () => {});
  open.push({ close: () => session.destroy() });
  expect((await ask(session, { ':authority': 'foo.com', ':path': '/a/../../b' })).status).toBe(400);
  const fields = { reason: 'malformed path', status: 400, client: '127.0.0.1', protocol: 'HTTP/2' };
  expect(refusalsOf(edge)).toEqual([['warn', fields]]);
});

it('of many of a kind one is logged in ten seconds, and each is counted', () => {
  const clock = manualClock();
  const counted: string[] = [];
  const logged: unknown[] = [];
  const refusals = new Refusals(
    {
      metrics: { ...noEdgeMetrics, refused: reason => counted.push(reason) },
      accessLog: undefined,
      logger: { ...silentLogger, warn: (_message, fields) => void logged.push(fields?.['reason']) },
    },
    'HTTP/1.1',
    clock,
  );
  for (const reason of ['a', 'a', 'b', 'a']) refusals.record({ status: 400, reason }, plainFacts);
  expect([counted.length, logged]).toEqual([4, ['a', 'b']]);
  clock.advance(10_000);
  refusals.record({ status: 400, reason: 'a' }, plainFacts);
  expect(logged).toEqual(['a', 'b', 'a']);
});
