import { describe, expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { createEndpointGates, type GateOutcome } from './endpoint-gates.ts';
import { AcmeError } from './errors.ts';

const limited = (retryAfterMs?: number): AcmeError =>
  new AcmeError('ACME_RATE_LIMITED', 'too many orders', { status: 429, retryAfterMs });

function gatesOf() {
  const clock = manualClock();
  const closed: [endpoint: string, inMs: number][] = [];
  const gates = createEndpointGates({
    clock,
    onClose: (endpoint, untilMs) => closed.push([endpoint, untilMs - clock.now()]),
  });
  const refusal = (endpoint: string): AcmeError | undefined => {
    try {
      gates.enter(endpoint)('lost');
      return undefined;
    } catch (error) {
      if (error instanceof AcmeError) return error;
      throw error;
    }
  };
  const send = (endpoint: string, outcome: GateOutcome): void => gates.enter(endpoint)(outcome);
  return { clock, gates, closed, refusal, send };
}

describe('the gates of an account', () => {
  it('refuse after a 429 until its time is over, by the same error', () => {
    const { clock, refusal, send, closed } = gatesOf();
    send('order', limited(60_000));
    const untilMs = clock.now() + 60_000;
    clock.advance(59_000);
    expect(refusal('order')).toMatchObject({
      code: 'ACME_RATE_LIMITED',
      message: 'too many orders',
      status: 429,
      retry: 'after',
      retryAfterMs: 1_000,
      retryAtMs: untilMs,
    });
    clock.advance(1_000);
    expect(refusal('order')).toBeUndefined();
    expect(closed).toEqual([['order', 60_000]]);
  });

  it('leave other endpoints alone', () => {
    const { refusal, send } = gatesOf();
    send('order', limited(60_000));
    expect(refusal('finalize')).toBeUndefined();
  });

  it('let those who wait come back one after another', () => {
    const { refusal, send } = gatesOf();
    send('order', limited(60_000));
    const waits = Array.from({ length: 1_000 }, () => refusal('order')?.retryAfterMs ?? 0);
    expect(waits[0]).toBe(60_000);
    expect(new Set(waits.slice(0, 500)).size).toBe(500);
    expect(Math.max(...waits)).toBe(70_000);
  });

  it('try with one request, then with twice as many for each that goes well, and then are open', () => {
    const { clock, gates, refusal, send } = gatesOf();
    send('order', limited(1_000));
    clock.advance(1_000);
    const first = gates.enter('order');
    expect(refusal('order')).toMatchObject({ retryAfterMs: 500 });
    first('done');
    const [second, third] = [gates.enter('order'), gates.enter('order')];
    expect(refusal('order')).toBeDefined();
    for (const leave of [second, third]) leave('done');
    for (let more = 0; more < 3; more += 1) send('order', 'done');
    const many = Array.from({ length: 200 }, () => gates.enter('order'));
    expect(many).toHaveLength(200);
  });

  it('go on trying where a try is lost on the way', () => {
    const { clock, gates, refusal, send } = gatesOf();
    send('order', limited(1_000));
    clock.advance(1_000);
    send('order', 'lost');
    const leave = gates.enter('order');
    expect(refusal('order')).toBeDefined();
    leave('done');
  });

  it('wait 5 s where no time is named, twice as long each time, 15 minutes at most', () => {
    const { clock, send, closed } = gatesOf();
    for (let time = 0; time < 10; time += 1) {
      send('order', limited());
      clock.advance(closed.at(-1)?.[1] ?? 0);
    }
    expect(closed.map(([, ms]) => ms / 1_000)).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
  });

  it('take several refusals of requests that were under way together for one, of the longest time', () => {
    const { clock, gates, refusal, closed } = gatesOf();
    const leaves = [undefined, 30_000, 10_000].map(ms => ({ ms, leave: gates.enter('order') }));
    for (const { ms, leave } of leaves) leave(limited(ms));
    expect(closed.map(([, ms]) => ms)).toEqual([5_000, 30_000]);
    clock.advance(29_999);
    expect(refusal('order')).toBeDefined();
    clock.advance(1);
    expect(refusal('order')).toBeUndefined();
  });

  it('open in time although the clock is set back, and at once when it is set forward', () => {
    const { clock, refusal, send } = gatesOf();
    send('order', limited(1_000));
    clock.set(clock.now() - 3_600_000);
    expect(refusal('order')?.retryAfterMs).toBe(1_000);
    clock.advance(1_000);
    expect(refusal('order')).toBeUndefined();
    send('order', limited(3_600_000));
    clock.set(clock.now() + 3_600_000);
    expect(refusal('order')).toBeUndefined();
  });
});
