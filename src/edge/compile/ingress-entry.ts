import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { Finding } from '../finding.ts';
import type { HostResult } from './host-routes.ts';
import type { IngressRoutes } from './ingress-routes.ts';
import { type IngressTls, noTls } from './ingress-tls.ts';
import { type Rank, rankOf } from './ranked.ts';
import type { Selection } from './select-ingresses.ts';
import type { SniResult } from './sni-claims.ts';

/** An Ingress that is served, with what was read from it. */
export interface Entry {
  readonly ingress: Ingress;
  readonly rank: Rank;
  selection: Selection;
  /** The last compilation that saw it. */
  seen: number;
  routes: IngressRoutes | undefined;
  tls: IngressTls;
  /** Why it is not served at all. */
  failure: Finding | undefined;
  readonly routesPart: Part;
  readonly tlsPart: Part;
  hosts: HostState[];
  names: NameState[];
  /** What its owner should know, put together again where something it depends on was. */
  routeNotes: readonly Finding[];
  tlsNotes: readonly Finding[];
  /** When the next of its certificates expires; Infinity for never. */
  expiresMs: number;
}

/** Something that is made from an Ingress and what it looks up. */
export interface Part {
  readonly of: () => Entry;
  readonly what: 'routes' | 'tls';
}

export interface HostState {
  readonly host: string;
  readonly claimants: Entry[];
  result: HostResult | undefined;
}

export interface NameState {
  readonly name: string;
  readonly claimants: Entry[];
  result: SniResult | undefined;
}

/** An Ingress of which nothing was read yet. */
export function newEntry(ingress: Ingress, round: number): Entry {
  const entry: Entry = {
    ingress,
    rank: rankOf(ingress),
    selection: { selected: false, finding: undefined },
    seen: round,
    routes: undefined,
    tls: noTls,
    failure: undefined,
    routesPart: { of: () => entry, what: 'routes' },
    tlsPart: { of: () => entry, what: 'tls' },
    hosts: [],
    names: [],
    routeNotes: [],
    tlsNotes: [],
    expiresMs: Number.POSITIVE_INFINITY,
  };
  return entry;
}
