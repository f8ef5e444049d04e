import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
import { plainPolicy, type RoutePolicy } from '../policy/route-policy.ts';
import { type AnnotationRow, type Draft, nginxPrefix } from './nginx/annotation-row.ts';
import { annotationRows, rowsOf } from './nginx/annotation-rows.ts';
import { usersOf } from './nginx/basic-auth-secret.ts';
import { clientCertificatePolicy } from './nginx/client-certificate-secret.ts';
import { policyOf, type SecretParts } from './nginx/draft-policy.ts';
import { snippetIsHarmless } from './nginx/refused.ts';
import { findSecret, type SecretLookup } from './nginx/secret-reference.ts';
import { quoted } from './quoted.ts';
import {
  type AlternativeCondition,
  type HandshakeOptions,
  plainHandshake,
  type UpstreamProtocol,
} from './table.ts';

export { quoted } from './quoted.ts';

/** How the upstreams of an Ingress are spoken to, as its annotations say. Nothing is checked against other objects. */
export interface UpstreamTlsAnnotations {
  readonly verify: boolean;
  /** `namespace/name` or `name`. */
  readonly secret: string | undefined;
  readonly name: string | undefined;
  readonly sendServerName: boolean;
  readonly depth: number | undefined;
  readonly handshake: HandshakeOptions;
}

/** An Ingress's annotations, read. */
export interface IngressSettings {
  /**
   * What holds for all routes of the Ingress. The compilation sets `redirect.tlsForEveryHost`, `errorPages` and, from the
   * host, `clientCertificate`. With a `refusal` nothing of the Ingress is forwarded.
   */
  readonly policy: RoutePolicy;
  readonly upstream: {
    readonly protocol: UpstreamProtocol;
    /** Undefined: without TLS. */
    readonly tls: UpstreamTlsAnnotations | undefined;
    /** AUTO_HTTP: `tls` is for requests that came over TLS, the others go without. */
    readonly asClient: boolean;
  };
  /** The Service's own address stands for its endpoints. */
  readonly serviceUpstream: boolean;
  /** All paths of the Ingress's hosts are regular expressions, those of other Ingresses too. */
  readonly useRegex: boolean;
  /** Further names of the Ingress's hosts, in lower case. */
  readonly serverAliases: readonly string[];
  /** `www.foo.com` is sent to `foo.com`, or the other way round. */
  readonly fromToWww: boolean;
  /** A Service of the same namespace that answers where no endpoint is there, and for `errorStatuses`. */
  readonly defaultBackend: string | undefined;
  readonly errorStatuses: readonly number[];
  /** The Ingress takes some requests of another one, and has no routes of its own. */
  readonly canary: AlternativeCondition | undefined;
}

const defaults: IngressSettings = Object.freeze({
  policy: plainPolicy,
  upstream: Object.freeze({ protocol: 'http1', tls: undefined, asClient: false }),
  serviceUpstream: false,
  useRegex: false,
  serverAliases: [],
  fromToWww: false,
  defaultBackend: undefined,
  errorStatuses: [],
  canary: undefined,
});

/** Reads the annotations of an Ingress. What is wrong becomes a finding; what would weaken it, a refusal too. */
export function readAnnotations(
  ingress: Ingress,
  secretOf: SecretLookup,
): { settings: IngressSettings; findings: Finding[] } {
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(ingress.metadata.annotations ?? {})) {
    if (key.startsWith(nginxPrefix)) values.set(key.slice(nginxPrefix.length), String(value).trim());
  }
  if (values.size === 0) return { settings: defaults, findings: [] };
  const reader = new AnnotationReader(ingress, values, secretOf);
  return { settings: reader.settings(), findings: reader.findings };
}

class AnnotationReader {
  readonly findings: Finding[] = [];
  readonly #ingress: Ingress;
  readonly #values: ReadonlyMap<string, string>;
  readonly #secretOf: SecretLookup;
  readonly #draft: Draft = {};
  #refusal: string | undefined;

  constructor(ingress: Ingress, values: ReadonlyMap<string, string>, secretOf: SecretLookup) {
    this.#ingress = ingress;
    this.#values = values;
    this.#secretOf = secretOf;
  }

