import { type Finding, findingReasons } from '../finding.ts';
import { parseRuleHost } from '../match/host.ts';
import { otherNamePolicy } from '../policy/redirects.ts';
import { quoted } from './annotations.ts';
import { hostsOfRules, type IngressRoutes } from './ingress-routes.ts';
import { kept } from './reuse.ts';
import type { HostRoutes, Route, SourceRef } from './table.ts';

/** Names that an Ingress asks for beside the hosts of its rules (ingress-nginx: server-alias, from-to-www-redirect). */
export interface FurtherNames {
  readonly hosts: ReadonlyMap<string, HostRoutes>;
  /** The host whose other name it is. */
  readonly hostOf: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
}

/** `www.foo.com` for `foo.com` and the other way round; undefined for wildcards and for no host. */
export function wwwCounterpart(host: string): string | undefined {
  if (host === '' || host.startsWith('*')) return undefined;
  return host.startsWith('www.') ? parseRuleHost(host.slice(4)) : parseRuleHost(`www.${host}`);
}

/** The names that the Ingress asks for, in lower case. */
export function namesBeside(routes: IngressRoutes): string[] {
  const { settings } = routes;
  const counterparts = settings.fromToWww
    ? hostsOfRules(routes).flatMap(host => wwwCounterpart(host) ?? [])
    : [];
  return [...settings.serverAliases, ...counterparts];
}

/**
 * Gives further names to the oldest Ingress that asks, where no rule has them (edge.md, statement 6). `claimants` are in
 * order of age; `routesOf` gives the routes of hosts that have rules; `earlier` is what an earlier compilation gave.
 */
export function furtherNames(
  claimants: Iterable<IngressRoutes>,
  routesOf: (host: string) => HostRoutes | undefined,
  earlier: ReadonlyMap<string, HostRoutes>,
): FurtherNames {
  const hosts = new Map<string, HostRoutes>();
  const hostOf = new Map<string, string>();
  const owners = new Map<string, SourceRef>();
  const findings: Finding[] = [];
  const claim = (from: IngressRoutes, name: string, host: string, routes: HostRoutes): void => {
    const ruled = routesOf(name) !== undefined;
    const owner = ruled ? undefined : owners.get(name);
    if (owner === undefined && !ruled) {
      owners.set(name, from.source);
      hostOf.set(name, host);
      hosts.set(name, routes);
      return;
    }
    const same = owner?.namespace === from.source.namespace && owner.name === from.source.name;
    if (same && !ruled) return;
    const who =
      owner === undefined
        ? 'there are rules for that host'
        : `the older Ingress "${owner.namespace}/${owner.name}" has it`;
    const message = `${quoted(name)} is not used as a further name of host ${quoted(host)}: ${who}`;
    findings.push({ object: from.ingress, reason: findingReasons.hostConflict, message });
  };
  for (const from of claimants) {
    const named = hostsOfRules(from).filter(host => host !== '');
    const [first] = named;
    const main = first === undefined ? undefined : routesOf(first);
    if (first !== undefined && main !== undefined)
      for (const alias of from.settings.serverAliases) claim(from, alias, first, main);
    if (!from.settings.fromToWww) continue;
    for (const host of named) {
      const counterpart = wwwCounterpart(host);
      if (counterpart !== undefined && routesOf(host) !== undefined)
        claim(
          from,
          counterpart,
          host,
          kept(earlier.get(counterpart), redirectRoutes(from.source, counterpart, host)),
        );
    }
  }
  return { hosts, hostOf, findings };
}

/** The routes of a name that is sent to another one, scheme, path and query kept. */
function redirectRoutes(source: SourceRef, from: string, to: string): HostRoutes {
  const route: Route = {
    source,
    host: from,
    path: '/',
    kind: 'Prefix',
    policy: otherNamePolicy(to),
    backend: '',
    alternatives: [],
  };
  return Object.freeze({
    host: from,
    root: route,
    exact: new Map(),
    prefixes: new Map(),
    deepestPrefix: 0,
    patterns: [],
    fallback: undefined,
  });
}
