import { z } from 'zod';
import { certManagerAnnotationPrefix } from '../annotations.ts';
import { annotationMap, labelMap } from '../fields.ts';
import { withRules } from '../rules.ts';

/** Allowed all the same: it is meant for users to set. */
const unreserved = 'cert-manager.io/allow-direct-injection';

/** spec.secretTemplate of a Certificate. */
export const secretTemplateSchema = z.object({
  annotations: withRules(annotationMap(), {
    field: '',
    message: `must not have keys that begin with ${certManagerAnnotationPrefix}: leave them out, they are set by themselves`,
    holds: map =>
      Object.keys(map).every(key => !key.startsWith(certManagerAnnotationPrefix) || key === unreserved),
    cel: `self.all(key, !key.startsWith('${certManagerAnnotationPrefix}') || key == '${unreserved}')`,
  })
    .describe('Annotations of the Secret.')
    .optional(),
  labels: labelMap().describe('Labels of the Secret.').optional(),
});

export type SecretTemplate = z.infer<typeof secretTemplateSchema>;
