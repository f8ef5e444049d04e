import type { Secret } from '../../api/kubernetes/secret.ts';

/** A value of a Secret as text, or undefined where it is missing or blank. `stringData` is for manifests never stored. */
export function secretText(secret: Secret, key: string): string | undefined {
  const encoded = secret.data?.[key];
  const text =
    encoded === undefined ? secret.stringData?.[key] : Buffer.from(encoded, 'base64').toString('utf8');
  return text === undefined || text.trim() === '' ? undefined : text;
}

/** The same in base64, as an API server stores it; `''` where it is missing. */
export function secretBase64(secret: Secret, key: string): string {
  return secret.data?.[key] ?? Buffer.from(secret.stringData?.[key] ?? '').toString('base64');
}
