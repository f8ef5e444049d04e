import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CrashBed, startCrashBed } from '../crash/bed.ts';
import {
  createKillSwitch,
  inParallel,
  killsFor,
  measure,
  renewalBase,
  type SweepSubject,
  sweepOne,
} from '../crash/sweep.ts';

/** Each run is two processes of a second's CPU time. */
const atOnce = Math.max(2, availableParallelism());
const sweepMs = 180_000;

describe('killed at any point, an issuance on the embedded store is carried on', () => {
  let bed: CrashBed;
  const killSwitch = createKillSwitch();

  beforeAll(async () => {
    bed = await startCrashBed();
    bed.proxy.script(killSwitch.rule);
  });

  afterAll(async () => {
    await bed?.stop();
  });

  /** Kills the subject at each of its writes and requests in turn. */
  const sweep = async (subject: SweepSubject) => {
    const { writes, requests } = await measure(bed, subject);
    const kills = killsFor(writes.length, requests.length);
    const outcomes = await inParallel(kills, atOnce, kill => sweepOne(bed, killSwitch, subject, kill));
    expect(outcomes.flatMap(({ problems }) => problems)).toEqual([]);
    return { writes, requests, killed: outcomes.filter(({ killedAt }) => killedAt !== undefined) };
  };

  it(
    'the first certificate: finalised once, one order more at most, no pair that does not fit',
    async () => {
      const { writes, requests, killed } = await sweep({ name: 'first', revision: 1 });
      expect(requests.map(({ action }) => action)).toEqual(
        expect.arrayContaining(['new-account', 'new-order', 'challenge', 'finalize', 'certificate']),
      );
      // Every point was met but those beyond the end.
      expect(killed.length).toBeGreaterThan(writes.length + 2 * requests.length - 5);
    },
    sweepMs,
  );

  it(
    'a renewal: the same, and the old pair is there until the new one is whole',
    async () => {
      const base = await renewalBase(bed);
      const { writes, requests, killed } = await sweep({ name: 'renewal', revision: 2, base });
      expect(killed.length).toBeGreaterThan(writes.length + 2 * requests.length - 5);
    },
    sweepMs,
  );
});
