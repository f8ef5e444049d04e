import type { Secret } from '../../../api/kubernetes/secret.ts';
import type { ObjectKey } from '../../../api/meta.ts';
import { quoted } from '../quoted.ts';

/** Looks up a Secret that an annotation names. What is asked for is noted: the Ingress is read again when it changes. */
export type SecretLookup = (key: ObjectKey) => Secret | undefined;

/**
 * The Secret that an annotation names, as `name` or `namespace/name`. It must be of the namespace of its Ingress: who may
 * write Ingresses in one namespace may not use the Secrets of others. `named` is what messages call it.
 */
export function findSecret(
  annotation: string,
  value: string,
  namespace: string,
  secretOf: SecretLookup,
): { secret: Secret; named: string } | { error: string; missing?: boolean } {
  const [first = '', second, ...rest] = value.split('/');
  const key = second === undefined ? { namespace, name: first } : { namespace: first, name: second };
  if (key.name === '' || rest.length > 0)
    return { error: `${annotation} is ${quoted(value)}: write it as "namespace/name"` };
  if (key.namespace !== namespace)
    return {
      error: `${annotation} is ${quoted(value)}, of another namespace: name a Secret in "${namespace}"`,
    };
  const secret = secretOf(key);
  const named = `Secret ${quoted(`${key.namespace}/${key.name}`)} of ${annotation}`;
  return secret === undefined
    ? { error: `${named} does not exist: create it`, missing: true }
    : { secret, named };
}
