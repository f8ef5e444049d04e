import { UsageError } from '../config/usage-error.ts';
import type { Command } from './program.ts';

/** `postern version`. */
export const versionCommand: Command = {
  name: 'version',
  summary: 'print the version',
  help: () => 'postern version: print the version\n\nUsage:\n  postern version\n',
  async run(argv, program) {
    if (argv.some(word => ['-h', '-help', '--help'].includes(word)))
      program.io.stdout(versionCommand.help(80));
    else if (argv[0] !== undefined)
      throw new UsageError([`postern version takes no argument ${JSON.stringify(argv[0])}.`]);
    else program.io.stdout(`postern ${program.version} (node ${process.versions.node})\n`);
    return 0;
  },
};
