import type { ControllerContext } from '../context.ts';
import type { Patience } from '../patience.ts';

/** How this controller was set up. */
export interface CertificateOptions {
  /** --enable-certificate-owner-ref: Secrets go with their Certificate. */
  readonly ownerRefOnSecrets: boolean;
}

/** What every step works with. */
export interface CertificateWork {
  readonly context: ControllerContext;
  readonly options: CertificateOptions;
  readonly patience: Patience;
}
