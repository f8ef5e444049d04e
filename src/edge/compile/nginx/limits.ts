import type { AnnotationRow, Draft } from './annotation-row.ts';
import { ranges, wholeNumber } from './annotation-values.ts';

const most = 2_147_483_647;
const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1_024, m: 1_048_576, g: 1_073_741_824 };
const sharing =
  'Each worker process gives out its share; what a client has at once in one worker counts there alone.';

/** How much may be asked. */
export const limitRows: readonly AnnotationRow[] = [
  {
    name: 'proxy-body-size',
    support: 'supported',
    values: 'bytes, or with `k`, `m`, `g`; `0` for no limit',
    help: 'Longer bodies get 413; `--max-body-size` without it (1m).',
    guard: true,
    read: (value, draft) => {
      const [, digits = '', unit = ''] = /^(\d{1,12})([bkmg]?)$/i.exec(value) ?? [];
      const bytes = digits === '' ? Number.NaN : Number(digits) * (units[unit.toLowerCase()] ?? 1);
      if (!Number.isSafeInteger(bytes)) return 'use a number of bytes, or one with k, m or g';
      draft.bodyBytes = bytes;
      return undefined;
    },
  },
  {
    name: 'limit-rps',
    support: 'differs',
    values: 'number',
    help: `Requests a second of one client address; an IPv6 client is its /64. More gets 503, or 429 by \`--limit-status\`. ${sharing}`,
    guard: true,
    opensWithout: true,
    read: rate('perSecond'),
  },
  {
    name: 'limit-rpm',
    support: 'differs',
    values: 'number',
    help: 'Requests a minute, as `limit-rps`.',
    guard: true,
    opensWithout: true,
    read: rate('perMinute'),
  },
  {
    name: 'limit-burst-multiplier',
    support: 'supported',
    values: 'number',
    help: 'How many times the rate may come at once; 5 without it.',
    guard: true,
    read: wholeNumber('burstFactor', 1, 10_000),
  },
  {
    name: 'limit-connections',
    support: 'differs',
    values: 'number',
    help: `Requests of one client address that are under way at the same time. ${sharing}`,
    guard: true,
    opensWithout: true,
    read: rate('connections'),
  },
  {
    name: 'limit-whitelist',
    support: 'supported',
    values: 'CIDR ranges with commas between',
    help: 'Clients that are not limited.',
    read: ranges('limitExempt'),
  },
  {
    name: 'limit-allowlist',
    support: 'supported',
    values: 'CIDR ranges with commas between',
    help: 'The newer name of `limit-whitelist`, and goes before it.',
    read: ranges('limitExempt'),
  },
  {
    name: 'limit-rate',
    support: 'passed over',
    values: 'kilobytes a second',
    help: 'Answers are sent as fast as the client takes them.',
    harmless: value => value === '0',
  },
  {
    name: 'limit-rate-after',
    support: 'passed over',
    values: 'kilobytes',
    help: 'As `limit-rate`.',
    harmless: value => value === '0',
  },
  {
    name: 'global-rate-limit',
    support: 'refused',
    values: 'number',
    help: 'Limits are not shared over a store. Use `limit-rps`; ingress-nginx dropped it in version 1.11.',
    harmless: value => value === '0',
  },
  {
    name: 'global-rate-limit-window',
    support: 'not needed',
    values: 'duration',
    help: 'As `global-rate-limit`.',
  },
  { name: 'global-rate-limit-key', support: 'not needed', values: 'text', help: 'As `global-rate-limit`.' },
  {
    name: 'global-rate-limit-header-based',
    support: 'not needed',
    values: 'text',
    help: 'As `global-rate-limit`.',
  },
  {
    name: 'global-rate-limit-ignored-cidrs',
    support: 'not needed',
    values: 'CIDR ranges',
    help: 'As `global-rate-limit`.',
  },
];

/** A limit of 0 is none, as in ingress-nginx. */
function rate(
  field: 'perSecond' | 'perMinute' | 'connections',
): (value: string, draft: Draft) => string | undefined {
  const read = wholeNumber(field, 0, most);
  return (value, draft) => {
    const wrong = read(value, draft);
    if (draft[field] === 0) delete draft[field];
    return wrong;
  };
}
