import { expect, it } from 'vitest';
import { countsOfIngress, durationBucketsMs, statusClasses } from '../runtime/edge-measurements.ts';
import type { Route } from './compile/table.ts';
import { MetricCounters } from './metric-counters.ts';
import { plainPolicy } from './policy/route-policy.ts';

const route: Route = {
  source: { kind: 'Ingress', namespace: 'shop', name: 'web' },
  host: 'foo.com',
  path: '/',
  kind: 'Prefix',
  policy: plainPolicy,
  backend: '',
  alternatives: [],
};

it('counts by Ingress, class and transport, and gives each count once', () => {
  const counters = new MetricCounters();
  counters.request(route, 200, true, 3);
  counters.request({ ...route }, 204, true, 70_000);
  counters.request(undefined, 404, false, 0.5);
  counters.request(route, 0, false, 1);
  counters.upstreamError(route, 'ECONNREFUSED');
  counters.handshake('TLSv1.3', true);
  counters.handshakeFailed();
  counters.refused('host');
  counters.connections(1);
  const delta = counters.take();
  const at = (name: string, secure: boolean, ingress: string): number | undefined =>
    delta?.requests.counts[
      delta.requests.ingresses.indexOf(ingress) * countsOfIngress +
        statusClasses.indexOf(name as '2xx') +
        (secure ? statusClasses.length : 0)
    ];
  expect(at('2xx', true, 'shop/web')).toBe(2);
  expect(at('aborted', false, 'shop/web')).toBe(1);
  expect(at('4xx', false, '')).toBe(1);
  expect(delta?.durations[durationBucketsMs.indexOf(5)]).toBe(1);
  expect(delta?.durations[durationBucketsMs.length]).toBe(1);
  expect(delta).toMatchObject({
    durationSumMs: 70_004.5,
    upstreamErrors: new Map([['shop/web\tECONNREFUSED', 1]]),
    handshakes: new Map([['TLSv1.3\ttrue', 1]]),
    handshakesFailed: 1,
    refused: new Map([['host', 1]]),
    connections: 1,
  });
  expect(counters.take()).toBeUndefined();
  counters.connections(-1);
  expect(counters.take()).toMatchObject({ connections: 0, handshakesFailed: 0 });
});

it('counts more Ingresses than there was room for, and begins anew after each report', () => {
  const counters = new MetricCounters();
  const routes = Array.from({ length: 200 }, (_, n) => ({
    ...route,
    source: { ...route.source, name: `web-${n}` },
  }));
  for (const one of routes) counters.request(one, 200, true, 1);
  const first = counters.take()?.requests;
  expect(first?.ingresses).toEqual(routes.map(({ source }) => `shop/${source.name}`));
  expect(first?.counts.length).toBe(200 * countsOfIngress);
  expect(first?.counts.filter(count => count === 1).length).toBe(200);
  for (const one of routes.slice(150)) counters.request(one, 200, true, 1);
  const second = counters.take()?.requests;
  expect(second?.ingresses[0]).toBe('shop/web-150');
  expect(second?.counts.reduce((sum, count) => sum + count)).toBe(50);
});

it('reports those Ingresses alone that had requests since, and forgets them when most had none', () => {
  const counters = new MetricCounters();
  const [first, second, third] = ['a', 'b', 'c'].map(name => ({
    ...route,
    source: { ...route.source, name },
  }));
  const countedNow = (...routes: (Route | undefined)[]): readonly string[] | undefined => {
    for (const one of routes) counters.request(one, 200, true, 1);
    return counters.take()?.requests.ingresses;
  };
  expect(countedNow(first, second, third)).toEqual(['shop/a', 'shop/b', 'shop/c']);
  // Their places stay.
  expect(countedNow(third, second)).toEqual(['shop/b', 'shop/c']);
  expect(countedNow(third)).toEqual(['shop/c']);
  expect(countedNow(third, first)).toEqual(['shop/c', 'shop/a']);
});
