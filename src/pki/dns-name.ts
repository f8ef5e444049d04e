import { domainToASCII } from 'node:url';

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * A DNS name in its canonical form: lower case, non-ASCII labels as A-labels (IDNA), without the final dot.
 * A wildcard may stand as the whole first label (`*.example.com`), with two labels or more after it or one.
 * Undefined where `text` is no such name, or is an IP address (RFC 1123 section 2.1: the last label is not
 * all digits).
 */
export function canonicalDnsName(text: string): string | undefined {
  const wildcard = text.startsWith('*.');
  const bare = (wildcard ? text.slice(2) : text).replace(/\.$/, '');
  // domainToASCII would also rewrite what looks like an IPv4 address, so it sees non-ASCII names alone.
  const ascii = /^\p{ASCII}*$/u.test(bare) ? bare.toLowerCase() : domainToASCII(bare);
  const labels = ascii.split('.');
  const name = wildcard ? `*.${ascii}` : ascii;
  const valid =
    name.length <= 253 && labels.every(part => label.test(part)) && !/^\d+$/.test(labels.at(-1) ?? '');
  return valid ? name : undefined;
}

/** Whether `text` is a DNS name that can stand in a certificate, a wildcard included. */
export function isDnsName(text: string): boolean {
  return canonicalDnsName(text) !== undefined;
}
