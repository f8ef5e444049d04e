import type { KubeObject } from '../api/meta.ts';
import { systemClock } from '../core/clock.ts';
import { type LogFields, type Logger, silentLogger } from '../core/logger.ts';
import { noEdgeMeasurements } from '../runtime/edge-measurements.ts';
import { aService, aSlice } from './compile/builders.testing.ts';
import { type Edge, startEdge } from './edge.ts';
import { type MemoryCaches, memoryCaches } from './memory-caches.testing.ts';
import type { EdgeConfig, EdgeOptions } from './options.ts';

/** A running edge and the world around it. */
export interface TestEdge extends MemoryCaches {
  readonly edge: Edge;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** `name Reason: message` of each event so far. */
  readonly events: string[];
  /** Lines of the access log so far. */
  readonly accessLog: string[];
  readonly logs: { level: string; message: string; fields: LogFields | undefined }[];
  /** Resolves once the table satisfies the predicate, looked at after each change. */
  until(condition: () => boolean): Promise<void>;
}

/** Starts an edge on loopback, with free ports, and the objects in its caches. */
export async function startTestEdge(
  objects: readonly KubeObject[],
  config: EdgeConfig = {},
  options: Partial<Pick<EdgeOptions, 'measurements' | 'sharePorts' | 'clock'>> = {},
): Promise<TestEdge> {
  const caches = memoryCaches();
  caches.apply(...objects);
  caches.sync();
  const events: string[] = [];
  const logs: TestEdge['logs'] = [];
  const record =
    (level: string) =>
    (message: string, fields?: LogFields): void => {
      logs.push({ level, message, fields });
    };
  const logger: Logger = {
    ...silentLogger,
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
    child: () => logger,
  };
  const accessLog: string[] = [];
  const waiters = new Set<() => void>();
  const edge = await startEdge({
    caches,
    events: {
      warning: (object, reason, message) =>
        events.push(`${object.metadata.name ?? ''} ${reason}: ${message}`),
    },
    clock: options.clock ?? systemClock,
    logger,
    measurements: {
      ...(options.measurements ?? noEdgeMeasurements),
      compiled: () => setImmediate(() => waiters.forEach(check => check())),
    },
    workerEntry: new URL('../edge-worker.ts', import.meta.url),
    sharePorts: options.sharePorts,
    writeAccessLog: lines => accessLog.push(...lines.trimEnd().split('\n')),
    config: {
      httpListen: '127.0.0.1:0',
      httpsListen: '127.0.0.1:0',
      standalone: true,
      findingGraceMs: 0,
      drainMs: 2_000,
      ...config,
    },
  });
  await edge.ready;
  return {
    ...caches,
    edge,
    httpPort: portOf(edge.httpAddress),
    httpsPort: portOf(edge.httpsAddress),
    events,
    logs,
    accessLog,
    until: condition =>
      new Promise(resolve => {
        const check = (): void => {
          if (!condition()) return;
          waiters.delete(check);
          resolve();
        };
        waiters.add(check);
        check();
      }),
  };
}

function portOf(address: string | undefined): number {
  return Number(address?.split(':').at(-1) ?? 0);
}

/** A Service and its slice, both leading to ports on loopback. */
export function loopbackService(name: string, ...ports: readonly number[]): KubeObject[] {
  const service = aService(name, { ports: [{ port: 80 }] });
  return [
    service,
    ...ports.map((port, index) => {
      const slice = aSlice(name, [{ addresses: ['127.0.0.1'] }], [{ name: '', port }]);
      return { ...slice, metadata: { ...slice.metadata, name: `${name}-${index}` } };
    }),
  ];
}