  settings(): IngressSettings {
    for (const [row, value] of rowsOf(this.#values)) this.#read(row, value);
    for (const name of this.#values.keys()) {
      if (!annotationRows.has(name))
        this.#unsupported(`${nginxPrefix}${name} is not known and is passed over: check its name`);
    }
    const draft = this.#draft;
    this.#externalAuth(draft);
    const parts: SecretParts = {
      basicAuth: this.#basicAuth(draft),
      clientCertificate: this.#clientCertificate(draft),
    };
    const { protocol = 'HTTP' } = draft;
    const grpc = protocol === 'GRPC' || protocol === 'GRPCS';
    const plain = protocol === 'HTTP' || protocol === 'GRPC';
    if (plain && draft.upstreamSecret !== undefined && this.#refusal === undefined)
      this.#invalid(
        `${nginxPrefix}proxy-ssl-secret is passed over: upstreams are spoken to without TLS; set ${nginxPrefix}backend-protocol to "${grpc ? 'GRPCS' : 'HTTPS'}"`,
      );
    const settings: IngressSettings = {
      policy: policyOf(draft, this.#refusal, parts),
      upstream: {
        protocol: grpc ? 'http2' : 'http1',
        tls: plain ? undefined : upstreamTls(draft),
        asClient: protocol === 'AUTO_HTTP',
      },
      serviceUpstream: draft.serviceUpstream ?? false,
      useRegex: draft.useRegex === true || draft.rewriteTarget !== undefined,
      serverAliases: draft.serverAliases ?? [],
      fromToWww: draft.fromToWww ?? false,
      defaultBackend: draft.defaultBackend,
      errorStatuses: draft.errorStatuses ?? [],
      canary: draft.canary === true ? canaryOf(draft) : undefined,
    };
    return settings;
  }

  #read(row: AnnotationRow, value: string): void {
    const named = `${nginxPrefix}${row.name}`;
    if (value === '') {
      if (row.opensWithout === true)
        this.#refuse(findingReasons.annotationInvalid, `${named} is empty: give it a value or remove it`);
    } else if (row.read !== undefined) {
      const wrong = row.read(value, this.#draft);
      if (wrong === undefined) return;
      const shown = `${named} is ${quoted(value)}`;
      if (row.guard === true) this.#refuse(findingReasons.annotationInvalid, `${shown}: ${wrong}`);
      else if (row.partial === true) this.#invalid(`${shown} and is passed over in part: ${wrong}`);
      else this.#invalid(`${shown} and is passed over: ${wrong}`);
    } else if (row.support === 'passed over' && row.harmless?.(value) !== true) {
      this.#unsupported(`${named} is not supported and is passed over: ${plainText(row.help)}`);
    } else if (row.support === 'refused' && row.harmless?.(value) !== true) {
      const message = `${named} is not supported`;
      if (snippetIsHarmless(row.name, value))
        this.#unsupported(`${message} and is passed over: it guards nothing`);
      else if (this.#concerns(row))
        this.#refuse(
          findingReasons.annotationUnsupported,
          `${message}: remove it to serve this Ingress without it`,
        );
    }
  }

  /** What only says how something else is done, and that is not asked for, leaves nothing open. */
  #concerns({ name }: AnnotationRow): boolean {
    return (name !== 'auth-snippet' && name !== 'auth-proxy-set-headers') || this.#values.has('auth-url');
  }

  /** Upstreams trust the fields that the service's answer sets, and nobody would set them. */
  #externalAuth({ authUrl, authSignIn, authResponseHeaders }: Draft): void {
    if (authUrl !== undefined || this.#refusal !== undefined) return;
    const name =
      authSignIn !== undefined
        ? 'auth-signin'
        : authResponseHeaders !== undefined
          ? 'auth-response-headers'
          : undefined;
    if (name === undefined) return;
    const message = `${nginxPrefix}${name} is there and no service is asked: set ${nginxPrefix}auth-url`;
    this.#refuse(findingReasons.annotationInvalid, message);
  }

  #basicAuth({ authType, authSecret, authSecretKind, authRealm }: Draft): SecretParts['basicAuth'] {
    if (authType === undefined && authSecret === undefined) return undefined;
    if (authSecret === undefined || authType === undefined) {
      if (this.#refusal !== undefined) return undefined;
      const message =
        authSecret === undefined
          ? `${nginxPrefix}auth-type asks for passwords and no Secret has them: set ${nginxPrefix}auth-secret`
          : `${nginxPrefix}auth-secret is there without auth-type: set ${nginxPrefix}auth-type to "basic"`;
      this.#refuse(findingReasons.annotationInvalid, message);
      return undefined;
    }
    const found = this.#secret('auth-secret', authSecret);
    if (found === undefined) return undefined;
    const result = usersOf(found.secret, authSecretKind ?? 'auth-file');
    if ('error' in result) {
      this.#refuse(findingReasons.secretInvalid, `${found.named} cannot be used: ${result.error}`);
      return undefined;
    }
    for (const note of result.notes) this.#note(findingReasons.secretInvalid, `${found.named}: ${note}`);
    return { realm: authRealm ?? 'Authentication Required', users: result.users };
  }

  #clientCertificate(draft: Draft): SecretParts['clientCertificate'] {
    const { clientSecret, clientMode } = draft;
    if (clientMode === 'off') return undefined;
    if (clientSecret === undefined) {
      if ((clientMode !== 'on' && draft.clientCommonName === undefined) || this.#refusal !== undefined)
        return undefined;
      const asks =
        clientMode === 'on' ? 'auth-tls-verify-client is "on"' : 'auth-tls-match-cn asks for a certificate';
      const message = `${nginxPrefix}${asks} and no Secret has the authorities: set ${nginxPrefix}auth-tls-secret`;
      this.#refuse(findingReasons.annotationInvalid, message);
      return undefined;
    }
    const found = this.#secret('auth-tls-secret', clientSecret);
    if (found === undefined) return undefined;
    const result = clientCertificatePolicy(found.secret, {
      mode: clientMode ?? 'on',
      depth: draft.clientDepth ?? 1,
      passToUpstream: draft.clientPass ?? false,
      errorPage: draft.clientErrorPage,
      commonName: draft.clientCommonName,
    });
    if ('policy' in result) return result.policy;
    this.#refuse(findingReasons.secretInvalid, `${found.named} cannot be used: ${result.error}`);
    return undefined;
  }

  #secret(
    annotation: string,
    value: string,
  ): Exclude<ReturnType<typeof findSecret>, { error: string }> | undefined {
    const found = findSecret(annotation, value, this.#ingress.metadata.namespace ?? '', this.#secretOf);
    if (!('error' in found)) return found;
    const reason = found.missing === true ? findingReasons.secretNotFound : findingReasons.annotationInvalid;
    this.#refuse(reason, found.error);
    return undefined;
  }

  #unsupported(message: string): void {
    this.#note(findingReasons.annotationUnsupported, message);
  }

  #invalid(message: string): void {
    this.#note(findingReasons.annotationInvalid, message);
  }

