import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { startTestEdge } from './edge.testing.ts';

// A round of events takes one connection of a listener.
it('connections that the system has accepted when the edge is told to stop are answered', async () => {
  const { edge, httpPort } = await startTestEdge([], { drainMs: 2_000 });
  const answers = Array.from(
    { length: 50 },
    () =>
      new Promise<string>(resolve => {
        const socket = connect(httpPort, '127.0.0.1');
        let text = '';
        socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
        socket.on('error', error => resolve(error.message)).on('close', () => resolve(text));
        socket.write('GET / HTTP/1.1\r\nHost: foo.com\r\n\r\n');
      }),
  );
  const stopped = edge.stop();
  for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  await stopped;
});
