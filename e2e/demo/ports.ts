import { createServer } from 'node:net';

/** The fixed ports of the demo, all on loopback and above 1024. Its ACME server takes free ones. */
export const demoPorts = {
  http: 8080,
  https: 8443,
  solver: 8089,
  metrics: 9402,
  upstream: 18080,
  httpsUpstream: 18443,
} as const;

/** The ports of the demo that another program has. */
export async function takenPorts(): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(demoPorts).map(async ([use, port]) => ((await isFree(port)) ? [] : [`${port} (${use})`])),
  );
  return found.flat();
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
  });
}
