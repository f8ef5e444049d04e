import { z } from 'zod';
import { stringsOf } from '../fields.ts';
import { isPlainText, plainTextHint } from '../syntax.ts';

const texts = () => stringsOf(isPlainText, plainTextHint);

/** spec.subject of a Certificate. */
export const subjectSchema = z.object({
  organizations: texts().describe('Organizations (O).').optional(),
  organizationalUnits: texts().describe('Organizational units (OU).').optional(),
  countries: texts().describe('Countries (C).').optional(),
  provinces: texts().describe('States or provinces (ST).').optional(),
  localities: texts().describe('Cities (L).').optional(),
  streetAddresses: texts().describe('Street addresses.').optional(),
  postalCodes: texts().describe('Postal codes.').optional(),
  serialNumber: z
    .string()
    .refine(isPlainText, { error: plainTextHint })
    .describe('Serial number of the subject, not of the certificate.')
    .optional(),
});

export type CertificateSubject = z.infer<typeof subjectSchema>;
