import { expect, it } from 'vitest';
import { manualClock } from '../../core/clock.testing.ts';
import { createNameChecks } from './name-checks.ts';
import type { Resolution } from './resolve-host.ts';

const asked = '192.0.2.53:53';
const found: Resolution = { addresses: ['203.0.113.1'] };
const turn = (): Promise<void> => new Promise(resolve => void setImmediate(resolve));
const owner = { namespace: 'shop', name: 'site-1' };

function aBench(answers: Record<string, Resolution>) {
  const clock = manualClock();
  const questions: string[] = [];
  const checks = createNameChecks({
    clock,
    resolve: async host => {
      questions.push(host);
      return answers[host] ?? found;
    },
  });
  return { clock, questions, checks };
}

it.each<[string, Resolution]>([
  ['have an address', found],
  ['are asked for in vain', { failure: 'timeout', asked }],
  ['cannot be looked up now', { failure: 'failure', asked }],
])('names that %s pass, and are asked for once', async (_what, resolution) => {
  const { checks, questions } = aBench({ 'b.test': resolution });
  expect(checks.poll(owner, ['a.test', 'b.test'])).toEqual({ state: 'running' });
  await turn();
  for (let again = 0; again < 3; again += 1)
    expect(checks.poll(owner, ['a.test', 'b.test'])).toEqual({ state: 'passed' });
  expect(questions).toEqual(['a.test', 'b.test']);
});

it('a name that does not exist fails for all, backs off alone, and is told of with the fix', async () => {
  const { checks, clock, questions } = aBench({ 'b.test': { failure: 'none', asked } });
  const told: string[] = [];
  checks.onSettled(key => told.push(key.name));
  checks.poll(owner, ['a.test', 'b.test']);
  await turn();
  expect(told).toEqual(['site-1', 'site-1']);
  expect(checks.poll(owner, ['a.test', 'b.test'])).toEqual({
    state: 'failed',
    retryAfterMs: 1_000,
    reason: `b.test does not resolve: it has no A or AAAA record (asked ${asked})`,
    fix: expect.stringContaining('make a DNS record for it') as string,
  });
  clock.advance(1_000);
  checks.poll(owner, ['a.test', 'b.test']);
  await turn();
  expect(questions).toEqual(['a.test', 'b.test', 'b.test']);
});

it('addresses need no DNS', () => {
  const { checks, questions } = aBench({});
  expect(checks.poll(owner, ['192.0.2.1', '2001:db8::1'])).toEqual({ state: 'passed' });
  expect(questions).toEqual([]);
});

it('what is forgotten is asked for anew', async () => {
  const { checks, questions } = aBench({});
  checks.poll(owner, ['a.test']);
  await turn();
  checks.forget(owner);
  expect(checks.poll(owner, ['a.test'])).toEqual({ state: 'running' });
  expect(questions).toEqual(['a.test', 'a.test']);
});
