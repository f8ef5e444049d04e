import { rfc3339 } from '../core/clock.ts';

/** How the reason of what waits for a rate limit begins. Alerts and tools read it. */
export const rateLimited = 'RateLimited';

/** A time that has passed by less is not worth a write to each of those who wait: they are let through one by one. */
const staleMs = 5 * 60_000;

/** What is said of something that its server has asked to wait until an instant. `message` is the server's. */
export function rateLimitText(untilMs: number, message: string): string {
  // In the whole second after it: who comes then is not too early.
  return `${rateLimited} until ${rfc3339(Math.ceil(untilMs / 1_000) * 1_000)}: ${message}`;
}

/** Whether a reason says already, and recently enough, that its object waits for a rate limit. */
export function saysRateLimited(reason: string | undefined, nowMs: number): boolean {
  const until = new RegExp(`^${rateLimited} until (\\S+Z): `).exec(reason ?? '')?.[1];
  return until !== undefined && nowMs < Date.parse(until) + staleMs;
}
