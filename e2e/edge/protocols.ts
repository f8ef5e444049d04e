import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { edgeAddress } from '../netns.ts';
import { curl } from './curl.ts';
import { grpcClient } from './grpc.ts';
import { nginx, site } from './objects.ts';
import { type SeenRequest, valuesOf } from './reporting-upstream.ts';
import { type Chapter, sitesSecret, upstreamAt, type World } from './world.ts';

const host = 'protocols.example.com';

/** A session of Node's own client, closed when the test is over. */
function sessionTo(world: World, name: string): ClientHttp2Session {
  const session = connect(`https://${edgeAddress}`, { servername: name, ca: world.sites.caPem });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

interface Http2Answer {
  readonly status: number;
  readonly fields: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
}

function http2Ask(
  session: ClientHttp2Session,
  fields: Record<string, string>,
  body?: string,
): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ':authority': host, ':path': '/', ...fields },
      { endStream: body === undefined },
    );
    let [text, answer, trailers]: [string, IncomingHttpHeaders, IncomingHttpHeaders] = ['', {}, {}];
    stream.setEncoding('utf8');
    stream.on('response', found => {
      answer = found;
    });
    stream.on('trailers', found => {
      trailers = found;
    });
    stream.on('data', (chunk: string) => {
      text += chunk;
    });
    stream.on('error', reject);
    stream.on('end', () =>
      resolve({ status: Number(answer[':status']), fields: answer, trailers, body: text }),
    );
    if (body !== undefined) stream.end(body);
  });
}

/** The first argument of the next event; rejects on `error`. */
function once(socket: WebSocket, event: 'open' | 'message' | 'close'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.once('error', reject);
  });
}

