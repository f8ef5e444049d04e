import { z } from 'zod';
import { preserved, strings, typeMeta } from '../fields.ts';
import type { Resource } from '../resource.ts';
import { withRules } from '../rules.ts';

/** Versions of TLS as a TLSContext writes them. */
const tlsVersion = () => z.enum(['v1.0', 'v1.1', 'v1.2', 'v1.3']);

export type TlsContextVersion = z.infer<ReturnType<typeof tlsVersion>>;

const specFields = z.object({
  ambassador_id: strings().describe('Whose TLSContext it is; ["default"] by default.').optional(),
  hosts: strings()
    .describe('Hosts that are served with the certificate. Without any: for upstreams alone.')
    .optional(),
  secret: z
    .string()
    .describe('Secret with tls.crt and tls.key: "name", or "name.namespace" (split at the last dot).')
    .optional(),
  secret_namespacing: z
    .boolean()
    .describe('Whether a dot parts name and namespace in names of Secrets; true by default.')
    .optional(),
  ca_secret: z
    .string()
    .describe('Secret with the authorities, in tls.crt or ca.crt, that the other side is verified by.')
    .optional(),
  crl_secret: z.string().describe('Secret with a revocation list in crl.pem.').optional(),
  cert_required: z.boolean().describe('Whether clients must show a certificate.').optional(),
  alpn_protocols: z.string().describe('Protocols, parted by commas: "h2,http/1.1".').optional(),
  min_tls_version: tlsVersion().describe('The lowest version; v1.2 at least is spoken.').optional(),
  max_tls_version: tlsVersion().describe('The highest version.').optional(),
  cipher_suites: strings().describe('Cipher suites of TLS 1.2, by the names of OpenSSL.').optional(),
  ecdh_curves: strings().describe('Curves of key exchanges.').optional(),
  sni: z
    .string()
    .describe('The name that is sent to upstreams and that their certificates must have.')
    .optional(),
  redirect_cleartext_from: z
    .int()
    .describe('Plain HTTP to the hosts is redirected to HTTPS, on whatever port it comes.')
    .optional(),
  cert_chain_file: z.string().describe('Refused: certificates are read from Secrets alone.').optional(),
  private_key_file: z.string().describe('Refused: keys are read from Secrets alone.').optional(),
  cacert_chain_file: z.string().describe('Refused: authorities are read from Secrets alone.').optional(),
  crl_file: z.string().describe('Refused: revocation lists are read from Secrets alone.').optional(),
});

export type TlsContextSpec = z.infer<typeof specFields>;

export const tlsContextSpecSchema = withRules(specFields, {
  field: 'secret',
  message: 'is missing: hosts are served with a certificate',
  holds: spec =>
    (spec.hosts ?? []).length === 0 || spec.secret !== undefined || spec.cert_chain_file !== undefined,
  cel: '!has(self.hosts) || size(self.hosts) == 0 || has(self.secret) || has(self.cert_chain_file)',
});

export const tlsContextSchema = z.object({
  ...typeMeta,
  spec: tlsContextSpecSchema.describe('How TLS is spoken.'),
  status: preserved().describe('Not written by Postern.').optional(),
});

/** `getambassador.io/v3alpha1` TLSContext. */
export type TlsContext = z.infer<typeof tlsContextSchema>;

export const tlsContexts: Resource<TlsContext> = {
  group: 'getambassador.io',
  version: 'v3alpha1',
  kind: 'TLSContext',
  plural: 'tlscontexts',
  namespaced: true,
  hasStatus: true,
};
