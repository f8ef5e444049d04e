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

/** By name, without the prefix, in the order in which they are read: where two say the same, the later one counts. */
export const annotationRows: ReadonlyMap<string, AnnotationRow> = new Map(
  Object.values(annotationGroups)
    .flat()
    .map(row => [row.name, row]),
);
