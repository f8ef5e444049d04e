import type { RetryReason } from '../../policy/route-policy.ts';

/** The prefix of ingress-nginx's annotations. */
export const nginxPrefix = 'nginx.ingress.kubernetes.io/';

/**
 * What becomes of an annotation of ingress-nginx:
 *
 *   supported   it does what it does there
 *   differs     it does so, with what the row tells
 *   not needed  what it tunes is not there, or always so: nothing is served differently, and nothing is said
 *   passed over it is not done, and the Ingress is served without it, with an event
 *   refused     it is not done, and without it the Ingress would be open: its paths answer 503, with an event
 */
export type Support = 'supported' | 'differs' | 'not needed' | 'passed over' | 'refused';

/** One annotation, without its prefix. The document docs/annotations-nginx.md has the same rows. */
export interface AnnotationRow {
  readonly name: string;
  readonly support: Support;
  /** What may stand there, in Markdown. */
  readonly values: string;
  /** What it does, what is different, or why it is not done; in Markdown. */
  readonly help: string;
  /** It guards or secures: a value that cannot be read closes the Ingress, where others are passed over. */
  readonly guard?: boolean;
  /** Without it the Ingress is open: an empty value closes it, where others are taken for nothing said. */
  readonly opensWithout?: boolean;
  /** What can be read of a wrong value is taken all the same. */
  readonly partial?: boolean;
  /** Of `passed over` and `refused`: the value asks for nothing, so that nothing is missing. */
  readonly harmless?: (value: string) => boolean;
  /** Takes the value, or says what may stand there: `use "on" or "off"`. */
  readonly read?: (value: string, draft: Draft) => string | undefined;
}

/** What the annotations said, one by one, before it is put together. Undefined: nothing. */
export interface Draft {
  sslRedirect?: boolean;
  forceSslRedirect?: boolean;
  appRoot?: string;
  permanentRedirect?: string;
  permanentRedirectCode?: number;
  temporalRedirect?: string;
  temporalRedirectCode?: number;
  fromToWww?: boolean;
  serverAliases?: readonly string[];
  rewriteTarget?: string;
  useRegex?: boolean;
  upstreamVhost?: string;
  forwardedPrefix?: string;

  protocol?: 'HTTP' | 'HTTPS' | 'AUTO_HTTP' | 'GRPC' | 'GRPCS';
  upstreamSecret?: string;
  upstreamVerify?: boolean;
  upstreamName?: string;
  upstreamServerName?: boolean;
  upstreamDepth?: number;
  upstreamMinVersion?: 'TLSv1.2' | 'TLSv1.3';
  upstreamMaxVersion?: 'TLSv1.2' | 'TLSv1.3';
  upstreamCiphers?: string;
  serviceUpstream?: boolean;
  connectSeconds?: number;
  readSeconds?: number;
  sendSeconds?: number;
  retryOn?: readonly RetryReason[];
  retryNonIdempotent?: boolean;
  retryTries?: number;
  retrySeconds?: number;
  balance?: 'round-robin' | 'least-connections' | 'address';
  hashBy?: string;
  errorStatuses?: readonly number[];
  defaultBackend?: string;

  allow?: readonly string[];
  deny?: readonly string[];
  satisfyAny?: boolean;
  authType?: 'basic';
  authSecret?: string;
  authSecretKind?: 'auth-file' | 'auth-map';
  authRealm?: string;
  authUrl?: string;
  authMethod?: string;
  authSignIn?: string;
  authSignInParameter?: string;
  authResponseHeaders?: readonly string[];
  authRequestRedirect?: string;
  authAlwaysSetCookie?: boolean;

  clientSecret?: string;
  clientMode?: 'on' | 'off' | 'optional' | 'optional_no_ca';
  clientDepth?: number;
  clientErrorPage?: string;
  clientPass?: boolean;
  clientCommonName?: string;

  bodyBytes?: number;
  perSecond?: number;
  perMinute?: number;
  burstFactor?: number;
  connections?: number;
  limitExempt?: readonly string[];

  cors?: boolean;
  corsOrigins?: readonly string[];
  corsMethods?: string;
  corsHeaders?: string;
  corsExpose?: string;
  corsCredentials?: boolean;
  corsMaxAge?: number;

  canary?: boolean;
  canaryWeight?: number;
  canaryTotal?: number;
  canaryHeader?: string;
  canaryValue?: string;
  canaryPattern?: string;
  canaryCookie?: string;

  affinity?: boolean;
  affinityMode?: 'balanced' | 'persistent';
  affinitySticky?: boolean;
  cookieName?: string;
  cookiePath?: string;
  cookieDomain?: string;
  cookieMaxAge?: number;
  cookieExpires?: number;
  cookieSameSite?: 'Strict' | 'Lax' | 'None';
  cookieConditionalNone?: boolean;
  cookieSecure?: boolean;
  cookiePartitioned?: boolean;
  cookieChangeOnFailure?: boolean;

  accessLog?: boolean;
}
