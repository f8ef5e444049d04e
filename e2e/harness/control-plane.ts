import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubernetesServers } from '../servers/kubernetes.ts';
import { kubeconfigFor } from './kubeconfig.ts';
import { createTestAuthority, type Identity } from './test-authority.ts';

const serviceRange = '10.96.0.0/16';
const firstServiceAddress = '10.96.0.1';
const issuer = 'https://kubernetes.default.svc.cluster.local';

/**
 * What a cluster with no nodes needs. The short names are the ones 1.20 knows; later releases keep them
 * as aliases.
 */
const controllers = [
  'endpointslicemirroring',
  'garbagecollector',
  'namespace',
  'root-ca-cert-publisher',
  'serviceaccount',
  'serviceaccount-token',
];

/** Keys, certificates and the command lines of one control plane, written to `dir`. */
export interface ControlPlane {
  readonly url: string;
  readonly caPem: string;
  /** In the group system:masters. */
  readonly admin: Identity;
  readonly adminKubeconfig: string;
  readonly apiserverArgs: readonly string[];
  readonly controllerManagerArgs: readonly string[];
}

export interface ControlPlaneOptions {
  readonly servers: KubernetesServers;
  readonly dir: string;
  readonly address: string;
  readonly port: number;
  readonly etcdUrl: string;
}

export async function layOutControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { dir, address, port } = options;
  const authority = await createTestAuthority('e2e control plane');
  const [serving, admin] = await Promise.all([
    authority.issue({
      commonName: 'kube-apiserver',
      dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
      ipAddresses: [...new Set([address, '127.0.0.1', firstServiceAddress])],
    }),
    authority.issue({ commonName: 'e2e-admin', organization: 'system:masters' }),
  ]);
  const tokenKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const url = `https://${address}:${port}`;
  const file = async (name: string, text: string | Buffer) => {
    const path = join(dir, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const files = {
    ca: await file('ca.crt', authority.caPem),
    cert: await file('apiserver.crt', serving.certPem),
    key: await file('apiserver.key', serving.keyPem),
    tokenKey: await file('token.key', tokenKeys.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    tokenPub: await file('token.pub', tokenKeys.publicKey.export({ type: 'spki', format: 'pem' })),
    admin: await file('admin.kubeconfig', kubeconfigFor(url, authority.caPem, { identity: admin })),
  };
  return {
    url,
    caPem: authority.caPem,
    admin,
    adminKubeconfig: files.admin,
    apiserverArgs: apiserverArgs(options, files),
    controllerManagerArgs: controllerManagerArgs(options, files),
  };
}

type Files = Readonly<Record<'ca' | 'cert' | 'key' | 'tokenKey' | 'tokenPub' | 'admin', string>>;

function apiserverArgs({ address, port, etcdUrl }: ControlPlaneOptions, files: Files): string[] {
  // The `kubernetes` Service's endpoint may not be a loopback address. Outside the network namespace
  // there is no other to be sure of, and nothing there asks for that endpoint.
  const isLoopback = address.startsWith('127.');
  return [
    `--etcd-servers=${etcdUrl}`,
    '--etcd-compaction-interval=0', // only when a test asks for it
    `--bind-address=${address}`,
    `--secure-port=${port}`,
    ...(isLoopback ? ['--endpoint-reconciler-type=none'] : []),
    `--advertise-address=${address}`,
    `--service-cluster-ip-range=${serviceRange}`,
    `--tls-cert-file=${files.cert}`,
    `--tls-private-key-file=${files.key}`,
    `--client-ca-file=${files.ca}`,
    '--authorization-mode=RBAC',
    `--service-account-issuer=${issuer}`,
    `--service-account-key-file=${files.tokenPub}`,
    `--service-account-signing-key-file=${files.tokenKey}`,
    '--profiling=false',
  ];
}

function controllerManagerArgs({ servers }: ControlPlaneOptions, files: Files): string[] {
  const hasInsecurePort = servers.line === '1.20'; // on by default there, and in the way of a second cluster
  return [
    `--kubeconfig=${files.admin}`,
    `--root-ca-file=${files.ca}`,
    `--service-account-private-key-file=${files.tokenKey}`,
    `--controllers=${controllers.join(',')}`,
    '--leader-elect=false',
    '--secure-port=0',
    ...(hasInsecurePort ? ['--port=0'] : []),
  ];
}
