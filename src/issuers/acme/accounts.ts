import { createHash } from 'node:crypto';
import { type AcmeConnection, openAcme } from '../../acme/connection.ts';
import type { AcmeRequestFacts } from '../../acme/transport.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { PosternError } from '../../core/errors.ts';
import type { IssuerContext } from '../context.ts';
import { ensureAccountKey, findAccountKey, readSecretValue } from './account-key.ts';

/** The connections to ACME servers, one for each issuer, opened when first needed and again when the issuer changes. */
export interface AcmeAccounts {
  /** The connection of an issuer whose account is registered. Throws where it is not, or where its key is gone. */
  connectionFor(issuer: Issuer): AcmeConnection;
  /** The connection to register with: the account key is made where there is none. */
  connectionToRegister(
    issuer: Issuer,
  ): Promise<{ readonly connection: AcmeConnection; readonly keyHash: string }>;
  /** Closes them all. */
  close(): void;
}

export interface AcmeAccountsOptions {
  readonly userAgent: string;
  /** Told of every HTTP exchange with an ACME server, for metrics. */
  readonly onRequest?: ((facts: AcmeRequestFacts) => void) | undefined;
}

/** Keeps the connections of all ACME issuers. */
export function createAcmeAccounts(context: IssuerContext, options: AcmeAccountsOptions): AcmeAccounts {
  const open = new Map<string, { readonly fingerprint: string; readonly connection: AcmeConnection }>();

  function connect(issuer: Issuer, keyPem: string): AcmeConnection {
    const config = issuer.spec.acme;
    const uid = issuer.metadata.uid ?? '';
    if (config === undefined) throw notReady(issuer);
    const binding = config.externalAccountBinding;
    const hmacKey =
      binding &&
      readSecretValue(context, issuer, binding.keySecretRef, 'spec.acme.externalAccountBinding.keySecretRef');
    const { server, caBundle, skipTLSVerify } = config;
    const fingerprint = hashOf(
      canonicalJson({ server, caBundle, skipTLSVerify, keyPem, kid: binding?.keyID, hmacKey }),
    );
    const known = open.get(uid);
    if (known?.fingerprint === fingerprint) return known.connection;

    const connection = openAcme({
      directoryUrl: server,
      accountKeyPem: keyPem,
      caBundlePem: caBundle === undefined ? undefined : Buffer.from(caBundle, 'base64').toString(),
      skipTlsVerify: skipTLSVerify,
      externalAccountBinding:
        binding && hmacKey !== undefined ? { keyId: binding.keyID, macKey: hmacKey.trim() } : undefined,
      userAgent: options.userAgent,
      clock: context.clock,
      logger: context.logger,
      onRequest: options.onRequest,
    });
    known?.connection.close();
    open.set(uid, { fingerprint, connection });
    return connection;
  }

  return {
    connectionFor(issuer) {
      const uri = issuer.status?.acme?.uri;
      const keyPem = findAccountKey(context, issuer);
      if (uri === undefined || keyPem === undefined) throw notReady(issuer);
      const connection = connect(issuer, keyPem);
      connection.accountUrl ??= uri;
      return connection;
    },
    async connectionToRegister(issuer) {
      const keyPem = await ensureAccountKey(context, issuer);
      return { connection: connect(issuer, keyPem), keyHash: hashOf(keyPem) };
    },
    close() {
      for (const { connection } of open.values()) connection.close();
      open.clear();
    },
  };
}

function notReady(issuer: Issuer): PosternError {
  return new PosternError(
    `The ACME account of ${issuer.kind} ${JSON.stringify(issuer.metadata.name)} is not registered yet.`,
    {
      code: 'ACME_ACCOUNT_NOT_READY',
    },
  );
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
