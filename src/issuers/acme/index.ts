import type { IssuerContext } from '../context.ts';
import type { IssuerType } from '../issuer.ts';
import type { AcmeAccounts } from './accounts.ts';
import { setUpAccount } from './set-up.ts';
import { signByOrder } from './sign.ts';

/** Has certificates signed by an ACME server (RFC 8555). */
export function acmeIssuer(context: IssuerContext, accounts: AcmeAccounts): IssuerType {
  return {
    setUp: (issuer, signal) => setUpAccount(accounts, issuer, signal),
    sign: (issuer, request) => signByOrder(context, issuer, request),
  };
}
