import { LruMap } from '../../core/lru.ts';
import { cookieOf } from './cookies.ts';
import type { CheckedHead } from './request-head.ts';

/**
 * Text with variables in the manner of nginx (`$host`, `${request_uri}`), filled in for each request. Nothing is
 * evaluated: a name stands for one thing, and unknown ones are refused when the text is read.
 */
export type RequestTemplate = (head: CheckedHead, more?: TemplateFacts) => string;

/** What is known beside the head. */
export interface TemplateFacts {
  /** The client's address where a trusted proxy tells another one than the connection's. */
  readonly clientAddress?: string | undefined;
  /** `http` or `https`, where a trusted proxy tells another one than the connection's. */
  readonly scheme?: string | undefined;
}

type Reader = (head: CheckedHead, more: TemplateFacts) => string;

const scheme: Reader = ({ connection }, more) => more.scheme ?? (connection.secure ? 'https' : 'http');
const address: Reader = ({ connection }, more) => more.clientAddress ?? connection.clientAddress;
const authority: Reader = ({ hostHeader }) => hostHeader;
const query: Reader = head => head.query.slice(1);

/** The variables by name (nginx: Alphabetical index of variables; ingress-nginx: those of its template). */
const variables: Readonly<Record<string, Reader>> = {
  args: query,
  best_http_host: authority,
  binary_remote_addr: address,
  escaped_request_uri: head => encodeURIComponent(`${head.path}${head.query}`),
  host: head => head.host.name,
  http_host: authority,
  is_args: head => (head.query === '' ? '' : '?'),
  pass_access_scheme: scheme,
  pass_port: ({ connection }) => String(connection.publicPort),
  // Postern's own: the port as it stands in a URL, where it is not the scheme's.
  port_suffix: ({ connection }, more) =>
    connection.trusted || connection.publicPort === (more.scheme === 'https' || connection.secure ? 443 : 80)
      ? ''
      : `:${connection.publicPort}`,
  query_string: query,
  realip_remote_addr: ({ connection }) => connection.clientAddress,
  remote_addr: address,
  request_method: head => head.method,
  request_uri: head => `${head.path}${head.query}`,
  scheme,
  server_name: head => head.host.name,
  server_port: ({ connection }) => String(connection.publicPort),
  server_protocol: head => `HTTP/${head.protocol === '2' ? '2.0' : head.protocol}`,
  the_real_ip: address,
  uri: head => head.path,
};

const part = /\$(?:\{(\w+)\}|(\w+))|([^$]+|\$)/g;

/** Reads a text, or gives a sentence in `error` that names what it does not know. */
export function parseRequestTemplate(text: string): { template: RequestTemplate } | { error: string } {
  const readers: Reader[] = [];
  for (const [, braced, plain, literal] of text.matchAll(part)) {
    const name = braced ?? plain;
    const reader = name === undefined ? (): string => literal ?? '' : readerOf(name);
    if (reader === undefined) return { error: `the variable "$${name ?? ''}" is not known here` };
    readers.push(reader);
  }
  const template: RequestTemplate = (head, more = {}) =>
    readers.reduce((all, read) => all + read(head, more), '');
  return { template };
}

function readerOf(name: string): Reader | undefined {
  const known = Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (known !== undefined) return known;
  if (name.startsWith('http_')) {
    const field = name.slice(5).replaceAll('_', '-').toLowerCase();
    return head => head.fields.first(field) ?? '';
  }
  if (name.startsWith('cookie_')) return head => cookieOf(head.fields, name.slice(7)) ?? '';
  if (name.startsWith('arg_')) return head => argument(head.query, name.slice(4));
  return undefined;
}

/** A parameter of the query as it stands there. */
function argument(text: string, name: string): string {
  const found = text
    .slice(1)
    .split('&')
    .find(pair => pair.startsWith(`${name}=`));
  return found === undefined ? '' : found.slice(name.length + 1);
}

const templates = new LruMap<string, RequestTemplate>(1_000);

/** The text filled in. Templates are kept by their text; one that does not parse, which no reader of settings lets through, is `''`. */
export function fillTemplate(text: string, head: CheckedHead, more?: TemplateFacts): string {
  if (!text.includes('$')) return text;
  let template = templates.get(text);
  if (template === undefined) {
    const parsed = parseRequestTemplate(text);
    template = 'error' in parsed ? (): string => '' : parsed.template;
    templates.set(text, template);
  }
  return template(head, more);
}
