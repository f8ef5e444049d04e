/** What stands in the place of a secret. */
export const redacted = '[redacted]';

/** Fields whose value is a secret whatever it looks like. Compared in lower case, without dots, dashes and underscores. */
const secretFields: ReadonlySet<string> = new Set([
  'key',
  'privatekey',
  'privatekeypem',
  'accountkey',
  'tlskey',
  'hmackey',
  'machmackey',
  'keyauthorization',
  'keyauthorisation',
  'token',
  'bearertoken',
  'accesstoken',
  'idtoken',
  'password',
  'passphrase',
  'passwd',
  'clientsecret',
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'stringdata',
]);

const isSecretField = (name: string): boolean =>
  secretFields.has(name.toLowerCase().replaceAll(/[._-]/g, ''));

const isPrivateKeyInBase64 = (text: string): boolean =>
  Buffer.from(text.slice(0, 128), 'base64').toString('latin1').includes('PRIVATE KEY-----');

/**
 * `text` without private keys in PEM (cut ones too) or base64 of PEM, JSON Web Tokens, what follows "Bearer"
 * or "Basic", passwords in URLs, and the tokens and key authorizations of ACME challenges.
 */
export function redactText(text: string): string {
  return text
    .replaceAll(
      /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g,
      redacted,
    )
    .replaceAll(/LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]*/g, match => (isPrivateKeyInBase64(match) ? redacted : match))
    .replaceAll(/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*/g, redacted)
    .replaceAll(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${redacted}`)
    .replaceAll(/(:\/\/[^/\s:@]+):[^/\s@]+@/g, `$1:${redacted}@`)
    .replaceAll(/(\/\.well-known\/acme-challenge\/)[^\s"'?#]+/g, `$1${redacted}`)
    .replaceAll(/(?<![A-Za-z0-9_.-])[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_.-])/g, redacted);
}

const deepest = 6;
const longestList = 50;
const longestText = 4_000;

function redactedText(text: string): string {
  const clean = redactText(text);
  return clean.length > longestText
    ? `${clean.slice(0, longestText)}... (${clean.length} characters)`
    : clean;
}

/**
 * A copy of what is to be logged, made of plain JSON values and without secrets: fields with a secret's name,
 * `data` of Kubernetes objects, and secrets within texts are replaced; bytes are only counted; errors become
 * `{ code, message, cause }`, with their stack where `withStacks`.
 */
export function redactValue(value: unknown, withStacks = false): unknown {
  const above: object[] = [];
  const visit = (current: unknown): unknown => {
    if (typeof current === 'string') return redactedText(current);
    if (typeof current === 'bigint' || typeof current === 'symbol') return String(current);
    if (typeof current === 'function') return '[function]';
    if (typeof current !== 'object' || current === null) return current;
    if (ArrayBuffer.isView(current) || current instanceof ArrayBuffer) return `[${current.byteLength} bytes]`;
    if (current instanceof Date)
      return Number.isNaN(current.getTime()) ? 'invalid date' : current.toISOString();
    if (current instanceof URL) return redactedText(current.href);
    if (above.includes(current)) return '[circular]';
    if (above.length >= deepest) return '[...]';
    above.push(current);
    try {
      if (current instanceof Error) return errorFields(current, visit, withStacks);
      if (current instanceof Set) return visit([...current]);
      if (current instanceof Map) return visit(Object.fromEntries(current));
      if (Array.isArray(current)) {
        const more = current.length - longestList;
        const items = current.slice(0, longestList).map(visit);
        return more > 0 ? [...items, `[${more} more]`] : items;
      }
      const isObjectWithData = 'data' in current && ('metadata' in current || 'kind' in current);
      return Object.fromEntries(
        Object.entries(current).map(([name, inner]) => [
          name,
          isSecretField(name) || (name === 'data' && isObjectWithData) ? redacted : visit(inner),
        ]),
      );
    } finally {
      above.pop();
    }
  };
  return visit(value);
}

function errorFields(error: Error, visit: (value: unknown) => unknown, withStacks: boolean): object {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    ...(code === undefined ? {} : { code: visit(code) }),
    message: redactedText(error.message),
    ...(error.cause === undefined ? {} : { cause: visit(error.cause) }),
    ...(error instanceof AggregateError ? { errors: visit(error.errors) } : {}),
    ...(withStacks && error.stack !== undefined ? { stack: redactedText(error.stack) } : {}),
  };
}

/** The fields of a log line, without secrets. */
export function redactFields(
  fields: Readonly<Record<string, unknown>>,
  withStacks = false,
): Record<string, unknown> {
  return redactValue(fields, withStacks) as Record<string, unknown>;
}
