import type { Challenge } from '../../api/acme/challenge.ts';
import { isFinal } from '../order/decide.ts';

/**
 * Whether it is a Challenge's turn: it is the first of those for its name and type, and among the first
 * `mostAtOnce` of all. Decided from the objects alone, so that it comes out the same after a restart. `all` may
 * hold the Challenges of every namespace.
 */
export function hasTurn(challenge: Challenge, all: readonly Challenge[], mostAtOnce: number): boolean {
  let ahead = 0;
  for (const other of all) {
    if (other === challenge || isFinal(other.status?.state) || !isBefore(other, challenge)) continue;
    if (other.spec.dnsName === challenge.spec.dnsName && other.spec.type === challenge.spec.type)
      return false;
    ahead += 1;
    if (ahead >= mostAtOnce) return false;
  }
  return true;
}

function isBefore(a: Challenge, b: Challenge): boolean {
  return rank(a) < rank(b);
}

function rank({ metadata }: Challenge): string {
  return `${metadata.creationTimestamp ?? ''} ${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}
