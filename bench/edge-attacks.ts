/**
 * `make bench-attacks`: what clients of the edge see while it is attacked. Postern is pinned with its worker to core 0;
 * clients, attackers and upstreams have core 1, attackers only what the others leave of it, so that it is the edge that makes
 * clients wait. Clients ask over TLS on connections that they open at the beginning, 200 requests a second in all. Prints p50 and
 * p99, as ratios to those without attack right before, and the workers' memory. SECONDS= (default 5) for each; IDLE= (default
 * 100000; 0: none) connections of the idle attack, for which there are as many workers and attackers as the open files of a process
 * ask for; ATTACKS= a part of their names; CONTROL=1 aims the attackers at another edge on core 0, so that what is left of an
 * attack is not the edge's doing. Where the machine has other work, `chrt -r 2 make bench-attacks` puts clients, upstreams and
 * workers before it; the attackers, the main process and the other edge remain where they are.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AttackBed, attackedHost, loopback, startAttackBed } from '../e2e/attacks/attack-bed.ts';
import { freePort } from '../e2e/harness/free-port.ts';
import { quantile } from './quantile.ts';

const seconds = Number(process.env['SECONDS'] || '5');
const clients = 8;
const everyMs = 40;
const idleCount = Number(process.env['IDLE'] || '100000');
const isControl = (process.env['CONTROL'] ?? '') !== '';
const attacks: readonly (readonly [name: string, count: number])[] = [
  ['idle TLS connections', 1_000],
  ['slow heads', 2_000],
  ['slow bodies', 1_000],
  ['slow readers', 100],
  ['half handshakes', 500],
  ['no handshakes', 50],
  ['full handshakes', 8],
  ['rapid reset', 4],
  ['CONTINUATION', 4],
  ['HPACK bombs', 4],
  ['pings', 4],
  ['settings', 4],
];
/** Connections that one process is asked to hold, a client or a worker: half of its open files, and not all too many. */
const connectionsOfProcess = Math.min(12_500, Math.floor(openFiles() / 2));

interface Seen {
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

/** Clients that ask at a steady pace, whatever the answers take: times are taken from when a request was due. */
async function measure(bed: AttackBed): Promise<Seen> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const times: number[] = [];
  let failed = 0;
  const ask = (): Promise<void> =>
    new Promise(resolve => {
      const dueMs = performance.now();
      const done = (ok: boolean): void => {
        if (ok) times.push(performance.now() - dueMs);
        else failed += 1;
        resolve();
      };
      const headers = { host: attackedHost };
      const options = {
        host: loopback,
        port: bed.https,
        servername: attackedHost,
        ca: [...bed.ca],
        headers,
        agent,
      };
      request({ ...options, path: '/alive' }, response => {
        response.resume();
        response.on('end', () => done(response.statusCode === 200));
        response.on('error', () => done(false));
      })
        .on('error', () => done(false))
        .end();
    });
  const asked: Promise<void>[] = [];
  const timer = setInterval(() => {
    for (let client = 0; client < clients; client += 1) asked.push(ask());
  }, everyMs);
  await sleep(seconds * 1_000);
  clearInterval(timer);
  await Promise.all(asked);
  agent.destroy();
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), failed };
}

