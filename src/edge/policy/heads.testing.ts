import type { HostTlsSettings } from '../compile/table.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import { parseHost } from '../match/host.ts';
import type { CheckedHead, ClientCertificate, ConnectionFacts } from './request-head.ts';

/** What a test says of a request; the rest is a GET over TLS. */
export interface HeadOptions {
  readonly method?: string;
  readonly host?: string;
  /** Path and query. */
  readonly target?: string;
  /** Names and values in turn. */
  readonly fields?: readonly string[];
  readonly secure?: boolean;
  readonly from?: string;
  readonly trusted?: boolean;
  readonly publicPort?: number;
  readonly contentLength?: number;
  readonly chunked?: boolean;
  readonly client?: ClientCertificate;
  readonly serverName?: string;
  readonly version?: string;
  readonly cipher?: string;
  readonly settings?: HostTlsSettings;
}

/** A request as `decide` gets it. */
export function aHead(options: HeadOptions = {}): CheckedHead {
  const { method = 'GET', host: hostHeader = 'foo.com', target = '/', fields = [], secure = true } = options;
  const host = parseHost(hostHeader);
  if (host === undefined) throw new Error('not a host');
  const mark = target.indexOf('?');
  const connection: ConnectionFacts = {
    secure,
    clientAddress: options.from ?? '192.0.2.1',
    trusted: options.trusted ?? false,
    publicPort: options.publicPort ?? (secure ? 443 : 80),
    tls: secure
      ? {
          serverName: options.serverName ?? host.name,
          version: options.version ?? 'TLSv1.3',
          cipher: options.cipher ?? 'TLS_AES_128_GCM_SHA256',
          settings: options.settings,
          client: options.client,
        }
      : undefined,
  };
  return {
    method,
    protocol: '1.1',
    connection,
    host,
    hostHeader,
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? '' : target.slice(mark),
    fields: headerFieldsOf(fields),
    body: options.chunked === true ? 'chunked' : options.contentLength === undefined ? 'none' : 'length',
    contentLength: options.contentLength ?? 0,
    upgrade: undefined,
    expectsContinue: false,
    connectionTokens: [],
  };
}

/** A client certificate that was judged by a policy of this id. */
export function aClientCertificate(
  policy: string,
  verified: string,
  subject = 'CN=ann,O=Example',
): ClientCertificate {
  return {
    policy,
    verified,
    subject,
    issuer: 'CN=Test CA',
    pem: '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n',
  };
}
