import { z } from 'zod';
import { strings } from '../fields.ts';
import { withRules } from '../rules.ts';

const constrainedNames = z.object({
  dnsDomains: strings().describe('DNS domains.').optional(),
  ipRanges: strings().describe('IP ranges in CIDR notation.').optional(),
  emailAddresses: strings().describe('Email addresses or their domains.').optional(),
  uriDomains: strings().describe('Domains of URIs.').optional(),
});

/** spec.nameConstraints of a Certificate (RFC 5280, 4.2.1.10). */
export const nameConstraintsSchema = withRules(
  z.object({
    critical: z.boolean().describe('Whether the extension is marked critical.').optional(),
    permitted: constrainedNames.describe('Names a CA may sign.').optional(),
    excluded: constrainedNames.describe('Names a CA may not sign.').optional(),
  }),
  {
    field: '',
    message: 'constrains nothing: set permitted or excluded',
    holds: constraints => constraints.permitted !== undefined || constraints.excluded !== undefined,
    cel: 'has(self.permitted) || has(self.excluded)',
  },
);

export type NameConstraints = z.infer<typeof nameConstraintsSchema>;
