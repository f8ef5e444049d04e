import { z } from 'zod';

/** Key usages and extended key usages, as cert-manager names them (RFC 5280, 4.2.1.3 and 4.2.1.12). */
export const keyUsages = [
  'signing',
  'digital signature',
  'content commitment',
  'key encipherment',
  'key agreement',
  'data encipherment',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
  'any',
  'server auth',
  'client auth',
  'code signing',
  'email protection',
  's/mime',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'timestamping',
  'ocsp signing',
  'microsoft sgc',
  'netscape sgc',
] as const;

export const keyUsageSchema = z.enum(keyUsages);

export type KeyUsage = z.infer<typeof keyUsageSchema>;

/** What a Certificate or CertificateRequest without usages asks for. */
export const defaultKeyUsages: readonly KeyUsage[] = ['digital signature', 'key encipherment'];
