import type { AccessLogEntry, AccessLogFormat } from './access-log.ts';

/** The names that a format may use, those of nginx and ingress-nginx for the same things. */
const variables: Readonly<Record<string, (entry: AccessLogEntry) => string>> = {
  remote_addr: entry => entry.clientAddress,
  time_iso8601: entry => new Date(entry.timeMs).toISOString(),
  msec: entry => (entry.timeMs / 1_000).toFixed(3),
  request_method: entry => entry.method,
  scheme: entry => (entry.secure ? 'https' : 'http'),
  host: entry => entry.host,
  uri: entry => entry.path,
  server_protocol: entry => (entry.protocol === '2' ? 'HTTP/2.0' : `HTTP/${entry.protocol}`),
  status: entry => String(entry.status),
  request_length: entry => String(entry.bytesReceived),
  body_bytes_sent: entry => String(entry.bytesSent),
  request_time: entry => (entry.durationMs / 1_000).toFixed(3),
  ssl_protocol: entry => entry.tlsVersion ?? '-',
  req_id: entry => entry.requestId ?? '-',
  http_referer: entry => entry.referer ?? '-',
  http_user_agent: entry => entry.userAgent ?? '-',
  ingress: entry => (entry.ingress === '' ? '-' : entry.ingress),
  upstream_addr: entry => entry.upstream ?? '-',
  upstream_response_time: entry =>
    entry.upstreamMs === undefined ? '-' : (entry.upstreamMs / 1_000).toFixed(3),
  reason: entry => entry.reason ?? '-',
};

/** Reads the flag: `json`, or a text with at least one variable. Gives a sentence in `error` where it is neither. */
export function parseAccessLogFormat(text: string): AccessLogFormat | { readonly error: string } {
  if (text === 'json') return { kind: 'json' };
  const names = [...text.matchAll(/\$([a-z_0-9]+)/g)].map(([, name]) => name ?? '');
  const unknown = names.find(name => !Object.hasOwn(variables, name));
  if (unknown !== undefined)
    return { error: `there is no $${unknown}: the names are ${Object.keys(variables).join(', ')}` };
  return names.length === 0
    ? { error: 'it has no variable such as $status' }
    : { kind: 'text', template: text };
}

/** Writes an entry as a line, without its end. */
export type FormatEntry = (entry: AccessLogEntry) => string;

export function entryFormatter(format: AccessLogFormat): FormatEntry {
  if (format.kind === 'json') return jsonLine;
  const parts = format.template.split(/\$([a-z_0-9]+)/);
  return entry =>
    parts.reduce(
      (line, part, index) => line + (index % 2 === 0 ? part : escaped(variables[part]?.(entry) ?? '')),
      '',
    );
}

function jsonLine(entry: AccessLogEntry): string {
  const { timeMs, ...rest } = entry;
  return JSON.stringify({ time: new Date(timeMs).toISOString(), ...rest });
}

/** Nothing that a client sends ends a line, a quoted value or an escape sequence of a terminal. */
function escaped(value: string): string {
  return value.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, character =>
    character.charCodeAt(0) < 256
      ? `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
      : `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
}
