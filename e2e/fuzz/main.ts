import { setImmediate } from 'node:timers/promises';
import { readByCodec } from '../../src/edge/http1/fuzzing/codec-reading.testing.ts';
import { disagreement } from '../../src/edge/http1/fuzzing/compare-readings.testing.ts';
import { minimised } from '../../src/edge/http1/fuzzing/minimised.testing.ts';
import { readByNode } from '../../src/edge/http1/fuzzing/node-reading.testing.ts';
import { piecesDiffer } from '../../src/edge/http1/fuzzing/pieces.testing.ts';
import { randomFrom } from '../../src/edge/http1/fuzzing/random.testing.ts';
import { requestStream } from '../../src/edge/http1/fuzzing/request-streams.testing.ts';
import { responseStream } from '../../src/edge/http1/fuzzing/response-streams.testing.ts';
import { answerReader, answersDiffer } from '../../src/edge/http1/fuzzing/upstream-readings.testing.ts';
import { type FuzzBed, startFuzzBed } from './bed.ts';
import { faultBefore, sendToFront } from './before.ts';
import { faultBehind } from './behind.ts';
import type { PeerName } from './peer-proxies.ts';

/**
 * `make fuzz`: odd bytes for the HTTP/1.1 codec for MINUTES= (default 2), from SEED= on (default: the time). What the edge
 * takes must be the same requests to Node's parser, to nginx and HAProxy behind it, and what those forward the same to it. A
 * finding is printed in its shortest form: it goes into src/edge/http1/fuzzing/corpus once it is understood. Exit status 1
 * where there was any.
 */
const minutes = Number(process.env['MINUTES'] || '2');
const firstSeed = Number(process.env['SEED'] || String(Date.now() % 1_000_000_000));
/** So many of one kind are enough to see what it is. */
const mostFindings = 5;
/** Clients side by side. */
const bundled = 256;

interface Stage {
  readonly name: string;
  /** Of the whole time. */
  readonly share: number;
  readonly stream: (seed: number) => string;
  /** What is wrong with how these bytes are read. */
  readonly fault: (stream: string) => Promise<string | undefined>;
  readonly close?: () => Promise<void>;
}

const latin1 = (stream: string): Buffer => Buffer.from(stream, 'latin1');
const request = (seed: number): string => requestStream(randomFrom(seed));

async function stages(): Promise<Stage[]> {
  const reader = await answerReader();
  const beds = new Map<PeerName, FuzzBed>();
  for (const name of ['nginx', 'haproxy'] as const) beds.set(name, await startFuzzBed(name));
  return [
    {
      name: "requests, against Node's parser",
      share: 0.25,
      stream: request,
      fault: async stream =>
        disagreement(readByCodec([latin1(stream)]), await readByNode(latin1(stream)), stream),
    },
    {
      name: 'requests, whole and in pieces',
      share: 0.15,
      stream: request,
      fault: async stream => (stream === '' ? undefined : piecesDiffer(latin1(stream), randomFrom(1))),
    },
    {
      name: "answers, against Node's client",
      share: 0.2,
      stream: seed => responseStream(randomFrom(seed)),
      fault: async stream => {
        const edge = await reader.readByEdge('GET', latin1(stream));
        if (edge.kind !== 'whole') return undefined;
        return answersDiffer(edge, await reader.readByNode('GET', latin1(stream)));
      },
      close: () => reader.close(),
    },
    ...[...beds].map(([name, { behind }]) => ({
      name: `requests through the edge to ${name}`,
      share: 0.1,
      stream: request,
      fault: (stream: string) => faultBehind(behind.port, behind.recorder, latin1(stream)),
    })),
    ...[...beds].map(([name, bed]) => ({
      name: `requests through ${name} to the edge`,
      share: 0.1,
      // A bundle of clients side by side: most of their time is waiting for the proxy to give them up.
      stream: (seed: number) =>
        JSON.stringify(Array.from({ length: bundled }, (_, index) => request(seed * bundled + index))),
      fault: async (bundle: string) => {
        const streams = parsed(bundle);
        await Promise.all(streams.map(stream => sendToFront(bed.before.port, latin1(stream))));
        return faultBefore(bed.before.mark, bed.before.recorder.take());
      },
      close: () => bed.close(),
    })),
  ];
}

/** The streams of a bundle; none where its shortening has left no bundle. */
function parsed(bundle: string): string[] {
  try {
    const streams: unknown = JSON.parse(bundle);
    return Array.isArray(streams) ? streams.filter(one => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

/** What a finding is about, whatever the bytes in it. */
function kindOf(fault: string | undefined): string | undefined {
  return fault?.replaceAll(/\d+/g, 'N').slice(0, 50);
}

async function run({ name, share, stream, fault }: Stage): Promise<number> {
  const deadline = performance.now() + share * minutes * 60_000;
  const found = new Map<string | undefined, number>();
  let count = 0;
  for (let seed = firstSeed; performance.now() < deadline; seed += 1) {
    const bytes = stream(seed);
    const why = await fault(bytes);
    count += 1;
    if (count % 500 === 0) await setImmediate();
    if (why === undefined) continue;
    const kind = kindOf(why);
    const times = (found.get(kind) ?? 0) + 1;
    found.set(kind, times);
    if (times > mostFindings) continue;
    const shortest = await minimised(bytes, async shorter => kindOf(await fault(shorter)) === kind);
    process.stdout.write(`FOUND (${name}, seed ${seed}): ${why}\n  by ${JSON.stringify(shortest)}\n`);
  }
  const findings = [...found.values()].reduce((sum, times) => sum + times, 0);
  process.stdout.write(`${name}: ${count} cases, ${findings} findings\n`);
  return findings;
}

process.stdout.write(`fuzzing for ${minutes} minutes from seed ${firstSeed}\n`);
const all = await stages();
let findings = 0;
for (const stage of all) findings += await run(stage);
for (const { close } of all) await close?.();
process.exitCode = findings === 0 ? 0 : 1;
