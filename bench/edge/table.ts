import { quantile } from '../quantile.ts';

/** One proxy under one load. Times in milliseconds. */
export interface Sample {
  readonly perSecond: number;
  /** Of all its processes, user and system, for each request. */
  readonly cpuMicroseconds: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly p999: number | undefined;
  readonly memoryMiB: number;
  readonly failed: number;
}

export function median(samples: readonly Sample[]): Sample {
  const of = (pick: (sample: Sample) => number | undefined): number | undefined => {
    const values = samples.map(pick).filter(value => value !== undefined);
    return values.length === 0 ? undefined : quantile(values, 0.5);
  };
  return {
    perSecond: of(one => one.perSecond) ?? 0,
    cpuMicroseconds: of(one => one.cpuMicroseconds) ?? 0,
    p50: of(one => one.p50),
    p99: of(one => one.p99),
    p999: of(one => one.p999),
    memoryMiB: of(one => one.memoryMiB) ?? 0,
    failed: samples.reduce((sum, one) => sum + one.failed, 0),
  };
}

/** A table in Markdown; the ratios are Postern's figure to that of the row. */
export function table(title: string, unit: string, samples: ReadonlyMap<string, Sample>): string {
  const postern = samples.get('postern');
  const time = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(2));
  const ratio = (ours: number | undefined, theirs: number): string =>
    ours === undefined || theirs === 0 ? '' : (ours / theirs).toFixed(2);
  const rows = [...samples].map(([name, one]) => {
    const cells = [
      name,
      Math.round(one.perSecond).toLocaleString('en'),
      time(one.p50),
      time(one.p99),
      time(one.p999),
      one.cpuMicroseconds.toFixed(1),
      one.memoryMiB.toFixed(0),
      String(one.failed),
      ratio(postern?.perSecond, one.perSecond),
      ratio(postern?.cpuMicroseconds, one.cpuMicroseconds),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `### ${title}`,
    '',
    `| proxy | ${unit}s/s | p50 ms | p99 ms | p99.9 ms | CPU us a ${unit} | memory MiB | failed | Postern's rate to its | Postern's CPU to its |`,
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