export const protocols: Chapter = {
  title: 'protocols and streams',

  objects: () => [
    site(host, { tls: sitesSecret, annotations: nginx({ 'ssl-redirect': 'false', 'proxy-body-size': '0' }) }),
    ...(['grpc', 'grpcs'] as const).map(name => {
      const ingress = site(`${name}.example.com`, {
        tls: sitesSecret,
        annotations: nginx({
          'backend-protocol': name.toUpperCase(),
          ...(name === 'grpcs' && { 'proxy-ssl-secret': 'default/inner-ca' }),
        }),
      });
      const { port } = upstreamAt[name];
      for (const path of ingress.spec?.rules?.[0]?.http?.paths ?? [])
        path.backend = { service: { name, port: { number: port } } };
      return ingress;
    }),
  ],

  tests(world) {
    const trusted = async (): Promise<string[]> => {
      const file = join(world().bed.dir, 'sites.pem');
      await writeFile(file, world().sites.caPem);
      return ['--cacert', file];
    };

    it.each([
      ['--http1.1', 'HTTP/1.1'],
      ['--http2', 'HTTP/2'],
      ['--tlsv1.3', 'HTTP/2'],
      ['--tls-max 1.2', 'HTTP/2'],
    ])('curl %s is answered in %s', async (flag, version) => {
      const { heads, body } = await curl(
        `https://${host}/a%20b?c=d`,
        ...flag.split(' '),
        ...(await trusted()),
      );
      expect(heads).toMatch(new RegExp(`^${version} 200`));
      const seen = JSON.parse(body) as SeenRequest;
      expect([seen.path, seen.httpVersion, valuesOf(seen, 'x-forwarded-proto')]).toEqual([
        '/a%20b?c=d',
        '1.1',
        ['https'],
      ]);
    });

    it('curl cannot come by a version of TLS below 1.2, nor upgrade plain text to HTTP/2', async () => {
      const old = ['--tls-max', '1.1', '--tlsv1.0', '--ciphers', 'DEFAULT@SECLEVEL=0', ...(await trusted())];
      await expect(curl(`https://${host}/`, ...old)).rejects.toThrow(/alert|protocol/i);
      const { heads } = await curl(`http://${host}/`, '--http2');
      expect(heads).toMatch(/^HTTP\/1\.1 200/);
    });

    it('curl uploads after 100 Continue, and gets the whole back', async () => {
      const file = join(world().bed.dir, 'body');
      await writeFile(file, 'x'.repeat(300_000));
      const upload = ['-H', 'expect: 100-continue', '--expect100-timeout', '5', '--data-binary', `@${file}`];
      const { heads, body } = await curl(`http://${host}/echo`, ...upload);
      expect(heads).toMatch(/^HTTP\/1\.1 100 Continue\r\n/);
      expect(body.length).toBe(300_000);
    });

    it('HEAD has the fields and no body; ranges reach the upstream, and 206 the client', async () => {
      const { heads, body } = await curl(`http://${host}/`, '--head');
      expect(heads).toMatch(/content-length: [1-9]/i);
      expect(body).toBe('');
      const part = await curl(`http://${host}/?range`, '-r', '2-4');
      expect(part.heads).toMatch(/^HTTP\/1\.1 206[^]*content-range: bytes 2-4\/10/i);
      expect(part.body).toBe('234');
    });

    it('who waits for 100 Continue is not told to go on with what is too long', async () => {
      const answer = await new Promise<{ status: number; continued: boolean }>((resolve, reject) => {
        let continued = false;
        const headers = { host: 'body-small.example.com', expect: '100-continue', 'content-length': 11 };
        const sent = request({ host: edgeAddress, method: 'POST', agent: false, headers }, response => {
          response.resume();
          resolve({ status: response.statusCode ?? 0, continued });
          sent.destroy();
        });
        sent.on('continue', () => {
          continued = true;
        });
        sent.on('error', reject);
        sent.flushHeaders();
      });
      expect(answer).toEqual({ status: 413, continued: false });
    });

    it('trailers come through, in HTTP/1.1 and HTTP/2', async () => {
      const plain = await world().ask(host, { path: '/?trailers', headers: { te: 'trailers' } });
      expect(plain.trailers['x-sum']).toBe(String(plain.body.length));
      const answer = await http2Ask(sessionTo(world(), host), { ':path': '/?trailers', te: 'trailers' });
      expect(answer.trailers['x-sum']).toBe(String(answer.body.length));
    });

    it('Node’s http2: many streams on one connection, by the rules of every site', async () => {
      const session = sessionTo(world(), host);
      const bodies = Array.from({ length: 20 }, (_, at) => `body ${at}`);
      const answers = await Promise.all(
        bodies.map(body => http2Ask(session, { ':method': 'POST', cookie: 'a=1' }, body)),
      );
      expect(answers.map(({ body }) => (JSON.parse(body) as SeenRequest).body)).toEqual(bodies);
      expect((await http2Ask(session, { ':authority': 'never.heard.of' })).status).toBe(404);
      expect((await http2Ask(session, { ':path': '/..' })).status).toBe(400);
      expect((await http2Ask(session, { ':path': '/?status=404' })).status).toBe(404);
    });

    it.each(['HTTP/1.1', 'HTTP/2'])('events are not held back: %s', async version => {
      const { ask } = world();
      const first = Promise.withResolvers<void>();
      let text = '';
      const take = (chunk: string): void => {
        text += chunk;
        if (text.includes('first')) first.resolve();
      };
      const done = new Promise<void>((resolve, reject) => {
        if (version === 'HTTP/2') {
          const stream = sessionTo(world(), host).request({ ':authority': host, ':path': '/?events' });
          stream.setEncoding('utf8').on('data', take).on('error', reject).on('end', resolve);
          return;
        }
        const sent = request(
          { host: edgeAddress, path: '/?events', headers: { host }, agent: false },
          response => {
            response.setEncoding('utf8').on('data', take).on('error', reject).on('end', resolve);
          },
        );
        sent.on('error', reject).end();
      });
      await first.promise;
      expect(text).toBe('data: first\n\n');
      await ask(host, { path: '/?release' });
      await done;
      expect(text).toBe('data: first\n\ndata: second\n\n');
    });

    it('ws: a WebSocket over TLS', async () => {
      const agent = new Agent({ servername: host, ca: world().sites.caPem });
      const socket = new WebSocket(`wss://${edgeAddress}/`, { headers: { host }, agent });
      try {
        await once(socket, 'open');
        const answer = once(socket, 'message');
        socket.send('x'.repeat(70_000));
        expect(String(await answer)).toBe(`one: ${'x'.repeat(70_000)}`);
        const closed = once(socket, 'close');
        socket.close(4_001, 'enough');
        expect(await closed).toBe(4_001);
      } finally {
        socket.terminate();
      }
    });

    it.each([
      ['GRPC', 'grpc.example.com'],
      ['GRPCS', 'grpcs.example.com'],
    ])(
      'a gRPC client, backend-protocol %s: calls, streams, statuses and trailers',
      async (_protocol, name) => {
        const client = grpcClient({ address: edgeAddress, host: name, ca: world().sites.caPem });
        try {
          expect(await client.say('hello')).toEqual({ text: `hello by ${name}`, trailer: '5' });
          expect(await client.count(5)).toEqual(['1', '2', '3', '4', '5']);
          expect(await client.fail()).toEqual({ code: 5, details: 'no such thing' });
        } finally {
          client.close();
        }
      },
    );
  },
};
