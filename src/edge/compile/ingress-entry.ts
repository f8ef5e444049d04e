import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { Finding } from '../finding.ts';
import type { HostResult } from './host-routes.ts';
import type { IngressRoutes } from './ingress-routes.ts';
import { type IngressTls, noTls } from './ingress-tls.ts';
import { type Rank, rankOf } from './ranked.ts';
import type { Selection } from './select-ingresses.ts';
import type { SniResult } from './sni-claims.ts';

/** An Ingress that is served, with what was read from it; at first, nothing. */
export class Entry {
  readonly ingress: Ingress;
  readonly rank: Rank;
  selection: Selection = unclassified;
  /** The last compilation that saw it. */
  seen: number;
  routes: IngressRoutes | undefined;
  tls: IngressTls = noTls;
  /** Why it is not served at all. */
  failure: Finding | undefined;
  readonly routesPart: Part = { entry: this, what: 'routes' };
  readonly tlsPart: Part = { entry: this, what: 'tls' };
  hosts: readonly HostState[] = [];
  names: readonly NameState[] = [];
  /** What its owner should know, put together again where something it depends on was. */
  routeNotes: readonly Finding[] = [];
  tlsNotes: readonly Finding[] = [];
  /** When the next of its certificates expires; Infinity for never. */
  expiresMs = Number.POSITIVE_INFINITY;

  constructor(ingress: Ingress, round: number) {
    this.ingress = ingress;
    this.rank = rankOf(ingress);
    this.seen = round;
  }
}

const unclassified: Selection = Object.freeze({ selected: false, finding: undefined });

/** Something that is made from an Ingress and what it looks up. */
export interface Part {
  readonly entry: Entry;
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
