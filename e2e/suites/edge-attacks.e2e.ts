import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackBed, attackedHost, loopback, startAttackBed } from '../attacks/attack-bed.ts';
import {
  type Attack,
  continuations,
  halfHandshakes,
  hpackBombs,
  idle,
  idleSecure,
  noHandshakes,
  pings,
  rapidReset,
  settings,
  slowBodies,
  slowHeads,
  slowReaders,
} from '../attacks/attackers.ts';
import { type BadUpstream, badDeeds, startBadUpstream } from '../attacks/bad-upstream.ts';
import { type GoodUpstream, startGoodUpstream } from '../attacks/good-upstream.ts';
import { eventually } from '../harness/eventually.ts';

/** Memory that an attack may leave behind in the worker, whose garbage is collected when it likes, in MiB. */
const mostLeftMiB = 96;

describe('an edge under attack', () => {
  let bed: AttackBed;
  let good: GoodUpstream;
  let bad: BadUpstream;
  let worker: number;

  beforeAll(async () => {
    good = await startGoodUpstream();
    bad = await startBadUpstream();
    bed = await startAttackBed({
      upstreams: { '': good.port, bad: bad.port },
      args: [
        ...['--header-timeout', '2s', '--body-timeout', '2s', '--handshake-timeout', '3s'],
        ...['--keep-alive-timeout', '3s', '--max-handshakes-per-address', '0'],
      ],
    });
    [worker = 0] = await bed.workers();
  });
  afterAll(async () => {
    await bed?.close();
    await good?.close();
    await bad?.close();
  });

  const refused = (reason: string): Promise<number> =>
    bed.metric('postern_edge_refused_total', `"${reason}"`);
  const failedHandshakes = (): Promise<number> => bed.metric('postern_edge_handshake_failures_total');
  /** On a machine that is busy the time is over before the ninth frame is read. */
  const headersRefused = async (): Promise<number> =>
    (await refused('CONTINUATION flood')) + (await refused('head not in time'));
  const nothing = (): Promise<number> => Promise.resolve(0);

  it.each<[what: string, attack: Attack, count: number, counter: () => Promise<number>, atLeast: number]>([
    ['connections that say nothing', idle, 500, nothing, 0],
    ['TLS connections that say nothing', idleSecure, 100, nothing, 0],
    ['heads that come byte for byte', slowHeads, 500, () => refused('head not in time'), 500],
    ['bodies that never come', slowBodies, 200, () => refused('body not in time'), 200],
    ['answers that nobody reads', slowReaders, 30, nothing, 0],
    ['handshakes that stop', halfHandshakes, 500, failedHandshakes, 500],
    ['what is no handshake', noHandshakes, 300, failedHandshakes, 300],
    ['rapid resets', rapidReset(40), 5, () => refused('rapid reset'), 5],
    ['header sections without end', continuations, 5, headersRefused, 5],
    ['header sections that grow', hpackBombs, 20, nothing, 0],
    ['pings', pings, 5, () => refused('ping flood'), 5],
    ['settings', settings, 5, () => refused('settings flood'), 5],
  ])(
    '%s: others are served, the connections end, and the memory is given back',
    async (_what, attack, count, counter, atLeast) => {
      const [before, memory] = [await counter(), await bed.workerMiB()];
      const attackers = await attack(bed, count);
      expect(await bed.others()).toEqual([200, 200]);
      await eventually('the edge has closed them', () => bed.connections() === 0);
      attackers.end();
      expect(await bed.others()).toEqual([200, 200]);
      await eventually('counted', async () => (await counter()) - before >= atLeast);
      expect((await bed.workerMiB()) - memory).toBeLessThan(mostLeftMiB);
      expect(await bed.workers()).toEqual([worker]);
    },
  );

  it('of thousands of connections none keeps others out', async () => {
    const attackers = await idle(bed, 5_000);
    // On a machine that has other work, some have been cut before the last one is there.
    expect(attackers.taken).toBe(5_000);
    expect(await bed.others()).toEqual([200, 200]);
    expect(await bed.workerMiB()).toBeLessThan(500);
    attackers.end();
  });

  /** What comes back, up to the end of the connection. */
  const ask = (path: string): Promise<string> =>
    new Promise(resolve => {
      const socket = connect(bed.http, loopback);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${attackedHost}\r\nConnection: close\r\n\r\n`);
    });

  it.each(badDeeds)(
    'an upstream that %s harms the request alone, and its connection is not kept',
    async deed => {
      const memory = await bed.workerMiB();
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(`/bad/${deed}`)));
      for (const answer of answers) {
        const [, status, body] = /HTTP\/1\.1 ([245]\d\d) [^]*?\r\n\r\n([^]*)$/.exec(answer) ?? [];
        // Refused, or seen to be cut off, in the middle or before a byte of it was passed on. A body that is whole is what was announced, and nothing behind it.
        if (status === '200')
          expect([deed, body]).toEqual([deed, expect.stringMatching(/^(?:hello|5\r\nhello\r\n|)$/)]);
        else expect([deed, status ?? answer]).toEqual([deed, expect.stringMatching(/^(?:502|504|)$/)]);
        expect(answer).not.toContain('evil');
      }
      await eventually('no connection to it is left', () => bad.open() === 0);
      expect(await bed.others()).toEqual([200, 200]);
      expect((await bed.workerMiB()) - memory).toBeLessThan(mostLeftMiB);
      expect(await bed.workers()).toEqual([worker]);
    },
  );
});
