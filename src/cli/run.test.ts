import { describe, expect, it } from 'vitest';
import { commandLine } from './program.testing.ts';

describe('postern run', () => {
  it('starts with what flags and environment say, and ends as it ends', async () => {
    const run = await commandLine(['run', '--standalone', 'm'], {
      ioOptions: { environment: { POSTERN_LOG_LEVEL: 'warn', HOME: '/x' }, stderrIsTty: true },
    });
    expect(run.status).toBe(0);
    expect(run.started).toMatchObject([
      { source: { manifests: 'm' }, log: { level: 'warn', format: 'human' } },
    ]);
  });

  it('reads the file of --config', async () => {
    const run = await commandLine(['run', '--config', 'c'], { readFile: path => `namespace: from-${path}` });
    expect(run.started).toMatchObject([{ namespace: 'from-c' }]);
  });

  it.each([
    [undefined, 90],
    [60, 80],
    [94, 94],
    [300, 100],
  ])('on %s columns has help of at most %d', async (columns, most) => {
    const { stdout } = await commandLine(['run', '--help'], { ioOptions: { columns } });
    const longest = Math.max(...stdout.split('\n').map(line => line.length));
    expect(longest).toBeLessThanOrEqual(most);
  });

  it('has this help', async () => {
    const { stdout } = await commandLine(['help', 'run']);
    await expect(stdout).toMatchFileSnapshot('golden/help-run.txt');
  });
});
