import { describe, expect, it } from 'vitest';
import { clientKey, RequestLimiter } from './request-limits.ts';
import { plainPolicy, type RequestLimits } from './route-policy.ts';

function limits(parts: Partial<RequestLimits>): RequestLimits {
  return { ...plainPolicy.limits, ...parts };
}

/** A limiter, and a time that the test moves. */
function limiterAt(share = 1, capacity?: number): { limiter: RequestLimiter; pass: (ms: number) => void } {
  let nowMs = 0;
  const limiter = new RequestLimiter(() => nowMs, share, capacity);
  return { limiter, pass: ms => (nowMs += ms) };
}

function admittedOf(
  limiter: RequestLimiter,
  one: RequestLimits,
  count: number,
  address = '192.0.2.1',
): number {
  return Array.from({ length: count }, () => limiter.admit(one, 'default/site', address)).filter(
    ({ admitted }) => admitted,
  ).length;
}

describe('limits', () => {
  it('a rate may come as many times at once as the burst factor says, and one more', () => {
    const { limiter, pass } = limiterAt();
    const one = limits({ requestsPerSecond: 2 });
    expect(admittedOf(limiter, one, 50)).toBe(11);
    pass(500);
    expect(admittedOf(limiter, one, 50)).toBe(1);
    pass(60_000);
    expect(admittedOf(limiter, one, 50)).toBe(11);
  });

  it('holds for each client by itself, and for each Ingress', () => {
    const { limiter } = limiterAt();
    const one = limits({ requestsPerSecond: 1, burstFactor: 1 });
    expect(admittedOf(limiter, one, 10, '192.0.2.1')).toBe(2);
    expect(admittedOf(limiter, one, 10, '192.0.2.2')).toBe(2);
    expect(limiter.admit(one, 'default/other', '192.0.2.1').admitted).toBe(true);
  });

  it('a minute is longer than a second', () => {
    const { limiter, pass } = limiterAt();
    const one = limits({ requestsPerMinute: 6, burstFactor: 1 });
    expect(admittedOf(limiter, one, 20)).toBe(7);
    pass(10_000);
    expect(admittedOf(limiter, one, 20)).toBe(1);
  });

  it('of several workers each gives out its share', () => {
    const one = limits({ requestsPerSecond: 8, burstFactor: 5 });
    expect(admittedOf(limiterAt(1 / 4).limiter, one, 100)).toBe(11);
    expect(admittedOf(limiterAt(1 / 4).limiter, limits({ connections: 1 }), 3)).toBe(1);
  });

  it('requests under way are counted until they are released, once', () => {
    const { limiter } = limiterAt();
    const one = limits({ connections: 2 });
    const first = limiter.admit(one, 'default/site', '192.0.2.1');
    limiter.admit(one, 'default/site', '192.0.2.1');
    expect(limiter.admit(one, 'default/site', '192.0.2.1')).toEqual({
      admitted: false,
      reason: 'limit-connections',
    });
    if (first.admitted) {
      first.release?.();
      first.release?.();
    }
    expect(admittedOf(limiter, one, 5)).toBe(1);
  });

  it('forgets who was not seen for the longest', () => {
    const { limiter } = limiterAt(1, 2);
    const one = limits({ requestsPerSecond: 1, burstFactor: 1 });
    expect(admittedOf(limiter, one, 5, '192.0.2.1')).toBe(2);
    admittedOf(limiter, one, 1, '192.0.2.2');
    expect(admittedOf(limiter, one, 5, '192.0.2.1')).toBe(0);
    admittedOf(limiter, one, 1, '192.0.2.3');
    expect(admittedOf(limiter, one, 5, '192.0.2.2')).toBe(2);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:DB8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['2001:db8:0:2::', '2001:db8:0:2'],
  ])('%s counts as %s', (address, key) => {
    expect(clientKey(address)).toBe(key);
  });
});
