import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import {
  type AcmeAction,
  type AcmeAnswer,
  type AcmeReply,
  type AcmeRequest,
  type AcmeRule,
  type AcmeWay,
  acmeActionOf,
} from './acme-faults.ts';
import { startFaultListener } from './fault-listener.ts';
import type { Pebble } from './pebble.ts';
import { createTestAuthority } from './test-authority.ts';

/** A request that has gone through the proxy. */
export interface AcmeRecord extends AcmeRequest {
  /** When it came, in milliseconds since the epoch. */
  readonly atMs: number;
  /** What Pebble answered; undefined where it was not asked. */
  readonly serverStatus: number | undefined;
  /** What the client got; undefined while the request is under way, and where no answer came through. */
  readonly outcome: number | 'cut' | 'part' | 'hang' | undefined;
}

/** An HTTPS proxy in front of Pebble, whose client meets faults as they are scripted. */
export interface AcmeFaultProxy {
  readonly directoryUrl: string;
  /** To trust instead of Pebble's. */
  readonly rootCaPem: string;
  /** Every request so far, in the order in which they came. */
  readonly records: readonly AcmeRecord[];
  /** Resolves when none that has come so far is under way. */
  idle(): Promise<void>;
  /** How many were about this. */
  count(action: AcmeAction): number;
  /** From now on these rules hold, and no others: the first that meets a request is its fate. Empties the records. */
  script(...rules: readonly AcmeRule[]): void;
  /** Refuses connections, and resets those there are. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a proxy. A signed request names the URL that it is for, so addresses cannot be rewritten on the way: the Host
 * header is passed on as it is, and Pebble makes all its URLs from that.
 */
export async function startAcmeFaultProxy(
  pebble: Pick<Pebble, 'directoryUrl' | 'rootCaPem'>,
  host = '127.0.0.1',
): Promise<AcmeFaultProxy> {
  const target = new URL(pebble.directoryUrl);
  const agent = new Agent({ keepAlive: true });
  const authority = await createTestAuthority('e2e ACME fault proxy');
  const identity = await authority.issue({ commonName: 'acme-fault-proxy', ipAddresses: [host] });
  const records: Writable<AcmeRecord>[] = [];
  const underWay = new Set<Promise<void>>();
  let rules: readonly Counted[] = [];

  const send = (request: IncomingMessage | undefined, path: string, body: Buffer): Promise<AcmeAnswer> =>
    new Promise((resolve, reject) => {
      const { connection: _connection, ...headers } = request?.headers ?? {};
      const sent = httpsRequest(
        {
          agent,
          host: target.hostname,
          port: target.port,
          servername: 'localhost', // or it would be taken from the Host header
          ca: pebble.rootCaPem,
          method: request?.method ?? 'HEAD',
          path,
          headers: { 'user-agent': 'postern-e2e', ...headers, host: listener.address },
        },
        response => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const { connection: _own, 'transfer-encoding': _coding, ...answered } = response.headers;
            resolve({ status: response.statusCode ?? 0, headers: answered, body: Buffer.concat(chunks) });
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });

  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = message.url ?? '';
    const request: AcmeRequest = {
      action: acmeActionOf(path),
      method: message.method ?? '',
      path,
      userAgent: message.headers['user-agent'] ?? '',
    };
    const record: Writable<AcmeRecord> = {
      ...request,
      atMs: Date.now(),
      serverStatus: undefined,
      outcome: undefined,
    };
    records.push(record);
    const rule = rules.find(one => one.meets(request));
    const body = await bodyOf(message);
    const way: AcmeWay = {
      async pass() {
        const passed = await send(message, path, body);
        record.serverStatus = passed.status;
        return passed;
      },
      async nonce() {
        const { headers } = await send(undefined, '/nonce-plz', Buffer.alloc(0));
        return String(headers['replay-nonce']);
      },
    };
    const reply: AcmeReply =
      rule === undefined ? { kind: 'answer', answer: await way.pass() } : await rule.fault(request, way);
    record.outcome = reply.kind === 'answer' ? reply.answer.status : reply.kind;
    give(reply, message, response);
  };

  const listener = await startFaultListener({
    host,
    identity,
    async answer(message, response) {
      const answering = answer(message, response);
      const over = answering.catch(() => {});
      underWay.add(over);
      await over.finally(() => underWay.delete(over));
      await answering;
    },
  });
  return {
    directoryUrl: `https://${listener.address}${target.pathname}`,
    rootCaPem: authority.caPem,
    records,
    count: action => records.filter(record => record.action === action).length,
    script(...wanted) {
      rules = wanted.map(counted);
      records.length = 0;
    },
    async idle() {
      await Promise.all(underWay);
    },
    goAway: () => listener.goAway(),
    comeBack: () => listener.comeBack(),
    async stop() {
      await listener.stop();
      agent.destroy();
    },
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Counted {
  readonly fault: AcmeRule['fault'];
  meets(request: AcmeRequest): boolean;
}

function counted({ fault, on = () => true, times = Number.POSITIVE_INFINITY, each = 1 }: AcmeRule): Counted {
  let seen = 0;
  let met = 0;
  return {
    fault,
    meets(request) {
      if (!on(request)) return false;
      seen += 1;
      if (seen % each !== 0 || met >= times) return false;
      met += 1;
      return true;
    },
  };
}

function give(reply: AcmeReply, message: IncomingMessage, response: ServerResponse): void {
  if (reply.kind === 'hang') return;
  if (reply.kind === 'cut') {
    message.socket.destroy();
    return;
  }
  const { status, headers, body } = reply.answer;
  const { 'content-length': _old, ...kept } = headers;
  response.writeHead(status, {
    ...(kept as Record<string, string | string[]>),
    'content-length': String(body.length),
  });
  if (reply.kind === 'answer') response.end(message.method === 'HEAD' ? undefined : body);
  else response.write(body.subarray(0, reply.bytes), () => message.socket.destroy());
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
