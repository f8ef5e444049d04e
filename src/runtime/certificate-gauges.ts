import { Gauge, type Registry } from 'prom-client';

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

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const conditionStatuses = ['True', 'False', 'Unknown'] as const;

/**
 * A gauge whose samples are made at each scrape and kept by nobody: ten thousand certificates have seventy
 * thousand samples, and an object that is gone leaves none behind.
 */
function addGauge(registry: Registry, name: string, help: string, samples: () => Sample[]): void {
  const gauge = new Gauge<string>({ name, help, registers: [registry] });
  const get = gauge.get.bind(gauge);
  gauge.get = async () => ({ ...(await get()), values: samples() });
}

function readySamples(status: Conditions | undefined, labels: Readonly<Record<string, string>>): Sample[] {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
  return conditionStatuses.map(condition => ({
    labels: { ...labels, condition },
    value: condition === ready ? 1 : 0,
  }));
}

function certificateLabels({ metadata, spec }: MeasuredCertificate): Record<string, string> {
  return {
    name: metadata.name ?? '',
    namespace: metadata.namespace ?? '',
    issuer_name: spec.issuerRef.name,
    issuer_kind: spec.issuerRef.kind ?? 'Issuer',
    issuer_group: spec.issuerRef.group ?? 'cert-manager.io',
  };
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

/** The gauges of certificates and issuers, under cert-manager's names and labels. */
export function addCertificateGauges(registry: Registry, sources: CertificateSources): void {
  addGauge(registry, 'certmanager_certificate_ready_status', 'The Ready condition of the Certificate.', () =>
    sources.certificates().flatMap(one => readySamples(one.status, certificateLabels(one))),
  );
  for (const [name, field, help] of timestamps) {
    addGauge(registry, `certmanager_certificate_${name}_timestamp_seconds`, help, () =>
      sources
        .certificates()
        .map(one => ({ labels: certificateLabels(one), value: secondsOf(one.status?.[field]) })),
    );
  }
  addGauge(registry, 'certmanager_issuer_ready_status', 'The Ready condition of the Issuer.', () =>
    sources
      .issuers()
      .flatMap(({ metadata, status }) =>
        readySamples(status, { name: metadata.name ?? '', namespace: metadata.namespace ?? '' }),
      ),
  );
  addGauge(
    registry,
    'certmanager_clusterissuer_ready_status',
    'The Ready condition of the ClusterIssuer.',
    () =>
      sources
        .clusterIssuers()
        .flatMap(({ metadata, status }) => readySamples(status, { name: metadata.name ?? '' })),
  );
}
