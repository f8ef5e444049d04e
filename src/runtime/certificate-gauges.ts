interface Conditions {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[] | undefined;
}

/** An Issuer or ClusterIssuer, as far as its gauges need it. */
export interface MeasuredIssuer {
  readonly metadata: { readonly name?: string | undefined; readonly namespace?: string | undefined };
  readonly status?: Conditions | undefined;
}

/** A Certificate, as far as its gauges need it. */
export interface MeasuredCertificate {
  readonly metadata: { readonly name?: string | undefined; readonly namespace?: string | undefined };
  readonly spec: {
    readonly issuerRef: {
      readonly name: string;
      readonly kind?: string | undefined;
      readonly group?: string | undefined;
    };
  };
  readonly status?:
    | (Conditions & {
        readonly notBefore?: string | undefined;
        readonly notAfter?: string | undefined;
        readonly renewalTime?: string | undefined;
      })
    | undefined;
}

/** Where the objects are read from, at each scrape. */
export interface CertificateSources {
  certificates(): readonly MeasuredCertificate[];
  issuers(): readonly MeasuredIssuer[];
  clusterIssuers(): readonly MeasuredIssuer[];
}

const conditionStatuses = ['True', 'False', 'Unknown'] as const;

/** A measured object with its labels, as they stand in each of its lines. */
interface Labelled {
  readonly labels: string;
  readonly status: MeasuredCertificate['status'];
}

const escaped = (value: string): string =>
  value.replace(/[\\"\n]/g, found => (found === '\n' ? '\\n' : `\\${found}`));

function labelled(names: Readonly<Record<string, string>>, status: Labelled['status']): Labelled {
  const labels = Object.entries(names).map(([name, value]) => `${name}="${escaped(value)}"`);
  return { labels: labels.join(','), status };
}

const ofCertificate = ({ metadata, spec, status }: MeasuredCertificate): Labelled =>
  labelled(
    {
      name: metadata.name ?? '',
      namespace: metadata.namespace ?? '',
      issuer_name: spec.issuerRef.name,
      issuer_kind: spec.issuerRef.kind ?? 'Issuer',
      issuer_group: spec.issuerRef.group ?? 'cert-manager.io',
    },
    status,
  );

const gauge = (name: string, help: string, lines: readonly string[]): string =>
  [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines].join('\n');

function readyGauge(name: string, what: string, objects: readonly Labelled[]): string {
  const lines = objects.flatMap(({ labels, status }) => {
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
    return conditionStatuses.map(
      condition => `${name}{${labels},condition="${condition}"} ${condition === ready ? 1 : 0}`,
    );
  });
  return gauge(name, `The Ready condition of the ${what}.`, lines);
}

/** Seconds since the epoch; 0 where there is no such time yet, as cert-manager has it. */
function secondsOf(time: string | undefined): number {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1_000);
}

const timestamps = [
  ['expiration', 'notAfter', 'When the certificate expires, in seconds since the epoch.'],
  ['not_after', 'notAfter', 'When the certificate expires, in seconds since the epoch.'],
  ['not_before', 'notBefore', 'From when the certificate is valid, in seconds since the epoch.'],
  ['renewal', 'renewalTime', 'When the certificate is to be renewed, in seconds since the epoch.'],
] as const;

function timestampGauge(
  [what, field, help]: (typeof timestamps)[number],
  certificates: readonly Labelled[],
): string {
  const name = `certmanager_certificate_${what}_timestamp_seconds`;
  const lines = certificates.map(({ labels, status }) => `${name}{${labels}} ${secondsOf(status?.[field])}`);
  return gauge(name, help, lines);
}

/**
 * The gauges of certificates and issuers, under cert-manager's names and labels, as Prometheus text. Written at each scrape
 * and kept by nobody, so that an object that is gone leaves none behind; and not by way of a registry: ten thousand certificates
 * have seventy thousand samples, and an object for each, with labels of its own, would be most of the memory of a process at rest.
 */
export function certificateGauges(sources: CertificateSources): string {
  const certificates = sources.certificates().map(ofCertificate);
  const issuers = sources
    .issuers()
    .map(({ metadata: { name = '', namespace = '' }, status }) => labelled({ name, namespace }, status));
  const clusterIssuers = sources
    .clusterIssuers()
    .map(({ metadata: { name = '' }, status }) => labelled({ name }, status));
  const gauges = [
    readyGauge('certmanager_certificate_ready_status', 'Certificate', certificates),
    ...timestamps.map(timestamp => timestampGauge(timestamp, certificates)),
    readyGauge('certmanager_issuer_ready_status', 'Issuer', issuers),
    readyGauge('certmanager_clusterissuer_ready_status', 'ClusterIssuer', clusterIssuers),
  ];
  return gauges.map(text => `${text}\n`).join('\n');
}
