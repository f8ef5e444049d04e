/**
 * `make bench-attacks`: what clients of the edge see while it is attacked. Postern has one worker, pinned with its main process
 * to core 0; clients, attackers and upstream have core 1. Clients ask over TLS on kept connections, 200 requests a second in
 * all. Prints p50 and p99, as ratios to those without attack right before, and the worker's memory. SECONDS= (default 5) for
 * each; IDLE= (default 10000) connections of the idle attack, as far as `ulimit -n` goes; ATTACKS= a part of their names.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AttackBed, attackedHost, loopback, startAttackBed } from '../e2e/attacks/attack-bed.ts';
import { freePort } from '../e2e/harness/free-port.ts';
import { quantile } from './quantile.ts';

const seconds = Number(process.env['SECONDS'] || '5');
const clients = 8;
const everyMs = 40;
const attacks: readonly (readonly [name: string, count: number])[] = [
  ['idle connections', Number(process.env['IDLE'] || '10000')],
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
async function start(name: string, count: number, bed: AttackBed): Promise<[ChildProcess, string]> {
  const script = join(import.meta.dirname, 'edge/attacker.ts');
  // Behind the clients that are measured, which share their core with it.
  const command = ['-n', '19', process.execPath, script, name, String(count)];
  const child = spawn('nice', [...command, String(bed.http), String(bed.https)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return [child, /\d+/.exec(line.toString())?.[0] ?? ''];
}

const upstreamPort = await freePort(loopback);
const upstreamScript = join(import.meta.dirname, '../e2e/soak/upstream-process.ts');
const upstream = spawn(process.execPath, [upstreamScript, String(upstreamPort)], { stdio: 'inherit' });
const bed = await startAttackBed({
  upstreams: { '': upstreamPort },
  // Clients and attackers have one address here: a limit for each address would keep both out.
  args: ['--max-handshakes-per-address', '0', '--max-requests-per-connection', '0'],
});
for (const pid of [bed.postern.pid, await bed.worker()])
  spawnSync('taskset', ['-a', '-cp', '0', String(pid)]);
for (const pid of [process.pid, upstream.pid]) spawnSync('taskset', ['-a', '-cp', '1', String(pid)]);
try {
  await measure(bed);
  const row = (
    name: string,
    normal: Seen,
    { p50, p99, failed }: Seen,
    memory: number,
    connections: string,
  ): void =>
    console.log(
      [
        name.padEnd(22),
        connections.padStart(6),
        `p50 ${p50.toFixed(2).padStart(7)} ms ${(p50 / normal.p50).toFixed(1).padStart(5)} x`,
        `p99 ${p99.toFixed(2).padStart(7)} ms ${(p99 / normal.p99).toFixed(1).padStart(5)} x`,
        `${failed} failed`.padStart(10),
        `${memory.toFixed(0)} MiB`.padStart(9),
      ].join('  '),
    );
  for (const [name, count] of attacks.filter(([name]) => name.includes(process.env['ATTACKS'] ?? ''))) {
    const normal = await measure(bed);
    const [child, connections] = await start(name, count, bed);
    const seen = await measure(bed);
    row(name, normal, seen, await bed.workerMiB(), connections);
    child.kill('SIGKILL');
    await once(child, 'close');
    await sleep(1_000);
  }
  const [before, after] = [await measure(bed), await measure(bed)];
  row('none', before, after, await bed.workerMiB(), '');
} finally {
  await bed.close();
  upstream.kill('SIGKILL');
}
