import { describe, expect, it } from 'vitest';
import { type Condition, findCondition, hasCondition, withCondition, withoutCondition } from './condition.ts';

const ready: Condition = {
  type: 'Ready',
  status: 'False',
  reason: 'Pending',
  message: 'waiting',
  lastTransitionTime: '2026-01-01T00:00:00Z',
};
const issuing: Condition = { type: 'Issuing', status: 'True' };

describe('conditions', () => {
  it('keeps the transition time while the status stays the same', () => {
    const next = { ...ready, reason: 'Failed', lastTransitionTime: '2026-01-02T00:00:00Z' };
    expect(withCondition([ready, issuing], next)).toEqual([
      { ...next, lastTransitionTime: ready.lastTransitionTime },
      issuing,
    ]);
  });

  it('takes the new transition time when the status changes', () => {
    const next: Condition = { ...ready, status: 'True', lastTransitionTime: '2026-01-02T00:00:00Z' };
    expect(withCondition([issuing, ready], next)).toEqual([issuing, next]);
  });

  it('adds a condition of a new type at the end, also to no list', () => {
    expect(withCondition([issuing], ready)).toEqual([issuing, ready]);
    expect(withCondition(undefined, ready)).toEqual([ready]);
  });

  it('leaves the list it was given as it was', () => {
    const list = Object.freeze([Object.freeze({ ...ready })]);
    withCondition(list, { ...ready, status: 'True' });
    expect(list[0]?.status).toBe('False');
  });

  it('finds, asks for and removes by type', () => {
    expect(findCondition([ready], 'Ready')).toBe(ready);
    expect(findCondition(undefined, 'Ready')).toBeUndefined();
    expect(hasCondition([ready], 'Ready')).toBe(false);
    expect(hasCondition([ready], 'Ready', 'False')).toBe(true);
    expect(withoutCondition([ready, issuing], 'Ready')).toEqual([issuing]);
  });
});
