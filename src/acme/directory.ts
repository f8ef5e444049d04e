import { z } from 'zod';

const url = z.url({ protocol: /^https?$/ });
const optionalUrl = url.optional().catch(undefined);

const metaSchema = z.object({
  termsOfService: z.string().optional().catch(undefined),
  website: z.string().optional().catch(undefined),
  caaIdentities: z.array(z.string()).optional().catch(undefined),
  externalAccountRequired: z.boolean().optional().catch(undefined),
  /** Profile names and what they are (draft-ietf-acme-profiles). */
  profiles: z.record(z.string(), z.string()).optional().catch(undefined),
});

/**
 * The directory of an ACME server (RFC 8555 section 7.1.1). The three endpoints that an issuance needs must be
 * there; `renewalInfo` is RFC 9773.
 */
export const directorySchema = z.object({
  newNonce: url,
  newAccount: url,
  newOrder: url,
  revokeCert: optionalUrl,
  keyChange: optionalUrl,
  renewalInfo: optionalUrl,
  meta: metaSchema.optional().catch(undefined),
});

export type AcmeDirectory = z.infer<typeof directorySchema>;

/** What a server says about itself. */
export interface DirectoryMeta {
  readonly termsOfService: string | undefined;
  readonly externalAccountRequired: boolean;
  /** The names of the profiles it offers. */
  readonly profiles: readonly string[];
  /** Where renewal information is had (RFC 9773); undefined where the server has none. */
  readonly renewalInfo: string | undefined;
}

/** The facts of a directory that an issuer decides by. */
export function metaOf(directory: AcmeDirectory): DirectoryMeta {
  const { meta, renewalInfo } = directory;
  return {
    termsOfService: meta?.termsOfService,
    externalAccountRequired: meta?.externalAccountRequired ?? false,
    profiles: Object.keys(meta?.profiles ?? {}),
    renewalInfo,
  };
}
