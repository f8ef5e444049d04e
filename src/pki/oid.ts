/**
 * Whether `text` is an object identifier in dotted form, such as `1.3.6.1.4.1.311.20.2.3`, that asn1js carries: it loses
 * digits of arcs above 2^53.
 */
export function isOid(text: string): boolean {
  const arcs = /^[0-2](?:\.(?:0|[1-9]\d*))+$/.test(text) ? text.split('.').map(Number) : [];
  const [first = 3, second = 0] = arcs;
  return (first === 2 || (first < 2 && second < 40)) && arcs.every(Number.isSafeInteger);
}
