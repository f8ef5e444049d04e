import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noEdgeMeasurements } from '../../../runtime/edge-measurements.ts';
import { anIngress } from '../../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../../edge.testing.ts';
import { rawClient } from '../../raw-peers.testing.ts';
import { startUpstream, type TestUpstream } from '../../upstreams.testing.ts';
import { readByCodec } from './codec-reading.testing.ts';
import { corpus } from './corpus.testing.ts';

const cases = corpus('requests/refused');

describe('what could be read in two ways is refused by the edge: answered, closed, and not forwarded', () => {
  let upstream: TestUpstream;
  let edge: TestEdge;
  let reached: string[] = [];
  let refused = 0;

  beforeAll(async () => {
    upstream = await startUpstream((request, response) => {
      request.resume();
      request.on('error', () => {});
      request.on('end', () => {
        reached.push(request.url ?? '');
        response.end();
      });
    });
    edge = await startTestEdge(
      [anIngress({ rules: { '': [['/', 'Prefix']] } }), ...loopbackService('web', upstream.port)],
      { accessLog: { kind: 'json' } },
      {
        measurements: {
          ...noEdgeMeasurements,
          counted: (_worker, delta) => {
            for (const count of delta.refused.values()) refused += count;
          },
        },
      },
    );
  });
  afterAll(async () => {
    await edge.edge.stop();
    await upstream.close();
  });

  it.each(cases)('$name', async ({ bytes }) => {
    const before = readByCodec([bytes]).requests.map(({ target }) => target);
    reached = [];
    const client = rawClient(edge.httpPort);
    client.send(bytes.toString('latin1'));
    const { text } = await client.closed();
    const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
    expect(statuses.slice(0, -1)).toEqual(before.map(() => 200));
    expect([400, 405, 414, 417, 431, 501, 505]).toContain(statuses.at(-1));
    expect(reached).toEqual(before);
  });

  it('each of them is counted, and has a line in the access log', async () => {
    await expect.poll(() => refused, { timeout: 5_000 }).toBe(cases.length);
    const logged = edge.accessLog.filter(line => (JSON.parse(line) as { status: number }).status >= 400);
    // What is refused in its body has the line of its request, too.
    expect(logged.length).toBeGreaterThanOrEqual(cases.length);
  });
});
