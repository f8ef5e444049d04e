import type { RetryReason } from '../../policy/route-policy.ts';
import type { AnnotationRow } from './annotation-row.ts';
import { flag, listOf, matching, template, wholeNumber } from './annotation-values.ts';

const seconds = 'seconds';
const longest = 2_147_483;
const notBuffered = 'Bodies are streamed both ways, whatever their size.';
const retryReasons: ReadonlySet<string> = new Set<RetryReason>([
  'error',
  'timeout',
  'http_500',
  'http_502',
  'http_503',
  'http_504',
  'http_429',
]);

/** How requests are forwarded: times, retries, choice of the endpoint, error pages. */
export const upstreamRows: readonly AnnotationRow[] = [
  {
    name: 'proxy-connect-timeout',
    support: 'supported',
    values: seconds,
    help: 'Until a connection stands; 5 without it.',
    read: wholeNumber('connectSeconds', 1, longest),
  },
  {
    name: 'proxy-read-timeout',
    support: 'supported',
    values: seconds,
    help: 'Silence of the upstream; 60 without it.',
    read: wholeNumber('readSeconds', 1, longest),
  },
  {
    name: 'proxy-send-timeout',
    support: 'supported',
    values: seconds,
    help: 'Silence while a body is sent to the upstream; 60 without it.',
    read: wholeNumber('sendSeconds', 1, longest),
  },
  {
    name: 'proxy-next-upstream',
    support: 'differs',
    values:
      '`error`, `timeout`, `http_500`, `http_502`, `http_503`, `http_504`, `http_429`, `non_idempotent`, `off`, with blanks between',
    help: 'When another endpoint is tried; `error timeout` without it. `invalid_header` counts as `error`; `http_403` and `http_404` are left out, with an event.',
    partial: true,
    read: (value, draft) => {
      const words = value.split(/\s+/).map(word => (word === 'invalid_header' ? 'error' : word));
      if (words.includes('off')) {
        draft.retryOn = [];
        return undefined;
      }
      const known = (word: string): word is RetryReason => retryReasons.has(word);
      draft.retryOn = [...new Set(words.filter(known))];
      draft.retryNonIdempotent = words.includes('non_idempotent');
      const wrong = words.find(word => !known(word) && word !== 'non_idempotent');
      return wrong === undefined
        ? undefined
        : 'use error, timeout, http_500, http_502, http_503, http_504, http_429, non_idempotent or off';
    },
  },
  {
    name: 'proxy-next-upstream-tries',
    support: 'supported',
    values: 'number',
    help: 'All tries together; 3 without it, `0` for as many as there are endpoints.',
    read: wholeNumber('retryTries', 0, 1_000),
  },
  {
    name: 'proxy-next-upstream-timeout',
    support: 'supported',
    values: seconds,
    help: 'For all tries together; `0`, and without it, unbounded.',
    read: wholeNumber('retrySeconds', 0, longest),
  },
  {
    name: 'service-upstream',
    support: 'supported',
    values: '`true`, `false`',
    help: "Requests go to the Service's own address in place of its endpoints.",
    read: flag('serviceUpstream'),
  },
  {
    name: 'load-balance',
    support: 'differs',
    values: '`round_robin`, `ewma`, `least_conn`, `ip_hash`',
    help: '`round_robin` without it. `ewma` and `least_conn` choose the endpoint with the fewest requests under way.',
    read: (value, draft) => {
      if (value === 'round_robin') draft.balance = 'round-robin';
      else if (value === 'ewma' || value === 'least_conn') draft.balance = 'least-connections';
      else if (value === 'ip_hash') draft.balance = 'address';
      else return 'use "round_robin", "ewma", "least_conn" or "ip_hash"';
      return undefined;
    },
  },
  {
    name: 'upstream-hash-by',
    support: 'supported',
    values: 'text, with [variables](#variables)',
    help: 'Requests for which it gives the same go to the same endpoint, by consistent hashing. Goes before `load-balance`.',
    read: template('hashBy', /^[\x20-\x7e]+$/, 'text with variables such as "$request_uri"'),
  },
  {
    name: 'upstream-hash-by-subset',
    support: 'passed over',
    values: '`true`, `false`',
    help: 'Requests of the same text go to one endpoint, not to one of a few.',
    harmless: value => value === 'false',
  },
  {
    name: 'upstream-hash-by-subset-size',
    support: 'not needed',
    values: 'number',
    help: 'As `upstream-hash-by-subset`.',
  },
  {
    name: 'custom-http-errors',
    support: 'supported',
    values: 'statuses with commas between',
    help: 'Answers with these statuses are replaced by a page of `default-backend`, or of `spec.defaultBackend`, which is asked with X-Code, X-Format, X-Original-URI, X-Namespace and X-Ingress-Name.',
    partial: true,
    read: (value, draft) => {
      const entries = listOf(value);
      const fits = (entry: string): boolean => /^[45]\d\d$/.test(entry);
      draft.errorStatuses = [...new Set(entries.filter(fits).map(Number))];
      return entries.length > 0 && entries.every(fits)
        ? undefined
        : 'use statuses from 400 to 599 with commas between';
    },
  },
  {
    name: 'disable-proxy-intercept-errors',
    support: 'not needed',
    values: '`true`, `false`',
    help: 'It is for `custom-http-errors` of all Ingresses, of which there are none.',
  },
  {
    name: 'default-backend',
    support: 'supported',
    values: 'Service of the namespace',
    help: 'Takes requests whose own Service has no endpoint that is ready, at its first port and by plain HTTP, and gives the pages of `custom-http-errors`.',
    read: matching('defaultBackend', /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'the name of a Service'),
  },
  {
    name: 'upstream-max-fails',
    support: 'not needed',
    values: 'number',
    help: 'An endpoint that refuses is left alone for a while by itself. ingress-nginx dropped it in version 0.22.',
  },
  {
    name: 'upstream-fail-timeout',
    support: 'not needed',
    values: 'seconds',
    help: 'As `upstream-max-fails`.',
  },
  { name: 'proxy-request-buffering', support: 'not needed', values: '`on`, `off`', help: notBuffered },
  { name: 'proxy-buffering', support: 'not needed', values: '`on`, `off`', help: notBuffered },
  { name: 'proxy-buffers-number', support: 'not needed', values: 'number', help: notBuffered },
  {
    name: 'proxy-buffer-size',
    support: 'not needed',
    values: 'size',
    help: `${notBuffered} The head of an answer may have 64 KB.`,
  },
  { name: 'proxy-busy-buffers-size', support: 'not needed', values: 'size', help: notBuffered },
  { name: 'proxy-max-temp-file-size', support: 'not needed', values: 'size', help: notBuffered },
  { name: 'client-body-buffer-size', support: 'not needed', values: 'size', help: notBuffered },
  {
    name: 'proxy-http-version',
    support: 'passed over',
    values: '`1.0`, `1.1`',
    help: 'Upstreams are spoken to in HTTP/1.1; for HTTP/2 set `backend-protocol: GRPC`.',
    harmless: value => value === '1.1',
  },
  {
    name: 'connection-proxy-header',
    support: 'passed over',
    values: 'text',
    help: 'Connection is the business of each connection (RFC 9110, section 7.6.1).',
    harmless: value => value === 'keep-alive',
  },
  {
    name: 'proxy-redirect-from',
    support: 'passed over',
    values: 'URL',
    help: 'Location of answers is passed on as it is.',
    harmless: value => value === 'off' || value === 'default',
  },
  {
    name: 'proxy-redirect-to',
    support: 'passed over',
    values: 'URL',
    help: 'As `proxy-redirect-from`.',
    harmless: value => value === 'off' || value === 'default',
  },
  {
    name: 'proxy-cookie-domain',
    support: 'passed over',
    values: 'domains',
    help: 'Set-Cookie of answers is passed on as it is.',
    harmless: value => value === 'off',
  },
  {
    name: 'proxy-cookie-path',
    support: 'passed over',
    values: 'paths',
    help: 'As `proxy-cookie-domain`.',
    harmless: value => value === 'off',
  },
];
