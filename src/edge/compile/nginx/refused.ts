import type { AnnotationRow, Support } from './annotation-row.ts';
import { flag } from './annotation-values.ts';
import { harmlessSnippet } from './snippets.ts';

const off = (value: string): boolean => /^(?:false|off|0|f|F|False|FALSE)$/.test(value);

function row(name: string, support: Support, values: string, help: string, harmless = off): AnnotationRow {
  return { name, support, values, help, harmless };
}

const trueFalse = '`true`, `false`';
const configuration = 'nginx configuration';
const firewall =
  'There is no web application firewall: put one behind or in front of the edge, and remove it.';
const spans = 'No traces are written; trace headers pass through.';
const fastCgi = 'FastCGI is not spoken, and `backend-protocol: FCGI` is refused.';
const influx = 'There are Prometheus metrics. ingress-nginx dropped it in version 1.10.';
const lua = 'ingress-nginx dropped it in version 0.26.';

/** What is not done; and what needs nothing, or little, to be done. */
export const otherRows: readonly AnnotationRow[] = [
  {
    name: 'configuration-snippet',
    support: 'refused',
    values: configuration,
    help: 'See [snippets](#snippets).',
    harmless: () => false,
  },
  {
    name: 'server-snippet',
    support: 'refused',
    values: configuration,
    help: 'See [snippets](#snippets).',
    harmless: () => false,
  },
  row('stream-snippet', 'passed over', configuration, 'TCP and UDP are not forwarded.', () => false),
  row('modsecurity-snippet', 'refused', configuration, firewall, () => false),
  row('enable-modsecurity', 'refused', trueFalse, firewall),
  row('enable-owasp-core-rules', 'refused', trueFalse, firewall),
  row('modsecurity-transaction-id', 'not needed', 'text', 'As `enable-modsecurity`.'),
  row(
    'lua-resty-waf',
    'refused',
    '`active`, `inactive`, `simulate`',
    `${firewall} ${lua}`,
    value => value === 'inactive' || value === 'simulate' || off(value),
  ),
  row('lua-resty-waf-debug', 'not needed', trueFalse, lua),
  row('lua-resty-waf-ignore-rulesets', 'not needed', 'text', lua),
  row('lua-resty-waf-extra-rules', 'not needed', 'text', lua),
  row('lua-resty-waf-score-threshold', 'not needed', 'number', lua),
  row('lua-resty-waf-allow-unknown-content-types', 'not needed', trueFalse, lua),
  row('lua-resty-waf-process-multipart-body', 'not needed', trueFalse, lua),
  row(
    'custom-headers',
    'refused',
    'ConfigMap',
    'ConfigMaps are not read, and the headers of an answer may be what protects it: let the upstream send them.',
    () => false,
  ),
  {
    name: 'enable-access-log',
    support: 'supported',
    values: trueFalse,
    help: 'Whether its requests are in the access log; `true` without it.',
    read: flag('accessLog'),
  },
  row('enable-rewrite-log', 'not needed', trueFalse, 'The log tells what was decided.'),
  row('enable-opentelemetry', 'passed over', trueFalse, spans),
  row('opentelemetry-operation-name', 'not needed', 'text', spans),
  row('opentelemetry-trust-incoming-span', 'not needed', trueFalse, spans),
  row('enable-opentracing', 'passed over', trueFalse, spans),
  row('opentracing-trust-incoming-span', 'not needed', trueFalse, spans),
  row('enable-influxdb', 'passed over', trueFalse, influx),
  row('influxdb-measurement', 'not needed', 'text', influx),
  row('influxdb-port', 'not needed', 'number', influx),
  row('influxdb-host', 'not needed', 'host', influx),
  row('influxdb-server-name', 'not needed', 'text', influx),
  row(
    'vts-filter-key',
    'not needed',
    'text',
    'There are Prometheus metrics. ingress-nginx dropped it in version 0.21.',
  ),
  row('mirror-target', 'passed over', 'URL', 'Requests are not sent twice.', () => false),
  row('mirror-host', 'not needed', 'host', 'As `mirror-target`.'),
  row('mirror-request-body', 'not needed', '`on`, `off`', 'As `mirror-target`.'),
  row(
    'http2-push-preload',
    'passed over',
    trueFalse,
    'Browsers have dropped HTTP/2 push; 103 Early Hints pass through.',
  ),
  row(
    'ssl-ciphers',
    'passed over',
    "OpenSSL's list",
    'Clients are offered the suites of TLS 1.3, and those of TLS 1.2 with AEAD and forward secrecy.',
    () => false,
  ),
  row('ssl-prefer-server-ciphers', 'not needed', trueFalse, "The edge's order counts."),
  row('fastcgi-index', 'passed over', 'file', fastCgi, () => false),
  row('fastcgi-params-configmap', 'passed over', 'ConfigMap', fastCgi, () => false),
];

/** Whether a snippet may be left out with nothing opened, so that its Ingress is served without it. */
export function snippetIsHarmless(name: string, value: string): boolean {
  return (name === 'configuration-snippet' || name === 'server-snippet') && harmlessSnippet(value);
}
