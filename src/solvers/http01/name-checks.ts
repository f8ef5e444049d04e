import { isIP } from 'node:net';
import { keyText, type ObjectKey } from '../../api/meta.ts';
import type { Clock } from '../../core/clock.ts';
import type { CheckState } from '../solver.ts';
import type { Probe } from './probe.ts';
import type { HostResolver } from './resolve-host.ts';
import { createSelfChecks } from './self-check.ts';

/**
 * Looks whether names are in the DNS at all, before an order is spent on them: CAs count orders. As with self-checks
 * nothing waits, and each name backs off alone. A name counts as missing only where the DNS says that there is none, or no
 * address; where it does not answer, the CA may know better.
 */
export interface NameChecks {
  /** How it stands with all names of the Order of this key: failed where one has failed. */
  poll(key: ObjectKey, hosts: readonly string[]): CheckState;
  forget(key: ObjectKey): void;
  /** Calls `listener` with the key of each Order of whose names one is checked. Returns its canceller. */
  onSettled(listener: (key: ObjectKey) => void): () => void;
  /** Ends all. */
  stop(): void;
}

export function createNameChecks({
  resolve,
  clock,
}: {
  readonly resolve: HostResolver;
  readonly clock: Clock;
}): NameChecks {
  const probe: Probe = async ({ host }, signal) => {
    const resolution = await resolve(host, signal);
    const isMissing = 'failure' in resolution && resolution.failure === 'none';
    return isMissing
      ? { found: false, kind: 'dns', host, why: 'none', asked: resolution.asked }
      : { found: true };
  };
  const checks = createSelfChecks({ probe, port: 80, clock });
  const hostsOf = new Map<string, Set<string>>();
  const idOf = (key: ObjectKey, host: string): string => `${keyText(key)} ${host}`;

  function pollOne(key: ObjectKey, host: string): CheckState {
    const known = hostsOf.get(keyText(key)) ?? new Set();
    hostsOf.set(keyText(key), known.add(host));
    return checks.poll({ id: idOf(key, host), key, host, token: '', keyAuthorization: '' });
  }

  return {
    poll(key, hosts) {
      const states = hosts.filter(host => isIP(host) === 0).map(host => pollOne(key, host));
      const failed = states.filter(one => one.state === 'failed');
      const [first] = failed;
      if (first !== undefined) {
        return { ...first, retryAfterMs: Math.min(...failed.map(({ retryAfterMs }) => retryAfterMs)) };
      }
      return states.find(({ state }) => state === 'running') ?? { state: 'passed' };
    },
    forget(key) {
      for (const host of hostsOf.get(keyText(key)) ?? []) checks.forget(idOf(key, host));
      hostsOf.delete(keyText(key));
    },
    onSettled: listener => checks.onSettled(listener),
    stop: () => checks.stop(),
  };
}
