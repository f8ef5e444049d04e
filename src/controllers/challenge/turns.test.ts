import { describe, expect, it } from 'vitest';
import type { Challenge } from '../../api/acme/challenge.ts';
import { keyOf } from '../../api/meta.ts';
import { aChallenge } from '../order/order.testing.ts';
import { createTurns, type Turns } from './turns.ts';

function aBench(mostAtOnce: number): { turns: Turns; called: string[] } {
  const called: string[] = [];
  return { turns: createTurns(mostAtOnce, ({ name }) => called.push(name)), called };
}

const aTurn = (name: string, dnsName = `${name}.example.com`): Challenge =>
  aChallenge(undefined, { metadata: { name }, spec: { dnsName } });

describe('turns', () => {
  it('go to so many at once, and to the next when one is over, in the order in which they came', () => {
    const { turns, called } = aBench(2);
    const all = ['a', 'b', 'c', 'd'].map(name => aTurn(name));
    expect(all.map(one => turns.take(one))).toEqual([true, true, false, false]);
    expect(all.map(one => turns.take(one))).toEqual([true, true, false, false]);
    turns.release(keyOf(aTurn('b')));
    expect(called).toEqual(['c']);
    expect(turns.take(aTurn('c'))).toBe(true);
    expect(turns.take(aTurn('d'))).toBe(false);
    turns.release(keyOf(aTurn('b')));
    expect(called).toEqual(['c']);
  });

  it('go to one at a time for a name', () => {
    const { turns, called } = aBench(10);
    expect(turns.take(aTurn('a', 'same'))).toBe(true);
    expect(turns.take(aTurn('b', 'same'))).toBe(false);
    expect(turns.take(aTurn('c', 'other'))).toBe(true);
    turns.release(keyOf(aTurn('c')));
    expect(called).toEqual([]);
    turns.release(keyOf(aTurn('a')));
    expect(called).toEqual(['b']);
  });

  it('pass to the next when one steps aside, which goes on all the same', () => {
    const { turns, called } = aBench(1);
    turns.take(aTurn('a', 'same'));
    turns.take(aTurn('b', 'same'));
    turns.stepAside(aTurn('a', 'same'));
    expect(called).toEqual(['b']);
    expect([turns.take(aTurn('a', 'same')), turns.take(aTurn('b', 'same'))]).toEqual([true, true]);
    turns.stepAside(aTurn('a', 'same'));
    turns.release(keyOf(aTurn('a')));
    expect(turns.take(aTurn('c'))).toBe(false);
    turns.release(keyOf(aTurn('b')));
    expect(called).toEqual(['b', 'c']);
  });

  it('come again to one that stepped aside and has nothing to wait for, before those that had none', () => {
    const { turns, called } = aBench(1);
    for (const name of ['a', 'b', 'c']) turns.take(aTurn(name));
    turns.stepAside(aTurn('a'));
    expect(called).toEqual(['b']);
    expect(turns.takeAgain(aTurn('b'))).toBe(true);
    expect(turns.takeAgain(aTurn('a'))).toBe(false);
    expect(turns.take(aTurn('a'))).toBe(false);
    turns.release(keyOf(aTurn('b')));
    expect(called).toEqual(['b', 'a']);
    expect([turns.take(aTurn('a')), turns.take(aTurn('c'))]).toEqual([true, false]);
    turns.stepAside(aTurn('a'));
    turns.release(keyOf(aTurn('c')));
    expect(turns.takeAgain(aTurn('a'))).toBe(true);
  });

  it('are not kept for what is gone while it waits', () => {
    const { turns, called } = aBench(1);
    for (const name of ['a', 'b', 'c']) turns.take(aTurn(name));
    turns.release(keyOf(aTurn('b')));
    turns.release(keyOf(aTurn('a')));
    expect(called).toEqual(['c']);
  });

  it('cost the same for ten thousand that wait', () => {
    const { turns, called } = aBench(60);
    const all = Array.from({ length: 10_000 }, (_, at) => aTurn(`n-${at}`));
    for (const one of all) turns.take(one);
    for (const one of all) turns.release(keyOf(one));
    expect(called).toHaveLength(10_000 - 60);
  });
});
