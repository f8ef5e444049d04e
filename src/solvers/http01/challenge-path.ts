import { isIP } from 'node:net';
import { bareHostsOf, bareRulesAnnotation } from '../../api/acme/bare-rules.ts';
import type { Challenge } from '../../api/acme/challenge.ts';
import type { HttpIngressPath, Ingress, IngressRule } from '../../api/kubernetes/ingress.ts';
import { PosternError } from '../../core/errors.ts';
import { canonicalHost, challengePath, isToken } from './challenge-host.ts';
import { solverPortNumber, solverServiceName } from './solver-names.ts';

/** Where a challenge's answer is to be found: the host of the Ingress rule (`''` for IP addresses) and the path. */
export interface ChallengeRoute {
  readonly host: string;
  readonly path: string;
}

/**
 * The route of a challenge. Throws SOLVER_INVALID_CHALLENGE where the object's name or token is none: they
 * become part of an Ingress that a controller turns into its own configuration.
 */
export function routeOf({ spec }: Challenge): ChallengeRoute {
  const host = canonicalHost(spec.dnsName);
  if (host === undefined || spec.dnsName.includes(':') !== host.includes(':')) {
    throw invalid(`spec.dnsName ${JSON.stringify(spec.dnsName)} is neither a DNS name nor an IP address`);
  }
  if (!isToken(spec.token)) throw invalid('spec.token is no token of an ACME server');
  return { host: isIP(host) === 0 ? host : '', path: `${challengePath}${spec.token}` };
}

function invalid(what: string): PosternError {
  return new PosternError(`${what}; delete the Challenge`, {
    code: 'SOLVER_INVALID_CHALLENGE',
    retry: 'never',
  });
}

/** The path of an Ingress rule that leads to the solver Service of the namespace. */
export function ingressPathOf(route: ChallengeRoute): HttpIngressPath {
  return {
    path: route.path,
    pathType: 'Exact',
    backend: { service: { name: solverServiceName, port: { number: solverPortNumber } } },
  };
}

/** The Ingress with the challenge's path first in the rule of its host; the same object where it is so already. */
export function withChallengePath(ingress: Ingress, route: ChallengeRoute): Ingress {
  const rules = ingress.spec?.rules ?? [];
  const at = rules.findIndex(rule => (rule.host ?? '') === route.host);
  const wanted = ingressPathOf(route);
  const rule = rules[at];
  if (rule === undefined) {
    const added: IngressRule = {
      ...(route.host === '' ? {} : { host: route.host }),
      http: { paths: [wanted] },
    };
    return { ...ingress, spec: { ...ingress.spec, rules: [...rules, added] } };
  }
  const paths = rule.http?.paths ?? [];
  if (paths.some(path => leadsToSolver(path, route))) return ingress;
  const edited = { ...rule, http: { paths: [wanted, ...paths.filter(path => path.path !== route.path)] } };
  const next = { ...ingress, spec: { ...ingress.spec, rules: rules.with(at, edited) } };
  return paths.length > 0 ? next : withBareHosts(next, [...bareHostsOf(ingress), route.host]);
}

/**
 * The Ingress without the challenge's path: what it was before, plus what others have changed since. The same object
 * where the path is not in it.
 */
export function withoutChallengePath(ingress: Ingress, route: ChallengeRoute): Ingress {
  const before = ingress.spec?.rules ?? [];
  const bare = bareHostsOf(ingress);
  let bareLeft = bare;
  const rules = before.flatMap((rule): IngressRule[] => {
    const paths = rule.http?.paths ?? [];
    if ((rule.host ?? '') !== route.host || !paths.some(path => path.path === route.path)) return [rule];
    const left = paths.filter(path => path.path !== route.path);
    // What is not a challenge's was added by others: the rule is theirs now, and stays when we are through.
    if (left.some(path => path.path?.startsWith(challengePath) !== true)) {
      bareLeft = bareLeft.filter(host => host !== route.host);
    }
    if (left.length > 0) return [{ ...rule, http: { paths: left } }];
    const wasBare = bare.includes(route.host);
    bareLeft = bareLeft.filter(host => host !== route.host);
    // An Ingress needs a rule or a default backend; a rule without paths does nothing.
    const needed = before.length === 1 && ingress.spec?.defaultBackend === undefined;
    const { http: _, ...withoutHttp } = rule;
    return wasBare || needed ? [withoutHttp] : [];
  });
  if (rules.every((rule, at) => rule === before[at]) && rules.length === before.length) return ingress;
  const { rules: _, ...spec } = ingress.spec ?? {};
  const next = { ...ingress, spec: rules.length === 0 ? spec : { ...spec, rules } };
  return bareLeft.length === bare.length ? next : withBareHosts(next, bareLeft);
}

/** Whether a path is the challenge's, and leads to the solver. */
export function leadsToSolver(path: HttpIngressPath, route: ChallengeRoute): boolean {
  const { service } = path.backend;
  return (
    path.path === route.path &&
    path.pathType === 'Exact' &&
    service?.name === solverServiceName &&
    service.port?.number === solverPortNumber
  );
}

function withBareHosts(ingress: Ingress, hosts: readonly string[]): Ingress {
  const { [bareRulesAnnotation]: _, ...others } = ingress.metadata.annotations ?? {};
  const { annotations: __, ...metadata } = ingress.metadata;
  const annotations =
    hosts.length === 0 ? others : { ...others, [bareRulesAnnotation]: JSON.stringify(hosts) };
  if (Object.keys(annotations).length === 0) return { ...ingress, metadata };
  return { ...ingress, metadata: { ...metadata, annotations } };
}
