import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** RFC 1123 subdomain, as Kubernetes wants the names of most objects: lower case, at most 253 characters. */
export const dnsSubdomainPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dnsLabelPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dns1035LabelPattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const qualifiedPartPattern = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** What a name should look like, for messages. */
export const dnsSubdomainHint =
  'must be a DNS name of lower-case letters, digits, "-" and ".", 253 characters at most, such as "my-name"';
export const dnsLabelHint =
  'must be of lower-case letters, digits and "-", 63 characters at most, such as "my-name"';
export const dns1035LabelHint =
  'must be of lower-case letters, digits and "-", begin with a letter, 63 characters at most, such as "my-name"';

export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && dnsSubdomainPattern.test(text);
}

/** `*.` and a subdomain. */
export function isWildcardDnsSubdomain(text: string): boolean {
  return text.length <= 253 && text.startsWith('*.') && dnsSubdomainPattern.test(text.slice(2));
}

export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && dnsLabelPattern.test(text);
}

export function isDns1035Label(text: string): boolean {
  return text.length <= 63 && dns1035LabelPattern.test(text);
}

/** A key of a label or an annotation: `name` or `prefix.example/name`. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  const prefix = slash < 0 ? undefined : text.slice(0, slash);
  const name = text.slice(slash + 1);
  if (prefix !== undefined && !isDnsSubdomain(prefix)) return false;
  return name.length <= 63 && qualifiedPartPattern.test(name);
}

/** A label's value: empty, or as a qualified name's last part. */
export function isLabelValue(text: string): boolean {
  return text === '' || (text.length <= 63 && qualifiedPartPattern.test(text));
}

/** The name of a port: lower-case letters, digits and single dashes, a letter among them, 15 at most (RFC 6335). */
export function isPortName(text: string): boolean {
  return text.length <= 15 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text) && /[a-z]/.test(text);
}

export function isPortNumber(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}

export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/**
 * A DNS name as a certificate may hold it: labels of letters, digits, "-" and "_" (non-ASCII ones as IDNA
 * turns them into such), perhaps `*` as the first of several; not an IP address.
 */
export function isCertificateDnsName(text: string): boolean {
  const bare = (text.startsWith('*.') ? text.slice(2) : text).replace(/\.$/, '');
  const ascii = /^[ -~]*$/.test(bare) ? bare : domainToASCII(bare);
  const labels = ascii.split('.');
  return (
    ascii.length <= 251 &&
    labels.every(label => /^[A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?$/.test(label)) &&
    !/^[0-9]+$/.test(labels.at(-1) ?? '')
  );
}

/** Text of one line, as people write it: no control characters, which names have no use for and files and headers have. */
export function isPlainText(text: string): boolean {
  return !/\p{Cc}/u.test(text);
}

export const plainTextHint = 'must hold no control characters, line breaks among them';

/** An address alone (RFC 5321, without quoting), no display name. */
export function isEmailAddress(text: string): boolean {
  return (
    text.length <= 254 &&
    /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/.test(text)
  );
}

/** An absolute URI: a scheme and something after it. */
export function isUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(text) && URL.canParse(text);
}

/** Standard base64 (RFC 4648, 4) with its padding; line breaks are passed over, as Go does. */
export function isBase64(text: string): boolean {
  const joined = text.replaceAll(/[\r\n]/g, '');
  return joined.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(joined);
}

/** An object identifier in dotted form. */
export function isObjectIdentifier(text: string): boolean {
  return /^[012](\.(0|[1-9][0-9]*))+$/.test(text);
}
