import { z } from 'zod';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { type Finding, findingReasons } from '../finding.ts';

/** CCE's stand-in for the `property` of paths, which stock API servers drop. */
export const ingressPropertyAnnotation = 'kubernetes.io/ingress.property';

const entries = z.array(z.record(z.string(), z.unknown()));

/** The match mode for a path of a host, or undefined where none is stated. */
export type MatchModes = (host: string, path: string) => string | undefined;

const noModes: MatchModes = () => undefined;

/**
 * Reads the annotation: a JSON list of `host`, `path`, `matchmode`, the keys in any case; an entry without a host
 * counts for the path in every host (CCE, FAQ on the property field of Ingresses).
 */
export function readMatchModes(ingress: Ingress): { modes: MatchModes; findings: Finding[] } {
  const text = ingress.metadata.annotations?.[ingressPropertyAnnotation];
  if (text === undefined || text.trim() === '') return { modes: noModes, findings: [] };
  const parsed = entries.safeParse(parseJson(text));
  if (!parsed.success) {
    const message = `${ingressPropertyAnnotation} is passed over: it must be a JSON list of objects with "host", "path" and "matchmode"`;
    return {
      modes: noModes,
      findings: [{ object: ingress, reason: findingReasons.annotationInvalid, message }],
    };
  }
  const modes = new Map<string, string>();
  for (const entry of parsed.data) {
    const fields = new Map(Object.entries(entry).map(([key, value]) => [key.toLowerCase(), String(value)]));
    const mode = fields.get('matchmode');
    if (mode !== undefined)
      modes.set(`${fields.get('host')?.toLowerCase() ?? ''} ${fields.get('path') ?? ''}`, mode);
  }
  return { modes: (host, path) => modes.get(`${host} ${path}`) ?? modes.get(` ${path}`), findings: [] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
