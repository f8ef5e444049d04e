import type { Route } from '../compile/table.ts';

/** The Mappings of one hostname, laid out so that a look-up costs a few map accesses, however many there are. */
export interface MappingHost {
  /** As in the Mappings, in lower case: the key in the table. */
  readonly hostname: string;
  /** How `text` is compared: whole, as the end (`*.foo.com`) or the beginning (`foo.*`) of the host, as a pattern, or not. */
  readonly kind: 'name' | 'suffix' | 'prefix' | 'pattern' | 'any';
  readonly text: string;
  /** In the order in which they are tried. */
  readonly tiers: readonly MappingTier[];
}

/** Mappings of one precedence and one length of prefix. Each list is in the order in which it is tried. */
export interface MappingTier {
  readonly precedence: number;
  /** Of the prefix, in characters. */
  readonly length: number;
  readonly byPrefix: ReadonlyMap<string, readonly MappingRoute[]>;
  /** Those for which upper and lower case are the same, by their prefix in lower case. */
  readonly byFoldedPrefix: ReadonlyMap<string, readonly MappingRoute[]>;
  readonly patterns: readonly MappingRoute[];
}

/** A Mapping, or several of equal match that share the requests. */
export interface MappingRoute {
  /** The hosts of the Mapping itself, where it stands at others: those of both are meant. */
  readonly within: Pick<MappingHost, 'kind' | 'text'> | undefined;
  readonly match: MappingMatch;
  readonly order: MappingOrder;
  readonly route: Route;
}

/** What a request must have beside its host. */
export interface MappingMatch {
  readonly path: 'prefix' | 'exact' | 'pattern';
  /** In canonical form; in lower case where `foldCase`. */
  readonly prefix: string;
  readonly foldCase: boolean;
  readonly method: TextMatch | undefined;
  readonly headers: readonly FieldMatch[];
  readonly query: readonly FieldMatch[];
}

/** Whole text to be equal to `value`, or to match `pattern` from end to end; neither: whatever it is. */
export interface TextMatch {
  readonly value: string | undefined;
  readonly pattern: string | undefined;
}

export interface FieldMatch extends TextMatch {
  /** In lower case for headers; as written for query parameters. */
  readonly name: string;
}

/** By what Mappings are ordered, each descending (edge.md, section 3). */
export interface MappingOrder {
  readonly precedence: number;
  readonly length: number;
  readonly headers: number;
  readonly query: number;
  readonly prefix: string;
  readonly method: string;
  /** `namespace/name`, ascending: so that the order is one in any case. */
  readonly name: string;
}

/** Below 0 where `a` is tried before `b`. */
export function compareMappingOrder(a: MappingOrder, b: MappingOrder): number {
  return (
    b.precedence - a.precedence ||
    b.length - a.length ||
    b.headers - a.headers ||
    b.query - a.query ||
    compareText(b.prefix, a.prefix) ||
    compareText(b.method, a.method) ||
    compareText(a.name, b.name)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
