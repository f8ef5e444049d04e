import { connect } from 'node:net';

/** What came back on a connection. */
export interface RawAnswers {
  /** Of the answers, interim ones left out. */
  readonly statuses: readonly number[];
  readonly closed: boolean;
}

/** Sends bytes as they are; resolves once so many answers have come, or the connection is closed, and closes it. */
export function rawExchange(port: number, bytes: Buffer, answers: number): Promise<RawAnswers> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    let over = false;
    const statuses = (): number[] =>
      [...text.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map(([, status]) => Number(status));
    const end = (closed: boolean): void => {
      if (over) return;
      over = true;
      resolve({ statuses: statuses(), closed });
      socket.destroy();
    };
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (statuses().length >= answers) end(false);
    });
    socket.on('error', () => {});
    socket.on('close', () => end(true));
    // Nothing is expected: the bytes are to arrive, that is all.
    socket.write(bytes, () => answers === 0 && end(false));
  });
}
