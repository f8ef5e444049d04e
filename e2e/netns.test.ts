import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { edgeAddress } from './netns.ts';
import { run } from './servers/run.ts';

const program = `${import.meta.dirname}/netns.ts`;

test('a command finds the test addresses, and no way out', async () => {
  const script = `ip address show dev lo; ip -o link show up | wc -l`;
  const said = await run(process.execPath, [program, '--', 'sh', '-c', script]);
  expect(said).toContain(`inet ${edgeAddress}/24`);
  expect(said.trim().split('\n').at(-1)).toBe('1');
});

test('the exit code comes through', async () => {
  const ended = run(process.execPath, [program, '--', 'sh', '-c', 'exit 7']);
  await expect(ended).rejects.toMatchObject({ exitCode: 7 });
});

test('a signal reaches the command, whose exit code counts', async () => {
  const child = spawn(process.execPath, [
    program,
    '--',
    'sh',
    '-c',
    "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done",
  ]);
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([3, null]);
});

test('what the command leaves behind is ended with it', async () => {
  const pid = Number(
    await run(process.execPath, [program, '--', 'sh', '-c', 'sleep 600 >&- 2>&- & echo $!']),
  );
  // Whether it is gone or waits to be reaped, it runs nothing any more.
  await expect.poll(() => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).toBe('');
});
