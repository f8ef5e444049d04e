import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from './outcomes.ts';

/** What a worker that was killed had in its hands. */
export interface Kill {
  readonly pid: number;
  /** The clients' ports of the connections that it held. */
  readonly held: ReadonlySet<number>;
  /** Of those that another worker held when this one was gone. */
  readonly elsewhere: ReadonlySet<number>;
  /** From when it was stopped to when it was gone, by `performance.now()`: what came in between may have been given to it. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** A connection that was just begun may wait in the kernel for its worker. */
const queueMs = 20;
/** The end of a worker cuts its connections at once; clients may be some time in noticing. */
const noticedMs = 2_000;

/**
 * Whether a request failed by a kill: `held`, where the worker had its connection; `queued`, where the connection was begun
 * in the moment of the kill and no other worker has had it, so that it can have waited in the queue of this one alone.
 */
export function excuseOf(
  { localPort, connectedMs, atMs }: Failure,
  kills: readonly Kill[],
): 'held' | 'queued' | undefined {
  for (const { held, elsewhere, fromMs, toMs } of kills) {
    if (connectedMs > toMs || atMs < fromMs || atMs > toMs + noticedMs) continue;
    if (held.has(localPort)) return 'held';
    if (connectedMs >= fromMs - queueMs && !elsewhere.has(localPort)) return 'queued';
  }
  return undefined;
}

/** Established, being established, or half closed by the client (include/net/tcp_states.h of Linux). */
const openStates: ReadonlySet<string> = new Set(['01', '03', '08', '0C']);

/** In the place of an inode: nobody has accepted the connection yet. */
const nobody = '0';

/** Stops a worker, looks at what it holds of these ports, and kills it. */
export async function killWorker(pid: number, ports: readonly number[]): Promise<Kill> {
  const fromMs = performance.now();
  process.kill(pid, 'SIGSTOP');
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  const lines = tcpLines(ports);
  const held = lines.filter(line => line.isOpen && inodes.has(line.inode)).map(({ peer }) => peer);
  process.kill(pid, 'SIGKILL');
  // Until its listener is gone, that takes connections which nobody will serve.
  while (tcpLines(ports).some(({ inode }) => inodes.has(inode))) await sleep(1);
  const toMs = performance.now();
  const elsewhere = tcpLines(ports).filter(({ isOpen, inode }) => isOpen && inode !== nobody);
  return { pid, held: new Set(held), elsewhere: new Set(elsewhere.map(({ peer }) => peer)), fromMs, toMs };
}

interface TcpLine {
  readonly peer: number;
  readonly inode: string;
  readonly isOpen: boolean;
}

/** The sockets of these local ports. */
function tcpLines(ports: readonly number[]): TcpLine[] {
  return readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(fields => ports.includes(portOf(fields[1])))
    .map(fields => ({
      peer: portOf(fields[2]),
      inode: fields[9] ?? '',
      isOpen: openStates.has(fields[3] ?? ''),
    }));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** The port of an address in /proc/net/tcp, proc_pid_net(5). */
function portOf(address = ''): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16);
}
