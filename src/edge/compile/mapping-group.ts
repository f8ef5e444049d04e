import type { Mapping, MappingSpec } from '../../api/getambassador/mapping.ts';
import type { MappingOrder } from '../match/mapping-table.ts';
import type { RoutePolicy } from '../policy/route-policy.ts';
import type { ReadMatch } from './mapping-match.ts';
import type { Shares } from './mapping-weights.ts';
import type { Alternative, PathKind, Route } from './table.ts';

/** A Mapping whose match is understood, with where its requests go. */
export interface ReadMapping {
  readonly object: Mapping;
  readonly spec: Pick<MappingSpec, 'weight' | 'prefix'>;
  readonly read: ReadMatch;
  readonly order: MappingOrder;
  readonly policy: RoutePolicy;
  /** A key of the table's backends. */
  readonly backend: string;
}

const kinds: Readonly<Record<ReadMatch['match']['path'], PathKind>> = {
  prefix: 'Prefix',
  exact: 'Exact',
  pattern: 'Regex',
};

/** One route for equal Mappings: that of the first one, with the others as alternatives that each get their share. */
export function groupRoute(
  first: ReadMapping,
  others: readonly ReadMapping[],
  { shares, total }: Shares,
  change: (policy: RoutePolicy) => RoutePolicy,
): Route {
  const alternatives = others.map((member, index): Alternative => {
    const when = { header: undefined, cookie: undefined, weight: shares[index + 1] ?? 0, total };
    return { source: sourceOf(member), when, policy: change(member.policy), backend: member.backend };
  });
  return Object.freeze({
    source: sourceOf(first),
    host: first.read.host.hostname,
    path: first.spec.prefix,
    kind: kinds[first.read.match.path],
    policy: change(first.policy),
    backend: first.backend,
    alternatives,
  });
}

function sourceOf({ object }: ReadMapping): Route['source'] {
  const { namespace = '', name = '' } = object.metadata;
  return { kind: 'Mapping', namespace, name };
}
