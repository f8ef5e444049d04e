import type { AnnotationRow } from './annotation-row.ts';
import { flag, listOf, matching, wholeNumber } from './annotation-values.ts';

const origin = /^https?:\/\/(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?$/;
const names = 'names with commas between';

/** Cross-origin requests of browsers. */
export const corsRows: readonly AnnotationRow[] = [
  {
    name: 'enable-cors',
    support: 'differs',
    values: '`true`, `false`',
    help: 'Preflights of allowed origins are answered with 204, before any password is asked for; answers get the Access-Control fields that browsers read there. An OPTIONS request that is no preflight goes to the upstream.',
    read: flag('cors'),
  },
  {
    name: 'cors-allow-origin',
    support: 'differs',
    values: '`*`, or origins with commas between; one label may be `*`',
    help: '`*` without it. An origin that cannot be read is left out, with an event; ingress-nginx then allows all.',
    partial: true,
    read: (value, draft) => {
      const origins = listOf(value).map(entry => entry.toLowerCase());
      draft.corsOrigins = origins.filter(entry => entry === '*' || origin.test(entry));
      const wrong = origins.find(entry => entry !== '*' && !origin.test(entry));
      return wrong === undefined && origins.length > 0
        ? undefined
        : `use origins such as https://foo.com with commas between${wrong === undefined ? '' : `; ${JSON.stringify(wrong.slice(0, 60))} is none`}`;
    },
  },
  {
    name: 'cors-allow-methods',
    support: 'supported',
    values: names,
    help: '`GET, PUT, POST, DELETE, PATCH, OPTIONS` without it.',
    read: matching('corsMethods', /^[A-Za-z]+(?:\s*,\s*[A-Za-z]+)*$/, names),
  },
  {
    name: 'cors-allow-headers',
    support: 'supported',
    values: names,
    help: '`DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization` without it.',
    read: matching('corsHeaders', /^[A-Za-z0-9_-]+(?:\s*,\s*[A-Za-z0-9_-]+)*$/, names),
  },
  {
    name: 'cors-expose-headers',
    support: 'supported',
    values: `${names}, or \`*\``,
    help: 'None without it.',
    read: matching('corsExpose', /^[A-Za-z0-9_*-]+(?:\s*,\s*[A-Za-z0-9_*-]+)*$/, names),
  },
  {
    name: 'cors-allow-credentials',
    support: 'supported',
    values: '`true`, `false`',
    help: '`true` without it.',
    read: flag('corsCredentials'),
  },
  {
    name: 'cors-max-age',
    support: 'supported',
    values: 'seconds',
    help: '1728000 without it.',
    read: wholeNumber('corsMaxAge', 0, 2_147_483_647),
  },
];
