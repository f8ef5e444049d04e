import { isIP } from 'node:net';
import { formatDuration } from '../core/duration.ts';
import { type EdgeFlags, edgeFlags } from './edge-flags.ts';
import { knownVariables } from './known-variables.ts';
import { type LoadedSettings, loadSettings, type SettingSources } from './load-settings.ts';
import { type RunSettings, runSettings } from './run-settings.ts';
import { stateFolder } from './state-folder.ts';
import { UsageError } from './usage-error.ts';
import { type ListenAddress, listenAddressText } from './values.ts';

/** Where the objects are: in a cluster, or in an embedded store filled from a folder of manifests. */
export type ObjectSource =
  | {
      readonly kind: 'cluster';
      /** Absent: $KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount. */
      readonly kubeconfig: string | undefined;
    }
  | { readonly kind: 'standalone'; readonly manifests: string; readonly stateDir: string };

/** All that a run of Postern is told from outside, complete and consistent. Frozen, at every depth. */
export interface Config {
  readonly source: ObjectSource;
  readonly components: { readonly controllers: boolean; readonly edge: boolean };
  /** Absent: all namespaces. */
  readonly namespace: string | undefined;
  /** `name` is absent where there is no default issuer. */
  readonly defaultIssuer: {
    readonly name: string | undefined;
    readonly kind: string;
    readonly group: string;
  };
  readonly autoCertificateAnnotations: readonly string[];
  readonly extraCertificateAnnotations: readonly string[];
  readonly clusterResourceNamespace: string;
  readonly enableCertificateOwnerRef: boolean;
  /** Whether CertificateRequests for issuers of cert-manager.io are approved here. */
  readonly approveRequests: boolean;
  readonly maxConcurrentChallenges: number;
  /** Whether ACME servers are asked when to renew (RFC 9773). */
  readonly acmeRenewalInformation: boolean;
  readonly solver: { readonly listen: ListenAddress; readonly address: string };
  readonly http01: {
    /** As `node:dns` takes them; empty means those of the machine. */
    readonly nameservers: readonly string[];
    readonly port: number;
  };
  readonly ingressClasses: readonly string[];
  /** Where Ingresses are said to be served; absent: their status is left alone. */
  readonly published:
    | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
    | { readonly kind: 'service'; readonly service: { readonly namespace: string; readonly name: string } }
    | undefined;
  readonly emissary: {
    /** Absent: where the API server has its kinds. */
    readonly watch: boolean | undefined;
    readonly ambassadorId: string;
    readonly forceSecretValidation: boolean;
  };
  readonly httpListen: ListenAddress;
  readonly httpsListen: ListenAddress;
  readonly edge: EdgeFlags;
  /** Absent where there is no election. */
  readonly leaderElection:
    | {
        readonly namespace: string;
        readonly leaseDurationMs: number;
        readonly renewDeadlineMs: number;
        readonly retryPeriodMs: number;
      }
    | undefined;
  readonly metricsListen: ListenAddress;
  readonly log: { readonly format: 'json' | 'human'; readonly level: 'debug' | 'info' | 'warn' | 'error' };
}

/** The machine, as far as defaults depend on it. */
export interface ConfigSources extends SettingSources {
  /** Whether the log goes to a terminal. */
  readonly isTty: boolean;
  readonly homeDir: string;
  /** The addresses of this machine that are not loopback, the preferred first. */
  readonly addresses: () => readonly string[];
}

type Loaded = LoadedSettings<RunSettings>;

