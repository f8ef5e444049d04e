import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import type { SeenRequest } from './reporting-upstream.ts';

/** What is asked, and of whom. */
export interface LoadTarget {
  readonly hosts: readonly string[];
  /** PEM of the root that every certificate must chain to. */
  readonly ca: string;
  /** Addresses of edges: where one refuses the connection, the next is tried, and nothing else is tried again. */
  readonly edges: readonly string[];
  /** Says what is wrong with an answer: undefined, where it is right. */
  readonly fault: (host: string, answer: LoadAnswer) => string | undefined;
}

export interface LoadAnswer {
  readonly status: number;
  readonly seen: SeenRequest | undefined;
  /** Common name of the certificate that the connection was made with. */
  readonly commonName: string;
}

export type LoadClient = 'new connections' | 'kept connections' | 'HTTP/2' | 'WebSocket';

export interface Load {
  /** How many requests have been answered right by now. */
  answered(): number;
  /** Ends it, and gives how many requests each client made. Rejects where any of them failed. */
  stop(): Promise<ReadonlyMap<LoadClient, number>>;
}

const pauseMs = 4;
const patienceMs = 5_000;

/** Begins to ask, by all of these clients at once, each one request after the other. */
export function startLoad(target: LoadTarget, clients: readonly LoadClient[]): Load {
  const over = new AbortController();
  const counts = new Map<LoadClient, number>();
  const failures: string[] = [];
  const loop = async (client: LoadClient): Promise<void> => {
    const asker = askers[client](target);
    for (let count = 0; !over.signal.aborted; count += 1) {
      const host = target.hosts[count % target.hosts.length] ?? '';
      try {
        const answer = await asker.ask(host);
        const fault = target.fault(host, answer);
        if (fault !== undefined) throw new Error(`${host}: ${fault}`);
        counts.set(client, (counts.get(client) ?? 0) + 1);
      } catch (error) {
        failures.push(`${client}, after ${counts.get(client) ?? 0}: ${String(error)}`);
      }
      await sleep(pauseMs);
    }
    asker.close();
  };
  const running = Promise.all(clients.map(loop));
  return {
    answered: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    async stop() {
      over.abort();
      await running;
      if (failures.length > 0)
        throw new Error(`${failures.length} requests failed:\n${failures.slice(0, 8).join('\n')}`);
      return counts;
    },
  };
}

const refused: LoadAnswer = { status: 0, seen: undefined, commonName: '' };

interface Asker {
  ask(host: string): Promise<LoadAnswer>;
  close(): void;
}

const askers: Readonly<Record<LoadClient, (target: LoadTarget) => Asker>> = {
  'new connections': target => ({
    ask: host => elsewhere(target, (edge, heard) => askOnce(target, host, edge, heard)),
    close() {},
  }),
  'kept connections': target => {
    const agent = new Agent({ keepAlive: true, maxCachedSessions: 0 });
    return {
      ask: host => elsewhere(target, (edge, heard) => askOnce(target, host, edge, heard, agent)),
      close: () => agent.destroy(),
    };
  },
  'HTTP/2': http2Asker,
  WebSocket: webSocketAsker,
};

/**
 * Whether no edge has had a word in it: the connection was refused; or reset before an answer to the first message of TLS, as the
 * system does with those that wait to be accepted when their listener is closed.
 */
function isRefusal({ code }: NodeJS.ErrnoException, heard: boolean): boolean {
  return code === 'ECONNREFUSED' || (code === 'ECONNRESET' && !heard);
}

/** Asks an edge, and where it refuses the connection the next one. `heard` is called once it has answered in TLS. */
async function elsewhere<T>(
  { edges }: LoadTarget,
  ask: (edge: string, heard: () => void) => Promise<T>,
): Promise<T> {
  for (const edge of edges.slice(0, -1)) {
    let heard = false;
    try {
      return await ask(edge, () => {
        heard = true;
      });
    } catch (error) {
      if (!isRefusal(error as NodeJS.ErrnoException, heard)) throw error;
    }
  }
  return ask(edges.at(-1) ?? '', () => {});
}

