import { bareRulesAnnotation } from '../src/api/acme/bare-rules.ts';
import {
  certificateNameAnnotation,
  certificateRevisionAnnotation,
  clusterIssuerAnnotation,
  defaultIngressClassAnnotation,
  http01OverrideIngressClassAnnotation,
  http01OverrideIngressClassNameAnnotation,
  http01OverrideIngressNameAnnotation,
  ingressClassAnnotation,
  issuerAnnotation,
  issuerGroupAnnotation,
  issuerKindAnnotation,
  issuerNameAnnotation,
  issueTemporaryCertificateAnnotation,
  jksDigestAnnotation,
  pkcs12DigestAnnotation,
  privateKeySecretNameAnnotation,
  replacesAnnotation,
  secretTemplateKeysAnnotation,
  sourceIngressClassAnnotation,
  tlsAcmeAnnotation,
  urlMatchModeProperty,
} from '../src/api/annotations.ts';
import { attemptAnnotation } from '../src/controllers/certificate/failure.ts';
import {
  type CertificateAnnotation,
  certificateAnnotations,
} from '../src/controllers/ingress-shim/certificate-annotations.ts';
import { ingressPropertyAnnotation } from '../src/edge/compile/cce-match-modes.ts';

/** A row of a table: the annotation, what may stand there, what it does. */
type Row = readonly [key: string, syntax: string, help: string];

const trueWords = '`true` (or `1`, `t`, `T`, `True`, `TRUE`)';

const issuerRows: readonly Row[] = [
  [issuerAnnotation, 'name', 'The Issuer, in the namespace of the Ingress.'],
  [
    clusterIssuerAnnotation,
    'name',
    'The ClusterIssuer. Not together with `issuer`, `issuer-kind` or `issuer-group`.',
  ],
  [issuerKindAnnotation, 'kind', 'With `issuer`: the kind of an issuer of another controller.'],
  [issuerGroupAnnotation, 'API group', 'With `issuer`: the API group of that kind.'],
  [
    tlsAcmeAnnotation,
    trueWords,
    'Takes the issuer of `--default-issuer-name`. `--auto-certificate-annotations` names others in its place.',
  ],
];

const edgeRows: readonly Row[] = [
  [ingressClassAnnotation, 'class', 'The class of the Ingress; goes before `spec.ingressClassName`.'],
  [
    ingressPropertyAnnotation,
    'JSON list of objects with `host`, `path`, `matchmode`',
    "How paths are compared: CCE's `property` of a path, for API servers that drop it.",
  ],
  [
    urlMatchModeProperty,
    '`STARTS_WITH`, `EQUAL_TO`, `REGEX`',
    'No annotation, but a key of `property` of a path: how the path is compared.',
  ],
];

const otherRows: readonly (readonly [key: string, kind: string, help: string])[] = [
  [defaultIngressClassAnnotation, 'IngressClass', '`true` makes it the class of Ingresses that name none.'],
  [
    issueTemporaryCertificateAnnotation,
    'Certificate',
    '`true`: a temporary certificate is in the Secret until the signed one is there. Yours to set, or from `http01-edit-in-place`.',
  ],
  [
    http01OverrideIngressNameAnnotation,
    'Certificate and what is made from it',
    'The Ingress that carries the challenge. Yours to set, or from `http01-edit-in-place`.',
  ],
  [
    http01OverrideIngressClassAnnotation,
    'Certificate and what is made from it',
    'Its class, by annotation. Yours to set, or from `http01-ingress-class`.',
  ],
  [
    http01OverrideIngressClassNameAnnotation,
    'Certificate and what is made from it',
    'Its class, by `spec.ingressClassName`. Yours to set, or from `http01-ingress-ingressclassname`.',
  ],
  [
    sourceIngressClassAnnotation,
    'Certificate and what is made from it',
    'Written by Postern: the class of the Ingress that it comes from.',
  ],
  [
    certificateNameAnnotation,
    'CertificateRequest, Secret',
    'Written by Postern: the Certificate that it belongs to.',
  ],
  [certificateRevisionAnnotation, 'CertificateRequest', 'Written by Postern: the number of the issuance.'],
  [
    privateKeySecretNameAnnotation,
    'CertificateRequest',
    'Written by Postern: the Secret that holds the key of its CSR.',
  ],
  [attemptAnnotation, 'CertificateRequest', 'Written by Postern: the number of the try at that issuance.'],
  [
    issuerNameAnnotation,
    'Secret',
    'Written by Postern, with `issuer-kind`, `issuer-group`, `common-name`, `alt-names`, `ip-sans`, `uri-sans` and others of the keys above: what is in the Secret, and who signed it.',
  ],
  [
    replacesAnnotation,
    'CertificateRequest, Order',
    'Written by Postern: the certificate that the new one takes the place of, for servers with renewal information (RFC 9773).',
  ],
  [
    secretTemplateKeysAnnotation,
    'Secret',
    'Written by Postern: which labels and annotations are from secretTemplate, to take out those that leave it.',
  ],
  [
    jksDigestAnnotation,
    'Secret',
    'Written by Postern: what the JKS keystores were made from, as a digest that tells nothing.',
  ],
  [pkcs12DigestAnnotation, 'Secret', 'Written by Postern: the same for the PKCS#12 keystores.'],
  [
    bareRulesAnnotation,
    'Ingress',
    'Written by Postern while a challenge is solved in place: what to take out again afterwards.',
  ],
];

/** The tables of docs/annotations.md, by the name in their markers. */
export const annotationTables: Readonly<Record<string, string>> = {
  issuer: table(['annotation', 'value', 'what it does'], issuerRows.map(keyed)),
  certificate: table(
    ['annotation', 'field of the Certificate', 'value', 'what it is'],
    certificateAnnotations
      .filter(({ field }) => field !== undefined)
      .map(one => [code(one.key), code(`spec.${one.field ?? ''}`), one.syntax, one.help]),
  ),
  passed: table(
    ['annotation', 'annotation of the Certificate', 'value', 'what it does'],
    certificateAnnotations
      .filter(({ targets }) => targets.length > 0)
      .map(one => [code(one.key), targetsOf(one), one.syntax, one.help]),
  ),
  edge: table(['annotation', 'value', 'what it does'], edgeRows.map(keyed)),
  others: table(['annotation', 'on', 'what it is'], otherRows.map(keyed)),
};

/** `text`, the content of docs/annotations.md, with its tables as the code has them. Throws where a marker is missing. */
export function withAnnotationTables(text: string): string {
  return Object.entries(annotationTables).reduce((before, [name, content]) => {
    const [begin, end] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`];
    const [from, to] = [before.indexOf(begin), before.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/annotations.md needs the lines "${begin}" and "${end}"`);
    return `${before.slice(0, from)}${begin}\n\n${content}\n\n${before.slice(to)}`;
  }, text);
}

function targetsOf({ key, targets }: CertificateAnnotation): string {
  return targets.map(target => (target === key ? 'the same' : code(target))).join('<br>');
}

function keyed([key, ...rest]: Row): string[] {
  return [code(key), ...rest];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function code(text: string): string {
  return `\`${text}\``;
}
