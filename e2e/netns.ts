import { spawn, spawnSync } from 'node:child_process';
import { readdir, readlink } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { Readable } from 'node:stream';

/**
 * `node e2e/netns.ts -- command args...` runs a command in a network namespace of its own, where ports
 * 80 and 443 are free and `lo` has the addresses below. API servers refuse loopback addresses (127/8) as
 * endpoints, hence addresses of a private range, and nothing that the tests send can leave the machine.
 * Needs `ip` (iproute2) and `unshare` (util-linux); root, or leave to make user namespaces.
 */

export const controlPlaneAddress = '10.77.0.1';
export const edgeAddress = '10.77.0.10';
export const solverAddress = '10.77.0.11';
/** Of a second replica. */
export const secondEdgeAddress = '10.77.0.12';
export const secondSolverAddress = '10.77.0.13';
export const upstreamAddresses: readonly string[] = Array.from({ length: 10 }, (_, i) => `10.77.0.${20 + i}`);

const addresses = [
  controlPlaneAddress,
  edgeAddress,
  solverAddress,
  secondEdgeAddress,
  secondSolverAddress,
  ...upstreamAddresses,
];

/** Whether this process runs in a namespace that this program made. */
export function isInsideNetns(): boolean {
  const lo = networkInterfaces()['lo'] ?? [];
  return lo.some(({ address }) => address === controlPlaneAddress);
}

/** Inside the namespace: sets it up, tells its name on fd 3, becomes the command. */
const setUp = [
  'set -e',
  'ip link set lo up',
  ...addresses.map(address => `ip address add ${address}/24 dev lo`),
  'ip route add default dev lo', // for programs that look for the address of the default route
  'readlink /proc/self/ns/net >&3',
  'exec 3>&-',
  'exec "$@"',
].join('\n');

/**
 * Runs a command in a fresh network namespace, on this process's own stdio, passes signals on to it, and
 * ends whatever it leaves behind there.
 * @returns its exit code; 128 + n when signal n ended it.
 */
export async function runInNetns(command: readonly string[]): Promise<number> {
  installIproute2();
  const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const child = spawn('unshare', [...asUser, '--net', 'sh', '-c', setUp, 'netns', ...command], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  const passOn = (signal: NodeJS.Signals) => {
    // A terminal sends Ctrl-C to the command itself, too; a second one would mean "at once" to many.
    if (!(signal === 'SIGINT' && process.stdin.isTTY)) child.kill(signal);
  };
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
  for (const signal of signals) process.on(signal, passOn);
  const name = readAll(child.stdio[3] as Readable); // a pipe, as asked for above
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', cause => reject(new Error('unshare (package util-linux) is needed', { cause })));
      child.on('close', (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
    });
  } finally {
    for (const signal of signals) process.off(signal, passOn);
    await endAllIn((await name).trim());
  }
}

/** Installs the program `ip` where a small machine does not have it. @throws Error where that cannot be done. */
function installIproute2(): void {
  if (spawnSync('ip', ['-V']).error === undefined) return;
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'iproute2']]) {
    const { status } = spawnSync('apt-get', args, { stdio: ['ignore', 2, 2] });
    if (status !== 0)
      throw new Error('the program ip (package iproute2) is needed, and could not be installed');
  }
}

/** Kills every process in the namespace, and no other: they are found by the namespace's inode. */
async function endAllIn(namespace: string): Promise<void> {
  if (namespace === '' || namespace === (await readlink('/proc/self/ns/net'))) return;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const its = await readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
    if (its !== namespace) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

async function readAll(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}

function signalNumber(signal: NodeJS.Signals | null): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = {
    SIGHUP: 1,
    SIGINT: 2,
    SIGQUIT: 3,
    SIGKILL: 9,
    SIGTERM: 15,
  };
  return (signal !== null ? numbers[signal] : undefined) ?? 0;
}

if (import.meta.main) {
  const command = process.argv.slice(process.argv[2] === '--' ? 3 : 2);
  if (command.length === 0) {
    process.stderr.write('usage: node e2e/netns.ts -- command args...\n');
    process.exit(2);
  }
  process.exitCode = await runInNetns(command);
}
