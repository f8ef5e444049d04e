import { setTimeout as sleep } from 'node:timers/promises';
import * as attacks from '../../e2e/attacks/attackers.ts';

/**
 * An attacker as a process of its own: `attacker.ts NAME COUNT HTTP-PORT HTTPS-PORT BEFORE`. Says `under way` with how many connections
 * it has, and goes on, again and again where an attack has an end, until it is told to end.
 */
const byName: Readonly<Record<string, attacks.Attack>> = {
  'idle connections': attacks.idle,
  'idle TLS connections': attacks.idleSecure,
  'slow heads': attacks.slowHeads,
  'slow bodies': attacks.slowBodies,
  'slow readers': attacks.slowReaders,
  'half handshakes': attacks.halfHandshakes,
  'no handshakes': attacks.noHandshakes,
  'full handshakes': attacks.handshakes,
  'rapid reset': attacks.rapidReset(40),
  CONTINUATION: attacks.continuations,
  'HPACK bombs': attacks.hpackBombs,
  pings: attacks.pings,
  settings: attacks.settings,
};

const [name = '', count = '', http = '', https = '', before = ''] = process.argv.slice(2);
const attack = byName[name];
if (attack === undefined) throw new Error(`no attack is named ${name}: ${Object.keys(byName).join(', ')}`);
let isFirst = true;
for (;;) {
  const target = { http: Number(http), https: Number(https), before: Number(before) };
  const attackers = await attack(target, Number(count));
  if (isFirst) process.stdout.write(`under way: ${attackers.open()}\n`);
  isFirst = false;
  // Whoever is not cut off begins anew now and then.
  await Promise.race([attackers.gone, sleep(5_000)]);
  if (name.startsWith('idle') || name.startsWith('full')) await attackers.gone;
  attackers.end();
  await sleep(50);
}
