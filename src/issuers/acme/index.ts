import type { IssuerContext } from '../context.ts';
import type { IssuerType } from '../issuer.ts';
import type { AcmeAccounts } from './accounts.ts';
import { createAccountSetUp } from './set-up.ts';
import { addOrderIndex, signByOrder } from './sign.ts';

/** Has certificates signed by an ACME server (RFC 8555). */
export function acmeIssuer(context: IssuerContext, accounts: AcmeAccounts): IssuerType {
  addOrderIndex(context);
  return {
    setUp: createAccountSetUp(accounts, context.clock),
    sign: (issuer, request) => signByOrder(context, issuer, request),
  };
}
