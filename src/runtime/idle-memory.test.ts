import { describe, expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import { collectWhenIdle } from './idle-memory.ts';

const mib = 1024 * 1024;

function aProcess() {
  const clock = manualClock();
  const state = { cpuMs: 0, heap: 200 * mib, inUse: 100 * mib, collections: 0 };
  const stop = new AbortController();
  const load = {
    cpuMs: () => state.cpuMs,
    heapBytes: () => state.heap,
    collect() {
      state.collections += 1;
      state.heap = state.inUse;
    },
  };
  collectWhenIdle({ clock, logger: silentLogger, load }, stop.signal);
  return { clock, state, stop };
}

describe('memory that is not used', () => {
  it('is given back once the process is idle, and once more when the burst is forgotten, and not again', () => {
    const { clock, state } = aProcess();
    const afterMs = (ms: number): number => {
      for (let at = 0; at < ms; at += 10_000) clock.advance(10_000);
      return state.collections;
    };
    expect(afterMs(80_000)).toBe(1);
    expect(afterMs(20_000)).toBe(2);
    expect(afterMs(600_000)).toBe(2);
    state.heap += 20 * mib;
    expect(afterMs(10_000)).toBe(3);
  });

  it('is not while the process is busy', () => {
    const { clock, state } = aProcess();
    for (let i = 0; i < 10; i++) {
      state.cpuMs += 2_000;
      clock.advance(10_000);
    }
    expect(state.collections).toBe(0);
    clock.advance(10_000);
    expect(state.collections).toBe(1);
  });

  it('is left when the process ends', () => {
    const { clock, state, stop } = aProcess();
    stop.abort();
    clock.advance(60_000);
    expect(state.collections).toBe(0);
  });

  it('is really collected', () => {
    const clock = manualClock();
    const stop = new AbortController();
    collectWhenIdle({ clock, logger: silentLogger }, stop.signal);
    expect(() => clock.advance(10_000)).not.toThrow();
    stop.abort();
  });
});
