import { z } from 'zod';
import { strings } from '../fields.ts';

/** spec.subject of a Certificate. */
export const subjectSchema = z.object({
  organizations: strings().describe('Organizations (O).').optional(),
  organizationalUnits: strings().describe('Organizational units (OU).').optional(),
  countries: strings().describe('Countries (C).').optional(),
  provinces: strings().describe('States or provinces (ST).').optional(),
  localities: strings().describe('Cities (L).').optional(),
  streetAddresses: strings().describe('Street addresses.').optional(),
  postalCodes: strings().describe('Postal codes.').optional(),
  serialNumber: z.string().describe('Serial number of the subject, not of the certificate.').optional(),
});

export type CertificateSubject = z.infer<typeof subjectSchema>;
