import { PosternError } from '../core/errors.ts';

/** A command line, an environment or a configuration file that cannot be used as it is. Exit status 2. */
export class UsageError extends PosternError {
  /** One sentence each: what is wrong, and where. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'), { code: 'CONFIG_INVALID', retry: 'never' });
    this.problems = problems;
  }
}
