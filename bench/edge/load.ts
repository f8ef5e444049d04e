import { join } from 'node:path';
import { type Bed, loopback, runOnLoadCore, siteHost } from './bed.ts';

/** What a load program saw. Times in milliseconds; undefined where it does not tell. */
export interface LoadResult {
  /** Requests, connections or messages that were answered. */
  readonly count: number;
  readonly seconds: number;
  readonly failed: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly p999: number | undefined;
}

export type Load = (bed: Bed, port: number, seconds: number) => Promise<LoadResult>;

const connections = 32;

interface WrkOptions {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Lua, before the requests: sets `wrk.method`, `wrk.body`, or defines `request`. */
  readonly script?: string;
}

/** HTTP/1.1 over TLS by wrk, on kept connections unless a header says otherwise. */
export function wrk({ path = '/1k', headers = {}, script = '' }: WrkOptions): Load {
  return async (bed, port, seconds) => {
    const { writeFile, readFile } = await import('node:fs/promises');
    const file = join(bed.dir, 'wrk.lua');
    await writeFile(file, script + (await readFile(join(import.meta.dirname, 'report.lua'), 'utf8')));
    const fields = Object.entries({ Host: siteHost, ...headers }).flatMap(([name, value]) => [
      '-H',
      `${name}: ${value}`,
    ]);
    const url = `https://${loopback}:${port}${path}`;
    const text = await runOnLoadCore(bed, [
      ...[bed.peers.wrk, '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', file],
      ...fields,
      url,
    ]);
    return JSON.parse(text.trim().split('\n').at(-1) ?? '') as LoadResult;
  };
}

/** HTTP/2 by h2load: 16 connections, 8 requests on each at a time. */
export const http2 =
  (path: string): Load =>
  async (bed, port, seconds) => {
    const log = join(bed.dir, `h2load-${Date.now()}.log`);
    const text = await runOnLoadCore(bed, [
      ...[bed.peers.h2load, '-t1', '-c16', '-m8', '-D', String(seconds), `--log-file=${log}`],
      ...['--connect-to', `${loopback}:${port}`, `https://${siteHost}:${port}${path}`],
    ]);
    const [, done = '0', failed = '0'] = /(\d+) succeeded, (\d+) failed/.exec(text) ?? [];
    const { readFile, rm } = await import('node:fs/promises');
    const times = (await readFile(log, 'utf8'))
      .split('\n')
      .map(line => Number(line.split('\t')[2] ?? Number.NaN) / 1_000)
      .filter(Number.isFinite)
      .sort((a, b) => a - b);
    await rm(log);
    const at = (q: number): number | undefined => times[Math.floor(times.length * q)];
    return {
      count: Number(done),
      seconds,
      failed: Number(failed),
      p50: at(0.5),
      p99: at(0.99),
      p999: at(0.999),
    };
  };

/** A connection for each request, one after the other, by openssl; all but the first resume the first's session. */
export const resumedHandshakes: Load = async (bed, port, seconds) => {
  const text = await runOnLoadCore(bed, [
    ...['openssl', 's_time', '-connect', `${loopback}:${port}`, '-reuse', '-time', String(seconds)],
    ...['-www', '/1k', '-tls1_3'],
  ]);
  const [, count = '0', real = '1'] = /(\d+) connections in (\d+) real seconds/.exec(text) ?? [];
  return {
    count: Number(count),
    seconds: Number(real),
    failed: 0,
    p50: undefined,
    p99: undefined,
    p999: undefined,
  };
};

/** Messages of 1 KiB over 16 WebSockets. */
export const webSocket: Load = async (bed, port, seconds) => {
  const script = join(import.meta.dirname, 'websocket-load.ts');
  const text = await runOnLoadCore(bed, [
    ...[process.execPath, script, `wss://${loopback}:${port}/ws`, siteHost, '16', String(seconds)],
  ]);
  return { seconds, failed: 0, ...(JSON.parse(text) as Pick<LoadResult, 'count' | 'p50' | 'p99' | 'p999'>) };
};
