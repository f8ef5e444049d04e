import { expect, it } from 'vitest';
import type { Challenge } from '../api/acme/challenge.ts';
import { keyOf } from '../api/meta.ts';
import { manualClock } from '../core/clock.testing.ts';
import { aChallenge } from './order/order.testing.ts';
import { createProofs } from './proofs.ts';

const ofUid = (uid: string): Challenge => {
  const challenge = aChallenge();
  return { ...challenge, metadata: { ...challenge.metadata, uid } };
};

it('a proof is told once, and holds for this very Challenge', () => {
  const proofs = createProofs(manualClock());
  const told: Challenge[] = [];
  proofs.onProof(challenge => told.push(challenge));
  const challenge = ofUid('1');
  proofs.add(challenge);
  proofs.add(challenge);
  expect(told).toEqual([challenge]);
  expect(proofs.has(challenge)).toBe(true);
  expect(proofs.has(ofUid('2'))).toBe(false);
  proofs.forget(keyOf(challenge));
  expect(proofs.has(challenge)).toBe(false);
});

it('a proof is worth a status after a minute, or when the clock was set back', () => {
  const clock = manualClock();
  const proofs = createProofs(clock);
  const challenge = ofUid('1');
  proofs.add(challenge);
  clock.advance(20_000);
  expect(proofs.leftMs(challenge)).toBe(40_000);
  clock.advance(60_000);
  expect(proofs.leftMs(challenge)).toBe(0);
  clock.set(clock.now() - 3_600_000);
  expect(proofs.leftMs(challenge)).toBe(0);
});
