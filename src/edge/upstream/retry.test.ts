import { describe, expect, it } from 'vitest';
import type { RetryPolicy } from '../policy/route-policy.ts';
import { failureOf, timeoutFailure, type UpstreamFailure } from './failure.ts';
import { decideRetry, defaultRetryPolicy, type FailedTry } from './retry.ts';

const refused = failureOf(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
const reset = failureOf(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
const badCertificate = failureOf(Object.assign(new Error('expired'), { code: 'CERT_HAS_EXPIRED' }));
const forbidden: UpstreamFailure = { ...refused, status: 503, code: 'EDGE_ADDRESS_FORBIDDEN' };

function aTry(changes: Partial<FailedTry>): FailedTry {
  return {
    method: 'GET',
    outcome: reset,
    untouched: false,
    repeatable: true,
    tries: 1,
    endpoints: 2,
    elapsedMs: 0,
    ...changes,
  };
}

const all: RetryPolicy = {
  ...defaultRetryPolicy,
  on: ['error', 'timeout', 'http_500', 'http_502', 'http_503', 'http_504', 'http_429'],
};

describe('tried again', () => {
  it.each<[string, Partial<FailedTry>, RetryPolicy | undefined, boolean]>([
    ['a GET whose connection broke', {}, undefined, true],
    ['a GET that was not answered in time', { outcome: timeoutFailure('read') }, undefined, true],
    ['a GET, the second time', { tries: 2 }, undefined, true],
    ['a GET, the third time', { tries: 3 }, undefined, false],
    ['a POST whose connection broke', { method: 'POST' }, undefined, false],
    ['a method that nobody knows', { method: 'FROB' }, undefined, false],
    ['a PUT, which is idempotent', { method: 'PUT' }, undefined, true],
    ['a POST that was never sent', { method: 'POST', outcome: refused, untouched: true }, undefined, true],
    ['a POST, where all may be', { method: 'POST' }, { ...defaultRetryPolicy, nonIdempotent: true }, true],
    ['a request whose body is gone', { repeatable: false }, { ...all, nonIdempotent: true }, false],
    ['a refused connection, with no other endpoint', { outcome: refused, endpoints: 1 }, undefined, false],
    ['no connection in time, alone', { outcome: timeoutFailure('connect'), endpoints: 1 }, undefined, false],
    ['an idle connection that was closed, alone', { untouched: true, endpoints: 1 }, undefined, true],
    ['a certificate that was refused', { outcome: badCertificate, untouched: true }, all, false],
    ['an address that is forbidden', { outcome: forbidden, untouched: true }, all, false],
    ['a client that stalls', { outcome: timeoutFailure('client') }, all, false],
    ['an answer of 503, where nobody asked', { outcome: 503 }, undefined, false],
    ['an answer of 503, where it is asked', { outcome: 503 }, all, true],
    ['an answer of 503 to a POST', { outcome: 503, method: 'POST' }, all, false],
    ['an answer of 404', { outcome: 404 }, all, false],
    ['nothing, where retries are off', {}, { ...defaultRetryPolicy, on: [] }, false],
    ['an error, where time-outs alone count', {}, { ...defaultRetryPolicy, on: ['timeout'] }, false],
    ['as often as there are endpoints', { tries: 4, endpoints: 5 }, { ...all, tries: 0 }, true],
    ['not more often than that', { tries: 5, endpoints: 5 }, { ...all, tries: 0 }, false],
    ['within the time', { elapsedMs: 999 }, { ...all, withinMs: 1_000 }, true],
    ['not after it', { elapsedMs: 1_000 }, { ...all, withinMs: 1_000 }, false],
  ])('%s', (_, changes, policy, expected) => {
    expect(decideRetry(policy, aTry(changes))).toBe(expected);
  });
});
