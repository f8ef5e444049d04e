import { z } from 'zod';
import { type AcmeConnection, type SignedAnswer } from './connection.ts';
import { AcmeError } from './errors.ts';
import { type AcmeIdentifier, problemSchema } from './problem.ts';

const url = z.url({ protocol: /^https?$/ });
const problem = problemSchema.optional().catch(undefined);
const instant = z.string().optional().catch(undefined);

const identifierSchema = z
  .object({ type: z.enum(['dns', 'ip']), value: z.string() })
  .transform((found): AcmeIdentifier => found);

/** RFC 8555 section 7.1.2. */
export const accountSchema = z.object({
  status: z.enum(['valid', 'deactivated', 'revoked']),
  contact: z.array(z.string()).optional().catch(undefined),
});

/** RFC 8555 section 7.1.3. */
export const orderSchema = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  identifiers: z.array(identifierSchema),
  authorizations: z.array(url),
  finalize: url,
  certificate: url.optional(),
  expires: instant,
  error: problem,
  profile: z.string().optional().catch(undefined),
  /** RFC 9773. */
  replaces: z.string().optional().catch(undefined),
});

/** RFC 8555 section 7.1.5 and 8. `token` is there for http-01, dns-01 and tls-alpn-01. */
export const challengeSchema = z.object({
  type: z.string(),
  url,
  status: z.enum(['pending', 'processing', 'valid', 'invalid']),
  token: z
    .string()
    // 128 bits at least in base64url (RFC 8555 section 8.3): it becomes part of a path.
    .regex(/^[\w-]{16,512}$/)
    .optional(),
  error: problem,
  validated: instant,
});

/** RFC 8555 section 7.1.4. */
export const authorizationSchema = z.object({
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  identifier: identifierSchema,
  challenges: z.array(challengeSchema),
  wildcard: z.boolean().optional().catch(undefined),
  expires: instant,
});

/** Where a resource is, and how long its server asks to wait before it is read again. */
interface Polled {
  readonly url: string;
  /** From Retry-After, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

export type AcmeOrder = Readonly<z.infer<typeof orderSchema>> & Polled;
export type AcmeAuthorization = Readonly<z.infer<typeof authorizationSchema>> & Polled;
export type AcmeChallenge = Readonly<z.infer<typeof challengeSchema>> & {
  readonly retryAfterMs: number | undefined;
};
/** `uri` is the account's URL, which signs every later request; `existed` where a registration found it. */
export type AcmeAccount = Readonly<z.infer<typeof accountSchema>> & {
  readonly uri: string;
  readonly existed: boolean;
};

/** The answer's body as the resource `what`; throws ACME_BAD_ANSWER that names the field that does not fit. */
export function parseResource<T>(
  conn: AcmeConnection,
  schema: z.ZodType<T>,
  answer: SignedAnswer,
  what: string,
): T {
  const parsed = schema.safeParse(answer.json());
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new AcmeError(
    'ACME_BAD_ANSWER',
    `The ACME server ${conn.host} gave an ${what} whose "${field}" is missing or malformed`,
    { status: answer.status },
  );
}

/** The Location header, which names a new resource. */
export function locationOf(conn: AcmeConnection, answer: SignedAnswer, what: string): string {
  const { location } = answer.headers;
  if (location !== undefined && URL.canParse(location, conn.directoryUrl)) {
    return new URL(location, conn.directoryUrl).href;
  }
  throw new AcmeError(
    'ACME_BAD_ANSWER',
    `The ACME server ${conn.host} made an ${what} but gave no Location`,
    {
      status: answer.status,
    },
  );
}
