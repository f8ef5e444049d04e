import { aeadCiphers } from '../core/aead-ciphers.ts';
import { setting } from './setting.ts';
import {
  addressRange,
  bool,
  byteCount,
  durationMs,
  integer,
  listOf,
  objectReference,
  oneOf,
  text,
} from './values.ts';

const edge = 'Edge (the HTTPS proxy)';
const clients = 'Edge: what is in front of it';
const limits = 'Edge: limits';
const tls = 'Edge: TLS';

/** The settings of the edge beside those of where it listens and what it serves. */
export const edgeSettings = {
  watchIngressWithoutClass: setting(bool(), {
    group: edge,
    help: 'Serve Ingresses too that name no class.',
    default: 'false',
  }),
  externalNames: setting(bool(), {
    group: edge,
    help: 'Serve Services of type ExternalName. Whoever may write one has the edge ask any host that it can reach.',
    default: 'true',
  }),
  edgeWorkers: setting(integer(0, 256).optional(), {
    group: edge,
    value: 'N',
    help: 'How many processes serve. 0: the requests are served in the main process.',
    defaultText: 'one for each core',
  }),
  httpsRedirectPort: setting(integer(1, 65_535).optional(), {
    group: edge,
    value: 'PORT',
    help: 'The port of HTTPS as clients see it, for redirects and X-Forwarded-Port.',
    defaultText: '443; with --standalone the port of --https-listen',
  }),
  defaultSslCertificate: setting(objectReference().optional(), {
    group: edge,
    value: 'NAMESPACE/NAME',
    help: 'The Secret with the certificate for names that have none of their own; it goes before that of a TLSContext for "*".',
    defaultText: 'one that no client trusts',
  }),
  sslRedirect: setting(bool(), {
    group: edge,
    help: 'Redirect plain HTTP to HTTPS where a host has TLS and its Ingress says nothing else.',
    default: 'true',
  }),
  hsts: setting(bool(), {
    group: edge,
    help: 'Tell browsers of sites with TLS to come by HTTPS alone (Strict-Transport-Security).',
    default: 'true',
  }),
  hstsMaxAge: setting(integer(0, 10_000_000_000), {
    group: edge,
    value: 'SECONDS',
    help: 'How long browsers remember it.',
    default: '31536000',
  }),
  hstsIncludeSubdomains: setting(bool(), {
    group: edge,
    help: 'It holds for all names below the host too.',
    default: 'true',
  }),
  hstsPreload: setting(bool(), {
    group: edge,
    help: 'The site may be put into the lists that browsers come with.',
    default: 'false',
  }),
  accessLog: setting(text('off, json or a format'), {
    group: edge,
    value: 'FORMAT',
    help: 'A line for each request on standard output: "json", or a text with names such as $remote_addr, $request_method, $host, $uri, $status, $request_time, $ingress, $upstream_addr. The query is never logged. "off" for none.',
    default: 'off',
  }),
  drainTimeout: setting(durationMs(0), {
    group: edge,
    value: 'DURATION',
    help: 'How long requests under way may take when Postern is stopped.',
    default: '20s',
  }),

  trustedProxies: setting(listOf(addressRange()), {
    group: clients,
    value: 'LIST',
    help: 'The addresses of proxies and load balancers in front, as CIDR ranges: what they say of a client (X-Forwarded-For, Forwarded, PROXY protocol) is believed. What others say is replaced, and X-Original-URL and the like are taken out.',
    default: '',
    defaultText: 'none',
  }),
  proxyProtocol: setting(bool(), {
    group: clients,
    help: 'Every connection begins with a PROXY protocol header, version 1 or 2, from an address of --trusted-proxies; others are refused.',
    default: 'false',
  }),
  forwardedHeader: setting(bool(), {
    group: clients,
    help: 'Send Forwarded (RFC 7239) to upstreams beside X-Forwarded-For, -Proto, -Host and -Port.',
    default: 'true',
  }),

  maxHeaderSize: setting(byteCount(), {
    group: limits,
    value: 'SIZE',
    help: 'The longest head of a request, request line and fields together. Above: 431.',
    default: '32k',
  }),
  maxHeaders: setting(integer(1, 10_000), {
    group: limits,
    value: 'N',
    help: 'The most header fields of a request. Above: 431.',
    default: '100',
  }),
  maxUriLength: setting(byteCount(), {
    group: limits,
    value: 'SIZE',
    help: 'The longest path and query. Above: 414.',
    default: '8k',
  }),
  maxBodySize: setting(byteCount(), {
    group: limits,
    value: 'SIZE',
    help: 'The longest body of a request where the Ingress says nothing else (proxy-body-size); 0 for any length. Above: 413.',
    default: '1m',
  }),
  headerTimeout: setting(durationMs(100), {
    group: limits,
    value: 'DURATION',
    help: "How long a request's head may take to come.",
    default: '30s',
  }),
  bodyTimeout: setting(durationMs(100), {
    group: limits,
    value: 'DURATION',
    help: 'How long a client, or an upstream whose Ingress says nothing else, may be silent in the middle of a body or before an answer.',
    default: '60s',
  }),
  handshakeTimeout: setting(durationMs(100), {
    group: limits,
    value: 'DURATION',
    help: 'How long the beginning of a connection may take, TLS handshake included.',
    default: '15s',
  }),
  keepAliveTimeout: setting(durationMs(100), {
    group: limits,
    value: 'DURATION',
    help: 'How long a connection may wait for its next request.',
    default: '75s',
  }),
  tunnelTimeout: setting(durationMs(1_000), {
    group: limits,
    value: 'DURATION',
    help: 'How long a WebSocket, or another connection that has changed protocols, may be silent.',
    default: '1h',
  }),
  maxRequestsPerConnection: setting(integer(0, 1_000_000_000), {
    group: limits,
    value: 'N',
    help: 'How many requests one connection may carry before it is closed politely; 0 for any number.',
    default: '10000',
  }),
  maxConnections: setting(integer(0, 10_000_000), {
    group: limits,
    value: 'N',
    help: 'How many connections may be open in all; 0 for any number.',
    default: '0',
  }),
  maxConnectionsPerAddress: setting(integer(0, 10_000_000), {
    group: limits,
    value: 'N',
    help: 'How many connections one client address may have open, those of --trusted-proxies excepted; 0 for any number. Set it only where the addresses of clients are seen.',
    default: '0',
  }),
  maxHandshakesPerAddress: setting(integer(0, 1_000_000), {
    group: limits,
    value: 'N',
    help: 'How many TLS handshakes of one client address may be under way, those of --trusted-proxies excepted; 0 for any number.',
    default: '512',
  }),
  maxHttp2Streams: setting(integer(1, 10_000), {
    group: limits,
    value: 'N',
    help: 'How many requests one HTTP/2 connection may have open.',
    default: '128',
  }),
  maxHttp2Resets: setting(integer(1, 1_000_000), {
    group: limits,
    value: 'N',
    help: 'How many requests one HTTP/2 connection may give up at once; an eighth as many more each second. Above it is closed.',
    default: '400',
  }),
  maxHttp2ControlFrames: setting(integer(1, 1_000_000), {
    group: limits,
    value: 'N',
    help: 'How many PING and SETTINGS frames one HTTP/2 connection may send at once; a fifth as many more each second. Above it is closed.',
    default: '100',
  }),
  limitStatus: setting(oneOf('503', '429'), {
    group: limits,
    value: 'STATUS',
    help: 'What clients get that exceed the limits of an Ingress (limit-rps, limit-connections).',
    default: '503',
  }),

  tlsMinVersion: setting(oneOf('1.2', '1.3'), {
    group: tls,
    value: 'VERSION',
    help: 'The lowest version that is spoken with clients, 1.2 or 1.3. Lower ones cannot be had.',
    default: '1.2',
  }),
  tlsCiphers: setting(listOf(oneOf(...aeadCiphers)), {
    group: tls,
    value: 'LIST',
    help: "The cipher suites, by OpenSSL's names, the preferred first. Only those with authenticated encryption and forward secrecy can be had.",
    default: aeadCiphers.join(','),
    defaultText: 'all of them, AES-128 first',
  }),
  tlsSessionTickets: setting(bool(), {
    group: tls,
    help: 'Let clients resume their sessions, which saves most of a handshake. The keys are renewed every six hours.',
    default: 'true',
  }),
} as const;
