import { isIPv4, isIPv6 } from 'node:net';

/**
 * The octets of an IP address: 4 or 16. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) gives 4, as it
 * names the same host. Undefined where `text` is no address; zones (`fe80::1%eth0`) are none.
 */
export function ipOctets(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const octets = ipv6Octets(text);
  return octets.subarray(0, 12).equals(mappedPrefix) ? octets.subarray(12) : octets;
}

const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex');

/** `text` is known to be an IPv6 address. */
function ipv6Octets(text: string): Buffer {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain =
    dotted === null
      ? text
      : `${dotted[1]}${(Number(dotted[2]) * 256 + Number(dotted[3])).toString(16)}:${(Number(dotted[4]) * 256 + Number(dotted[5])).toString(16)}`;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return Buffer.from(groups.map(group => group.padStart(4, '0')).join(''), 'hex');
}

/** The text of 4 or 16 octets, IPv6 as RFC 5952 writes it; undefined for any other number of octets. */
export function ipText(octets: Uint8Array): string | undefined {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) return undefined;
  const bytes = Buffer.from(octets);
  if (bytes.subarray(0, 12).equals(mappedPrefix)) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2));
  const run = longestZeroRun(groups);
  const hex = groups.map(group => group.toString(16));
  if (run === undefined) return hex.join(':');
  return `${hex.slice(0, run.start).join(':')}::${hex.slice(run.start + run.length).join(':')}`;
}

/** The first longest run of two or more zero groups (RFC 5952 section 4.2). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } | undefined {
  let best: { start: number; length: number } | undefined;
  for (let start = 0; start < groups.length; start += 1) {
    let length = 0;
    while (groups[start + length] === 0) length += 1;
    if (length > Math.max(1, best?.length ?? 0)) best = { start, length };
    start += length;
  }
  return best;
}

/** An IP address in its one canonical form, to compare and to store; undefined where `text` is no address. */
export function canonicalIp(text: string): string | undefined {
  const octets = ipOctets(text);
  return octets === undefined ? undefined : ipText(octets);
}
