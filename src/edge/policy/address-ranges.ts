import { BlockList, isIP } from 'node:net';

/** An IPv4 address inside an IPv6 one (RFC 4291 section 2.5.5.2), as dual-stack sockets show it. */
const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i;

/** An address in the form in which it is compared: `::ffff:192.0.2.1` is 192.0.2.1, and zones (`%eth0`) are left out. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const zone = address.indexOf('%');
  const bare = zone < 0 ? address : address.slice(0, zone);
  const [whole, dotted, high = '', low = ''] = mapped.exec(bare) ?? [];
  if (whole === undefined || dotted !== undefined) return dotted ?? bare;
  const [first, second] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${first >> 8}.${first & 0xff}.${second >> 8}.${second & 0xff}`;
}

/** A CIDR range, or an address for itself alone. Undefined where the text is neither. */
export function parseRange(text: string): { address: string; bits: number } | undefined {
  const [written = '', length, ...rest] = text.split('/');
  const address = plainAddress(written);
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || written.includes('%')) return undefined;
  const longest = version === 4 ? 32 : 128;
  if (length === undefined) return { address, bits: longest };
  // A range written for mapped addresses would mean another part of the address.
  if (!/^\d{1,3}$/.test(length) || Number(length) > longest || address !== written) return undefined;
  return { address, bits: Number(length) };
}

/** Addresses by range. Ranges that do not parse are no part of it: whoever reads settings refuses them before. */
export class AddressRanges {
  readonly #list = new BlockList();
  readonly #none: boolean;

  constructor(ranges: readonly string[]) {
    this.#none = ranges.length === 0;
    for (const range of ranges) {
      const parsed = parseRange(range);
      if (parsed === undefined) continue;
      this.#list.addSubnet(parsed.address, parsed.bits, isIP(parsed.address) === 4 ? 'ipv4' : 'ipv6');
    }
  }

  has(address: string): boolean {
    if (this.#none) return false;
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }
}
