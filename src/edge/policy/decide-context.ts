import { AddressRanges } from './address-ranges.ts';
import { edits } from './header-edits.ts';
import { hstsValue } from './hsts.ts';
import { createPasswordChecker, type PasswordChecker } from './passwords/password-checker.ts';
import type { PolicySettings } from './policy-settings.ts';
import { RequestLimiter } from './request-limits.ts';
import type { HeaderEdits } from './route-policy.ts';

/** What decisions depend on beside the table and the request: one for each process that serves. */
export interface DecideContext {
  readonly settings: PolicySettings;
  readonly limiter: RequestLimiter;
  readonly passwords: PasswordChecker;
  readonly trusted: AddressRanges;
  /** From 0 up to, but without 1. */
  readonly random: () => number;
  /** HSTS of sites with TLS. */
  readonly secureEdits: HeaderEdits | undefined;
}

/** `nowMs` never goes back. `passwords.close()` is for the caller to call at the end. */
export function createDecideContext(
  settings: PolicySettings,
  { nowMs = () => performance.now(), random = Math.random } = {},
): DecideContext {
  const { hsts, limitShare, trustedRanges } = settings;
  return {
    settings,
    limiter: new RequestLimiter(nowMs, limitShare),
    passwords: createPasswordChecker(),
    trusted: new AddressRanges(trustedRanges),
    random,
    secureEdits:
      hsts === undefined ? undefined : edits({ set: [['Strict-Transport-Security', hstsValue(hsts)]] }),
  };
}