/** Resolves when the attack is under way, with how many connections it has. */
async function start(
  bed: AttackBed,
  name: string,
  count: number,
  before = 0,
): Promise<{ child: ChildProcess; connections: number }> {
  const script = join(import.meta.dirname, 'edge/attacker.ts');
  const args = [name, String(count), String(bed.http), String(bed.https), String(before)];
  const child = spawn('chrt', [...leftOver, process.execPath, script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, connections: Number(/\d+/.exec(line.toString())?.[0] ?? '0') };
}

/** Of chrt(1) and nice(1): the ordinary scheduler, and of that a tenth of the core where others want it. */
const leftOver = ['-o', '0', 'nice', '-n', '10'];

async function end(attackers: readonly { readonly child: ChildProcess }[]): Promise<void> {
  for (const { child } of attackers) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

function pin(core: number, pids: readonly number[]): void {
  for (const pid of pids) spawnSync('taskset', ['-a', '-cp', String(core), String(pid)]);
}

function toOrdinaryScheduler(pids: readonly number[]): void {
  for (const pid of pids) spawnSync('chrt', ['-a', '-o', '-p', '0', String(pid)]);
}

/** The hard limit of open files, to which Node raises its own. */
function openFiles(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  return Number(/^Max open files +\d+ +(\d+)/m.exec(limits)?.[1] ?? '1024');
}

function row(
  name: string,
  connections: number,
  normal: Seen,
  { p50, p99, failed }: Seen,
  memory: string,
): void {
  console.log(
    [
      name.padEnd(22),
      String(connections).padStart(6),
      `p50 ${p50.toFixed(2).padStart(7)} ms ${(p50 / normal.p50).toFixed(1).padStart(5)} x`,
      `p99 ${p99.toFixed(2).padStart(7)} ms ${(p99 / normal.p99).toFixed(1).padStart(5)} x`,
      `${failed} failed`.padStart(10),
      memory,
    ].join('  '),
  );
}

/** One attack after the other on one worker. */
async function attackOneWorker(upstreams: Readonly<Record<string, number>>): Promise<void> {
  const bed = await bedOf(upstreams, 1);
  const other = isControl ? await bedOf(upstreams, 1) : undefined;
  toOrdinaryScheduler((await other?.workers()) ?? []);
  try {
    await measure(bed);
    for (const [name, count] of attacks.filter(([name]) => name.includes(process.env['ATTACKS'] ?? ''))) {
      const normal = await measure(bed);
      const attacker = await start(other ?? bed, name, count);
      const seen = await measure(bed);
      row(name, attacker.connections, normal, seen, `${await bed.workerMiB()} MiB`);
      await end([attacker]);
      await sleep(1_000);
    }
    const [before, after] = [await measure(bed), await measure(bed)];
    row('none', 0, before, after, `${await bed.workerMiB()} MiB`);
  } finally {
    await other?.close();
    await bed.close();
  }
}

/** As many idle connections as are asked for, spread over workers and attackers. */
async function holdIdleConnections(upstreams: Readonly<Record<string, number>>): Promise<void> {
  const processes = Math.ceil(idleCount / connectionsOfProcess);
  // None is to be closed while the rest are made.
  const bed = await bedOf(upstreams, processes, ['--header-timeout', '1h', '--keep-alive-timeout', '1h']);
  try {
    await measure(bed);
    const [normal, memory] = [await measure(bed), await bed.workerMiB()];
    const attackers = [];
    for (let before = 0; before < idleCount; before += connectionsOfProcess) {
      const count = Math.min(connectionsOfProcess, idleCount - before);
      attackers.push(await start(bed, 'idle connections', count, before));
    }
    const seen = await measure(bed);
    const connections = attackers.reduce((sum, attacker) => sum + attacker.connections, 0);
    const [after, open] = [await bed.workerMiB(), bed.connections()];
    const each = ((after - memory) * 1_024) / open;
    const memories = `${after} MiB in ${processes} workers, ${each.toFixed(1)} KiB a connection`;
    row('idle connections', connections, normal, seen, memories);
    await end(attackers);
  } finally {
    await bed.close();
  }
}

async function bedOf(
  upstreams: Readonly<Record<string, number>>,
  workers: number,
  args: readonly string[] = [],
): Promise<AttackBed> {
  const bed = await startAttackBed({
    upstreams,
    workers,
    // Clients and attackers have one address here: a limit for each address would keep both out.
    args: [...args, '--max-handshakes-per-address', '0', '--max-requests-per-connection', '0'],
  });
  pin(0, [bed.postern.pid, ...(await bed.workers())]);
  toOrdinaryScheduler([bed.postern.pid]);
  return bed;
}

/** What clients ask for and what attackers do are apart, so that neither waits for the other there. */
const ports = { clients: await freePort(loopback), attackers: await freePort(loopback) };
const upstreamScript = join(import.meta.dirname, '../e2e/soak/upstream-process.ts');
const processes = [
  spawn(process.execPath, [upstreamScript, String(ports.clients)], { stdio: 'inherit' }),
  spawn('chrt', [...leftOver, process.execPath, upstreamScript, String(ports.attackers)], {
    stdio: 'inherit',
  }),
];
pin(1, [process.pid, ...processes.map(({ pid }) => pid ?? 0)]);
const upstreams = {
  '': ports.clients,
  large: ports.attackers,
  upload: ports.attackers,
  attacked: ports.attackers,
};
try {
  if (idleCount > 0 && 'idle connections'.includes(process.env['ATTACKS'] ?? ''))
    await holdIdleConnections(upstreams);
  await attackOneWorker(upstreams);
} finally {
  for (const child of processes) child.kill('SIGKILL');
}