/** Each protects from a start that would not do what was asked. */
const contradictions: readonly ((loaded: Loaded) => string | false)[] = [
  ({ settings, givenBy }) =>
    settings.standalone !== undefined &&
    settings.kubeconfig !== undefined &&
    `${givenBy.get('standalone')} and ${givenBy.get('kubeconfig')} exclude each other: Postern works on a folder of manifests or on a cluster.`,
  ({ settings, givenBy }) =>
    settings.standalone === undefined &&
    settings.stateDir !== undefined &&
    `${givenBy.get('stateDir')} belongs to --standalone: on a cluster all state is in the cluster.`,
  ({ settings, givenBy }) =>
    settings.standalone !== undefined &&
    settings.leaderElect === true &&
    `${givenBy.get('leaderElect')} is for clusters: with --standalone there is one process only.`,
  ({ settings, givenBy }) => {
    const given = givenBy.get('defaultIssuerKind') ?? givenBy.get('defaultIssuerGroup');
    return (
      settings.defaultIssuerName === undefined &&
      given !== undefined &&
      `${given} says what kind of issuer --default-issuer-name is, but there is no --default-issuer-name.`
    );
  },
  ({ settings, givenBy }) =>
    settings.defaultIssuerGroup === 'cert-manager.io' &&
    !['Issuer', 'ClusterIssuer'].includes(settings.defaultIssuerKind) &&
    `${givenBy.get('defaultIssuerKind')}: ${JSON.stringify(settings.defaultIssuerKind)} is not Issuer or ClusterIssuer; for a kind of another group give --default-issuer-group too.`,
  ({ settings }) =>
    settings.components.length === 0 &&
    '--components must name controllers, edge or both: there is nothing to do.',
  ({ settings, givenBy }) =>
    settings.standalone === undefined &&
    settings.solverAddress !== undefined &&
    isUnroutable(settings.solverAddress) &&
    `${givenBy.get('solverAddress')}: ${settings.solverAddress} cannot be reached by an Ingress controller, and API servers refuse it in an EndpointSlice; give the address of this pod.`,
  ({ settings: { leaderElectionLeaseDuration: lease, leaderElectionRenewDeadline: renew, ...settings } }) =>
    !(lease > renew && renew > settings.leaderElectionRetryPeriod) &&
    `--leader-election-lease-duration (${formatDuration(lease)}) must be longer than --leader-election-renew-deadline (${formatDuration(renew)}), and that longer than --leader-election-retry-period (${formatDuration(settings.leaderElectionRetryPeriod)}).`,
  ({ settings, givenBy }) =>
    settings.publishService !== undefined &&
    settings.publishAddress.length > 0 &&
    `${givenBy.get('publishService')} and ${givenBy.get('publishAddress')} exclude each other: the addresses come from a Service, or are given.`,
  ({ settings }) =>
    settings.proxyProtocol &&
    settings.trustedProxies.length === 0 &&
    '--proxy-protocol needs --trusted-proxies: the addresses of the load balancers whose word is taken.',
  ({ settings }) =>
    settings.tlsMinVersion === '1.3' &&
    !settings.tlsCiphers.some(name => name.startsWith('TLS_')) &&
    '--tls-ciphers has no suite of TLS 1.3, and --tls-min-version=1.3 allows no other.',
  ({ settings }) =>
    settings.tlsCiphers.length === 0 && '--tls-ciphers is empty: name a suite, or leave it out.',
  ({ settings }) => sharedPort(settings),
];

function isUnroutable(address: string): boolean {
  return isIP(address) === 4 ? /^(127\.|0\.|169\.254\.)/.test(address) : /^(::1?$|fe[89ab])/i.test(address);
}

function sharedPort(settings: RunSettings): string | false {
  const hasEdge = settings.components.includes('edge');
  const listeners = [
    ...(hasEdge
      ? ([
          ['http-listen', settings.httpListen],
          ['https-listen', settings.httpsListen],
        ] as const)
      : []),
    ...(settings.components.includes('controllers')
      ? ([['solver-listen', settings.solverListen]] as const)
      : []),
    ['metrics-listen-address', settings.metricsListenAddress] as const,
  ];
  const isAll = (host: string): boolean => ['', '0.0.0.0', '::'].includes(host);
  for (const [index, [name, address]] of listeners.entries()) {
    for (const [other, { host, port }] of listeners.slice(0, index)) {
      if (port === 0 || port !== address.port) continue;
      if (host !== address.host && !isAll(host) && !isAll(address.host)) continue;
      return `--${other} and --${name} both want port ${port}: give one of them another, as in --${name}=${listenAddressText({ ...address, port: port + 1 })}.`;
    }
  }
  return false;
}

