import { afterEach, describe, expect, it, vi } from 'vitest';
import { manualClock } from '../../core/clock.testing.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { sessionOf } from '../clients.testing.ts';
import { startTestEdge } from '../edge.testing.ts';
import { TicketKeys } from './ticket-keys.ts';

const rotationMs = 6 * 3_600_000;

it('keys of session tickets are made anew every six hours', () => {
  const clock = manualClock();
  const seen: Buffer[] = [];
  const keys = new TicketKeys(clock, next => seen.push(next));
  expect(keys.current).toHaveLength(48);
  clock.advance(rotationMs);
  clock.advance(rotationMs);
  expect(seen).toHaveLength(2);
  expect(keys.current).toBe(seen[1]);
  expect(seen[0]?.equals(keys.current)).toBe(false);
  keys.stop();
  clock.advance(24 * 3_600_000);
  expect(seen).toHaveLength(2);
});

describe('a running edge', () => {
  const open: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map(close => close()));
  });
  // Processes take their time to start, on a machine that has other work.
  vi.setConfig({ testTimeout: 60_000 });

  it.each([
    ['in this process', 0],
    ['in a worker', 1],
  ])('%s takes the tickets of its keys, and none of those before', async (_where, workers) => {
    let rotate = (): void => {};
    const clock: Clock = {
      now: () => systemClock.now(),
      after(delayMs, callback) {
        if (delayMs !== rotationMs) return systemClock.after(delayMs, callback);
        rotate = callback;
        return () => {};
      },
    };
    const { edge, httpsPort } = await startTestEdge([], { workers }, { clock });
    open.push(() => edge.stop());
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const resumes = async (session: Buffer): Promise<boolean> =>
        (await sessionOf(httpsPort, version, session)).resumed;
      const before = await sessionOf(httpsPort, version);
      expect(before.resumed).toBe(false);
      expect(await resumes(before.session)).toBe(true);
      rotate();
      await expect.poll(() => resumes(before.session), { timeout: 20_000 }).toBe(false);
      const after = await sessionOf(httpsPort, version);
      expect(await resumes(after.session)).toBe(true);
      expect(await resumes(before.session)).toBe(false);
    }
  });
});
