import type { Ingress } from '../kubernetes/ingress.ts';

/**
 * On an Ingress that carries a challenge in place: the hosts, as JSON, whose rule had no `http` before. Clean-up tells it so
 * from a rule that was added, and the edge a host of the site from one that is there for the challenge alone. Gone with the
 * last challenge of such a host.
 */
export const bareRulesAnnotation = 'postern.dev/http01-bare-rules';

/** The hosts of the annotation, none where it cannot be read. */
export function bareHostsOf({ metadata }: Pick<Ingress, 'metadata'>): readonly string[] {
  const text = metadata.annotations?.[bareRulesAnnotation];
  if (text === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.filter(host => typeof host === 'string') : [];
  } catch {
    return [];
  }
}
