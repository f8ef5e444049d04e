import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { defaultTimeouts, type EdgeTimeouts } from '../engine.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import type { ServeRequest } from '../exchange/ports.ts';
import { defaultLimits } from '../limits.ts';
import { noEdgeMetrics } from '../metrics.ts';
import { TimerWheel } from '../timers/timer-wheel.ts';
import { MemorySocket } from './fuzzing/memory-socket.testing.ts';
import { createHttp1Server } from './http1-server.ts';

const close: (() => void)[] = [];
afterEach(() => {
  for (const one of close.splice(0)) one();
});

/** A client that sends on for as long as it is read, and takes no byte of an answer before it is told to. */
class StubbornClient extends MemorySocket {
  readonly #piece: Buffer;
  #left: number;
  #reading = false;
  #take: (() => void) | undefined;
  sentBytes = 0;
  takes = false;

  constructor(piece: string, pieces: number) {
    super();
    this.#piece = Buffer.from(piece);
    this.#left = pieces;
  }

  takeAll(): void {
    this.takes = true;
    this.#take?.();
  }

  override _read(): void {
    if (this.#reading) return;
    this.#reading = true;
    setImmediate(() => this.#send());
  }

  #send(): void {
    this.#reading = false;
    while (this.#left > 0) {
      this.#left -= 1;
      this.sentBytes += this.#piece.length;
      // The codec moves data about in the buffers that it is given.
      if (!this.push(Buffer.from(this.#piece))) return;
    }
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const take = (): void => {
      this.sent += chunk.toString('latin1');
      setImmediate(done);
    };
    if (this.takes) take();
    else this.#take = take;
  }
}

function serveTo(client: StubbornClient, serve: ServeRequest, timeouts: Partial<EdgeTimeouts> = {}): void {
  const wheel = new TimerWheel(10);
  const server = createHttp1Server(
    {
      limits: defaultLimits,
      timeouts: { ...defaultTimeouts, ...timeouts },
      metrics: noEdgeMetrics,
      accessLog: undefined,
      logger: silentLogger,
    },
    serve,
    wheel,
    systemClock,
  );
  close.push(() => {
    server.close();
    wheel.close();
  });
  server.take(client, {
    secure: false,
    clientAddress: '127.0.0.1',
    trusted: false,
    publicPort: 80,
    tls: undefined,
  });
}

function answering(bytes: number, seen: string[]): ServeRequest {
  return (head, client) => {
    seen.push(head.path);
    const sink = client.answer({
      status: 200,
      statusText: 'OK',
      fields: headerFieldsOf([]),
      framing: { kind: 'length', length: bytes },
    });
    sink.write(Buffer.alloc(bytes, 'x'));
    sink.end();
  };
}

function requests(count: number): { text: string; paths: string[] } {
  const paths = Array.from({ length: count }, (_value, index) => `/${index}`);
  return { text: paths.map(path => `GET ${path} HTTP/1.1\r\nHost: foo.com\r\n\r\n`).join(''), paths };
}

describe('a client that asks on and reads nothing', () => {
  it.each([
    [100, 800],
    [14_000, 40],
    [50_000, 20],
    [200_000, 10],
  ])('has little waiting for it, by answers of %i bytes', async (bytes, count) => {
    const { text, paths } = requests(count);
    const client = new StubbornClient(text, 1);
    const seen: string[] = [];
    serveTo(client, answering(bytes, seen));
    await expect.poll(() => client.writableLength).toBeGreaterThan(65_535);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(client.writableLength).toBeLessThan(65_536 + bytes + 200);
    expect(seen.length).toBeLessThan(paths.length);
    client.takeAll();
    await expect.poll(() => seen.length, { timeout: 5_000 }).toBe(paths.length);
    expect(seen).toEqual(paths);
    await expect.poll(() => client.sent.match(/HTTP\/1\.1 200 OK/g)?.length).toBe(paths.length);
  });

  it('is cut where it goes on so', async () => {
    const client = new StubbornClient(requests(100).text, 1);
    serveTo(client, answering(50_000, []), { idleMs: 60, keepAliveMs: 10 });
    await expect.poll(() => client.destroyed).toBe(true);
  });
});

it('a client that asks faster than it is answered is read no further than a little ahead', async () => {
  const client = new StubbornClient(requests(1_000).text, 1_000);
  client.takes = true;
  let served = 0;
  serveTo(client, (head, exchange) => {
    served += 1;
    if (served < 500) setImmediate(() => answering(10, [])(head, exchange));
  });
  await expect.poll(() => served).toBe(500);
  await new Promise(resolve => setTimeout(resolve, 20));
  expect(client.sentBytes).toBeLessThan(200_000);
});
