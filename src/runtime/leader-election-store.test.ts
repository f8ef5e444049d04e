import { expect, it, vi } from 'vitest';
import { leases } from '../api/kubernetes/lease.ts';
import { manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import { anEmbeddedApi } from '../kube/embedded/store.testing.ts';
import { createLeaderElector } from './leader-election.ts';

it('on a store with watches, the second of two leads at once when the first stops, without any time passing', async () => {
  const api = anEmbeddedApi();
  const clock = manualClock();
  const lease = { namespace: 'kube-system', name: 'postern-controllers' };
  const candidate = (identity: string) => {
    const elector = createLeaderElector({ api, clock, logger: silentLogger, lease, identity });
    const stop = new AbortController();
    const run = elector.run(
      stop.signal,
      leading => new Promise(resolve => leading.addEventListener('abort', () => resolve())),
    );
    return { elector, run, stop };
  };
  const one = candidate('one');
  await vi.waitFor(() => expect(one.elector.isLeader).toBe(true));
  const two = candidate('two');
  await vi.waitFor(() => expect(two.elector.holder).toBe('one'));
  one.stop.abort();
  await one.run;
  await vi.waitFor(() => expect(two.elector.isLeader).toBe(true));
  expect((await api.get(leases, lease)).spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
  two.stop.abort();
  await two.run;
  expect((await api.get(leases, lease)).spec?.holderIdentity).toBe('');
});
