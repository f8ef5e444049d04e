import { isIP } from 'node:net';
import { z } from 'zod';
import { formatDuration, parseDuration } from '../core/duration.ts';

/** Where to listen. An empty host means all addresses; port 0 takes a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The address as it is written in a setting: `:8080`, `127.0.0.1:8080`, `[::1]:8080`. */
export function listenAddressText({ host, port }: ListenAddress): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

const portFrom = (text: string): number | undefined => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : undefined;
};

function splitHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text) ?? /^()()(\d+)$/.exec(text);
  const port = portFrom(match?.[3] ?? '');
  if (match === null || port === undefined) return undefined;
  if (match[1] !== undefined && match[1] !== '' && isIP(match[1]) !== 6) return undefined;
  return { host: match[1] ?? match[2] ?? '', port };
}

/** A string that `parse` understands; `expected` completes the sentence "... is not". */
function parsedText<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `is not ${expected}` });
    return z.NEVER;
  });
}

const nonEmpty = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim());

/** The kinds of values that settings have. Each takes text, a list takes several. */
export const text = (expected: string) => parsedText(expected, nonEmpty);

export const bool = () =>
  parsedText('true or false', value => ({ true: true, false: false })[value.trim().toLowerCase()]);

export const oneOf = <const T extends string>(...choices: readonly T[]) =>
  parsedText(`one of ${choices.join(', ')}`, value => choices.find(choice => choice === value.trim()));

export const integer = (least: number, most: number) =>
  parsedText(`a whole number from ${least} to ${most}`, value => {
    const number = /^\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
    return number >= least && number <= most ? number : undefined;
  });

export const durationMs = (leastMs: number) =>
  parsedText(`a duration of at least ${formatDuration(leastMs)}, such as 15s or 1m30s`, value => {
    const ms = parseDuration(value.trim());
    return ms !== undefined && ms >= leastMs ? ms : undefined;
  });

export const listenAddress = () =>
  parsedText('an address to listen on, such as :8080, 127.0.0.1:8080 or [::1]:8080', value =>
    splitHostPort(value.trim()),
  );

export const ipAddress = () =>
  parsedText('an IP address', value => (isIP(value.trim()) === 0 ? undefined : value.trim()));

/** An RFC 1123 label, as namespaces are named. */
export const namespaceName = () =>
  parsedText('a namespace: lower-case letters, digits and dashes, 63 at most', value =>
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value.trim()) ? value.trim() : undefined,
  );

/** An RFC 1123 subdomain, as most objects are named. */
export const objectName = () =>
  parsedText('a name: lower-case letters, digits, dashes and dots', value =>
    value.length <= 253 &&
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(value.trim())
      ? value.trim()
      : undefined,
  );

/** `namespace/name` of an object. */
export const objectReference = () =>
  parsedText('an object, written as namespace/name', value => {
    const [, namespace, name] = /^([a-z0-9-]{1,63})\/([a-z0-9][a-z0-9.-]{0,252})$/.exec(value.trim()) ?? [];
    return namespace === undefined || name === undefined ? undefined : { namespace, name };
  });

/** An IP address, or a host name in lower case. */
export const publishedAddress = () =>
  parsedText('an IP address or a host name', value => {
    const address = value.trim().toLowerCase();
    if (isIP(address) !== 0) return address;
    return address.length <= 253 &&
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(address)
      ? address
      : undefined;
  });

/** The reason of a condition, as `metav1.Condition` has it. */
export const conditionReason = () =>
  parsedText(
    'a reason: one word of letters, digits, "_", "-", "." and ",", beginning with a letter',
    value =>
      value.length <= 1024 && /^[A-Za-z]([\w.,:-]*\w)?$/.test(value.trim()) ? value.trim() : undefined,
  );

/** An annotation key: a name of 63 characters at most, with a DNS prefix or none. */
export const annotationKey = () =>
  parsedText('an annotation key, such as kubernetes.io/tls-acme', value =>
    /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(value.trim())
      ? value.trim()
      : undefined,
  );

/** A number of bytes, as nginx writes it: `1m`, `512k`, `0`. */
export const byteCount = () =>
  parsedText('a number of bytes, such as 4096, 512k, 1m or 2g', value => {
    const [, digits, unit = ''] = /^(\d{1,12})([kmg]?)$/i.exec(value.trim()) ?? [];
    return digits === undefined
      ? undefined
      : Number(digits) * 1_024 ** ' kmg'.indexOf(unit.toLowerCase() || ' ');
  });

/** Addresses by CIDR notation, or one address. */
export const addressRange = () =>
  parsedText('an address range, such as 10.0.0.0/8 or 2001:db8::/32', value => {
    const [address = '', bits, ...rest] = value.trim().split('/');
    const longest = { 4: 32, 6: 128 }[isIP(address)];
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (longest ?? -1));
    return longest !== undefined && fits && rest.length === 0 ? value.trim() : undefined;
  });

/** A DNS server as `node:dns` takes it: `192.0.2.1:53`, `[2001:db8::1]:53`; 53 is added where no port is given. */
export const nameserver = () =>
  parsedText('the IP address of a DNS server with or without a port, such as 192.0.2.53:53', value => {
    const given = value.trim();
    if (isIP(given) !== 0) return listenAddressText({ host: given, port: 53 });
    const address = given.includes(':') ? splitHostPort(given) : undefined;
    return address === undefined || isIP(address.host) === 0 || address.port === 0
      ? undefined
      : listenAddressText(address);
  });

/** Several values: the flag repeated, or separated by commas. */
export const listOf = <S extends z.ZodType>(item: S) => z.array(item);
