import { array, assert, boolean, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.testing.ts';
import type { Endpoint } from '../compile/table.ts';
import { Balancer, type EndpointWish, plainWish, type ReachableBackend } from './balancer.ts';
import type { Candidate } from './candidate.ts';

const first = (): number => 0;

function endpoint(index: number): Endpoint {
  return { address: `10.0.0.${index}`, port: 80 };
}

function aBackend(count: number, from = 0): ReachableBackend {
  const endpoints = Array.from({ length: count }, (_, index) => endpoint(from + index));
  return { kind: 'endpoints', key: 'default/web:80', endpoints, protocol: 'http1', tls: undefined };
}

/** The last number of the address that was chosen. */
function numberOf(candidate: Candidate | undefined): number | undefined {
  return candidate === undefined ? undefined : Number(candidate.endpoint.address.split('.')[3]);
}

function choices(
  balancer: Balancer,
  backend: ReachableBackend,
  times: number,
  wish?: EndpointWish,
): unknown[] {
  return Array.from({ length: times }, () => numberOf(balancer.choose(backend, wish)));
}

function byHash(hashText: string): EndpointWish {
  return { ...plainWish, balance: { kind: 'hash', by: '$request_uri' }, hashText };
}

const leastConnections: EndpointWish = { ...plainWish, balance: { kind: 'least-connections' } };

describe('in turn', () => {
  it('each endpoint gets its share, and a new table goes on where the last one was', () => {
    const balancer = new Balancer(manualClock(), first);
    expect(choices(balancer, aBackend(3), 4)).toEqual([0, 1, 2, 0]);
    expect(choices(balancer, aBackend(3), 3)).toEqual([1, 2, 0]);
    expect(choices(balancer, aBackend(2), 3)).toEqual([1, 0, 1]);
  });

  it('the first turn is drawn, so that workers do not all begin at the same one', () => {
    expect(choices(new Balancer(manualClock(), () => 0.7), aBackend(3), 2)).toEqual([2, 0]);
  });

  it('a backend without endpoints has none, and an external one is its own', () => {
    const balancer = new Balancer(manualClock(), first);
    expect(balancer.choose(aBackend(0))).toBeUndefined();
    const external: ReachableBackend = {
      kind: 'external',
      key: 'default/out:443',
      host: 'out.example',
      port: 443,
      protocol: 'http1',
      tls: undefined,
    };
    expect(balancer.choose(external)?.endpoint).toEqual({ address: 'out.example', port: 443 });
    expect([balancer.count(external), balancer.count(aBackend(3))]).toEqual([1, 3]);
  });

  it('a further try goes to another endpoint, and to one that had its try only when there is no other', () => {
    const balancer = new Balancer(manualClock(), first);
    const backend = aBackend(3);
    const tried: Candidate[] = [];
    for (let round = 0; round < 4; round += 1) {
      const candidate = balancer.choose(backend, plainWish, tried);
      if (candidate !== undefined) tried.push(candidate);
    }
    expect(tried.map(numberOf)).toEqual([0, 1, 2, 0]);
  });

  it('property: with any of them resting, those that are fit get equal shares', () => {
    assert(
      property(array(boolean(), { minLength: 1, maxLength: 12 }), resting => {
        const balancer = new Balancer(manualClock(), first);
        const backend = aBackend(resting.length);
        const seen = new Map<Candidate, number>();
        for (let turn = 0; turn < resting.length; turn += 1) {
          const candidate = balancer.choose(backend);
          if (candidate !== undefined) seen.set(candidate, 0);
        }
        for (const candidate of seen.keys())
          if (resting[numberOf(candidate) ?? -1] === true) candidate.refused();
        const eligible = resting.every(Boolean) ? resting.length : resting.filter(out => !out).length;
        for (let turn = 0; turn < eligible * 5; turn += 1) {
          const candidate = balancer.choose(backend);
          if (candidate !== undefined) seen.set(candidate, (seen.get(candidate) ?? 0) + 1);
        }
        const counts = [...seen.values()].filter(count => count > 0);
        expect(counts).toEqual(Array.from({ length: eligible }, () => 5));
      }),
    );
  });
});

describe('least connections', () => {
  it('the one with the fewest requests under way, in turn among equals', () => {
    const balancer = new Balancer(manualClock(), first);
    const backend = aBackend(3);
    const take = (): Candidate | undefined => {
      const candidate = balancer.choose(backend, leastConnections);
      candidate?.begin();
      return candidate;
    };
    const taken = [take(), take(), take(), take()];
    expect(taken.map(numberOf)).toEqual([0, 1, 2, 0]);
    taken[1]?.end();
    expect(numberOf(take())).toBe(1);
    taken[0]?.end();
    taken[3]?.end();
    expect(numberOf(take())).toBe(0);
  });

  it('counts survive a change of the endpoints, and a new endpoint gets what is missing', () => {
    const balancer = new Balancer(manualClock(), first);
    for (let round = 0; round < 4; round += 1) balancer.choose(aBackend(2), leastConnections)?.begin();
    const chosen = Array.from({ length: 3 }, () => {
      const candidate = balancer.choose(aBackend(3), leastConnections);
      candidate?.begin();
      return numberOf(candidate);
    });
    expect(chosen.slice(0, 2)).toEqual([2, 2]);
  });
});

describe('by hash', () => {
  const texts = Array.from({ length: 3_000 }, (_, index) => `/path/${index}`);

  function placed(backend: ReachableBackend): Map<string, unknown> {
    const balancer = new Balancer(manualClock(), Math.random);
    return new Map(texts.map(text => [text, numberOf(balancer.choose(backend, byHash(text)))]));
  }

  it('equal texts go to the same endpoint, in every process', () => {
    expect(placed(aBackend(5))).toEqual(placed(aBackend(5)));
  });

  it('texts are spread evenly', () => {
    const counts = new Map<unknown, number>();
    for (const chosen of placed(aBackend(5)).values()) counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
    expect(counts.size).toBe(5);
    for (const count of counts.values()) expect(Math.abs(count - 600)).toBeLessThan(90);
  });

  it('when an endpoint goes, its texts alone move', () => {
    const before = placed(aBackend(5));
    const after = placed(aBackend(4));
    for (const [text, chosen] of before) if (chosen !== 4) expect(after.get(text)).toBe(chosen);
  });

  it('while an endpoint rests, its texts go elsewhere, and come back', () => {
    const clock = manualClock();
    const balancer = new Balancer(clock, first);
    const backend = aBackend(5);
    const home = balancer.choose(backend, byHash('/a'));
    home?.refused();
    const away = balancer.choose(backend, byHash('/a'));
    expect(away).not.toBe(home);
    expect(balancer.choose(backend, byHash('/a'))).toBe(away);
    clock.advance(1_000);
    expect(balancer.choose(backend, byHash('/a'))).toBe(home);
  });
});

describe('pinned', () => {
  const wish = (index: number): EndpointWish => ({ ...plainWish, pinned: endpoint(index) });

  it('to the endpoint while it is there', () => {
    const balancer = new Balancer(manualClock(), first);
    expect(choices(balancer, aBackend(3), 3, wish(2))).toEqual([2, 2, 2]);
    expect(choices(balancer, aBackend(2), 3, wish(2))).toEqual([0, 1, 0]);
  });

  it('to another one where it had its try, or rests', () => {
    const balancer = new Balancer(manualClock(), first);
    const backend = aBackend(3);
    const candidate = balancer.choose(backend, wish(1));
    expect(numberOf(balancer.choose(backend, wish(1), candidate === undefined ? [] : [candidate]))).toBe(0);
    candidate?.refused();
    expect(numberOf(balancer.choose(backend, wish(1)))).toBe(2);
  });
});

describe('passive health', () => {
  function refuse(balancer: Balancer, backend: ReachableBackend, index: number): Candidate | undefined {
    for (let turn = 0; turn < 10; turn += 1) {
      const candidate = balancer.choose(backend);
      if (numberOf(candidate) !== index) continue;
      candidate?.refused();
      return candidate;
    }
    return undefined;
  }

  it('one that refused is left for a second, then asked by one request, and longer each time', () => {
    const clock = manualClock();
    const balancer = new Balancer(clock, first);
    const backend = aBackend(2);
    const candidate = refuse(balancer, backend, 0);
    for (const restMs of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      clock.advance(restMs - 1);
      expect(choices(balancer, backend, 4)).toEqual([1, 1, 1, 1]);
      clock.advance(1);
      expect(choices(balancer, backend, 4).filter(chosen => chosen === 0)).toHaveLength(1);
      clock.advance(restMs);
      candidate?.refused();
    }
    clock.advance(30_000);
    candidate?.accepted();
    expect(new Set(choices(balancer, backend, 4))).toEqual(new Set([0, 1]));
  });

  it('many that were refused at once count once', () => {
    const clock = manualClock();
    const balancer = new Balancer(clock, first);
    const backend = aBackend(2);
    const candidate = refuse(balancer, backend, 0);
    for (let further = 0; further < 20; further += 1) candidate?.refused();
    clock.advance(1_000);
    expect(candidate?.fit()).toBe(true);
  });

  it('where all refused, all are tried: never 503 from memory alone', () => {
    const balancer = new Balancer(manualClock(), first);
    const backend = aBackend(2);
    refuse(balancer, backend, 0);
    refuse(balancer, backend, 1);
    expect(new Set(choices(balancer, backend, 4))).toEqual(new Set([0, 1]));
    const single = aBackend(1);
    refuse(balancer, single, 0);
    expect(choices(balancer, single, 2)).toEqual([0, 0]);
  });

  it('is remembered over a change of the table, and forgotten with the backend', () => {
    const balancer = new Balancer(manualClock(), first);
    refuse(balancer, aBackend(2), 0);
    balancer.keep(new Set(['default/web:80']));
    expect(choices(balancer, aBackend(3), 4)).not.toContain(0);
    balancer.keep(new Set());
    expect(choices(balancer, aBackend(3), 3)).toContain(0);
  });

  it('a clock that is set back makes no rest longer', () => {
    const clock = manualClock();
    const balancer = new Balancer(clock, first);
    const candidate = refuse(balancer, aBackend(2), 0);
    clock.set(clock.now() - 3_600_000);
    expect(candidate?.fit()).toBe(true);
  });
});
