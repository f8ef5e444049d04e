import { describe, expect, it } from 'vitest';
import type { Alternative, AlternativeCondition } from '../compile/table.ts';
import { chooseAlternative } from './alternatives.ts';
import { aHead } from './heads.testing.ts';
import { plainPolicy } from './route-policy.ts';

function an(backend: string, when: Partial<AlternativeCondition>): Alternative {
  const source = { kind: 'Ingress', namespace: 'default', name: backend } as const;
  const condition = { header: undefined, cookie: undefined, weight: 0, total: 100, ...when };
  return { source, when: condition, policy: plainPolicy, backend };
}

function chosen(
  alternatives: Alternative[],
  fields: string[] = [],
  draw = 0.5,
  secure = true,
): string | undefined {
  return chooseAlternative({ alternatives }, aHead({ fields, secure }), () => draw)?.backend;
}

const header = { name: 'x-canary', value: undefined, pattern: undefined };

describe('alternatives', () => {
  it.each<[what: string, when: Partial<AlternativeCondition>, fields: string[], taken: boolean]>([
    ['header always', { header }, ['X-Canary', 'always'], true],
    ['header never, with all of the weight', { header, weight: 100 }, ['X-Canary', 'never'], false],
    ['header of another word', { header }, ['X-Canary', 'perhaps'], false],
    ['another word leaves it to the weight', { header, weight: 100 }, ['X-Canary', 'perhaps'], true],
    ['header value', { header: { ...header, value: 'eu' } }, ['X-Canary', 'eu'], true],
    ['always is no value', { header: { ...header, value: 'eu' } }, ['X-Canary', 'always'], false],
    ['header pattern, anywhere', { header: { ...header, pattern: 'u[0-9]' } }, ['X-Canary', 'eu1'], true],
    ['header pattern that misses', { header: { ...header, pattern: 'u[0-9]' } }, ['X-Canary', 'us'], false],
    ['cookie always', { cookie: 'c' }, ['Cookie', 'a=b; c=always'], true],
    ['cookie never', { cookie: 'c', weight: 100 }, ['Cookie', 'c=never'], false],
    ['header before cookie', { header, cookie: 'c' }, ['X-Canary', 'always', 'Cookie', 'c=never'], true],
    [
      'value that misses, then cookie',
      { header: { ...header, value: 'eu' }, cookie: 'c' },
      ['X-Canary', 'us', 'Cookie', 'c=always'],
      true,
    ],
    ['no weight', {}, [], false],
    ['weight above the draw', { weight: 51 }, [], true],
    ['weight below the draw', { weight: 50 }, [], false],
    ['weight of another total', { weight: 501, total: 1_000 }, [], true],
  ])('%s', (_what, when, fields, taken) => {
    expect(chosen([an('canary', when)], fields)).toBe(taken ? 'canary' : undefined);
  });

  it.each([
    [0, 'a'],
    [0.19, 'a'],
    [0.2, 'b'],
    [0.49, 'b'],
    [0.5, undefined],
    [0.99, undefined],
  ])('weights are laid end to end: %d falls on %s', (draw, backend) => {
    expect(chosen([an('a', { weight: 20 }), an('b', { weight: 30 })], [], draw)).toBe(backend);
  });

  it('AUTO_HTTP: requests without TLS go to an upstream without TLS', () => {
    const plain = an('plain', { header: { name: ':scheme', value: 'http', pattern: undefined } });
    expect(chosen([plain], [], 0.5, false)).toBe('plain');
    expect(chosen([plain], [], 0.5, true)).toBeUndefined();
  });
});
