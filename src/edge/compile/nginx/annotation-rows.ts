import { accessRows } from './access.ts';
import type { AnnotationRow } from './annotation-row.ts';
import { affinityRows, canaryRows } from './canaries.ts';
import { clientCertificateRows } from './client-certificates.ts';
import { corsRows } from './cors.ts';
import { limitRows } from './limits.ts';
import { redirectRows } from './redirects.ts';
import { otherRows } from './refused.ts';
import { upstreamTlsRows } from './upstream-tls.ts';
import { upstreamRows } from './upstreams.ts';

/** All annotations of ingress-nginx, those of former versions too, by what they are about. */
export const annotationGroups: Readonly<Record<string, readonly AnnotationRow[]>> = {
  'Redirects, names and paths': redirectRows,
  'TLS to upstreams': upstreamTlsRows,
  'Client certificates': clientCertificateRows,
  'Who may ask': accessRows,
  Limits: limitRows,
  Upstreams: upstreamRows,
  'Cross-origin requests': corsRows,
  Canaries: canaryRows,
  Affinity: affinityRows,
  'All others': otherRows,
};

/** By name, without the prefix. */
export const annotationRows: ReadonlyMap<string, AnnotationRow> = new Map(
  Object.values(annotationGroups)
    .flat()
    .map(row => [row.name, row]),
);

const places = new Map([...annotationRows.keys()].map((name, place) => [name, place]));

/** Rows with their values, in the order of the table: where two say the same, the later one counts. */
export function rowsOf(values: ReadonlyMap<string, string>): [row: AnnotationRow, value: string][] {
  const present = [...values].flatMap(([name, value]): [AnnotationRow, string][] => {
    const row = annotationRows.get(name);
    return row === undefined ? [] : [[row, value]];
  });
  return present.sort(([a], [b]) => (places.get(a.name) ?? 0) - (places.get(b.name) ?? 0));
}
