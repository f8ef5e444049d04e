import { registerAccount } from '../../acme/account.ts';
import { AcmeError } from '../../acme/errors.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { hasCondition } from '../../api/condition.ts';
import { conditionTypes, issuerReasons } from '../../api/reasons.ts';
import { PosternError } from '../../core/errors.ts';
import type { SetUpResult } from '../issuer.ts';
import type { AcmeAccounts } from './accounts.ts';
import { solverProblems } from './solver-problems.ts';

/** Has the account of an ACME issuer registered, once for a server, an email and a key. */
export async function setUpAccount(
  accounts: AcmeAccounts,
  issuer: Issuer,
  signal: AbortSignal,
): Promise<SetUpResult> {
  const config = issuer.spec.acme;
  if (config === undefined) return refused(issuerReasons.invalidConfig, 'spec.acme is missing.');
  if (!URL.canParse(config.server)) {
    return refused(
      issuerReasons.invalidUrl,
      `spec.acme.server ${JSON.stringify(config.server)} is no URL; give the URL of the ACME directory.`,
    );
  }
  const problems = solverProblems(config.solvers ?? []);
  if (problems.length > 0) return refused(issuerReasons.invalidSolver, problems.join(' '));

  try {
    const { connection, keyHash } = await accounts.connectionToRegister(issuer);
    const email = config.email ?? '';
    const known = issuer.status?.acme;
    const isKnown =
      hasCondition(issuer.status?.conditions, conditionTypes.ready) &&
      known?.uri !== undefined &&
      known.lastRegisteredEmail === email &&
      known.lastPrivateKeyHash === keyHash &&
      new URL(known.uri).host === new URL(config.server).host;
    const uri = isKnown ? known.uri : (await registerAccount(connection, { email, signal })).uri;
    connection.accountUrl = uri;
    return {
      ready: true,
      reason: issuerReasons.acmeAccountRegistered,
      message: `The ACME account is registered with ${connection.host}.`,
      status: { acme: { uri, lastRegisteredEmail: email, lastPrivateKeyHash: keyHash } },
    };
  } catch (error) {
    if (!(error instanceof PosternError)) throw error;
    const reason =
      error.retry === 'never' && !(error instanceof AcmeError)
        ? issuerReasons.invalidConfig
        : issuerReasons.errRegisterAccount;
    return {
      ...refused(reason, error.message),
      againAfterMs: error.retry === 'never' ? undefined : (error.retryAfterMs ?? retryAfterMs),
    };
  }
}

/** How soon a registration that failed for a passing reason is tried again. */
const retryAfterMs = 5_000;

function refused(reason: string, message: string): SetUpResult {
  return { ready: false, reason, message };
}
