import { z } from 'zod';
import type { Condition } from './condition.ts';
import type { ObjectMeta } from './meta.ts';
import { dnsSubdomainHint, dnsSubdomainPattern, isBase64, isLabelValue, isQualifiedName } from './syntax.ts';

/**
 * The building blocks of the schemas of custom resources. Each has a structural OpenAPI schema
 * (crd/structural-schema.ts), so only what OpenAPI can say is used here. What it cannot is a rule (rules.ts),
 * or, as a `refine`, a syntax that the embedded store and the reconcilers look at.
 */

/** metadata: the API server, or the embedded store, checks it for every kind alike; here everything passes. */
export const objectMeta = z.looseObject({}) as unknown as z.ZodType<ObjectMeta, ObjectMeta>;

/** An object of which nothing is known and everything is kept. */
export const preserved = (): z.ZodType<Record<string, unknown>, Record<string, unknown>> => z.looseObject({});

/** A list of objects of which nothing is known and everything is kept. */
export const preservedList = () => z.array(preserved());

/** A list that is replaced as a whole. */
export const strings = () => z.array(z.string()).meta({ 'x-kubernetes-list-type': 'atomic' });

/** The same, each entry of the syntax that `fits` knows; `hint` goes on after the entry's name. */
export const stringsOf = (fits: (text: string) => boolean, hint: string) =>
  z.array(z.string().refine(fits, { error: hint })).meta({ 'x-kubernetes-list-type': 'atomic' });

/** Text that may not be empty. */
export const requiredText = () => z.string().min(1);

/** The name of an object, as most kinds have it: an RFC 1123 subdomain. */
export const dnsName = () => z.string().max(253).regex(dnsSubdomainPattern, { error: dnsSubdomainHint });

/** Text to text. */
export const stringMap = () => z.record(z.string(), z.string());

/** Bytes, in base64. */
export const bytes = () =>
  z.string().refine(isBase64, { error: 'must be base64 (RFC 4648)' }).meta({ format: 'byte' });

/** An instant, RFC 3339. */
export const timestamp = () => z.string().meta({ format: 'date-time' });

/** A length of time as Go writes it: `2160h`, `1h30m`. */
export const goDuration = () =>
  z.string().regex(/^[-+]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$/, {
    error: 'must be a length of time such as "2160h" or "1h30m"',
  });

/** One entry of a Secret's data. */
export const secretKeySelector = () =>
  z.object({
    name: dnsName().describe('Name of the Secret.'),
    key: z.string().describe("Entry of the Secret's data.").optional(),
  });

const keyHint = 'is no valid key: use letters, digits, "-", "_" and ".", perhaps after a DNS name and "/"';

/** Annotations to set: any text under valid keys, whose DNS names may be in upper case. */
export const annotationMap = () =>
  z.record(
    z.string().refine(key => isQualifiedName(key.toLowerCase()), { error: keyHint }),
    z.string(),
  );

/** Labels to set: short text under valid keys. */
export const labelMap = () =>
  z.record(
    z.string().refine(isQualifiedName, { error: keyHint }),
    z.string().refine(isLabelValue, {
      error: 'is no valid label value: use letters, digits, "-", "_" and ".", 63 characters at most',
    }),
  );

/** status.conditions. */
export const conditions = (): z.ZodType<Condition[], Condition[]> =>
  z
    .array(
      z.object({
        type: z.string(),
        status: z.enum(['True', 'False', 'Unknown']),
        reason: z.string().optional(),
        message: z.string().optional(),
        lastTransitionTime: timestamp().optional(),
        observedGeneration: z.int().meta({ format: 'int64' }).optional(),
      }),
    )
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });

/** What every custom resource has beside its spec and status. */
export const typeMeta = {
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  metadata: objectMeta,
};
