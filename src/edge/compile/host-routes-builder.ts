import { elementCount } from '../match/path-elements.ts';
import type { PathRule } from './path-rule.ts';
import type { HostRoutes, PatternRoute, Route } from './table.ts';

/** An empty map takes as much memory as one with four entries, and most hosts have two. */
const none: ReadonlyMap<string, Route> = new Map();
const noPatterns: readonly PatternRoute[] = Object.freeze([]);

/** Gathers the routes of one host. */
export class HostRoutesBuilder {
  readonly #host: string;
  readonly #exact = new Map<string, Route>();
  readonly #prefixes = new Map<string, Route>();
  readonly #patterns = new Map<string, PatternRoute>();
  #fallback: Route | undefined;

  constructor(host: string) {
    this.#host = host;
  }

  /** The route that has the same path of the same kind. */
  taken({ kind, key }: PathRule): Route | undefined {
    if (kind === 'Regex') return this.#patterns.get(key)?.route;
    return (kind === 'Exact' ? this.#exact : this.#prefixes).get(key);
  }

  add(rule: PathRule, route: Route): void {
    if (rule.kind === 'Regex')
      this.#patterns.set(rule.key, { pattern: rule.pattern, elements: rule.elements, route });
    else (rule.kind === 'Exact' ? this.#exact : this.#prefixes).set(rule.key, route);
  }

  /** The default backend of the host. */
  setFallback(route: Route): void {
    this.#fallback = route;
  }

  build(): HostRoutes {
    const patterns = [...this.#patterns.values()].sort(
      (a, b) => b.elements - a.elements || b.route.path.length - a.route.path.length,
    );
    const root = this.#prefixes.get('');
    this.#prefixes.delete('');
    let deepestPrefix = 0;
    for (const key of this.#prefixes.keys()) deepestPrefix = Math.max(deepestPrefix, elementCount(key));
    return Object.freeze({
      host: this.#host,
      root,
      exact: this.#exact.size > 0 ? this.#exact : none,
      prefixes: this.#prefixes.size > 0 ? this.#prefixes : none,
      deepestPrefix,
      patterns: patterns.length > 0 ? patterns : noPatterns,
      fallback: this.#fallback,
    });
  }
}
