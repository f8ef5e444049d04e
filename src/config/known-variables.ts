import { approvalSettings } from './approval-settings.ts';
import { inspectSettings } from './inspect-settings.ts';
import { lintSettings } from './lint-settings.ts';
import { renewSettings } from './renew-settings.ts';
import { runSettings } from './run-settings.ts';
import { settingsOf } from './setting.ts';
import { statusSettings } from './status-settings.ts';

/** The environment variables that some command of Postern has: any other `POSTERN_*` is a mistake. */
export const knownVariables: ReadonlySet<string> = new Set(
  [runSettings, statusSettings, renewSettings, approvalSettings, inspectSettings, lintSettings]
    .flatMap(settingsOf)
    .filter(({ facts }) => facts.flagOnly !== true)
    .map(({ variable }) => variable),
);
