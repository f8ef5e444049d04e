import {
  clusterIssuerAnnotation,
  issuerAnnotation,
  issuerGroupAnnotation,
  issuerKindAnnotation,
} from '../../api/annotations.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';

/** The issuer that an Ingress without one of its own gets, by --default-issuer-*. Empty name: none. */
export interface DefaultIssuer {
  readonly name: string;
  readonly kind: string;
  readonly group: string;
}

/** Which Ingresses count, and what they get by default. */
export interface ShimDefaults {
  readonly issuer: DefaultIssuer;
  /** --auto-certificate-annotations */
  readonly autoCertificateAnnotations: readonly string[];
  /** --extra-certificate-annotations */
  readonly extraCertificateAnnotations: readonly string[];
}

/** An issuerRef in full. */
export interface WantedIssuer {
  readonly name: string;
  readonly kind: string;
  readonly group: string;
}

/** The spellings that Go's strconv.ParseBool takes for true; cert-manager reads the annotation with it. */
const trueSpellings: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

/** Whether an Ingress asks for a Certificate: by an issuer annotation, or by an auto-annotation that is true. */
export function asksForCertificate(ingress: Ingress, defaults: ShimDefaults): boolean {
  const annotations = ingress.metadata.annotations ?? {};
  if (issuerAnnotation in annotations || clusterIssuerAnnotation in annotations) return true;
  return defaults.autoCertificateAnnotations.some(name => trueSpellings.has(annotations[name] ?? ''));
}

/**
 * The issuer of an Ingress that asks for a Certificate, or what is wrong with its annotations. As with cert-manager, a group
 * that is not named is the default one, also where the name is the Ingress's own.
 */
export function issuerFor(
  ingress: Ingress,
  defaults: ShimDefaults,
): WantedIssuer | { readonly problems: string[] } {
  const annotations = ingress.metadata.annotations ?? {};
  const issuer = annotations[issuerAnnotation] ?? '';
  const clusterIssuer = annotations[clusterIssuerAnnotation] ?? '';
  const kind = annotations[issuerKindAnnotation] ?? '';
  const group = annotations[issuerGroupAnnotation] ?? '';
  const problems: string[] = [];

  if (issuer !== '' && clusterIssuer !== '') {
    problems.push(
      `both ${issuerAnnotation} (${quoted(issuer)}) and ${clusterIssuerAnnotation} (${quoted(clusterIssuer)}) are set; keep one of them`,
    );
  }
  for (const [name, value] of [
    [issuerKindAnnotation, kind],
    [issuerGroupAnnotation, group],
  ] as const) {
    if (clusterIssuer !== '' && value !== '') {
      problems.push(
        `${name} (${quoted(value)}) does not go with ${clusterIssuerAnnotation}; use ${issuerAnnotation} with it`,
      );
    }
  }
  if (problems.length > 0) return { problems };

  if (clusterIssuer !== '')
    return { name: clusterIssuer, kind: 'ClusterIssuer', group: defaults.issuer.group };
  const name = issuer === '' ? defaults.issuer.name : issuer;
  if (name === '') {
    return {
      problems: [
        `no issuer is named; set ${clusterIssuerAnnotation} or ${issuerAnnotation} on the Ingress, or start Postern with --default-issuer-name`,
      ],
    };
  }
  return {
    name,
    kind: kind || (issuer === '' ? defaults.issuer.kind : 'Issuer'),
    group: group || defaults.issuer.group,
  };
}

function quoted(value: string): string {
  return JSON.stringify(value);
}
