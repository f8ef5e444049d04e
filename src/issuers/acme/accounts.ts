import { createHash } from 'node:crypto';
import { registerAccount } from '../../acme/account.ts';
import { type AcmeConnection, type AcmeOptions, openAcme, tellClosing } from '../../acme/connection.ts';
import { createEndpointGates, type EndpointGates } from '../../acme/endpoint-gates.ts';
import { AcmeError, isAcmeError } from '../../acme/errors.ts';
import type { AcmeRequestFacts } from '../../acme/transport.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { PosternError } from '../../core/errors.ts';
import { type IssuerContext, secretNamespaceOf } from '../context.ts';
import { quoted } from '../sentence.ts';
import { accountKeyHash, ensureAccountKey, findAccountKey, readSecretValue } from './account-key.ts';

/** The connections to ACME servers, one for each issuer, opened when first needed and again when the issuer changes. */
export interface AcmeAccounts {
  /** The connection of an issuer whose account is registered. Throws where it is not, or where its key is gone. */
  connectionFor(issuer: Issuer): AcmeConnection;
  /** The connection to register with: the account key is made where there is none. */
  connectionToRegister(
    issuer: Issuer,
  ): Promise<{ readonly connection: AcmeConnection; readonly keyHash: string }>;
  /**
   * Whether the server still knows the account of an issuer. To be asked where it refused something in the account's
   * name. Where it does not, the account is in doubt until `trust` is called.
   */
  verify(issuer: Issuer, signal: AbortSignal): Promise<boolean>;
  isInDoubt(issuer: Issuer): boolean;
  /** The account has been registered, or found, just now. */
  trust(issuer: Issuer): void;
  /** Calls `listener` with each issuer whose account has come into doubt. */
  onDoubt(listener: (issuer: Issuer) => void): void;
  /** Closes them all. */
  close(): void;
}

export interface AcmeAccountsOptions {
  readonly userAgent: string;
  /** Told of every HTTP exchange with an ACME server, for metrics. */
  readonly onRequest?: ((facts: AcmeRequestFacts) => void) | undefined;
}

interface OpenConnection {
  /** What it was opened with. */
  readonly settings: readonly unknown[];
  readonly connection: AcmeConnection;
  /** See `accountKeyHash`. */
  readonly keyHash: string;
}

/** Keeps the connections of all ACME issuers. */
export function createAcmeAccounts(context: IssuerContext, options: AcmeAccountsOptions): AcmeAccounts {
  const open = new Map<string, OpenConnection>();
  /** By server and account key: what a server limits is the account, whichever issuers share it. */
  const gates = new Map<string, EndpointGates>();
  const doubted = new Set<string>();
  const doubtListeners: ((issuer: Issuer) => void)[] = [];

  function gatesFor(server: string, keyPem: string): EndpointGates {
    const account = hashOf(canonicalJson({ server, keyPem }));
    const known = gates.get(account);
    if (known !== undefined) return known;
    const { clock, logger } = context;
    const made = createEndpointGates({ clock, onClose: tellClosing(logger) });
    gates.set(account, made);
    return made;
  }

  function connect(issuer: Issuer, keyPem: string): OpenConnection {
    const config = issuer.spec.acme;
    const id = idOf(issuer);
    if (config === undefined) throw notReady(issuer);
    const binding = config.externalAccountBinding;
    const hmacKey =
      binding &&
      readSecretValue(context, issuer, binding.keySecretRef, 'spec.acme.externalAccountBinding.keySecretRef');
    const { server, caBundle, skipTLSVerify } = config;
    const settings = [server, caBundle, skipTLSVerify, keyPem, binding?.keyID, hmacKey];
    const known = open.get(id);
    if (known?.settings.every((setting, at) => setting === settings[at]) === true) return known;

    const connection = openWith(context, issuer, {
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
      gates: gatesFor(server, keyPem),
    });
    known?.connection.close();
    const opened = { settings, connection, keyHash: accountKeyHash(keyPem) };
    open.set(id, opened);
    return opened;
  }

  function connectionFor(issuer: Issuer): AcmeConnection {
    const { uri, lastPrivateKeyHash } = issuer.status?.acme ?? {};
    const keyPem = findAccountKey(context, issuer);
    if (uri === undefined || keyPem === undefined) throw notReady(issuer);
    const { connection, keyHash } = connect(issuer, keyPem);
    // A new key is registered first: what it signs in the old account's name would be refused.
    if (lastPrivateKeyHash !== keyHash) throw notReady(issuer);
    connection.accountUrl ??= uri;
    return connection;
  }

  return {
    connectionFor,
    async connectionToRegister(issuer) {
      const keyPem = await ensureAccountKey(context, issuer);
      return connect(issuer, keyPem);
    },
    async verify(issuer, signal) {
      try {
        const found = await registerAccount(connectionFor(issuer), { onlyReturnExisting: true, signal });
        if (found.status === 'valid' && found.uri === issuer.status?.acme?.uri) return true;
      } catch (error) {
        if (!isAcmeError(error, 'ACME_UNAUTHORIZED', 'ACME_ACCOUNT_DOES_NOT_EXIST')) throw error;
      }
      if (!doubted.has(idOf(issuer))) {
        doubted.add(idOf(issuer));
        for (const listener of doubtListeners) listener(issuer);
      }
      return false;
    },
    isInDoubt: issuer => doubted.has(idOf(issuer)),
    trust: issuer => void doubted.delete(idOf(issuer)),
    onDoubt: listener => void doubtListeners.push(listener),
    close() {
      for (const { connection } of open.values()) connection.close();
      open.clear();
    },
  };
}

/** An issuer that is made again under its name takes the place of the one before. */
function idOf({ metadata }: Issuer): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

/** Opens a connection. What is wrong with the account key is said together with where it lies. */
function openWith(context: IssuerContext, issuer: Issuer, options: AcmeOptions): AcmeConnection {
  try {
    return openAcme(options);
  } catch (error) {
    if (!isAcmeError(error, 'ACME_UNSUPPORTED_KEY')) throw error;
    const { name = '' } = issuer.spec.acme?.privateKeySecretRef ?? {};
    const where = quoted(`${secretNamespaceOf(context, issuer)}/${name}`);
    const message = `Secret ${where} of spec.acme.privateKeySecretRef: ${error.message}`;
    throw new AcmeError(error.code, message, { cause: error });
  }
}

function notReady(issuer: Issuer): PosternError {
  return new PosternError(
    `The ACME account of ${issuer.kind} ${quoted(issuer.metadata.name)} is not registered yet.`,
    { code: 'ACME_ACCOUNT_NOT_READY' },
  );
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
