import { parseRequestTemplate } from '../../policy/request-template.ts';
import { isForbiddenHost } from '../../upstream/forbidden-address.ts';
import type { AnnotationRow, Draft } from './annotation-row.ts';
import {
  fieldName,
  flag,
  listOf,
  matching,
  oneOf,
  printable,
  ranges,
  template,
  webUrl,
} from './annotation-values.ts';

const trueFalse = '`true`, `false`';
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Who may ask: addresses, passwords, another service. */
export const accessRows: readonly AnnotationRow[] = [
  {
    name: 'whitelist-source-range',
    support: 'supported',
    values: 'CIDR ranges with commas between',
    help: 'Clients outside of these get 403. Behind trusted proxies (`--trusted-proxies`) it is the address that they tell.',
    guard: true,
    opensWithout: true,
    read: ranges('allow'),
  },
  {
    name: 'allowlist-source-range',
    support: 'supported',
    values: 'CIDR ranges with commas between',
    help: 'The newer name of `whitelist-source-range`, and goes before it.',
    guard: true,
    opensWithout: true,
    read: ranges('allow'),
  },
  {
    name: 'denylist-source-range',
    support: 'supported',
    values: 'CIDR ranges with commas between',
    help: 'Clients within these get 403, before any other range is asked.',
    guard: true,
    opensWithout: true,
    read: ranges('deny'),
  },
  {
    name: 'satisfy',
    support: 'supported',
    values: '`all`, `any`',
    help: 'With `any`, a client within `whitelist-source-range` needs no password, and one with a password need not be within the ranges.',
    guard: true,
    read: (value, draft) => {
      if (value !== 'all' && value !== 'any') return 'use "all" or "any"';
      draft.satisfyAny = value === 'any';
      return undefined;
    },
  },
  {
    name: 'auth-type',
    support: 'differs',
    values: '`basic`',
    help: 'Asks for user and password (401). `digest` is refused: it needs passwords that are as good as stored in the clear.',
    guard: true,
    opensWithout: true,
    read: oneOf('authType', ['basic']),
  },
  {
    name: 'auth-secret',
    support: 'differs',
    values: '`name` or `namespace/name`, of the namespace of the Ingress',
    help: 'The Secret with users and hashes: bcrypt, `$apr1$`, `$1$`, `$5$`, `$6$`, `{SHA}`, `{SSHA}`. A line with any other hash is left out, with an event. Where the Secret is missing or has no user, the paths answer 503.',
    guard: true,
    opensWithout: true,
    read: matching('authSecret', printable, 'the name of a Secret'),
  },
  {
    name: 'auth-secret-type',
    support: 'supported',
    values: '`auth-file`, `auth-map`',
    help: 'Whether the key `auth` of the Secret is an htpasswd file, or each key a user and its value the hash.',
    guard: true,
    read: oneOf('authSecretKind', ['auth-file', 'auth-map']),
  },
  {
    name: 'auth-realm',
    support: 'supported',
    values: 'text',
    help: 'What browsers show when they ask for the password; `Authentication Required` without it.',
    read: matching('authRealm', /^[\x20-\x7e]+$/, 'printable ASCII'),
  },
  {
    name: 'auth-url',
    support: 'differs',
    values: 'http or https URL, with [variables](#variables)',
    help: 'Asked for each request: 2xx lets it pass, 401 and 403 are answered, all else is 500. It must not lead to loopback or link-local addresses, by name or resolved; of variables only `$host` and `$http_host` may stand in its host, and only in rules with a host. Where it leads to the edge itself, and from there in a circle, the answer is 500.',
    guard: true,
    opensWithout: true,
    read: readAuthUrl,
  },
  {
    name: 'auth-method',
    support: 'supported',
    values: methods.map(method => `\`${method}\``).join(', '),
    help: 'The method of that request; GET without it.',
    guard: true,
    read: oneOf('authMethod', methods),
  },
  {
    name: 'auth-signin',
    support: 'differs',
    values: 'URL, with [variables](#variables)',
    help: 'Where a 401 sends the browser (302), with the address that it asked for as a parameter. Without `auth-url` the paths answer 503.',
    guard: true,
    read: template('authSignIn', webUrl, 'an http or https URL'),
  },
  {
    name: 'auth-signin-redirect-param',
    support: 'supported',
    values: 'name',
    help: 'The name of that parameter; `rd` without it.',
    read: matching('authSignInParameter', /^[\w.~-]+$/, 'a name of letters, digits and "-", ".", "_", "~"'),
  },
  {
    name: 'auth-response-headers',
    support: 'differs',
    values: 'header names with commas between',
    help: 'Fields of the answer that upstreams are sent. What the client sent under these names is dropped. Without `auth-url` the paths answer 503.',
    guard: true,
    read: (value, draft) => {
      const names = listOf(value);
      if (names.length === 0 || !names.every(name => fieldName.test(name)))
        return 'use header names with commas between';
      draft.authResponseHeaders = names.map(name => name.toLowerCase());
      return undefined;
    },
  },
  {
    name: 'auth-request-redirect',
    support: 'supported',
    values: 'text, with [variables](#variables)',
    help: 'What X-Auth-Request-Redirect says; path and query of the request without it.',
    guard: true,
    read: template('authRequestRedirect', printable, 'a URL or a path'),
  },
  {
    name: 'auth-always-set-cookie',
    support: 'supported',
    values: trueFalse,
    help: 'Cookies of the answer go to the client with every status of the upstream, not with good ones alone.',
    read: flag('authAlwaysSetCookie'),
  },
  {
    name: 'auth-proxy-set-headers',
    support: 'refused',
    values: 'ConfigMap',
    help: 'ConfigMaps are not read.',
  },
  {
    name: 'auth-snippet',
    support: 'refused',
    values: 'nginx configuration',
    help: 'As [snippets](#snippets): the question would be another one than its owner wrote.',
  },
  {
    name: 'auth-cache-key',
    support: 'passed over',
    values: 'text',
    help: 'Each request is asked for: nobody passes on the word that was said for another.',
  },
  { name: 'auth-cache-duration', support: 'passed over', values: 'text', help: 'As `auth-cache-key`.' },
  {
    name: 'auth-keepalive',
    support: 'not needed',
    values: 'number',
    help: 'Connections are kept and shared.',
  },
  { name: 'auth-keepalive-requests', support: 'not needed', values: 'number', help: 'As `auth-keepalive`.' },
  { name: 'auth-keepalive-timeout', support: 'not needed', values: 'seconds', help: 'As `auth-keepalive`.' },
  {
    name: 'auth-keepalive-share-vars',
    support: 'not needed',
    values: trueFalse,
    help: 'As `auth-keepalive`.',
  },
  {
    name: 'enable-global-auth',
    support: 'not needed',
    values: trueFalse,
    help: 'There is no authentication for all Ingresses.',
  },
];

const hostVariables = /\$\{?(?:host|http_host|best_http_host)\b\}?/g;

function readAuthUrl(value: string, draft: Draft): string | undefined {
  const authority = /^https?:\/\/([^\s/?#"\\@]+)(?:[/?][^\s"\\]*)?$/.exec(value)?.[1];
  if (authority === undefined) return 'use an http or https URL without user and password';
  if (authority.replaceAll(hostVariables, '').includes('$')) return 'use no variable but "$host" in its host';
  const parsed = parseRequestTemplate(value);
  if ('error' in parsed) return parsed.error;
  const url = URL.parse(value.replaceAll(hostVariables, 'a.example'));
  if (url === null) return 'use an http or https URL';
  // Loopback is judged for each request: it is allowed in standalone mode.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isForbiddenHost(host, true)) return 'use an address that is not link-local';
  draft.authUrl = value;
  return undefined;
}
