import { describe, expect, it } from 'vitest';
import { someSources } from './config.testing.ts';
import { type Config, type ConfigSources, loadConfig } from './config.ts';
import { UsageError } from './usage-error.ts';

type Given = Parameters<typeof someSources>[0];

function loaded(given: Given = {}): Config {
  const config = loadConfig(someSources(given));
  if (config === 'help') throw new Error('Help was not asked for.');
  return config;
}

const ofFlags = (...argv: string[]): Config => loaded({ argv });

function problems(given: Given): readonly string[] {
  try {
    loaded(given);
  } catch (thrown) {
    if (thrown instanceof UsageError) return thrown.problems;
    throw thrown;
  }
  return [];
}

describe('configuration', () => {
  it('has these defaults in a cluster', () => {
    expect(loaded()).toEqual({
      source: { kind: 'cluster', kubeconfig: undefined },
      components: { controllers: true, edge: true },
      namespace: undefined,
      defaultIssuer: { name: '', kind: 'Issuer', group: 'cert-manager.io' },
      autoCertificateAnnotations: ['kubernetes.io/tls-acme'],
      extraCertificateAnnotations: [],
      clusterResourceNamespace: 'kube-system',
      enableCertificateOwnerRef: false,
      approveRequests: true,
      maxConcurrentChallenges: 60,
      acmeRenewalInformation: true,
      solver: { listen: { host: '', port: 8089 }, address: '192.0.2.7' },
      http01: { nameservers: [], port: 80 },
      ingressClasses: [],
      published: undefined,
      emissary: { watch: undefined, ambassadorId: 'default', forceSecretValidation: false },
      httpListen: { host: '', port: 8080 },
      httpsListen: { host: '', port: 8443 },
      edge: expect.any(Object),
      leaderElection: {
        namespace: 'kube-system',
        leaseDurationMs: 60_000,
        renewDeadlineMs: 40_000,
        retryPeriodMs: 15_000,
      },
      metricsListen: { host: '0.0.0.0', port: 9402 },
      log: { format: 'json', level: 'info' },
    });
  });

  it('has these defaults standalone', () => {
    expect(ofFlags('--standalone', './manifests')).toMatchObject({
      source: {
        kind: 'standalone',
        manifests: './manifests',
        stateDir: '/home/someone/.local/state/postern',
      },
      solver: { address: '127.0.0.1' },
      leaderElection: undefined,
    });
  });

  it.each([
    [['--namespace=shop'], 'shop'],
    [['--namespace=shop', '--cluster-resource-namespace=system'], 'system'],
    [['--cluster-resource-namespace=system'], 'system'],
  ])('with %j the Secrets of ClusterIssuers are in %s', (flags, expected) => {
    expect(ofFlags(...flags).clusterResourceNamespace).toBe(expected);
  });

  it('is frozen at every depth', () => {
    const config = loaded();
    expect([config, config.solver, config.solver.listen, config.ingressClasses].every(Object.isFrozen)).toBe(
      true,
    );
  });

  it('takes every flag', () => {
    const config = ofFlags(
      '--kubeconfig',
      'k.yaml',
      '--components',
      'controllers',
      '--namespace',
      'shop',
      '--default-issuer-name',
      'le',
      '--default-issuer-kind',
      'ClusterIssuer',
      '--default-issuer-group=cert-manager.io',
      '--auto-certificate-annotations=a.io/x,a.io/y',
      '--extra-certificate-annotations',
      'b.io/z',
      '--cluster-resource-namespace',
      'cert-manager',
      '--enable-certificate-owner-ref',
      '--acme-renewal-information=false',
      '--max-concurrent-challenges',
      '7',
      '--solver-listen',
      '127.0.0.1:1',
      '--solver-address',
      '198.51.100.4',
      '--acme-http01-solver-nameservers',
      '192.0.2.1,[2001:db8::1]:5353',
      '--acme-http01-port',
      '5002',
      '--ingress-class',
      'nginx',
      '--ingress-class',
      'internal',
      '--publish-address=192.0.2.1,Edge.example',
      '--no-watch-emissary',
      '--http-listen',
      '[::1]:81',
      '--https-listen',
      '8444',
      '--no-leader-elect',
      '--no-approve-requests',
      '--metrics-listen-address',
      ':0',
      '--log-format',
      'human',
      '--log-level',
      'debug',
    );
    expect(config).toEqual({
      source: { kind: 'cluster', kubeconfig: 'k.yaml' },
      components: { controllers: true, edge: false },
      namespace: 'shop',
      defaultIssuer: { name: 'le', kind: 'ClusterIssuer', group: 'cert-manager.io' },
      autoCertificateAnnotations: ['a.io/x', 'a.io/y'],
      extraCertificateAnnotations: ['b.io/z'],
      clusterResourceNamespace: 'cert-manager',
      enableCertificateOwnerRef: true,
      approveRequests: false,
      maxConcurrentChallenges: 7,
      acmeRenewalInformation: false,
      solver: { listen: { host: '127.0.0.1', port: 1 }, address: '198.51.100.4' },
      http01: { nameservers: ['192.0.2.1:53', '[2001:db8::1]:5353'], port: 5002 },
      ingressClasses: ['nginx', 'internal'],
      published: { kind: 'addresses', addresses: ['192.0.2.1', 'edge.example'] },
      emissary: { watch: false, ambassadorId: 'default', forceSecretValidation: false },
      httpListen: { host: '::1', port: 81 },
      httpsListen: { host: '', port: 8444 },
      edge: expect.any(Object),
      leaderElection: undefined,
      metricsListen: { host: '', port: 0 },
      log: { format: 'human', level: 'debug' },
    });
  });

  it.each<[string, string[], object]>([
    ['--flag value', ['--leader-election-namespace', 'x'], { namespace: 'x' }],
    ['--flag=value', ['--leader-election-namespace=x'], { namespace: 'x' }],
    ['-flag value', ['-leader-election-namespace', 'x'], { namespace: 'x' }],
    ['-flag=value', ['-leader-election-namespace=x'], { namespace: 'x' }],
    [
      'the last of two',
      ['--leader-election-namespace=y', '--leader-election-namespace=x'],
      { namespace: 'x' },
    ],
    ['--switch', ['--leader-elect'], { namespace: 'kube-system' }],
    ['--switch=true', ['--leader-elect=true'], { namespace: 'kube-system' }],
    [
      'durations',
      [
        '--leader-election-retry-period',
        '1m',
        '--leader-election-renew-deadline',
        '2m',
        '--leader-election-lease-duration',
        '1h30m',
      ],
      { retryPeriodMs: 60_000, leaseDurationMs: 5_400_000 },
    ],
  ])('reads flags as Go does: %s', (_, argv, expected) => {
    expect(ofFlags(...argv).leaderElection).toMatchObject(expected);
  });

  it.each([['--leader-elect=false'], ['--no-leader-elect'], ['-no-leader-elect']])(
    'reads %s as false',
    flag => {
      expect(ofFlags(flag).leaderElection).toBeUndefined();
    },
  );

  it('a flag goes before the environment, that before the file, that before the default', () => {
    const files = { 'f.yaml': 'log-level: debug\nnamespace: from-file\nacme-http01-port: 5002\n' };
    const environment = {
      POSTERN_CONFIG: 'f.yaml',
      POSTERN_LOG_LEVEL: 'warn',
      POSTERN_NAMESPACE: 'from-env',
    };
    const config = loaded({ files, environment, argv: ['--log-level', 'error'] });
    expect([config.log.level, config.namespace, config.http01.port]).toEqual(['error', 'from-env', 5002]);
  });

  it('the file takes lists, numbers and switches as YAML has them, and texts', () => {
    const content = `
components: [controllers]
ingress-class: nginx,internal
enable-certificate-owner-ref: true
leader-elect: "false"
max-concurrent-challenges: 5
namespace:
`;
    const config = loaded({ files: { f: content }, argv: ['--config=f'] });
    expect(config).toMatchObject({
      components: { controllers: true, edge: false },
      ingressClasses: ['nginx', 'internal'],
      enableCertificateOwnerRef: true,
      leaderElection: undefined,
      maxConcurrentChallenges: 5,
      namespace: undefined,
    });
  });

  it('an empty file, and one of comments, give nothing', () => {
    expect(loaded({ files: { f: '' }, argv: ['--config=f'] })).toEqual(loaded());
    expect(loaded({ files: { f: '# nothing\n' }, argv: ['--config=f'] })).toEqual(loaded());
  });

  it.each([
    ['an unknown flag', ['--kubeconfg', 'x'], ['There is no flag --kubeconfg. Did you mean --kubeconfig?']],
    ['a flag like none', ['--frobnicate=1'], ['There is no flag --frobnicate.']],
    ['a flag without its value', ['--namespace'], ['--namespace needs a value: --namespace=NAMESPACE.']],
    [
      'a flag that stands where a value should',
      ['--namespace', '--no-leader-elect'],
      ['--namespace needs a value: --namespace=NAMESPACE.'],
    ],
    ['an argument', ['manifests'], ['postern run takes no argument "manifests".']],
    ['arguments after --', ['--', '--namespace'], ['postern run takes no argument "--namespace".']],
    [
      'a choice that is none',
      ['--log-level=loud'],
      ['--log-level: "loud" is not one of debug, info, warn, error.'],
    ],
    [
      'a switch that is neither',
      ['--leader-elect=perhaps'],
      ['--leader-elect: "perhaps" is not true or false.'],
    ],
    [
      'a negated switch with a value',
      ['--no-leader-elect=true'],
      ['--no-leader-elect takes no value: write --leader-elect=true, or --no-leader-elect.'],
    ],
    [
      'a negated flag that is no switch',
      ['--no-namespace'],
      ['There is no flag --no-namespace. Did you mean --namespace?'],
    ],
    [
      'one bad item of a list',
      ['--components=edge,edgy'],
      ['--components: "edgy" is not one of controllers, edge.'],
    ],
    [
      'a number out of range',
      ['--acme-http01-port=0'],
      ['--acme-http01-port: "0" is not a whole number from 1 to 65535.'],
    ],
    [
      'an address that is none',
      ['--http-listen=localhost'],
      [
        '--http-listen: "localhost" is not an address to listen on, such as :8080, 127.0.0.1:8080 or [::1]:8080.',
      ],
    ],
    [
      'a nameserver by name',
      ['--acme-http01-solver-nameservers=dns.test'],
      [
        '--acme-http01-solver-nameservers: "dns.test" is not the IP address of a DNS server with or without a port, such as 192.0.2.53:53.',
      ],
    ],
    [
      'a duration without its unit',
      ['--leader-election-retry-period=15'],
      ['--leader-election-retry-period: "15" is not a duration of at least 100ms, such as 15s or 1m30s.'],
    ],
    [
      'a namespace that cannot be',
      ['--namespace=Shop'],
      ['--namespace: "Shop" is not a namespace: lower-case letters, digits and dashes, 63 at most.'],
    ],
    [
      'a Service without its namespace',
      ['--publish-service=postern'],
      ['--publish-service: "postern" is not an object, written as namespace/name.'],
    ],
    [
      'two sources of the published address',
      ['--publish-service=edge/postern', '--publish-address=192.0.2.1'],
      [
        '--publish-service and --publish-address exclude each other: the addresses come from a Service, or are given.',
      ],
    ],
    [
      'several things at once',
      ['--log-level=loud', '--log-fromat=json'],
      [
        'There is no flag --log-fromat. Did you mean --log-format?',
        '--log-level: "loud" is not one of debug, info, warn, error.',
      ],
    ],
  ])('refuses %s', (_, argv, expected) => {
    expect(problems({ argv })).toEqual(expected);
  });

  it.each([
    [
      { POSTERN_LOG_LEVL: 'info' },
      ['There is no setting for the environment variable POSTERN_LOG_LEVL. Did you mean POSTERN_LOG_LEVEL?'],
    ],
    [{ POSTERN_LOG_LEVEL: 'loud' }, ['POSTERN_LOG_LEVEL: "loud" is not one of debug, info, warn, error.']],
    [{ POSTERN_LOG_LEVEL: '' }, []],
    [{ POSTERN_OUTPUT: 'json' }, []],
    [
      {
        POSTERN_SERVICE_HOST: '10.0.0.1',
        POSTERN_SERVICE_PORT_HTTPS: '443',
        POSTERN_PORT: 'tcp://10.0.0.1:80',
      },
      [],
    ],
    [{ POSTERN_EDGE_PORT_443_TCP_ADDR: '10.0.0.1', POSTERN_EDGE_PORT_443_TCP: 'tcp://10.0.0.1:443' }, []],
    [{ POSTERN_ACME_HTTP01_PORT: 'tcp://10.0.0.1:80' }, []],
    [{ POD_NAME: 'x', PATH: '/bin' }, []],
  ])('of the environment %j says %j', (environment, expected) => {
    expect(problems({ environment })).toEqual(expected);
  });

  it.each([
    ['', false],
    ['0', false],
    ['false', false],
    ['true', true],
    ['yes', true],
  ])("takes Emissary's own variables: AMBASSADOR_FORCE_SECRET_VALIDATION=%j is %s", (value, expected) => {
    const environment = { AMBASSADOR_FORCE_SECRET_VALIDATION: value, AMBASSADOR_ID: 'blue' };
    const config = loaded({ environment });
    expect(config.emissary).toEqual({
      watch: undefined,
      ambassadorId: 'blue',
      forceSecretValidation: expected,
    });
  });

  it.each([
    ['log-levl: info', ['There is no setting log-levl in f. Did you mean log-level?']],
    ['--log-levl: info', ['There is no setting --log-levl in f. Did you mean log-level?']],
    ['config: g', ['There is no setting config in f.']],
    ['log-level: loud', ['log-level in f: "loud" is not one of debug, info, warn, error.']],
    ['log-level: [info]', ['log-level in f must be one value.']],
    ['ingress-class: [{a: b}]', ['ingress-class in f must be a list of texts.']],
    ['- log-level', ['f must hold one mapping, such as "log-level: debug".']],
    ['a: [', [expect.stringMatching(/^f is no valid YAML: .*line 1/)]],
  ])('of the file %j says %j', (content, expected) => {
    expect(problems({ files: { f: content }, argv: ['--config=f'] })).toEqual(expected);
  });

  it('names a file that cannot be read', () => {
    expect(problems({ argv: ['--config', 'gone'] })).toEqual([
      '--config: "gone" cannot be read: no such file.',
    ]);
  });

  it.each<[string, string[], string]>([
    [
      'a folder and a cluster',
      ['--standalone=m', '--kubeconfig=k'],
      '--standalone and --kubeconfig exclude each other: Postern works on a folder of manifests or on a cluster.',
    ],
    [
      'a state folder for a cluster',
      ['--state-dir=s'],
      '--state-dir belongs to --standalone: on a cluster all state is in the cluster.',
    ],
    [
      'an election of one',
      ['--standalone=m', '--leader-elect'],
      '--leader-elect is for clusters: with --standalone there is one process only.',
    ],
    [
      'the kind of no issuer',
      ['--default-issuer-kind=ClusterIssuer'],
      '--default-issuer-kind says what kind of issuer --default-issuer-name is, but there is no --default-issuer-name.',
    ],
    [
      'a kind that the group does not have',
      ['--default-issuer-name=le', '--default-issuer-kind=VaultIssuer'],
      '--default-issuer-kind: "VaultIssuer" is not Issuer or ClusterIssuer; for a kind of another group give --default-issuer-group too.',
    ],
    [
      'nothing to do',
      ['--components='],
      '--components must name controllers, edge or both: there is nothing to do.',
    ],
    [
      'a solver that nobody reaches',
      ['--solver-address=127.0.0.1'],
      '--solver-address: 127.0.0.1 cannot be reached by an Ingress controller, and API servers refuse it in an EndpointSlice; give the address of this pod.',
    ],
    [
      'election times in the wrong order',
      ['--leader-election-retry-period=50s'],
      '--leader-election-lease-duration (1m0s) must be longer than --leader-election-renew-deadline (40s), and that longer than --leader-election-retry-period (50s).',
    ],
    [
      'two listeners on one port',
      ['--https-listen=127.0.0.1:8080'],
      '--http-listen and --https-listen both want port 8080: give one of them another, as in --https-listen=127.0.0.1:8081.',
    ],
  ])('refuses %s', (_, argv, expected) => {
    expect(problems({ argv })).toEqual([expected]);
  });

  it('takes the same port on two addresses, and port 0 twice', () => {
    expect(ofFlags('--http-listen=127.0.0.1:80', '--https-listen=127.0.0.2:80').httpListen.port).toBe(80);
    expect(ofFlags('--http-listen=:0', '--https-listen=:0').httpListen.port).toBe(0);
    expect(ofFlags('--components=edge', '--http-listen=:8089').httpListen.port).toBe(8089);
  });

  it.each<[string, Partial<ConfigSources>, string]>([
    [
      'the flag',
      { argv: ['--solver-address=198.51.100.1'], environment: { POD_IP: '198.51.100.2' } },
      '198.51.100.1',
    ],
    ['the pod', { environment: { POD_IP: '198.51.100.2' } }, '198.51.100.2'],
    ['the machine', {}, '192.0.2.7'],
  ])('takes the solver address of %s', (_, given, expected) => {
    expect(loaded(given).solver.address).toBe(expected);
  });

  it('needs a solver address where there are controllers', () => {
    const addresses = (): string[] => [];
    expect(problems({ addresses })).toEqual([
      '--solver-address is needed: this machine has no address but loopback ones.',
    ]);
    expect(problems({ addresses, argv: ['--components=edge'] })).toEqual([]);
  });

  it.each([
    [{ STATE_DIRECTORY: '/var/lib/postern:/var/lib/other', XDG_STATE_HOME: '/x' }, '/var/lib/postern'],
    [{ XDG_STATE_HOME: '/x' }, '/x/postern'],
    [{ XDG_STATE_HOME: 'relative' }, '/home/someone/.local/state/postern'],
    [{ POSTERN_STATE_DIR: './s' }, './s'],
  ])('keeps the state where %j says: %s', (environment, stateDir) => {
    expect(loaded({ argv: ['--standalone=m'], environment }).source).toMatchObject({ stateDir });
  });

  it('logs for people on a terminal', () => {
    expect(loaded({ isTty: true }).log.format).toBe('human');
    expect(loaded({ isTty: true, argv: ['--log-format=json'] }).log.format).toBe('json');
  });

  it.each([['--help'], ['-h'], ['-help']])('gives help for %s, whatever else is wrong', flag => {
    expect(loadConfig(someSources({ argv: ['--nonsense', flag] }))).toBe('help');
  });
});
