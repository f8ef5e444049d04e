import type { SecureContext } from 'node:tls';

/** What OpenSSL holds for a context with a certificate and a key of its own, as measured. Whole pages. */
const contextBytes = 49_152;

/** By the context, so that both are collected together. */
const weights = new WeakMap<SecureContext, ArrayBuffer>();

/**
 * Has V8 count what OpenSSL holds for a context. Node tells it of one kilobyte, so that it would let thousands lie that nobody
 * uses any more. What it counts is a buffer of that size: as it can be resized, it is reserved by the page, and pages that
 * nobody touches take no memory.
 */
export function weighContext(context: SecureContext): SecureContext {
  weights.set(context, new ArrayBuffer(contextBytes, { maxByteLength: contextBytes }));
  return context;
}
