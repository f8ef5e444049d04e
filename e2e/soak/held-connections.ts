import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a worker that was killed had in its hands. */
export interface Kill {
  readonly pid: number;
  /** The clients' ports of the connections that it held, or that nobody had accepted yet. */
  readonly held: ReadonlySet<number>;
  /** From when it was stopped to when it was gone, by `performance.now()`: what came in between may have been given to it. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Established, being established, or half closed by the client (include/net/tcp_states.h of Linux). */
const openStates: ReadonlySet<string> = new Set(['01', '03', '08', '0C']);

/** Stops a worker, looks at what it holds of these ports, and kills it. */
export async function killWorker(pid: number, ports: readonly number[]): Promise<Kill> {
  const fromMs = performance.now();
  process.kill(pid, 'SIGSTOP');
  const inodes = new Set(['0']);
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  const lines = tcpLines(ports);
  const held = lines.filter(line => line.isOpen && inodes.has(line.inode)).map(({ peer }) => peer);
  process.kill(pid, 'SIGKILL');
  // Until its listener is gone, that takes connections which nobody will serve.
  while (tcpLines(ports).some(({ inode }) => inode !== '0' && inodes.has(inode))) await sleep(1);
  return { pid, held: new Set(held), fromMs, toMs: performance.now() };
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
