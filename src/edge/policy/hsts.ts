import type { Hsts } from './route-policy.ts';

/** The value of Strict-Transport-Security (RFC 6797 section 6.1). */
export function hstsValue({ maxAgeSeconds, includeSubDomains, preload }: Hsts): string {
  return `max-age=${maxAgeSeconds}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
}
