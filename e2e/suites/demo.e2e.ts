import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('the demo secures its three sites, proves it, and leaves nothing running', async () => {
  const { status, output } = await demo();
  expect(output).toContain('Every site is served over verified HTTPS.');
  expect(output.match(/ {2}ok {2}https:/g)).toHaveLength(3);
  expect(status).toBe(0);
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
