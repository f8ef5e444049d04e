import { parseRuleHost } from '../../match/host.ts';
import type { AnnotationRow } from './annotation-row.ts';
import { flag, listOf, matching, template, webUrl, wholeNumber } from './annotation-values.ts';

const trueFalse = '`true`, `false`';
const aUrl = 'an http or https URL';

/** Redirects, names, and what becomes of the path. */
export const redirectRows: readonly AnnotationRow[] = [
  {
    name: 'ssl-redirect',
    support: 'supported',
    values: trueFalse,
    help: 'Plain HTTP is sent to HTTPS (308) where the host has TLS; `--ssl-redirect` without it (true).',
    read: flag('sslRedirect'),
  },
  {
    name: 'force-ssl-redirect',
    support: 'supported',
    values: trueFalse,
    help: 'The same where the host has no TLS of its own; `false` without it.',
    guard: true,
    read: flag('forceSslRedirect'),
  },
  {
    name: 'preserve-trailing-slash',
    support: 'not needed',
    values: trueFalse,
    help: 'Redirects to HTTPS keep path and query as they are.',
  },
  {
    name: 'use-port-in-redirects',
    support: 'not needed',
    values: trueFalse,
    help: 'Redirects to HTTPS name the port of `--https-redirect-port`, and no port where that is 443.',
  },
  {
    name: 'relative-redirects',
    support: 'not needed',
    values: trueFalse,
    help: '`app-root` redirects by path alone; other redirects name a host.',
  },
  {
    name: 'app-root',
    support: 'differs',
    values: 'path',
    help: 'Requests for `/` are sent to this path (302). `Location` is the path alone, without scheme and host.',
    read: matching('appRoot', /^\/(?![/\\])[\x21-\x7e]*$/, 'a path that begins with one "/"'),
  },
  {
    name: 'permanent-redirect',
    support: 'supported',
    values: 'URL, with [variables](#variables)',
    help: 'All requests are sent there (301).',
    read: template('permanentRedirect', webUrl, aUrl),
  },
  {
    name: 'permanent-redirect-code',
    support: 'supported',
    values: '`300` to `308`',
    help: 'The status of `permanent-redirect`.',
    read: wholeNumber('permanentRedirectCode', 300, 308),
  },
  {
    name: 'temporal-redirect',
    support: 'supported',
    values: 'URL, with [variables](#variables)',
    help: 'All requests are sent there (302). Goes before `permanent-redirect`.',
    read: template('temporalRedirect', webUrl, aUrl),
  },
  {
    name: 'temporal-redirect-code',
    support: 'supported',
    values: '`300` to `308`',
    help: 'The status of `temporal-redirect`.',
    read: wholeNumber('temporalRedirectCode', 300, 308),
  },
  {
    name: 'from-to-www-redirect',
    support: 'supported',
    values: trueFalse,
    help: '`www.` and a host of the Ingress is sent to the host, or the other way round (308). A host that has rules of its own stays as it is.',
    read: flag('fromToWww'),
  },
  {
    name: 'server-alias',
    support: 'differs',
    values: 'names with commas between',
    help: 'Further names that are served as the hosts of the Ingress are. Regular expressions (`~...`) are passed over, with an event.',
    partial: true,
    read: (value, draft) => {
      const names = listOf(value).map(name => [name, parseRuleHost(name)] as const);
      draft.serverAliases = names.flatMap(([, host]) => host ?? []);
      const wrong = names.find(([, host]) => host === undefined)?.[0];
      return wrong === undefined
        ? undefined
        : `use host names; ${JSON.stringify(wrong.slice(0, 60))} is none`;
    },
  },
  {
    name: 'use-regex',
    support: 'differs',
    values: trueFalse,
    help: 'All paths of the host are regular expressions from the beginning of the path, in any case of letters, tried by falling length. They have no look-around and no back-references: matching takes time linear in the path.',
    guard: true,
    read: flag('useRegex'),
  },
  {
    name: 'rewrite-target',
    support: 'differs',
    values: 'path, `$1` to `$9` for groups',
    help: 'Takes the place of the path; implies `use-regex`. Groups hold the path as it is encoded. What comes out is brought to its canonical form: a path that would climb is answered with 400. URLs are refused.',
    guard: true,
    read: matching(
      'rewriteTarget',
      /^(?:\/|\$\d)(?:[\x21-\x23\x25-\x5b\x5d-\x7e]|\$\d)*$/,
      'a path with "$1" to "$9" for the groups of the rule\'s path',
    ),
  },
  {
    name: 'upstream-vhost',
    support: 'supported',
    values: 'host, with [variables](#variables)',
    help: 'The Host that upstreams are sent.',
    read: template('upstreamVhost', /^[A-Za-z0-9.\-_:$\x7b\x7d[\]]+$/, 'a host name'),
  },
  {
    name: 'x-forwarded-prefix',
    support: 'differs',
    values: 'path',
    help: 'Sent to upstreams as X-Forwarded-Prefix, also without `rewrite-target`. Groups (`$1`) are refused.',
    read: matching('forwardedPrefix', /^[\x21-\x23\x25-\x7e]+$/, 'a path without variables'),
  },
  {
    name: 'add-base-url',
    support: 'passed over',
    values: trueFalse,
    help: 'Pages are not changed. ingress-nginx dropped it in version 0.22.',
    harmless: value => value === 'false',
  },
  {
    name: 'base-url-scheme',
    support: 'passed over',
    values: 'scheme',
    help: 'As `add-base-url`.',
  },
];
