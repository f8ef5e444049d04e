import { describe, expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import { collectWhenIdle } from './idle-memory.ts';

const mib = 1024 * 1024;
/** What is said once has been done by then. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

function aProcess() {
  const clock = manualClock();
  const state = { cpuMs: 0, bytes: 200 * mib, freed: 0, inUse: 100 * mib, collections: 0, trims: 0 };
  const stop = new AbortController();
  const load = {
    cpuMs: () => state.cpuMs,
    memoryBytes: () => state.bytes,
    collect() {
      state.collections += 1;
      state.freed = state.bytes - state.inUse;
    },
    async trim() {
      await turn();
      state.trims += 1;
      state.bytes -= state.freed;
      state.freed = 0;
    },
  };
  collectWhenIdle({ clock, logger: silentLogger, load }, stop.signal);
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 1_000) {
      clock.advance(1_000);
      await turn();
      await turn();
    }
  };
  return { pass, state, stop };
}

describe('memory that is not used', () => {
  it('is given back once the process is idle, and once more when the burst is forgotten, and not again', async () => {
    const { pass, state } = aProcess();
    await pass(80_000);
    expect(state).toMatchObject({ collections: 1, trims: 1, bytes: 100 * mib });
    await pass(40_000);
    expect(state).toMatchObject({ collections: 2, trims: 2 });
    await pass(600_000);
    expect(state).toMatchObject({ collections: 2, trims: 2 });
    state.bytes += 7 * mib;
    await pass(20_000);
    expect(state).toMatchObject({ collections: 2, trims: 2 });
    state.bytes += 2 * mib;
    await pass(12_000);
    expect(state).toMatchObject({ collections: 3, trims: 3, bytes: 100 * mib });
  });

  it('is not while the process is busy', async () => {
    const { pass, state } = aProcess();
    for (let i = 0; i < 10; i++) {
      state.cpuMs += 2_000;
      await pass(10_000);
    }
    expect(state.collections).toBe(0);
    await pass(10_000);
    expect(state.collections).toBe(1);
  });

  it('is left when the process ends', async () => {
    const { pass, state, stop } = aProcess();
    await pass(10_000);
    stop.abort();
    await pass(600_000);
    expect(state).toMatchObject({ collections: 1, trims: 0 });
  });

  it('is really collected', async () => {
    const clock = manualClock();
    const stop = new AbortController();
    collectWhenIdle({ clock, logger: silentLogger }, stop.signal);
    expect(() => clock.advance(10_000)).not.toThrow();
    expect(() => clock.advance(1_000)).not.toThrow();
    await turn();
    stop.abort();
  });
});
