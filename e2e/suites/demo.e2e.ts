import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('the demo secures its three sites, proves it, and leaves nothing running', async () => {
  const { status, output } = await demo();
  expect(output).toContain('Every site is served over verified HTTPS.');
  expect(output.match(/ {2}ok {2}https:/g)).toHaveLength(3);
  expect(status).toBe(0);
});

it('the demo says which of its ports another program has', async () => {
  const other = createServer();
  await new Promise<void>(resolve => other.listen(18080, '127.0.0.1', resolve));
  try {
    const { status, output } = await demo();
    expect(output).toContain('18080');
    expect(status).not.toBe(0);
  } finally {
    other.close();
  }
});

function demo(): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('node', [join(import.meta.dirname, '../demo/main.ts')], {
      env: { ...process.env, ONESHOT: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    child.on('error', reject);
    // It closes when every process that could still write to its output has ended.
    child.on('close', status => resolve({ status, output }));
  });
}
