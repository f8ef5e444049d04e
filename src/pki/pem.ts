import { PkiError } from './errors.ts';

/** One block of a PEM text: what stands in its BEGIN line, and the bytes between. */
export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

const block = /-----BEGIN ([A-Z0-9][A-Z0-9 .]*)-----([^-]*)-----END ([A-Z0-9][A-Z0-9 .]*)-----/g;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The blocks of a PEM text in order (RFC 7468, lax form: text around the blocks is passed over, as
 * certificate authorities put comments there). A block that is cut off, mislabelled or not base64 throws
 * a PkiError of `code` that names which one. Text with no block at all gives an empty list.
 */
export function parsePem(text: string, code: PkiError['code'] = 'PKI_CERTIFICATE_INVALID'): PemBlock[] {
  const found: PemBlock[] = [];
  for (const [, label = '', body = '', endLabel] of text.matchAll(block)) {
    const place = `PEM block ${found.length + 1} (${label})`;
    if (label !== endLabel) throw new PkiError(code, `${place} does not end with the label it begins with`);
    // Headers (RFC 1421: Proc-Type, DEK-Info) mark an encrypted key, which Postern has no passphrase for.
    if (body.includes(':'))
      throw new PkiError(code, `${place} is encrypted or has headers; store it without`);
    const compact = body.replace(/\s+/g, '');
    if (!base64.test(compact) || compact === '') throw new PkiError(code, `${place} is not valid base64`);
    found.push({ label, der: Buffer.from(compact, 'base64') });
  }
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (begun !== found.length) {
    throw new PkiError(
      code,
      `PEM block ${found.length + 1} of ${begun} is damaged or cut off; check that it was copied whole`,
    );
  }
  return found;
}

/** One PEM block with 64-character lines and a newline at its end (RFC 7468 section 2). */
export function encodePem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der.buffer, der.byteOffset, der.byteLength)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
