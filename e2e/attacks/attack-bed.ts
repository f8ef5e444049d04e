import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { residentMiB } from '../../bench/process-memory.ts';
import { freePort } from '../harness/free-port.ts';
import { httpGet } from '../harness/http-get.ts';
import { httpsGet } from '../harness/https-get.ts';
import { startPostern, stopPostern } from '../harness/postern.ts';
import type { ServerProcess } from '../harness/server-process.ts';
import { createTestAuthority } from '../harness/test-authority.ts';
import { endpointsOf, ingressOf, tlsSecretOf } from './objects.ts';

export const loopback = '127.0.0.1';
export const attackedHost = 'site.example.com';

/** An edge as a process of its own before upstreams of the test. */
export interface AttackBed {
  readonly http: number;
  readonly https: number;
  readonly ca: readonly string[];
  readonly postern: ServerProcess;
  /** The process ids of the workers that serve now. */
  workers(): Promise<readonly number[]>;
  /** Of all workers together. */
  workerMiB(): Promise<number>;
  /** The sum of a metric over all its labels, or over those that hold `label`. */
  metric(name: string, label?: string): Promise<number>;
  /** Connections of clients that the edge has not closed. */
  connections(): number;
  /** Statuses of one request over HTTP and one over HTTPS, on connections of their own. */
  others(): Promise<readonly number[]>;
  close(): Promise<void>;
}

interface AttackBedOptions {
  /** Ports on loopback of the upstreams, by the first element of the path; '' for the rest. */
  readonly upstreams: Readonly<Record<string, number>>;
  /** Default 1. */
  readonly workers?: number;
  readonly args?: readonly string[];
}

export async function startAttackBed({
  upstreams,
  workers: count = 1,
  args = [],
}: AttackBedOptions): Promise<AttackBed> {
  const dir = await mkdtemp(join(tmpdir(), 'postern-attacks-'));
  const manifests = join(dir, 'manifests');
  await mkdir(manifests);
  const authority = await createTestAuthority('attacks');
  const site = await authority.issue({ commonName: 'site', dnsNames: [attackedHost] });
  const names = Object.keys(upstreams);
  const items = [
    ingressOf('site', attackedHost, names, 'site'),
    tlsSecretOf('site', site),
    ...names.flatMap(name => endpointsOf(name === '' ? 'rest' : name, upstreams[name] ?? 0)),
  ];
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await writeFile(join(manifests, 'all.json'), text, { mode: 0o600 });
  const [http, https, metrics] = [
    await freePort(loopback),
    await freePort(loopback),
    await freePort(loopback),
  ];
  const postern = startPostern({
    args: [
      ...['--standalone', manifests, '--state-dir', join(dir, 'state'), '--components', 'edge'],
      ...['--http-listen', `${loopback}:${http}`, '--https-listen', `${loopback}:${https}`],
      ...[
        '--metrics-listen-address',
        `${loopback}:${metrics}`,
        '--edge-workers',
        String(count),
        '--log-level',
        'error',
      ],
      ...args,
    ],
    logFile: join(dir, 'postern.log'),
  });
  const ca = [authority.caPem];
  const workers = async (): Promise<readonly number[]> => {
    const children = await readFile(`/proc/${postern.pid}/task/${postern.pid}/children`, 'utf8');
    return children.trim().split(' ').slice(-count).map(Number);
  };
  const others = async (): Promise<readonly number[]> => [
    (await httpGet({ host: attackedHost, address: loopback, port: http, path: '/alive' })).status,
    (await httpsGet({ host: attackedHost, address: loopback, port: https, ca, path: '/alive' })).status,
  ];
  await postern.until(
    'the edge serves',
    async () => (await others()).every(status => status === 200),
    30_000,
  );
  return {
    http,
    https,
    ca,
    postern,
    workers,
    workerMiB: async () => (await workers()).reduce((sum, pid) => sum + residentMiB(pid), 0),
    async metric(name, label = '') {
      const page = await (await fetch(`http://${loopback}:${metrics}/metrics`)).text();
      return page
        .split('\n')
        .filter(
          line => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)) && line.includes(label),
        )
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    connections: () => openAt(http) + openAt(https),
    others,
    async close() {
      await stopPostern(postern);
      if (process.env['E2E_KEEP'] === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Connections that were accepted at a port and are open at this end: established, or half closed by the client. */
function openAt(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/self/net/tcp', 'utf8').split('\n').slice(1);
  return lines.filter(line => {
    const [, from = '', , state = ''] = line.trim().split(/\s+/);
    return from.endsWith(local) && (state === '01' || state === '08');
  }).length;
}
