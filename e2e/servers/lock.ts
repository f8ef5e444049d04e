import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { progress } from './progress.ts';

const patienceMs = 1_000;

/**
 * Runs `work` while no other process holds the same lock file. The lock is the kernel's (`flock`), so
 * it ends with the process that holds it, however that one dies.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  // `cat` holds the lock until its stdin closes: at `end()` below, or when this process is gone.
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const notice = setTimeout(() => progress(`waiting for another process that holds ${file}`), patienceMs);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.once('error', cause => reject(new Error('flock (package util-linux) is needed', { cause })));
      holder.once('exit', code => reject(new Error(`flock ${file} ended with ${code}`)));
      holder.stdout.once('data', () => resolve());
    });
    clearTimeout(notice);
    return await work();
  } finally {
    clearTimeout(notice);
    holder.stdin.end();
  }
}
