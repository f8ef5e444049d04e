/** What an API server counted of writes that may be Postern's: by resource and verb. */
export interface Writes {
  readonly counts: ReadonlyMap<string, number>;
  minus(before: Writes): WritesBetween;
}

export interface WritesBetween {
  /** Writes of objects other than events and what the measurement itself applies. */
  readonly objects: number;
  readonly events: number;
  /** The same, by verb and resource, most first. */
  readonly rows: readonly { readonly what: string; readonly count: number }[];
}

/** Resources that a run of Postern writes. Leases and the like are others', or do not depend on certificates. */
const resources = new Set([
  'certificates',
  'certificaterequests',
  'orders',
  'challenges',
  'secrets',
  'services',
  'endpointslices',
  'endpoints',
  'ingresses',
  'events',
]);
const verbs = new Set(['POST', 'PUT', 'PATCH', 'DELETE', 'APPLY']);

/** Reads `apiserver_request_total` of an API server's /metrics. Refused requests count too. */
export function countWrites(metrics: string): Writes {
  const counts = new Map<string, number>();
  for (const line of metrics.split('\n')) {
    const match = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line);
    if (match === null) continue;
    const label = (name: string): string =>
      new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(match[1] ?? '')?.[1] ?? '';
    const resource = label('resource');
    if (!verbs.has(label('verb')) || !resources.has(resource)) continue;
    const what = `${label('verb')} ${resource}${label('subresource') === '' ? '' : `/${label('subresource')}`}`;
    counts.set(what, (counts.get(what) ?? 0) + Number(match[2]));
  }
  return {
    counts,
    minus(before) {
      const rows = [...counts]
        .map(([what, count]) => ({ what, count: count - (before.counts.get(what) ?? 0) }))
        .filter(({ count }) => count > 0)
        .toSorted((a, b) => b.count - a.count);
      const sum = (isWanted: (what: string) => boolean): number =>
        rows.filter(({ what }) => isWanted(what)).reduce((total, { count }) => total + count, 0);
      const isEvent = (what: string): boolean => what.endsWith(' events');
      return { objects: sum(what => !isEvent(what)), events: sum(isEvent), rows };
    },
  };
}
