import type { AcmeSolver, SolverSelector } from '../../api/acme/solver.ts';

/** What is to be proved. */
export interface ChosenFor {
  /** A DNS name, without `*.`, or an IP address. */
  readonly host: string;
  readonly wildcard: boolean;
  /** The labels that `matchLabels` looks at: the Order's, which are the Certificate's. */
  readonly labels: Readonly<Record<string, string>>;
  /** The challenge types that the CA offers, as it names them: `http-01`. */
  readonly offered: readonly string[];
}

/** The solver for a name, or why there is none, in words for the user. */
export type SolverChoice =
  | { readonly solver: AcmeSolver; readonly index: number }
  | { readonly reason: string };

interface Fit {
  readonly index: number;
  readonly solver: AcmeSolver;
  /** Compared from the first on: named exactly, labels in the longest matching zone, labels selected. */
  readonly rank: readonly [number, number, number];
}

/**
 * Chooses among an issuer's solvers: the one whose selector names the host, then the one with the longest
 * matching zone, then the one with most matching labels, then the first of the list. A selector must match in all
 * that it sets. Solvers that Postern has not (DNS01, Gateway API) are passed over where another matches.
 */
export function chooseSolver(solvers: readonly AcmeSolver[], target: ChosenFor): SolverChoice {
  const name = target.wildcard ? `*.${target.host}` : target.host;
  const fits = solvers.flatMap((solver, index): Fit[] => {
    const rank = rankOf(solver.selector, name, target.labels);
    return rank === undefined ? [] : [{ index, solver, rank }];
  });
  if (solvers.length === 0) {
    return { reason: `${name}: the issuer has no solver; add one with http01 to spec.acme.solvers` };
  }
  if (target.wildcard) {
    return {
      reason: `${name}: a wildcard name needs a DNS01 challenge, which Postern does not solve; list the names one by one`,
    };
  }
  if (fits.length === 0) {
    return {
      reason: `${name}: none of the issuer's ${solvers.length} solvers matches; add one whose selector matches this name, or one without a selector`,
    };
  }
  const usable = fits.filter(({ solver }) => solver.http01?.ingress !== undefined);
  const [first, ...others] = usable;
  if (first === undefined) return { reason: unsupported(name, fits) };
  if (!target.offered.includes('http-01')) {
    const types = target.offered.length === 0 ? 'nothing' : target.offered.slice(0, 5).join(', ');
    return { reason: `${name}: the ACME server offers no http-01 challenge for it, but ${types}` };
  }
  const best = others.reduce((best, fit) => (compare(fit.rank, best.rank) > 0 ? fit : best), first);
  return { solver: best.solver, index: best.index };
}

function unsupported(name: string, fits: readonly Fit[]): string {
  const which = fits.map(({ index, solver }) => {
    const type =
      solver.dns01 !== undefined
        ? 'dns01'
        : solver.http01?.gatewayHTTPRoute !== undefined
          ? 'http01.gatewayHTTPRoute'
          : 'no type';
    return `spec.acme.solvers[${index}] (${type})`;
  });
  return `${name}: only ${which.slice(0, 5).join(', ')} matches, which Postern does not support; add a solver with http01.ingress`;
}

function rankOf(
  selector: SolverSelector | undefined,
  name: string,
  labels: Readonly<Record<string, string>>,
): [number, number, number] | undefined {
  const names = selector?.dnsNames ?? [];
  const zones = selector?.dnsZones ?? [];
  const wanted = Object.entries(selector?.matchLabels ?? {});
  const named = names.includes(name) ? 1 : 0;
  if (names.length > 0 && named === 0) return undefined;
  const zone = Math.max(0, ...zones.filter(zone => isInZone(name, zone)).map(zone => labelsOf(zone)));
  if (zones.length > 0 && zone === 0) return undefined;
  if (!wanted.every(([key, value]) => labels[key] === value)) return undefined;
  return [named, zone, wanted.length];
}

function isInZone(name: string, zone: string): boolean {
  const bare = zone.toLowerCase().replace(/^\.|\.$/g, '');
  const host = name.toLowerCase();
  return bare !== '' && (host === bare || host.endsWith(`.${bare}`));
}

function labelsOf(zone: string): number {
  return zone.replace(/^\.|\.$/g, '').split('.').length;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) {
    const difference = value - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
