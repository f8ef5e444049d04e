import { type Issuer, issuerTypesOf } from '../api/cert-manager/issuer.ts';
import { issuerReasons } from '../api/reasons.ts';
import type { AcmeAccounts } from './acme/accounts.ts';
import { acmeIssuer } from './acme/index.ts';
import { caIssuer } from './ca/index.ts';
import type { IssuerContext } from './context.ts';
import type { IssuerType } from './issuer.ts';
import { selfSignedIssuer } from './self-signed/index.ts';

/** Finds the type of an issuer, or says why there is none to sign with. */
export type IssuerTypes = (
  issuer: Issuer,
) => IssuerType | { readonly reason: string; readonly message: string };

/** The types of issuers that Postern signs with. */
export function createIssuerTypes(context: IssuerContext, accounts: AcmeAccounts): IssuerTypes {
  const types = {
    acme: acmeIssuer(context, accounts),
    ca: caIssuer(context),
    selfSigned: selfSignedIssuer(context),
  };
  return issuer => {
    const [type, ...others] = issuerTypesOf(issuer.spec);
    if (type === undefined || others.length > 0) {
      const found = type === undefined ? 'none' : [type, ...others].join(', ');
      return {
        reason: issuerReasons.invalidConfig,
        message: `The spec must have exactly one of acme, ca and selfSigned; it has ${found}.`,
      };
    }
    if (type === 'vault' || type === 'venafi') {
      return {
        reason: issuerReasons.unsupportedType,
        message: `Issuers of type ${type} are not supported by Postern; use acme, ca or selfSigned.`,
      };
    }
    return types[type];
  };
}