function sourceOf(settings: RunSettings, sources: ConfigSources): ObjectSource {
  if (settings.standalone === undefined) return { kind: 'cluster', kubeconfig: settings.kubeconfig };
  const stateDir = settings.stateDir ?? stateFolder(sources.environment, sources.homeDir);
  return { kind: 'standalone', manifests: settings.standalone, stateDir };
}

function solverAddressOf(settings: RunSettings, sources: ConfigSources): string {
  if (settings.solverAddress !== undefined) return settings.solverAddress;
  if (settings.standalone !== undefined) return '127.0.0.1';
  const podIp = sources.environment['POD_IP'];
  if (podIp !== undefined && isIP(podIp) !== 0) return podIp;
  const [first] = sources.addresses();
  if (first !== undefined) return first;
  if (!settings.components.includes('controllers')) return '127.0.0.1';
  throw new UsageError(['--solver-address is needed: this machine has no address but loopback ones.']);
}

function publishedOf({ publishService, publishAddress }: RunSettings): Config['published'] {
  if (publishService !== undefined) return { kind: 'service', service: publishService };
  return publishAddress.length === 0 ? undefined : { kind: 'addresses', addresses: publishAddress };
}

/** Emissary's own variables, by its names and rules: who used them need not look for others. */
function emissaryVariables(environment: SettingSources['environment']): Omit<Config['emissary'], 'watch'> {
  const force = environment['AMBASSADOR_FORCE_SECRET_VALIDATION'] ?? '';
  return {
    ambassadorId: environment['AMBASSADOR_ID'] || 'default',
    forceSecretValidation: !['', '0', 'false', 'no', 'off'].includes(force.trim().toLowerCase()),
  };
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) deepFrozen(inner);
  return Object.freeze(value);
}

/**
 * The configuration of `postern run`: each setting from its flag, else its environment variable, else the
 * file of --config, else its default. Gives `'help'` where that was asked for. Throws a UsageError.
 */
export function loadConfig(sources: ConfigSources): Config | 'help' {
  const loaded = loadSettings(runSettings, sources, {
    fileSetting: 'config',
    knownVariables,
    command: 'postern run',
  });
  if (loaded === 'help') return 'help';
  const problems = contradictions.map(check => check(loaded)).filter(problem => problem !== false);
  if (problems.length > 0) throw new UsageError(problems);
  const { settings } = loaded;
  const isElected = settings.leaderElect ?? settings.standalone === undefined;
  return deepFrozen<Config>({
    source: sourceOf(settings, sources),
    components: {
      controllers: settings.components.includes('controllers'),
      edge: settings.components.includes('edge'),
    },
    namespace: settings.namespace,
    defaultIssuer: {
      name: settings.defaultIssuerName ?? '',
      kind: settings.defaultIssuerKind,
      group: settings.defaultIssuerGroup,
    },
    autoCertificateAnnotations: settings.autoCertificateAnnotations,
    extraCertificateAnnotations: settings.extraCertificateAnnotations,
    clusterResourceNamespace: settings.clusterResourceNamespace ?? settings.namespace ?? 'kube-system',
    enableCertificateOwnerRef: settings.enableCertificateOwnerRef,
    approveRequests: settings.approveRequests,
    maxConcurrentChallenges: settings.maxConcurrentChallenges,
    acmeRenewalInformation: settings.acmeRenewalInformation,
    solver: { listen: settings.solverListen, address: solverAddressOf(settings, sources) },
    http01: { nameservers: settings.acmeHttp01SolverNameservers, port: settings.acmeHttp01Port },
    ingressClasses: settings.ingressClass,
    published: publishedOf(settings),
    emissary: { watch: settings.watchEmissary, ...emissaryVariables(sources.environment) },
    httpListen: settings.httpListen,
    httpsListen: settings.httpsListen,
    edge: edgeFlags(settings),
    leaderElection: isElected
      ? {
          namespace: settings.leaderElectionNamespace,
          leaseDurationMs: settings.leaderElectionLeaseDuration,
          renewDeadlineMs: settings.leaderElectionRenewDeadline,
          retryPeriodMs: settings.leaderElectionRetryPeriod,
        }
      : undefined,
    metricsListen: settings.metricsListenAddress,
    log: { format: settings.logFormat ?? (sources.isTty ? 'human' : 'json'), level: settings.logLevel },
  });
}
