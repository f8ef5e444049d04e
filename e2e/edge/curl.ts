import { execFile } from 'node:child_process';
import { edgeAddress } from '../netns.ts';

/** What curl printed: the heads of all answers, then the body. */
export interface CurlAnswer {
  readonly heads: string;
  readonly body: string;
}

/** Runs curl for a URL whose host is led to the edge. Rejects where curl fails, as it does where a certificate is not right. */
export function curl(url: string, ...args: readonly string[]): Promise<CurlAnswer> {
  const { hostname } = new URL(url);
  const led = [80, 443].flatMap(port => ['--resolve', `${hostname}:${port}:${edgeAddress}`]);
  return new Promise((resolve, reject) => {
    const options = { timeout: 10_000, encoding: 'latin1' } as const;
    execFile('curl', ['-sS', '-i', ...led, ...args, url], options, (error, stdout, stderr) => {
      if (error !== null) return reject(new Error(`curl: ${stderr}`, { cause: error }));
      const end = lastHeadEnd(stdout);
      resolve({ heads: stdout.slice(0, end), body: stdout.slice(end) });
    });
  });
}

/** Where the body begins: an interim answer has a head of its own. */
function lastHeadEnd(text: string): number {
  let end = 0;
  while (text.startsWith('HTTP/', end)) end = text.indexOf('\r\n\r\n', end) + 4;
  return end;
}
