import { randomBytes } from 'node:crypto';

const prefix = randomBytes(10).toString('hex');
let count = 0;

/** A name for a request that no other has: 32 hexadecimal digits, as ingress-nginx makes them. It is no secret. */
export function nextRequestId(): string {
  count = (count + 1) % 0x1_0000_0000_0000;
  return prefix + count.toString(16).padStart(12, '0');
}
