import { appendFileSync, createWriteStream } from 'node:fs';
import { startInProcess } from '../harness/postern-in-process.ts';
import { countedWrites } from './counted-writes.ts';
import type { CrashJob } from './job.ts';
import { untilSettled } from './settled.ts';

/** One process of a crash sweep: Postern, until all is done and tidy, or until it is killed. */
const job = JSON.parse(process.argv[2] ?? '') as CrashJob;
let writes = 0;

const postern = await startInProcess({
  args: job.args,
  version: job.run,
  log: createWriteStream(job.logFile, { flags: 'a' }),
  wrap: api =>
    countedWrites(api, what => {
      writes += 1;
      appendFileSync(job.writesFile, `${what}\n`);
      if (writes === job.killAfterWrite) process.kill(process.pid, 'SIGKILL');
    }),
});
await untilSettled(postern, job.revision);
await postern.stop();
