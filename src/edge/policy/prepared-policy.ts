import { AddressRanges } from './address-ranges.ts';
import { edits } from './header-edits.ts';
import { hstsValue } from './hsts.ts';
import { countsRequests } from './request-limits.ts';
import type { HeaderEdits, RoutePolicy } from './route-policy.ts';

/** A policy made ready for requests: what would else be read again for each one. */
export interface PreparedPolicy {
  /** Nothing but forwarding: no check below is needed. */
  readonly plain: boolean;
  readonly allow: AddressRanges | undefined;
  readonly deny: AddressRanges | undefined;
  readonly exempt: AddressRanges;
  readonly counted: boolean;
  /** `policy.responseHeaders` with HSTS of the policy itself. */
  readonly secureEdits: HeaderEdits | undefined;
}

/** Policies are immutable, and one object serves many routes. */
const prepared = new WeakMap<RoutePolicy, PreparedPolicy>();

export function preparedPolicy(policy: RoutePolicy): PreparedPolicy {
  const known = prepared.get(policy);
  if (known !== undefined) return known;
  const { sourceRanges, limits, hsts } = policy;
  const made: PreparedPolicy = {
    plain: isPlain(policy),
    allow:
      sourceRanges === undefined || sourceRanges.allow.length === 0
        ? undefined
        : new AddressRanges(sourceRanges.allow),
    deny:
      sourceRanges === undefined || sourceRanges.deny.length === 0
        ? undefined
        : new AddressRanges(sourceRanges.deny),
    exempt: new AddressRanges(limits.exempt),
    counted: countsRequests(limits),
    secureEdits:
      hsts === undefined ? undefined : edits({ set: [['Strict-Transport-Security', hstsValue(hsts)]] }),
  };
  prepared.set(policy, made);
  return made;
}

function isPlain(policy: RoutePolicy): boolean {
  return (
    policy.refusal === undefined &&
    policy.redirect.to === undefined &&
    policy.redirect.appRoot === undefined &&
    policy.sourceRanges === undefined &&
    policy.basicAuth === undefined &&
    policy.externalAuth === undefined &&
    policy.clientCertificate === undefined &&
    !countsRequests(policy.limits) &&
    policy.rewrite === undefined &&
    policy.cors === undefined &&
    policy.affinity === undefined &&
    policy.hsts === undefined &&
    policy.requestHeaders === undefined &&
    policy.responseHeaders === undefined &&
    policy.upstreamHost === undefined &&
    policy.balance?.kind !== 'hash'
  );
}
