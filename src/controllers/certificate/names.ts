import { createHash } from 'node:crypto';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { attemptOf, revisionOf } from './state.ts';

/** Names longer than this leave no room for what is derived from them (an Order, a Challenge, labels). */
const longestRequestName = 233;
const keptPrefix = 168;

/** `<certificate>-<revision>`; where that is too long, a prefix of the name and a hash of it. */
export function requestNameFor(certificateName: string, revision: number): string {
  const name = `${certificateName}-${revision}`;
  if (name.length <= longestRequestName) return name;
  return `${trimmed(certificateName.slice(0, keptPrefix))}-${hash(certificateName)}-${revision}`;
}

/**
 * The name of the Secret that holds the next private key: the same each time for one attempt at one revision,
 * so that a second try after a crash finds the first one's key and makes no other.
 */
export function nextKeyNameFor(certificate: Certificate): string {
  const { name = '', uid = '' } = certificate.metadata;
  const attempt = `${uid}/${revisionOf(certificate) + 1}/${attemptOf(certificate)}`;
  return `${trimmed(name.slice(0, 240))}-${hash(attempt)}`;
}

/** A name that was cut short may not end in what only stands between. */
function trimmed(text: string): string {
  return text.replace(/[-.]+$/, '');
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
