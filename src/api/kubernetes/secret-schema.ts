import { z } from 'zod';
import { sameJson } from '../../core/same-json.ts';
import { objectMeta } from '../fields.ts';
import { type Problem, problemAt } from '../problem.ts';
import { immutableMessage, withRules } from '../rules.ts';
import { isBase64 } from '../syntax.ts';
import { type Secret, tlsCertificateKey, tlsPrivateKeyKey, tlsSecretType } from './secret.ts';

/** All values of a Secret together, in bytes. Source: core v1, MaxSecretSize. */
const largestSecret = 1024 * 1024;

const entryName = z
  .string()
  .refine(
    name => name.length <= 253 && /^[-._a-zA-Z0-9]+$/.test(name) && name !== '.' && !name.startsWith('..'),
    {
      error: 'is no valid key: use letters, digits, "-", "_" and "."',
    },
  );

export const secretSchema = withRules(
  z.looseObject({
    apiVersion: z.string().optional(),
    kind: z.string().optional(),
    metadata: objectMeta,
    type: z.string().optional(),
    data: z.record(entryName, z.string().refine(isBase64, { error: 'must be base64 (RFC 4648)' })).optional(),
    stringData: z.record(entryName, z.string()).optional(),
    immutable: z.boolean().optional(),
  }),
  {
    field: 'data',
    message: `must have ${tlsCertificateKey} and ${tlsPrivateKeyKey}, as type ${tlsSecretType} says`,
    holds: secret =>
      secret.type !== tlsSecretType ||
      [tlsCertificateKey, tlsPrivateKeyKey].every(key => key in { ...secret.data, ...secret.stringData }),
  },
  {
    field: 'data',
    message: 'is too large: 1 MiB is the most that a Secret holds',
    holds: secret => sizeOf(secret) <= largestSecret,
  },
);

function sizeOf(secret: Pick<Secret, 'data' | 'stringData'>): number {
  const bytes = Object.values(secret.data ?? {}).map(value => Buffer.byteLength(value, 'base64'));
  const text = Object.values(secret.stringData ?? {}).map(value => Buffer.byteLength(value));
  return [...bytes, ...text].reduce((sum, size) => sum + size, 0);
}

/** The Secret as it is stored: stringData has moved to data, and there is a type. */
export function storedSecret(secret: Secret): Secret {
  const { stringData, ...rest } = secret;
  const moved = Object.entries(stringData ?? {}).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  return {
    ...rest,
    type: secret.type || 'Opaque',
    ...(moved.length > 0 && { data: { ...secret.data, ...(Object.fromEntries(moved) as Secret['data']) } }),
  };
}

/** What a change of a Secret may not do. */
export function secretUpdateProblems(before: Secret, after: Secret): Problem[] {
  const problems: Problem[] = [];
  if ((before.type || 'Opaque') !== after.type) problems.push(problemAt(after, ['type'], immutableMessage));
  if (before.immutable === true) {
    const wanted = 'must not be changed: the Secret is immutable; delete it and create another';
    if (after.immutable !== true) problems.push(problemAt(after, ['immutable'], wanted));
    if (!sameJson(before.data ?? {}, after.data ?? {})) {
      problems.push(problemAt(after, ['data'], wanted, { secret: true }));
    }
  }
  return problems;
}
