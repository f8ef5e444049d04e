import { compilePattern } from '../../match/path-pattern.ts';
import type { AnnotationRow } from './annotation-row.ts';
import { fieldName, flag, matching, wholeNumber } from './annotation-values.ts';

const cookieName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Some of the requests go elsewhere. */
export const canaryRows: readonly AnnotationRow[] = [
  {
    name: 'canary',
    support: 'differs',
    values: '`true`, `false`',
    help: 'The Ingress takes some of the requests of another one of its namespace with the same host and path. Settings are those of the other one, `affinity`, `load-balance` and `upstream-hash-by` too.',
    guard: true,
    read: flag('canary'),
  },
  {
    name: 'canary-weight',
    support: 'supported',
    values: 'number',
    help: 'How many of `canary-weight-total` requests go there, where neither header nor cookie decides.',
    read: wholeNumber('canaryWeight', 0, 1_000_000),
  },
  {
    name: 'canary-weight-total',
    support: 'supported',
    values: 'number',
    help: '100 without it.',
    read: wholeNumber('canaryTotal', 1, 1_000_000),
  },
  {
    name: 'canary-by-header',
    support: 'supported',
    values: 'header name',
    help: 'A request with the value `always` goes there, one with `never` does not.',
    read: matching('canaryHeader', fieldName, 'the name of a header'),
  },
  {
    name: 'canary-by-header-value',
    support: 'supported',
    values: 'text',
    help: 'With `canary-by-header`: the value with which a request goes there, in place of `always` and `never`.',
    read: matching('canaryValue', /^[\x20-\x7e]+$/, 'printable ASCII'),
  },
  {
    name: 'canary-by-header-pattern',
    support: 'differs',
    values: 'regular expression',
    help: 'The same by a pattern, anywhere in the value; not beside `canary-by-header-value`. It has no look-around and no back-references.',
    read: (value, draft) => {
      const compiled = compilePattern(value);
      if ('error' in compiled) return `its regular expression is refused: ${compiled.error}`;
      draft.canaryPattern = value;
      return undefined;
    },
  },
  {
    name: 'canary-by-cookie',
    support: 'supported',
    values: 'cookie name',
    help: 'As `canary-by-header`, by a cookie; asked after it.',
    read: matching('canaryCookie', cookieName, 'the name of a cookie'),
  },
];

/** Clients stay with their endpoint. */
export const affinityRows: readonly AnnotationRow[] = [
  {
    name: 'affinity',
    support: 'supported',
    values: '`cookie`',
    help: 'A client stays with its endpoint, by a cookie.',
    read: (value, draft) => {
      if (value !== 'cookie') return 'use "cookie"';
      draft.affinity = true;
      return undefined;
    },
  },
  {
    name: 'affinity-mode',
    support: 'supported',
    values: '`balanced`, `persistent`',
    help: 'Whether new endpoints take over their share of the clients there are; `balanced` without it.',
    read: (value, draft) => {
      if (value !== 'balanced' && value !== 'persistent') return 'use "balanced" or "persistent"';
      draft.affinityMode = value;
      return undefined;
    },
  },
  {
    name: 'affinity-canary-behavior',
    support: 'supported',
    values: '`sticky`, `legacy`',
    help: 'Whether clients stay with a canary, or with what is none; `sticky` without it.',
    read: (value, draft) => {
      if (value !== 'sticky' && value !== 'legacy') return 'use "sticky" or "legacy"';
      draft.affinitySticky = value === 'sticky';
      return undefined;
    },
  },
  {
    name: 'session-cookie-name',
    support: 'supported',
    values: 'name',
    help: '`INGRESSCOOKIE` without it.',
    read: matching('cookieName', cookieName, 'the name of a cookie'),
  },
  {
    name: 'session-cookie-path',
    support: 'differs',
    values: 'path',
    help: "The rule's path without it, and `/` for a regular expression.",
    read: matching('cookiePath', /^\/[\x21-\x3a\x3c-\x7e]*$/, 'a path'),
  },
  {
    name: 'session-cookie-domain',
    support: 'supported',
    values: 'domain',
    help: "The client's Host without it.",
    read: matching('cookieDomain', /^\.?[A-Za-z0-9.-]+$/, 'a domain'),
  },
  {
    name: 'session-cookie-max-age',
    support: 'supported',
    values: 'seconds',
    help: 'Until the browser is closed without it.',
    read: wholeNumber('cookieMaxAge', -2_147_483_647, 2_147_483_647),
  },
  {
    name: 'session-cookie-expires',
    support: 'supported',
    values: 'seconds',
    help: 'The same, as a date.',
    read: wholeNumber('cookieExpires', -2_147_483_647, 2_147_483_647),
  },
  {
    name: 'session-cookie-samesite',
    support: 'supported',
    values: '`None`, `Lax`, `Strict`',
    help: 'Left out without it.',
    read: (value, draft) => {
      const words = ['None', 'Lax', 'Strict'] as const;
      const word = words.find(one => one.toLowerCase() === value.toLowerCase());
      if (word === undefined) return 'use "None", "Lax" or "Strict"';
      draft.cookieSameSite = word;
      return undefined;
    },
  },
  {
    name: 'session-cookie-conditional-samesite-none',
    support: 'supported',
    values: '`true`, `false`',
    help: '`SameSite=None` is left out for browsers that take it for something else.',
    read: flag('cookieConditionalNone'),
  },
  {
    name: 'session-cookie-secure',
    support: 'supported',
    values: '`true`, `false`',
    help: 'Whether the cookie is for HTTPS alone; as the request came, without it.',
    read: flag('cookieSecure'),
  },
  {
    name: 'session-cookie-partitioned',
    support: 'supported',
    values: '`true`, `false`',
    help: 'Adds `Partitioned`.',
    read: flag('cookiePartitioned'),
  },
  {
    name: 'session-cookie-change-on-failure',
    support: 'supported',
    values: '`true`, `false`',
    help: 'A client whose endpoint failed stays with the one that answered.',
    read: flag('cookieChangeOnFailure'),
  },
  {
    name: 'session-cookie-hash',
    support: 'not needed',
    values: 'name of a hash',
    help: 'The cookie tells no address. ingress-nginx dropped it in version 0.24.',
  },
];
