import type { UpstreamFailure } from './failure.ts';

/** Interim answers (1xx) that an upstream may send before its answer: each goes to the client at once, whether it reads or not. */
export const mostInterims = 16;

export const tooManyInterims: UpstreamFailure = Object.freeze({
  status: 502,
  code: 'EDGE_UPSTREAM_MALFORMED',
  message: 'too many interim answers',
  verification: false,
});
