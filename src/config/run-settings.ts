import { z } from 'zod';
import { edgeSettings } from './edge-settings.ts';
import { setting } from './setting.ts';
import {
  annotationKey,
  bool,
  durationMs,
  integer,
  ipAddress,
  listenAddress,
  listOf,
  nameserver,
  namespaceName,
  objectName,
  objectReference,
  oneOf,
  publishedAddress,
  text,
} from './values.ts';

const objects = 'Where the objects are';
const certificates = 'Certificates';
const challenges = 'ACME HTTP01 challenges';
const edge = 'Edge (the HTTPS proxy)';
const election = 'Leader election';
const operation = 'Operation';

const sourceSettings = {
  kubeconfig: setting(text('a file').optional(), {
    group: objects,
    value: 'FILE',
    help: 'The kubeconfig of the cluster.',
    defaultText: '$KUBECONFIG, then ~/.kube/config, then the ServiceAccount of the pod',
  }),
  standalone: setting(text('a folder').optional(), {
    group: objects,
    value: 'DIR',
    help: 'Work without a cluster: the objects are the manifests (YAML or JSON) in this folder, which is watched for changes. What Postern makes of them stands in --state-dir.',
  }),
  stateDir: setting(text('a folder').optional(), {
    group: objects,
    value: 'DIR',
    help: 'With --standalone: the folder for certificates, keys and everything else that must outlive the process. Only one process at a time.',
    defaultText: '$STATE_DIRECTORY, then $XDG_STATE_HOME/postern, then ~/.local/state/postern',
  }),
  namespace: setting(namespaceName().optional(), {
    group: objects,
    value: 'NAMESPACE',
    help: 'Look at this namespace alone.',
    defaultText: 'all namespaces',
  }),
} as const;

/**
 * The table of all settings of `postern run`: each with the schema of its value, its default and its help.
 * Flags, environment variables, keys of the configuration file and the help are all made from it.
 */
