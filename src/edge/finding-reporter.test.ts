import { beforeEach, describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../core/clock.testing.ts';
import { anIngress } from './compile/builders.testing.ts';
import { type Finding, findingReasons } from './finding.ts';
import { FindingReporter } from './finding-reporter.ts';

const conflict: Finding = { object: anIngress(), reason: findingReasons.pathConflict, message: 'conflict' };
const missing: Finding = { object: anIngress(), reason: findingReasons.secretNotFound, message: 'missing' };

describe('findings become events', () => {
  let clock: ManualClock;
  let events: string[];
  let reporter: FindingReporter;
  beforeEach(() => {
    clock = manualClock();
    events = [];
    const warning = (_object: unknown, _reason: string, message: string): void => void events.push(message);
    reporter = new FindingReporter({ events: { warning }, clock, graceMs: 5_000 });
  });

  it('once, however often the table is compiled', () => {
    reporter.report([conflict, conflict]);
    reporter.report([{ ...conflict, object: anIngress() }]);
    expect(events).toEqual(['conflict']);
  });

  it('again, where it went away in between', () => {
    reporter.report([conflict]);
    reporter.report([]);
    reporter.report([conflict]);
    expect(events).toEqual(['conflict', 'conflict']);
  });

  it('for each object', () => {
    reporter.report([conflict, { ...conflict, object: anIngress({ name: 'other' }) }]);
    expect(events).toHaveLength(2);
  });

  it('what may pass by itself, only once it has lasted', () => {
    reporter.report([missing]);
    clock.advance(4_999);
    expect(events).toEqual([]);
    reporter.report([missing]);
    clock.advance(1);
    expect(events).toEqual(['missing']);
  });

  it('never, where it passed', () => {
    reporter.report([missing]);
    reporter.report([]);
    clock.advance(60_000);
    expect(events).toEqual([]);
  });
});
