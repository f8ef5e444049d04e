import { createECDH } from 'node:crypto';
import { type DerValue, derValueAt, derValuesIn } from './der.ts';
import type { KeyKind } from './private-key.ts';

interface Curve {
  /** As OpenSSL calls it. */
  readonly name: string;
  readonly bits: number;
  /** Octets of the private number. */
  readonly size: number;
  /** What a SubjectPublicKeyInfo holds before the point (RFC 5480 section 2). */
  readonly infoPrefix: Buffer;
}

/** By the curve's object identifier, hex of its encoding: P-256, P-384, P-521. */
const curves: Readonly<Record<string, Curve>> = {
  '2a8648ce3d030107': {
    name: 'prime256v1',
    bits: 256,
    size: 32,
    infoPrefix: Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'),
  },
  '2b81040022': {
    name: 'secp384r1',
    bits: 384,
    size: 48,
    infoPrefix: Buffer.from('3076301006072a8648ce3d020106052b81040022036200', 'hex'),
  },
  '2b81040023': {
    name: 'secp521r1',
    bits: 521,
    size: 66,
    infoPrefix: Buffer.from('30819b301006072a8648ce3d020106052b8104002303818600', 'hex'),
  },
};

/**
 * The SubjectPublicKeyInfo that belongs to an ECDSA key in SEC 1 (RFC 5915), computed from its private number; that the key
 * names the same point itself is part of it. Undefined for a key of any other form than the one that everybody writes,
 * which is then for OpenSSL to read: that takes five times as long, as it looks for a decoder each time.
 */
export function publicKeyInfoOfEcKey(der: Buffer): Buffer | undefined {
  const whole = derValueAt(der, 0, der.length);
  if (whole === undefined || whole.tag !== 0x30 || whole.to !== der.length) return undefined;
  const values = derValuesIn(der, whole.from, whole.to) ?? [];
  const [version, number, parameters, publicKey] = values;
  if (values.length !== 4 || !version || !number || !parameters || !publicKey) return undefined;
  const oid = onlyValueIn(der, parameters, 0xa0);
  const bits = onlyValueIn(der, publicKey, 0xa1);
  if (oid?.tag !== 0x06 || bits?.tag !== 0x03 || number.tag !== 0x04) return undefined;
  if (der.toString('hex', version.at, version.to) !== '020101') return undefined;
  const curve = curves[der.toString('hex', oid.from, oid.to)];
  if (curve === undefined || number.to - number.from !== curve.size || der[bits.from] !== 0) return undefined;
  const point = pointOf(curve, der.subarray(number.from, number.to));
  if (point === undefined || !point.equals(der.subarray(bits.from + 1, bits.to))) return undefined;
  return Buffer.concat([curve.infoPrefix, point]);
}

/** What kind of key a SubjectPublicKeyInfo holds, where it is an ECDSA key on one of the curves, as OpenSSL writes it. */
export function ecKeyKindOf(info: Buffer | undefined): KeyKind | undefined {
  const curve = Object.values(curves).find(
    ({ infoPrefix, size }) =>
      info?.length === infoPrefix.length + 1 + 2 * size &&
      info.subarray(0, infoPrefix.length).equals(infoPrefix) &&
      info[infoPrefix.length] === 0x04,
  );
  return curve && { algorithm: 'ECDSA', size: curve.bits };
}

/** The one value in a value of this tag. */
function onlyValueIn(der: Buffer, { tag, from, to }: DerValue, wanted: number): DerValue | undefined {
  const inner = tag === wanted ? derValueAt(der, from, to) : undefined;
  return inner?.to === to ? inner : undefined;
}

/** Undefined for a number that is none of the curve's. */
function pointOf({ name }: Curve, number: Buffer): Buffer | undefined {
  try {
    const pair = createECDH(name);
    pair.setPrivateKey(number);
    return pair.getPublicKey();
  } catch {
    return undefined;
  }
}