export const runSettings = z.object({
  ...sourceSettings,
  components: setting(listOf(oneOf('controllers', 'edge')), {
    group: objects,
    value: 'LIST',
    help: 'What this process does: "controllers" obtain certificates, "edge" serves the Ingresses over HTTPS.',
    default: 'controllers,edge',
  }),

  defaultIssuerName: setting(objectName().optional(), {
    group: certificates,
    value: 'NAME',
    help: 'The issuer of Ingresses that ask for a certificate without naming one, by kubernetes.io/tls-acme: "true".',
    defaultText: 'none, such Ingresses get a Warning event',
  }),
  defaultIssuerKind: setting(text('a kind, such as ClusterIssuer'), {
    group: certificates,
    value: 'KIND',
    help: 'The kind of --default-issuer-name: Issuer, ClusterIssuer, or a kind of another group.',
    default: 'Issuer',
  }),
  defaultIssuerGroup: setting(objectName(), {
    group: certificates,
    value: 'GROUP',
    help: 'The API group of --default-issuer-name, and of issuers that an Ingress names without a group.',
    default: 'cert-manager.io',
  }),
  autoCertificateAnnotations: setting(listOf(annotationKey()), {
    group: certificates,
    value: 'LIST',
    help: 'The annotations that ask for a certificate from the default issuer when they are true.',
    default: 'kubernetes.io/tls-acme',
  }),
  extraCertificateAnnotations: setting(listOf(annotationKey()), {
    group: certificates,
    value: 'LIST',
    help: 'The annotations that are copied from an Ingress to its Certificates.',
    default: '',
    defaultText: 'none',
  }),
  clusterResourceNamespace: setting(namespaceName().optional(), {
    group: certificates,
    value: 'NAMESPACE',
    help: 'Where the Secrets that a ClusterIssuer names are. They are followed there beside those of --namespace.',
    defaultText: 'that of --namespace, without it kube-system',
  }),
  enableCertificateOwnerRef: setting(bool(), {
    group: certificates,
    help: 'Make each Certificate the owner of its Secret, so that deleting the one deletes the other.',
    default: 'false',
  }),
  approveRequests: setting(bool(), {
    group: certificates,
    help: 'Approve every CertificateRequest that nobody has denied. Turn it off where a policy approver, or somebody with "postern approve", decides.',
    default: 'true',
  }),
  acmeRenewalInformation: setting(bool(), {
    group: certificates,
    help: 'Renew at the time that the ACME server suggests, and tell it which certificate a new one replaces (RFC 9773), where it offers that.',
    default: 'true',
  }),
  maxConcurrentChallenges: setting(integer(1, 10_000), {
    group: certificates,
    value: 'N',
    help: 'How many ACME challenges may be under way at once.',
    default: '60',
  }),

  solverListen: setting(listenAddress(), {
    group: challenges,
    value: 'ADDRESS',
    help: 'Where challenges are answered, on behalf of any Ingress controller.',
    default: ':8089',
  }),
  solverAddress: setting(ipAddress().optional(), {
    group: challenges,
    value: 'IP',
    help: 'The address at which Ingress controllers reach --solver-listen. EndpointSlices are made with it.',
    defaultText: '$POD_IP, then the first address of this machine; 127.0.0.1 with --standalone',
  }),
  acmeHttp01SolverNameservers: setting(listOf(nameserver()), {
    group: challenges,
    value: 'LIST',
    help: 'The DNS servers, IP:PORT, that the self-check of a challenge asks.',
    default: '',
    defaultText: 'those of the machine',
  }),
  acmeHttp01Port: setting(integer(1, 65_535), {
    group: challenges,
    value: 'PORT',
    help: 'The port at which the ACME server looks for the answer. Public servers always use 80; test servers may not.',
    default: '80',
  }),

  ingressClass: setting(listOf(objectName()), {
    group: edge,
    value: 'NAME',
    help: 'Serve Ingresses of this class too, with or without an IngressClass object ("nginx" takes over those of ingress-nginx). May be repeated. Classes whose controller is postern.dev/ingress are always served.',
    default: '',
    defaultText: 'none',
  }),
  httpListen: setting(listenAddress(), {
    group: edge,
    value: 'ADDRESS',
    help: 'Where the edge listens for HTTP. The Service of the cluster leads port 80 here. Ports below 1024 need root or CAP_NET_BIND_SERVICE.',
    default: ':8080',
  }),
  httpsListen: setting(listenAddress(), {
    group: edge,
    value: 'ADDRESS',
    help: 'Where the edge listens for HTTPS. The Service of the cluster leads port 443 here.',
    default: ':8443',
  }),

  publishAddress: setting(listOf(publishedAddress()), {
    group: edge,
    value: 'ADDRESS',
    help: 'Write this IP address or host name into status.loadBalancer of the Ingresses that are served. May be repeated.',
    default: '',
    defaultText: 'none',
  }),
  publishService: setting(objectReference().optional(), {
    group: edge,
    value: 'NAMESPACE/NAME',
    help: 'Write the addresses of this Service into status.loadBalancer of the Ingresses that are served: those of its load balancer and its external ones.',
    defaultText: 'none',
  }),
  watchEmissary: setting(bool().optional(), {
    group: edge,
    help: 'Serve Mappings and TLSContexts (getambassador.io/v3alpha1) too.',
    defaultText: 'true where the API server has them',
  }),
  ...edgeSettings,

  leaderElect: setting(bool().optional(), {
    group: election,
    help: 'Let one replica at a time run the controllers, the others stand by. Every replica runs the edge.',
    defaultText: 'true; false with --standalone, where there is one process only',
  }),
  leaderElectionNamespace: setting(namespaceName(), {
    group: election,
    value: 'NAMESPACE',
    help: 'The namespace of the Lease.',
    default: 'kube-system',
  }),
  leaderElectionLeaseDuration: setting(durationMs(1_000), {
    group: election,
    value: 'DURATION',
    help: 'How long after its last sign of life a leader is replaced.',
    default: '60s',
  }),
  leaderElectionRenewDeadline: setting(durationMs(500), {
    group: election,
    value: 'DURATION',
    help: 'How long a leader that cannot reach the API server goes on.',
    default: '40s',
  }),
  leaderElectionRetryPeriod: setting(durationMs(100), {
    group: election,
    value: 'DURATION',
    help: 'How often the leader gives a sign of life, and the others look.',
    default: '15s',
  }),

  config: setting(text('a file').optional(), {
    group: operation,
    value: 'FILE',
    help: 'A YAML file of settings: each flag of this list without its dashes is a key.',
    defaultText: 'none',
  }),
  metricsListenAddress: setting(listenAddress(), {
    group: operation,
    value: 'ADDRESS',
    help: 'Where /metrics, /healthz, /livez and /readyz are.',
    default: '0.0.0.0:9402',
  }),
  logFormat: setting(oneOf('json', 'human').optional(), {
    group: operation,
    value: 'FORMAT',
    help: '"json": one object a line; "human": short lines for reading.',
    defaultText: 'human on a terminal, else json',
  }),
  logLevel: setting(oneOf('debug', 'info', 'warn', 'error'), {
    group: operation,
    value: 'LEVEL',
    help: 'The least that is logged: debug, info, warn or error.',
    default: 'info',
  }),
});

/** The settings of `postern run` as they were given or defaulted, before what depends on others is filled in. */
export type RunSettings = z.output<typeof runSettings>;