function askOnce(
  { ca }: LoadTarget,
  host: string,
  edge: string,
  heard: () => void,
  agent?: Agent,
): Promise<LoadAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: edge,
        port: 443,
        servername: host,
        path: `/${host}`,
        headers: { host },
        ca,
        agent: agent ?? false,
        signal: AbortSignal.timeout(patienceMs),
      },
      response => {
        const commonName = commonNameOf(response.socket as TLSSocket);
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, seen: parsed(text), commonName }),
        );
      },
    );
    sent.on('socket', socket => {
      if (sent.reusedSocket) heard();
      // The first secret that both sides have, by the ServerHello.
      else socket.once('keylog', heard);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** So many requests go out at once over HTTP/2. */
const requestsAtOnce = 6;

/**
 * One session for each host, made anew where the edge says that it goes away. After that no request is sent on it (RFC 9113
 * section 6.8), and none that was sent before is sent again.
 */
function http2Asker(target: LoadTarget): Asker {
  const sessions = new Map<string, ClientHttp2Session>();
  const sessionTo = async (host: string): Promise<ClientHttp2Session> => {
    const known = sessions.get(host);
    if (known !== undefined && !known.closed) return known;
    const session = await elsewhere(target, async (edge, heard) => {
      const socket = connectTls({
        host: edge,
        port: 443,
        servername: host,
        ca: target.ca,
        ALPNProtocols: ['h2'],
      }).once('keylog', heard);
      const made = connectHttp2(`https://${edge}`, { createConnection: () => socket });
      await once(made, 'connect');
      return made;
    });
    session.on('error', () => {});
    sessions.set(host, session);
    return session.closed ? sessionTo(host) : session;
  };
  const askOn = async (session: ClientHttp2Session, host: string): Promise<LoadAnswer> => {
    const stream = session.request({ ':authority': host, ':path': `/${host}` });
    const signal = AbortSignal.timeout(patienceMs);
    signal.addEventListener('abort', () => stream.destroy(new Error('no answer')));
    return new Promise((resolve, reject) => {
      let [status, text] = [0, ''];
      stream.on('response', fields => {
        status = Number(fields[':status']);
      });
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      const commonName = commonNameOf(session.socket as TLSSocket);
      stream.on('end', () => resolve({ status, seen: parsed(text), commonName }));
      // The GOAWAY came before the request was out.
      stream.on('frameError', () => resolve(refused));
      stream.on('error', reject);
    });
  };
  const askOne = async (host: string): Promise<LoadAnswer> => {
    const answer = await askOn(await sessionTo(host), host);
    return answer === refused ? askOn(await sessionTo(host), host) : answer;
  };
  return {
    async ask(host) {
      await sessionTo(host);
      const answers = await Promise.all(Array.from({ length: requestsAtOnce }, () => askOne(host)));
      return answers.find(answer => target.fault(host, answer) !== undefined) ?? answers[0] ?? refused;
    },
    close() {
      for (const session of sessions.values()) session.destroy();
    },
  };
}

/** One socket, over which everything goes. */
function webSocketAsker({ hosts, edges, ca }: LoadTarget): Asker {
  const host = hosts[0] ?? '';
  const agent = new Agent({ servername: host, ca });
  const socket = new WebSocket(`wss://${edges[0]}/`, { headers: { host }, agent });
  const opened = once(socket, 'open');
  opened.catch(() => {});
  let count = 0;
  return {
    async ask() {
      await opened;
      count += 1;
      const text = `message ${count}`;
      const answer = once(socket, 'message', { signal: AbortSignal.timeout(patienceMs) });
      socket.send(text);
      const [data] = (await answer) as [Buffer];
      if (!data.toString().endsWith(text)) throw new Error(`the echo is ${data.toString()}`);
      return { status: 101, seen: undefined, commonName: '' };
    },
    close: () => socket.terminate(),
  };
}

function commonNameOf(socket: TLSSocket): string {
  return String(socket.getPeerCertificate().subject.CN);
}

function parsed(text: string): SeenRequest | undefined {
  try {
    return JSON.parse(text) as SeenRequest;
  } catch {
    return undefined;
  }
}
