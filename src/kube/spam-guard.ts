import type { Clock } from '../core/clock.ts';

/** How many events an object may have: `burst` at once, and one more every `refillMs`. */
export interface SpamLimit {
  readonly burst: number;
  readonly refillMs: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** A token bucket for each key; the least recently used ones are forgotten above `most`, which fills them. */
export function createSpamGuard(clock: Clock, limit: SpamLimit, most = 4_096): (key: string) => boolean {
  const buckets = new Map<string, Bucket>();
  return key => {
    const now = clock.now();
    const bucket = buckets.get(key) ?? { tokens: limit.burst, filledAt: now };
    // The clock was set back: the next token comes from now on.
    bucket.filledAt = Math.min(bucket.filledAt, now);
    const refill = Math.max(0, Math.floor((now - bucket.filledAt) / limit.refillMs));
    if (refill > 0) {
      bucket.tokens = Math.min(limit.burst, bucket.tokens + refill);
      bucket.filledAt += refill * limit.refillMs;
    }
    buckets.delete(key);
    buckets.set(key, bucket);
    for (const oldest of buckets.keys()) {
      if (buckets.size <= most) break;
      buckets.delete(oldest);
    }
    if (bucket.tokens === 0) return false;
    bucket.tokens--;
    return true;
  };
}
