import type { AcmeAccounts } from '../../issuers/acme/accounts.ts';
import type { RenewalWindows } from '../../issuers/acme/renewal-windows.ts';
import type { ControllerContext } from '../context.ts';
import type { IssuerSecrets } from '../issuer-secrets.ts';
import type { Patience } from '../patience.ts';

/** How this controller was set up. */
export interface CertificateOptions {
  /** --enable-certificate-owner-ref: Secrets go with their Certificate. */
  readonly ownerRefOnSecrets: boolean;
  /** By which certificates are revoked. */
  readonly accounts: Pick<AcmeAccounts, 'connectionFor'>;
  /** Where ACME servers are asked when to renew; absent where they are not (--acme-renewal-information=false). */
  readonly renewalWindows?: RenewalWindows | undefined;
  /** Whose keys no certificate may be written over. */
  readonly issuerSecrets: IssuerSecrets;
}

/** What every step works with. */
export interface CertificateWork {
  readonly context: ControllerContext;
  readonly options: CertificateOptions;
  readonly patience: Patience;
}
