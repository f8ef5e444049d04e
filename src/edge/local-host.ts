import type { Clock } from '../core/clock.ts';
import type { MetricDelta } from '../runtime/edge-measurements.ts';
import { AccessLogWriter } from './access-log-writer.ts';
import { emptyTable, type RoutingTable } from './compile/table.ts';
import { createEngine } from './create-engine.ts';
import type { EngineHost } from './engine-host.ts';
import type { HostParts } from './host-parts.ts';
import { MetricCounters } from './metric-counters.ts';

const reportIntervalMs = 1_000;

/** The engine in this process: for tests, and for machines too small for more. */
export function createLocalHost(parts: HostParts): EngineHost {
  const { clock, measurements } = parts;
  let table: RoutingTable | undefined;
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const counters = new MetricCounters();
  const accessLog =
    parts.accessLog === undefined
      ? undefined
      : new AccessLogWriter(parts.accessLog, clock, parts.writeAccessLog);
  const engine = createEngine({
    ...parts,
    table: () => table ?? emptyTable,
    starting: () => (table === undefined ? started : undefined),
    upstreamFailed: (route, backend, failure) =>
      parts.upstreamFailed({ source: route.source, backend: backend.key, failure }),
    metrics: counters,
    accessLog,
  });
  const cancelReports = reportRegularly(clock, counters, delta => measurements.counted(0, delta));
  return {
    listen: addresses => engine.listen(addresses, false),
    publish(next) {
      table = next;
      engine.tableChanged();
      resolve();
    },
    serving: () => started,
    problem: () => (table === undefined ? 'there is no routing table yet' : undefined),
    setTicketKeys: keys => engine.setTicketKeys(keys),
    async stop(drainMs) {
      await engine.stop(drainMs);
      resolve();
      cancelReports();
      accessLog?.flush();
    },
  };
}

function reportRegularly(
  clock: Clock,
  counters: MetricCounters,
  tell: (delta: MetricDelta) => void,
): () => void {
  const report = (): void => {
    const delta = counters.take();
    if (delta !== undefined) tell(delta);
    cancel = clock.after(reportIntervalMs, report);
  };
  let cancel = clock.after(reportIntervalMs, report);
  return () => {
    cancel();
    const delta = counters.take();
    if (delta !== undefined) tell(delta);
  };
}
