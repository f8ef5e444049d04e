import { elementCount } from '../match/path-elements.ts';
import type { PathRule } from './path-rule.ts';
import type { HostRoutes, PatternRoute, Route } from './table.ts';

/** Gathers the routes of one host, oldest Ingress first: what is there already wins. */
export class HostRoutesBuilder {
  readonly #host: string;
  readonly #exact = new Map<string, Route>();
  readonly #prefixes = new Map<string, Route>();
  readonly #patterns = new Map<string, PatternRoute>();
  #fallback: Route | undefined;

  constructor(host: string) {
    this.#host = host;
  }

  /** Adds a route; where the same path of the same kind is taken, gives the route that has it. */
  add(rule: PathRule, route: Route): Route | undefined {
    if (rule.kind === 'Regex') {
      const taken = this.#patterns.get(rule.key);
      if (taken !== undefined) return taken.route;
      this.#patterns.set(rule.key, { pattern: rule.pattern, elements: rule.elements, route });
      return undefined;
    }
    const routes = rule.kind === 'Exact' ? this.#exact : this.#prefixes;
    const taken = routes.get(rule.key);
    if (taken === undefined) routes.set(rule.key, route);
    return taken;
  }

  /** The default backend for this host; false where an older one is there. */
  addFallback(route: Route): boolean {
    if (this.#fallback !== undefined) return false;
    this.#fallback = route;
    return true;
  }

  build(): HostRoutes {
    const patterns = [...this.#patterns.values()].sort(
      (a, b) => b.elements - a.elements || b.pattern.source.length - a.pattern.source.length,
    );
    return Object.freeze({
      host: this.#host,
      exact: this.#exact,
      prefixes: this.#prefixes,
      deepestPrefix: [...this.#prefixes.keys()].reduce(
        (deepest, key) => Math.max(deepest, elementCount(key)),
        0,
      ),
      patterns,
      fallback: this.#fallback,
    });
  }
}
