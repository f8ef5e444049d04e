import { secretTemplateKeysAnnotation } from '../../api/annotations.ts';
import type { SecretTemplate } from '../../api/cert-manager/secret-template.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import { canonicalJson } from '../../core/canonical-json.ts';

/** Keys of annotations and labels. */
export interface TemplateKeys {
  readonly annotations: readonly string[];
  readonly labels: readonly string[];
}

/** The keys that a template sets. */
export function keysOf(template: SecretTemplate | undefined): TemplateKeys {
  return {
    annotations: Object.keys(template?.annotations ?? {}).toSorted(),
    labels: Object.keys(template?.labels ?? {}).toSorted(),
  };
}

/** The keys as an annotation; none, where there are no keys. */
export function recordOf(keys: TemplateKeys): Record<string, string> {
  const isEmpty = keys.annotations.length + keys.labels.length === 0;
  return isEmpty ? {} : { [secretTemplateKeysAnnotation]: canonicalJson(keys) };
}

/** The keys that a Secret has from a template, by its own record. Without one, as on Secrets of cert-manager, none are known. */
export function recordedKeys(secret: Secret | undefined): TemplateKeys {
  const none = { annotations: [], labels: [] };
  try {
    const record = JSON.parse(
      secret?.metadata.annotations?.[secretTemplateKeysAnnotation] ?? '{}',
    ) as Partial<Record<keyof TemplateKeys, unknown>> | null;
    return { annotations: textsIn(record?.annotations), labels: textsIn(record?.labels) };
  } catch {
    return none;
  }
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
}
