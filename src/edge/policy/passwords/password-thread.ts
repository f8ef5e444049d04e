import { parentPort } from 'node:worker_threads';
import type { PasswordQuestion } from './password-checker.ts';
import { verifyPassword } from './verify-password.ts';

// A thread beside the one that serves requests: a password takes a tenth of a second to check, and more.
parentPort?.on('message', ({ id, password, hash }: PasswordQuestion) => {
  let right = false;
  try {
    right = verifyPassword(password, hash);
  } catch {
    // Whatever a hash does to its library: the password is not known to be right.
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage({ id, right });
});
