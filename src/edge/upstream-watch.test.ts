import { expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import { anIngress } from './compile/builders.testing.ts';
import { aMapping } from './compile/mappings.testing.ts';
import { failureOf } from './upstream/failure.ts';
import { UpstreamWatch } from './upstream-watch.ts';

const failure = failureOf(
  Object.assign(
    new Error(
      'unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca',
    ),
    { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
  ),
);

it('each object gets one event of a failure, though it has the name of another kind, or of one before it', () => {
  const events: string[] = [];
  const ingress = anIngress({ name: 'site' });
  const objects = { Ingress: ingress, Mapping: aMapping({}, 'site') };
  const watch = new UpstreamWatch({
    events: { warning: (object, reason, message) => events.push(`${object.kind} ${reason}: ${message}`) },
    clock: manualClock(),
    logger: silentLogger,
    objectOf: ({ kind }) => objects[kind],
  });
  const fail = (kind: 'Ingress' | 'Mapping'): void =>
    watch.failed({
      source: { kind, namespace: 'default', name: 'site' },
      backend: 'service default/web:443',
      failure,
    });
  for (let count = 0; count < 3; count += 1) {
    fail('Ingress');
    fail('Mapping');
  }
  expect(events.map(event => event.split(':')[0])).toEqual([
    'Ingress UpstreamTLSFailed',
    'Mapping UpstreamTLSFailed',
  ]);
  expect(events[0]).toContain('unable to verify the first certificate. Requests');
  objects.Ingress = { ...ingress, metadata: { ...ingress.metadata, uid: 'another' } };
  fail('Ingress');
  expect(events).toHaveLength(3);
});
