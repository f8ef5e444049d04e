import { createSocket, type RemoteInfo } from 'node:dgram';
import { onTestFinished } from 'vitest';

/** A DNS server on loopback for one test. What it is not told about does not exist. */
export interface DnsServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  readonly asked: string[];
  /** From now on the name has these IPv4 addresses; `silent` never answers, `servfail` says it cannot. */
  set(name: string, answer: readonly string[] | 'silent' | 'servfail'): void;
  /** Resolves when this name is asked for; counts from now. */
  query(name: string): Promise<void>;
}

const typeA = 1;

export async function aDnsServer(): Promise<DnsServer> {
  const answers = new Map<string, readonly string[] | 'silent' | 'servfail'>();
  const asked: string[] = [];
  const waiting: { name: string; resolve: () => void }[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { name, type, end } = questionOf(query);
    asked.push(name);
    for (const waiter of waiting.filter(waiter => waiter.name === name)) waiter.resolve();
    const answer = answers.get(name);
    if (answer === 'silent') return;
    const code = answer === undefined ? 3 : answer === 'servfail' ? 2 : 0;
    const addresses = answer !== undefined && typeof answer !== 'string' && type === typeA ? answer : [];
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    const records = addresses.map(address =>
      Buffer.from([0xc0, 0x0c, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
    );
    socket.send(Buffer.concat([header, query.subarray(12, end), ...records]), from.port, from.address);
  });
  await new Promise<void>(resolve => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    socket.close();
  });
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    set: (name, answer) => answers.set(name, answer),
    query: name =>
      new Promise(resolve => {
        waiting.push({ name, resolve });
      }),
  };
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}
