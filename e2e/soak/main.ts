import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMiB } from '../../bench/process-memory.ts';
import { quantile } from '../../bench/quantile.ts';
import { http2, keepAlive, newConnections, uploads, webSocket } from './clients.ts';
import { excuseOf, type Kill, killWorker } from './held-connections.ts';
import { Outcomes } from './outcomes.ts';
import { type SoakBed, soakHost, startSoakBed } from './soak-bed.ts';

/**
 * `make soak`: mixed load for MINUTES= (default 30) while certificates and Ingresses change, workers are killed and upstreams
 * restarted. Exit status 1 where a request failed that no killed worker held, or where memory or file descriptors grew.
 */
const minutes = Number(process.env['MINUTES'] || '30');
const everyMs = {
  extras: 1_000,
  renew: 7_000,
  // A worker that lives shorter than a minute is kept waiting before it is started again.
  kill: Math.min(61_000, minutes * 15_000),
  upstream: 31_000,
  sample: 5_000,
};
/** Growth from the second quarter of the time to the last one that is taken for a leak. */
const most = { mainMiB: 48, workerMiB: 48, descriptors: 64 };

interface Sample {
  readonly mainMiB: number;
  readonly workerMiB: number;
  readonly mainDescriptors: number;
  readonly workerDescriptors: number;
  readonly loopP99Ms: number;
}

async function sampleOf(bed: SoakBed): Promise<Sample> {
  const main = bed.postern.pid;
  const [oldest = main] = await bed.workers();
  const page = await (await fetch(bed.metricsUrl)).text();
  const lag = Number(/^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(page)?.[1] ?? Number.NaN);
  return {
    mainMiB: residentMiB(main),
    workerMiB: residentMiB(oldest),
    mainDescriptors: readdirSync(`/proc/${main}/fd`).length,
    workerDescriptors: readdirSync(`/proc/${oldest}/fd`).length,
    loopP99Ms: lag * 1_000,
  };
}

const dir = await mkdtemp(join(tmpdir(), 'postern-soak-'));
await mkdir(join(dir, 'manifests'));
const bed = await startSoakBed(dir);
const outcomes = new Outcomes();
const kills: Kill[] = [];
const samples: Sample[] = [];
const over = new AbortController();
const pause = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal: over.signal }).catch(() => {});
const repeat = async (ms: number, act: () => Promise<void>): Promise<void> => {
  for (await pause(ms); !over.signal.aborted; await pause(ms)) await act();
};

const target = { port: bed.port, host: soakHost, ca: bed.authority.caPem };
const clients = [
  ...[keepAlive, keepAlive, keepAlive, keepAlive, newConnections, newConnections],
  ...[http2, http2, webSocket, webSocket, uploads, uploads],
];
const changes = { extras: 0, renewed: 0, upstreams: 0 };
const work = [
  ...clients.map(client => client(target, outcomes, over.signal)),
  repeat(everyMs.extras, async () => {
    changes.extras += 1;
    await bed.setExtras(changes.extras % 50);
  }),
  repeat(everyMs.renew, async () => {
    changes.renewed += 1;
    await bed.renew();
  }),
  repeat(everyMs.upstream, async () => {
    changes.upstreams += 1;
    await bed.restartUpstream(changes.upstreams % 2 === 0 ? 0 : 1);
  }),
  // The oldest one stays, to be measured over the whole time.
  repeat(everyMs.kill, async () => {
    const [, ...younger] = await bed.workers();
    const pid = younger.at(-1);
    if (pid !== undefined) kills.push(await killWorker(pid, [bed.port]));
  }),
  repeat(everyMs.sample, async () => {
    samples.push(await sampleOf(bed));
  }),
];
const begunMs = performance.now();
process.stdout.write(`soaking for ${minutes} minutes\n`);
work.push(
  repeat(60_000, async () => {
    const answered = [...outcomes.counts.values()].reduce((sum, count) => sum + count, 0);
    const minute = Math.round((performance.now() - begunMs) / 60_000);
    process.stderr.write(`minute ${minute}: ${answered} answered, ${outcomes.failures.length} failed\n`);
  }),
);
await sleep(minutes * 60_000);
over.abort();
await Promise.all(work);
const posternLog = await readFile(bed.postern.logFile, 'utf8');
await bed.close();

