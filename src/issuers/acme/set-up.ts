import { registerAccount, updateAccount } from '../../acme/account.ts';
import type { AcmeConnection } from '../../acme/connection.ts';
import type { AcmeIssuerConfig } from '../../api/acme/issuer-config.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { findCondition } from '../../api/condition.ts';
import { conditionTypes, issuerReasons } from '../../api/reasons.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../core/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import { PosternError, TerminalError } from '../../core/errors.ts';
import type { SetUpResult } from '../issuer.ts';
import { ended, quoted } from '../sentence.ts';
import type { AcmeAccounts } from './accounts.ts';
import { solverProblems } from './solver-problems.ts';

/** How soon a registration that failed for a passing reason is tried again: CAs count them. */
const betweenFailures: BackoffPolicy = { baseMs: 5_000, capMs: 15 * 60_000 };

/** A registration that failed, and when it may be tried again, unless what it was tried with changes. */
interface Failure {
  readonly connection: AcmeConnection;
  readonly generation: number | undefined;
  readonly inARow: number;
  readonly untilMs: number;
  readonly waitMs: number;
  readonly result: SetUpResult;
}

/** Sets ACME issuers up. The failures of each are counted in memory alone. */
export function createAccountSetUp(
  accounts: AcmeAccounts,
  clock: Clock,
): (issuer: Issuer, signal: AbortSignal) => Promise<SetUpResult> {
  const failures = new Map<string, Failure>();
  return async (issuer, signal) => {
    const problem = configProblem(issuer.spec.acme);
    if (problem !== undefined) return problem;
    const uid = issuer.metadata.uid ?? '';
    const { generation } = issuer.metadata;
    try {
      const { connection, keyHash } = await accounts.connectionToRegister(issuer);
      const last = failures.get(uid);
      const isSame = last?.connection === connection && last.generation === generation;
      const leftMs = isSame ? last.untilMs - clock.now() : 0;
      // More left than the whole wait: the clock was set back since.
      if (isSame && leftMs > 0 && leftMs <= last.waitMs) return { ...last.result, againAfterMs: leftMs };

      const result = await ensureAccount(accounts, issuer, connection, keyHash, signal);
      if (result.againAfterMs === undefined) {
        failures.delete(uid);
        return result;
      }
      const inARow = (isSame ? last.inARow : 0) + 1;
      const againAfterMs = Math.max(result.againAfterMs, backoffDelayMs(betweenFailures, inARow));
      const untilMs = clock.now() + againAfterMs;
      failures.set(uid, { connection, generation, inARow, untilMs, waitMs: againAfterMs, result });
      return { ...result, againAfterMs };
    } catch (error) {
      const isConfig = error instanceof TerminalError;
      return failed(error, isConfig ? issuerReasons.invalidConfig : issuerReasons.errRegisterAccount);
    }
  };
}

function configProblem(config: AcmeIssuerConfig | undefined): SetUpResult | undefined {
  if (config === undefined) return refused(issuerReasons.invalidConfig, 'spec.acme is missing; add it.');
  if (!URL.canParse(config.server)) {
    return refused(
      issuerReasons.invalidUrl,
      `spec.acme.server ${quoted(config.server)} is no URL; give the URL of the ACME directory.`,
    );
  }
  const problems = solverProblems(config.solvers ?? []);
  return problems.length === 0 ? undefined : refused(issuerReasons.invalidSolver, problems.join(' '));
}

/**
 * Has the account registered. The server is asked where the issuer has changed since it was Ready, where its key has,
 * and where the account is in doubt.
 */
async function ensureAccount(
  accounts: AcmeAccounts,
  issuer: Issuer,
  connection: AcmeConnection,
  keyHash: string,
  signal: AbortSignal,
): Promise<SetUpResult> {
  const known = issuer.status?.acme;
  const email = issuer.spec.acme?.email ?? '';
  let reason: string =
    known?.uri === undefined ? issuerReasons.errRegisterAccount : issuerReasons.errVerifyAccount;
  let uri = known?.uri;
  if (uri === undefined || !isRegisteredAsIs(issuer, keyHash) || accounts.isInDoubt(issuer)) {
    try {
      const account = await registerAccount(connection, { email, signal });
      if (account.status !== 'valid') {
        return refused(
          reason,
          `The ACME server ${connection.host} says that the account is ${account.status}; name another Secret in spec.acme.privateKeySecretRef, so that a new account is made.`,
        );
      }
      // An account that was there before keeps its contacts: they are changed by themselves (RFC 8555 section 7.3.2).
      const isOutdated =
        account.uri === uri ? (known?.lastRegisteredEmail ?? '') !== email : account.existed && email !== '';
      if (isOutdated) {
        reason = issuerReasons.errUpdateAccount;
        await updateAccount(connection, { email, signal });
      }
      uri = account.uri;
      accounts.trust(issuer);
    } catch (error) {
      return failed(error, reason);
    }
  }
  connection.accountUrl = uri;
  return {
    ready: true,
    reason: issuerReasons.acmeAccountRegistered,
    message: `The ACME account is registered with ${connection.host}.`,
    status: {
      acme: { uri, ...(email !== '' && { lastRegisteredEmail: email }), lastPrivateKeyHash: keyHash },
    },
  };
}

/** Whether the account was registered from this very spec and key. */
function isRegisteredAsIs({ metadata, status }: Issuer, keyHash: string): boolean {
  const ready = findCondition(status?.conditions, conditionTypes.ready);
  return (
    ready?.status === 'True' &&
    ready.observedGeneration === metadata.generation &&
    status?.acme?.lastPrivateKeyHash === keyHash
  );
}

function failed(error: unknown, reason: string): SetUpResult {
  if (!(error instanceof PosternError)) throw error;
  return {
    ...refused(reason, ended(error.message)),
    againAfterMs: error.retry === 'never' ? undefined : (error.retryAfterMs ?? betweenFailures.baseMs),
  };
}

function refused(reason: string, message: string): SetUpResult {
  return { ready: false, reason, message };
}
