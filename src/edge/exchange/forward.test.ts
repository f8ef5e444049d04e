import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { anIngress } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import type { EdgeConfig } from '../options.ts';
import { type RawUpstream, rawClient, rawUpstream } from '../raw-peers.testing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

type Serve = (socket: Socket, head: string, nth: number) => void;

interface World {
  readonly edge: TestEdge;
  readonly upstreams: readonly RawUpstream[];
  /** Sends bytes, waits for them to be answered, and gives the answer. */
  readonly ask: (bytes: string, until: string | RegExp) => Promise<string>;
}

async function worldWith(
  serves: readonly Serve[],
  annotations: Record<string, string> = {},
  config: EdgeConfig = {},
): Promise<World> {
  const upstreams = await Promise.all(serves.map(rawUpstream));
  const ingress = anIngress({
    rules: { 'foo.com': [['/', 'Prefix']] },
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]),
    ),
  });
  const edge = await startTestEdge(
    [ingress, ...loopbackService('web', ...upstreams.map(({ port }) => port))],
    {
      drainMs: 200,
      accessLog: { kind: 'json' },
      ...config,
    },
  );
  open.push({ close: () => edge.edge.stop() }, ...upstreams);
  return {
    edge,
    upstreams,
    async ask(bytes, until) {
      const client = rawClient(edge.httpPort);
      client.send(bytes);
      const text = await client.until(until);
      client.socket.destroy();
      return text;
    },
  };
}

const answer = (status: string, body: string): string =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const says =
  (text: string): Serve =>
  socket =>
    void socket.write(text);
const get = 'GET /a?b=c HTTP/1.1\r\nHost: foo.com\r\n\r\n';
const post = 'POST / HTTP/1.1\r\nHost: foo.com\r\nContent-Length: 2\r\n\r\nhi';

/** Each of two endpoints is tried first once in two requests. */
async function bothWays(ask: World['ask'], bytes: string, until: RegExp): Promise<string[]> {
  const answers = [await ask(bytes, until), await ask(bytes, until)];
  return answers.map(text => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? '').toSorted();
}

describe('another try', () => {
  const busy = says(answer('503 Service Unavailable', 'busy'));
  const fine = says(answer('200 OK', 'fine'));

  it('is made for an answer that the Ingress names, and its first one is never seen', async () => {
    const { ask } = await worldWith([busy, fine], { 'proxy-next-upstream': 'error timeout http_503' });
    expect(await bothWays(ask, get, /fine|busy/)).toEqual(['200', '200']);
  });

  it('is not made for an answer that nobody names, nor for a request that may have had an effect', async () => {
    const plain = await worldWith([busy, fine]);
    expect(await bothWays(plain.ask, get, /fine|busy/)).toEqual(['200', '503']);
    const named = await worldWith([busy, fine], { 'proxy-next-upstream': 'error timeout http_503' });
    expect(await bothWays(named.ask, post, /fine|busy/)).toEqual(['200', '503']);
  });

  it('gives the last answer where all are alike', async () => {
    const { ask, upstreams } = await worldWith([busy, busy], { 'proxy-next-upstream': 'http_503' });
    expect(await ask(get, 'busy')).toMatch(/^HTTP\/1\.1 503 /);
    expect(upstreams.map(one => one.accepted()).reduce((sum, count) => sum + count)).toBeGreaterThan(1);
  });

  it('is made where an endpoint breaks off before it answers a request that is safe to repeat', async () => {
    const breaks: Serve = socket => socket.destroy();
    const { ask } = await worldWith([breaks, fine]);
    expect(await bothWays(ask, get, /fine|502/)).toEqual(['200', '200']);
    expect(await bothWays(ask, post, /fine|502 Bad Gateway\n/)).toEqual(['200', '502']);
  });
});