  #refuse(reason: FindingReason, message: string): void {
    this.#note(reason, `${message}. Until then its paths answer 503`);
    this.#refusal ??= message;
  }

  #note(reason: FindingReason, message: string): void {
    this.findings.push({ object: this.#ingress, reason, message });
  }
}

function upstreamTls(draft: Draft): UpstreamTlsAnnotations {
  const { upstreamMinVersion, upstreamMaxVersion, upstreamCiphers } = draft;
  return {
    verify: draft.upstreamVerify ?? true,
    secret: draft.upstreamSecret,
    name: draft.upstreamName,
    sendServerName: draft.upstreamServerName ?? true,
    depth: draft.upstreamDepth,
    handshake: {
      ...plainHandshake,
      ...(upstreamMinVersion === undefined ? {} : { minVersion: upstreamMinVersion }),
      ...(upstreamMaxVersion === undefined ? {} : { maxVersion: upstreamMaxVersion }),
      ciphers: upstreamCiphers,
    },
  };
}

function canaryOf(draft: Draft): AlternativeCondition {
  const { canaryHeader, canaryValue, canaryPattern } = draft;
  return {
    header:
      canaryHeader === undefined
        ? undefined
        : {
            name: canaryHeader.toLowerCase(),
            value: canaryValue,
            pattern: canaryValue === undefined ? canaryPattern : undefined,
          },
    cookie: draft.canaryCookie,
    weight: draft.canaryWeight ?? 0,
    total: draft.canaryTotal ?? 100,
  };
}

/** Markdown of the table as a sentence of a message: without its marks, links and full stop. */
function plainText(help: string): string {
  return help
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('`', '')
    .replace(/\.$/, '');
}