const excuses = outcomes.failures.map(failure => excuseOf(failure, kills));
const unexcused = outcomes.failures.filter((_failure, at) => excuses[at] === undefined);
const excused = (by: ReturnType<typeof excuseOf>): number => excuses.filter(one => one === by).length;
const problems: string[] = [];
if (unexcused.length > 0) problems.push(`${unexcused.length} requests failed that no killed worker held`);
const quarter = Math.floor(samples.length / 4);
const growth = (of: (sample: Sample) => number): number => {
  const part = (from: number, to?: number): number => quantile(samples.slice(from, to).map(of), 0.5);
  return part(-Math.max(1, quarter)) - part(quarter, quarter * 2 + 1);
};
const perHour = 60 / (minutes / 2);
const grown = {
  mainMiB: growth(({ mainMiB }) => mainMiB),
  workerMiB: growth(({ workerMiB }) => workerMiB),
  descriptors: Math.max(
    growth(({ mainDescriptors }) => mainDescriptors),
    growth(({ workerDescriptors }) => workerDescriptors),
  ),
};
for (const [what, limit] of Object.entries(most)) {
  const value = grown[what as keyof typeof grown];
  if (value > limit) problems.push(`${what} grew by ${value}`);
}
const last = samples.at(-1);
const say = (what: string, text: string): void => void process.stdout.write(`${what.padEnd(28)} ${text}\n`);
for (const [kind, count] of outcomes.counts) say(kind, `${count} answered`);
say(
  'time of an answer',
  `p50 ${quantile(outcomes.times, 0.5).toFixed(1)} ms, p99 ${quantile(outcomes.times, 0.99).toFixed(1)} ms`,
);
say(
  'changes',
  `${changes.extras} of Ingresses, ${changes.renewed} certificates, ${changes.upstreams} restarts of upstreams`,
);
say(
  'workers killed',
  `${kills.length}, with ${kills.reduce((sum, { held }) => sum + held.size, 0)} connections`,
);
say(
  'failed',
  `${outcomes.failures.length}, of which a killed worker held ${excused('held')}, and had ${excused('queued')} in its queue`,
);
for (const { kind, why, localPort, connectedMs, atMs } of unexcused.slice(0, 20)) {
  const kill = kills.findLast(({ fromMs }) => fromMs <= atMs);
  const whose = kill?.held.has(localPort)
    ? 'its own'
    : kill?.elsewhere.has(localPort)
      ? "another's"
      : "nobody's";
  const timing =
    kill === undefined
      ? 'before any kill'
      : `begun ${(connectedMs - kill.fromMs).toFixed(0)} ms and failed ${(atMs - kill.toMs).toFixed(0)} ms after a kill, ${whose} then`;
  say('', `${kind}: ${why} (port ${localPort}, ${timing})`);
}
say('memory, main process', `${last?.mainMiB} MiB, ${(grown.mainMiB * perHour).toFixed(0)} MiB an hour`);
say('memory, oldest worker', `${last?.workerMiB} MiB, ${(grown.workerMiB * perHour).toFixed(0)} MiB an hour`);
say(
  'file descriptors',
  `main ${last?.mainDescriptors}, oldest worker ${last?.workerDescriptors}, grown by ${grown.descriptors}`,
);
say(
  'event loop of main, p99',
  `${quantile(
    samples.map(({ loopP99Ms }) => loopP99Ms),
    0.5,
  ).toFixed(1)} ms`,
);
if (/uncaught|unhandled/i.test(posternLog)) problems.push('an error that nobody caught is in the log');
for (const problem of problems) say('PROBLEM', problem);
if (problems.length > 0) process.stdout.write(`log: ${posternLog.split('\n').slice(-15).join('\n')}\n`);
if (process.env['E2E_KEEP'] === undefined) await rm(dir, { recursive: true, force: true });
process.exitCode = problems.length === 0 ? 0 : 1;