describe('time-outs', () => {
  it('are of silence: an answer that goes on dripping is let go on', async () => {
    const drips: Serve = socket => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      let count = 0;
      const timer = setInterval(() => {
        count += 1;
        socket.write(count < 8 ? '1\r\nx\r\n' : '0\r\n\r\n');
        if (count === 8) clearInterval(timer);
      }, 30);
    };
    const { ask } = await worldWith([drips], {}, { timeouts: { idleMs: 150 } });
    expect(await ask(get, '0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('what upstreams are told', () => {
  it('a request id that the client brought, or one of the edge', async () => {
    const heads: string[] = [];
    const { ask, edge } = await worldWith([
      (socket, head) => {
        heads.push(head);
        socket.write(answer('200 OK', 'fine'));
      },
    ]);
    await ask(get, 'fine');
    await ask(get.replace('\r\n\r\n', '\r\nX-Request-ID: mine\r\n\r\n'), 'fine');
    const ids = heads.map(head => /X-Request-ID: (\S+)/i.exec(head)?.[1]);
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), 'mine']);
    await expect.poll(() => edge.accessLog).toHaveLength(2);
    expect(edge.accessLog[1]).toContain('mine');
  });

  it('what the edge says, whatever Connection lists', async () => {
    const heads: string[] = [];
    const { ask } = await worldWith(
      [
        (socket, head) => {
          heads.push(head);
          socket.write(answer('200 OK', 'fine'));
        },
      ],
      { 'x-forwarded-prefix': '/shop' },
      { policy: { forwardedHeader: true } },
    );
    const said = [
      ...['X-Request-ID', 'X-Real-IP', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Port'],
      ...['X-Forwarded-Proto', 'X-Forwarded-Scheme', 'X-Forwarded-Prefix', 'Forwarded'],
    ];
    const forged = said.map(name => `${name}: forged\r\n`).join('');
    await ask(get.replace('\r\n\r\n', `\r\n${forged}Connection: Host, ${said.join(', ')}\r\n\r\n`), 'fine');
    const [head = ''] = heads;
    expect(head).not.toContain('forged');
    expect(head).toMatch(/^Host: foo\.com\r$/m);
    expect(head).toMatch(/^X-Request-ID: [0-9a-f]{32}\r$/m);
    expect(said.filter(name => head.split(`\r\n${name}: `).length !== 2)).toEqual([]);
  });

  it.each([
    ['a stranger', [], []],
    ['a trusted proxy', ['127.0.0.0/8'], ['X-Original-URL: /admin', 'X-Rewrite-URL: /admin']],
  ])('which request it was before by %s', async (_who, trustedRanges, told) => {
    const heads: string[] = [];
    const { ask } = await worldWith(
      [
        (socket, head) => {
          heads.push(head);
          socket.write(answer('200 OK', 'fine'));
        },
      ],
      {},
      { policy: { trustedRanges } },
    );
    await ask(get.replace('\r\n\r\n', '\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\n\r\n'), 'fine');
    expect(heads[0]?.match(/^X-(?:Original|Rewrite)-.*\S/gim) ?? []).toEqual(told);
  });

  it('nothing of one request by way of the next on its connection', async () => {
    const heads: string[] = [];
    const { edge } = await worldWith([
      (socket, head) => {
        heads.push(head);
        socket.write(answer('200 OK', `n${heads.length}`));
      },
    ]);
    const client = rawClient(edge.httpPort);
    const send = (fields: string): void => client.send(`GET / HTTP/1.1\r\nHost: foo.com\r\n${fields}\r\n`);
    send('X-A: 1\r\nConnection: X-B\r\nX-B: 1\r\n');
    send('X-B: 2\r\n');
    send('X-B: 2\r\n');
    send('');
    await client.until('n4');
    client.socket.destroy();
    expect(heads.map(head => head.match(/X-[AB]: \d/g))).toEqual([['X-A: 1'], ['X-B: 2'], ['X-B: 2'], null]);
    const [, second, third] = heads.map(head => head.replace(/X-Request-ID: \S+/, ''));
    expect(third).toBe(second);
  });
});

describe('a permission', () => {
  const guardedBy = (name: string, host: string, url: string) =>
    anIngress({
      name,
      rules: { [host]: [['/', 'Prefix']] },
      annotations: { 'nginx.ingress.kubernetes.io/auth-url': url },
    });

  it('that is asked of the edge itself, in a circle, is not given, and the circle has an end', async () => {
    const { ask, edge, upstreams } = await worldWith([says(answer('200 OK', 'fine'))]);
    const before = edge.edge.table();
    edge.apply(
      guardedBy('one', 'one.com', `http://127.0.0.1:${edge.httpPort}/two`),
      guardedBy('two', '', `http://127.0.0.1:${edge.httpPort}/again`),
    );
    await edge.until(() => edge.edge.table() !== before);
    expect(await ask(get.replace('foo.com', 'one.com'), '500 ')).toMatch(/^HTTP\/1\.1 500 /);
    expect(upstreams.map(one => one.accepted())).toEqual([0]);
    await expect.poll(() => edge.accessLog).toHaveLength(4);
    expect(JSON.parse(edge.accessLog[0] ?? '')).toMatchObject({
      reason: 'external authentication: auth-url leads back to the edge, in a circle',
    });
    const warnings = edge.logs.filter(({ message }) => message.includes('cannot be asked'));
    expect(warnings.map(({ fields }) => fields?.['ingress'])).toEqual(['default/two']);
  });

  it('may be asked of a service behind the edge itself', async () => {
    const { ask, edge } = await worldWith([says(answer('200 OK', 'fine'))]);
    const before = edge.edge.table();
    edge.apply(
      anIngress({ name: 'behind', rules: { '': [['/check', 'Prefix']] } }),
      guardedBy('one', 'one.com', `http://127.0.0.1:${edge.httpPort}/check`),
    );
    await edge.until(() => edge.edge.table() !== before);
    expect(await ask(get.replace('foo.com', 'one.com'), 'fine')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('the access log', () => {
  it('tells what was moved, from where, and why the edge answered by itself', async () => {
    const { ask, edge } = await worldWith([says(answer('200 OK', 'fine'))], {}, { policy: { bodyBytes: 4 } });
    await ask(post, 'fine');
    await ask(post.replace('h: 2', 'h: 5'), '413 ');
    await ask(
      post.replace(
        'Content-Length: 2\r\n\r\nhi',
        'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      ),
      '413 ',
    );
    await ask('GET / HTTP/1.1\r\n\r\n', '400 ');
    await expect.poll(() => edge.accessLog).toHaveLength(4);
    const entries = edge.accessLog.map(line => JSON.parse(line) as Record<string, unknown>);
    expect(entries.map(({ status }) => status)).toEqual([200, 413, 413, 400]);
    expect(entries[0]).toMatchObject({ bytesReceived: 2, bytesSent: 4, ingress: 'default/site' });
    expect(entries[0]?.['upstream']).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(entries.map(({ reason }) => reason ?? null)).toEqual([
      null,
      expect.any(String),
      'body longer than it may be',
      'missing Host',
    ]);
  });

  it('tells of a client that went before it was answered', async () => {
    const { edge, upstreams } = await worldWith([() => {}]);
    const client = rawClient(edge.httpPort);
    client.send(get);
    await expect.poll(() => upstreams[0]?.open()).toBe(1);
    client.socket.destroy();
    await expect.poll(() => edge.accessLog).toHaveLength(1);
    expect(JSON.parse(edge.accessLog[0] ?? '')).toMatchObject({ status: 0, reason: 'the client has gone' });
    await expect.poll(() => upstreams[0]?.open()).toBe(0);
  });
});
